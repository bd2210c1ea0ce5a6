"""The model's scores of whole files, for comparison with other methods on the same examples."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from interest_migration.errors import DataError
from interest_migration.model.inputs import INPUT_SPECS, pad, parsers
from interest_migration.model.task_measures import new_interest_shares
from schemas.features import HORIZONS

if TYPE_CHECKING:
    from interest_migration.model.interest_model import InterestModel

RANKED_ITEMS: Final = 100
"""Length of the item lists."""

PROBABILITIES: Final = (
    *(f"propensity_{horizon}" for horizon in HORIZONS),
    *(f"churn_{horizon}" for horizon in HORIZONS),
)

Columns = dict[str, npt.NDArray[Any]]


def predict_scores(model: Any, paths: Sequence[str], batch_size: int = 512) -> Columns:
    """Scores transformed examples in the order of the sorted files.

    Args:
      model: An `InterestModel`, or the directory of an exported one.
      paths: Gzip TFRecord files of transformed examples.
      batch_size: Examples per batch.

    Returns:
      `churn_<horizon>` `[N]` and `propensity_<horizon>` `[N, V]` probabilities (column j is id j + 1),
      `new_interest_<horizon>` `[N, V]` shares (see `new_interest_shares`), `next_category` `[N, V]` logits, `next_item`
      `[N, K]` int32 item ids, best first.

    Raises:
      DataError: If there is no file or no example.
    """
    if not paths:
        raise DataError("expected files of transformed examples, received none")
    loaded = tf.saved_model.load(model) if isinstance(model, str) else None  # its variables live as long as it does
    score = score_function(model) if loaded is None else loaded.score_transformed
    records = tf.data.TFRecordDataset(sorted(paths), compression_type="GZIP", buffer_size=1 << 20)
    batches = records.batch(batch_size).map(
        lambda batch: pad(tf.io.parse_example(batch, parsers(INPUT_SPECS)), INPUT_SPECS)
    )
    return concatenate(score(batch) for batch in batches)


def score_function(model: InterestModel) -> Any:
    """Returns the compiled function from padded inputs to the columns of `predict_scores`."""
    return tf.function(
        lambda inputs: score_batch(model, inputs, model(inputs, training=False)), reduce_retracing=True, autograph=False
    )


def score_batch(
    model: InterestModel, inputs: dict[str, tf.Tensor], outputs: dict[str, tf.Tensor]
) -> dict[str, tf.Tensor]:
    """Returns the columns of `predict_scores` for padded inputs and what the model returned for them."""
    items = tf.math.top_k(model.item_scores(outputs), min(RANKED_ITEMS, model.sizes.items)).indices + 1
    found = {name: tf.sigmoid(outputs[name]) for name in PROBABILITIES}
    found |= {f"new_interest_{horizon}": new_interest_shares(model, inputs, outputs, horizon) for horizon in HORIZONS}
    return found | {"next_category": outputs["next_category"], "next_item": items}


def concatenate(batches: Iterable[dict[str, tf.Tensor]]) -> Columns:
    """Joins batches of columns.

    Raises:
      DataError: If there is no batch.
    """
    parts = [{name: value.numpy() for name, value in batch.items()} for batch in batches]
    if not parts:
        raise DataError("expected at least one transformed example, received none")
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

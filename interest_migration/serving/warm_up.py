"""Warm-up requests: what TF Serving replays before a new version answers anybody.

    <model>/assets.extra/tf_serving_warmup_requests   TFRecords of tensorflow.serving.PredictionLog

They are made of the model's own vocabularies, not of anybody's data: users with histories of random known items.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from interest_migration.examples.build import build_features
from interest_migration.examples.encode import ExampleEncoder
from interest_migration.examples.settings import ExampleSettings
from interest_migration.serving.event_columns import Columns, to_columns
from schemas.signatures import (
    EMBED,
    EMBED_CATEGORY,
    EMBED_ITEM,
    EMBED_NAMES,
    EXAMPLES,
    EXPLAIN,
    EXPLAIN_COLUMNS,
    PATHS,
    PATHS_COLUMNS,
    PREDICT,
    SERVE,
)

if TYPE_CHECKING:
    from tensorflow_serving.apis.predict_pb2 import PredictRequest

WARM_UP_FILE: Final = "assets.extra/tf_serving_warmup_requests"
"""Below the folder of the model; TF Serving looks for it there."""

BATCHES: Final = (1, 8, 64)
"""Users in a request for an answer."""
FEW: Final = (1, 4)
"""Users in a request for an explanation or for paths, which cost many times as much."""

_EVENTS: Final = 50
_CUT_S: Final = 1_500_000_000
_YEAR_S: Final = 365 * 86_400

Inputs = dict[str, Any]


def make_warm_ups(
    items: Sequence[str], categories: Sequence[str], settings: ExampleSettings
) -> list[tuple[str, Inputs]]:
    """Returns (signature, inputs) of every request.

    Args:
      items: Names of items.
      categories: Names of categories.
      settings: How features are made of events.
    """
    made: list[tuple[str, Inputs]] = []
    events = _random_events(items, categories, settings, max(BATCHES))
    for signatures, sizes in (
        ((SERVE, PREDICT, EMBED), BATCHES),
        ((EXPLAIN, PATHS, EXPLAIN_COLUMNS, PATHS_COLUMNS), FEW),
    ):
        for size in sizes:
            some = events.filter(pc.less(events["user"], f"{size:03d}"))
            examples, columns = _examples(some, settings), to_columns(some, _CUT_S)
            made += [(name, examples if name in (SERVE, EXPLAIN, PATHS) else columns) for name in signatures]
    names = {EMBED_ITEM: np.array(items[:8], object), EMBED_CATEGORY: np.array(categories[:8], object)}
    return [*made, (EMBED_NAMES, names)]


def _random_events(items: Sequence[str], categories: Sequence[str], settings: ExampleSettings, users: int) -> pa.Table:
    rng, count = np.random.default_rng(0), users * _EVENTS

    def draw(names: Sequence[str]) -> pa.Array:
        return (
            pa.array([""] * count)
            if not names
            else pa.array(names).take(pa.array(rng.integers(len(names), size=count)))
        )

    return pa.table(
        {
            "user": np.char.mod("%03d", np.repeat(np.arange(users), _EVENTS)),
            "time_s": _CUT_S - rng.integers(1, _YEAR_S, count),
            "action": draw(list({*settings.interest_actions, *settings.churn_actions})),
            "item": draw(items),
            "category_path": draw(categories),
            "price": rng.lognormal(size=count),
        }
    )


def _examples(events: pa.Table, settings: ExampleSettings) -> Inputs:
    return {EXAMPLES: np.array(list(ExampleEncoder().encode(build_features(events, _CUT_S, settings))), object)}


def write_warm_ups(model: str, warm_ups: Sequence[tuple[str, Inputs]]) -> None:
    """Writes requests beside a model, wherever TensorFlow can write."""
    import tensorflow as tf
    from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog, PredictLog

    with tf.io.TFRecordWriter(f"{model}/{WARM_UP_FILE}") as writer:
        for signature, inputs in warm_ups:
            request = _to_request(signature, inputs)
            writer.write(PredictionLog(predict_log=PredictLog(request=request)).SerializeToString(deterministic=True))


def _to_request(signature: str, inputs: Inputs) -> "PredictRequest":
    import tensorflow as tf
    from tensorflow_serving.apis.predict_pb2 import PredictRequest

    request = PredictRequest()
    request.model_spec.signature_name = signature
    for name, value in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
    return request


def read_warm_ups(model: Path) -> Iterator[tuple[str, Inputs]]:
    """Yields (signature, inputs) of the requests beside a model; nothing if there are none."""
    import tensorflow as tf
    from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog

    if not (model / WARM_UP_FILE).exists():
        return
    for record in tf.data.TFRecordDataset(str(model / WARM_UP_FILE)):
        request = PredictionLog.FromString(record.numpy()).predict_log.request
        values = {name: tf.make_ndarray(value) for name, value in request.inputs.items()}
        yield request.model_spec.signature_name, values

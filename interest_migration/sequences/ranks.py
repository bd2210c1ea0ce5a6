"""Full ranking: where the held-out item stands among all items that are not yet in the user's sequence."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from interest_migration.evaluation.bootstrap import Estimate, Resamples, estimate_mean
from interest_migration.evaluation.ranking import (
    LabelRanks,
    concatenate_ranks,
    hit_at,
    ndcg_at,
    rank_labels,
    reciprocal_rank,
)
from interest_migration.ragged import Ragged
from interest_migration.sequences.split import Cuts
from schemas.features import NEXT_ITEMS, label_name

if TYPE_CHECKING:
    from interest_migration.model.interest_model import InterestModel

CUT_OFFS = (5, 10, 20)
METRICS = (*(f"hit_at_{k}" for k in CUT_OFFS), *(f"ndcg_at_{k}" for k in CUT_OFFS), "reciprocal_rank")
_ROWS = 1024
_SEEN = np.float32(-1e9)

Values = dict[str, npt.NDArray[np.float64]]


def rank_by_model(model: InterestModel, batches: Iterable[dict[str, Any]], size: int) -> Values:
    """Returns metric -> `[N]` of the model; batches hold inputs and labels."""

    @tf.function(reduce_retracing=True, autograph=False)
    def place(batch: dict[str, Any]) -> tuple[Any, Any]:
        scores = model.item_scores(model(batch, training=False))
        own = tf.gather(scores, batch[label_name(NEXT_ITEMS)][:, :1] - 1, batch_dims=1)
        return tf.math.count_nonzero(scores > own, axis=1), tf.math.count_nonzero(scores == own, axis=1)

    placed = [place(batch) for batch in batches]
    higher, tied = (np.concatenate([part.numpy() for part in column]) for column in zip(*placed, strict=True))
    one = np.ones(len(higher), np.int64)
    return measure(LabelRanks(np.arange(len(higher)), higher, tied, one, one * size))


def rank_by_scores(score: Callable[[int, int], npt.NDArray[np.float32]], cuts: Cuts) -> Values:
    """Returns metric -> `[N]` of a method that scores a block of examples, `[stop - start, V]`."""
    parts = []
    for start in range(0, len(cuts.user), _ROWS):
        stop = min(start + _ROWS, len(cuts.user))
        scores = score(start, stop)
        seen = slice(cuts.history.offsets[start], cuts.history.offsets[stop])
        # As the model does; an item that the sequence holds already cannot be found again.
        scores[cuts.history.row_ids[seen] - start, cuts.history.values[seen] - 1] = _SEEN
        labels = Ragged(cuts.label[start:stop] - 1, np.arange(stop - start + 1))
        parts.append(rank_labels(scores, labels, depth=max(CUT_OFFS)))
    return measure(concatenate_ranks(parts))


def measure(ranks: LabelRanks) -> Values:
    """Returns metric -> `[N]`; ties count at their expected value."""
    values = {f"hit_at_{k}": hit_at(ranks, k) for k in CUT_OFFS} | {f"ndcg_at_{k}": ndcg_at(ranks, k) for k in CUT_OFFS}
    return values | {"reciprocal_rank": reciprocal_rank(ranks)}


def summarise(values: Values, resamples: Resamples) -> dict[str, Estimate]:
    """Returns metric -> its mean over users."""
    return {name: estimate_mean(column, resamples) for name, column in values.items()}

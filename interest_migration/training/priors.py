"""What the training examples say before any learning: base rates as first biases, item attributes, the newest cut."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from interest_migration.model.interest_model import ITEM_ATTRIBUTES, InterestModel
from interest_migration.model.scatter import members
from interest_migration.training.co_interest import CoInterest
from schemas.features import (
    CUT_TIME,
    FUTURE_CATEGORIES,
    HORIZON_OBSERVED,
    HORIZONS,
    INTEREST_IDS,
    ITEM_IDS,
    NEW_CATEGORIES,
    NEXT_CATEGORIES,
    NEXT_ITEMS,
    label_name,
)

Counts = npt.NDArray[np.float64]


def initialise(model: InterestModel, batches: Iterable[dict[str, tf.Tensor]]) -> tuple[str, ...]:
    """Sets the biases of the heads to base rates, fills the table of item attributes and notes the newest cut.

    Args:
      model: A built model.
      batches: Training batches, inputs and labels, in a fixed order.

    Returns:
      The horizons that some example has observed.
    """
    sizes = model.sizes
    next_counts, item_counts = np.zeros(sizes.categories), np.zeros(sizes.items)
    rates = {horizon: _Rates(sizes.categories) for horizon in HORIZONS}
    new, candidates = np.zeros([2, len(HORIZONS), sizes.categories])
    co_interest = CoInterest(model.pairs.covered)
    newest_cut = 0
    attributes = np.zeros([sizes.items + 2, len(ITEM_ATTRIBUTES)], np.int32)
    for batch in batches:
        next_counts += _count(batch[label_name(NEXT_CATEGORIES)], sizes.categories)
        item_counts += _count(batch[label_name(NEXT_ITEMS)], sizes.items)
        for row, horizon in enumerate(HORIZONS):
            rates[horizon].add(batch, horizon)
            among = model.fresh(batch) & (batch[label_name(HORIZON_OBSERVED[horizon])] == 1)[:, tf.newaxis]
            candidates[row] += np.sum(among, axis=0)
            new[row] += np.sum(among & members(batch[label_name(NEW_CATEGORIES[horizon])], sizes.categories), axis=0)
        co_interest.add(batch)
        newest_cut = max(newest_cut, int(tf.reduce_max(batch[CUT_TIME])))
        items = batch[ITEM_IDS].numpy()
        for column, name in enumerate(ITEM_ATTRIBUTES):
            attributes[items, column] = batch[name].numpy()
    attributes[[0, -1]] = 0
    model.next_category.bias.assign(_log_share(next_counts))
    model.next_item.bias.assign(np.concatenate([[0], _log_share(item_counts), [0]]))
    if model.neighbours:
        model.neighbours.assign(np.exp(_log_share(item_counts)))
    rates_of_new = _log_odds(new, candidates)
    model.new_interest.rates.assign(rates_of_new - rates_of_new.mean(axis=1, keepdims=True))
    model.new_interest.bias.assign(_log_odds(new.sum(axis=1), candidates.sum(axis=1)))
    offsets = np.zeros(model.profile.offsets.embeddings.shape)
    for column, (horizon, head) in enumerate(zip(HORIZONS, model.propensity, strict=True), start=1):
        head.bias.assign(rates[horizon].outside)
        offsets[1:-1, column] = rates[horizon].inside - rates[horizon].outside
    model.profile.offsets.embeddings.assign(offsets)
    model.next_item.attribute_ids.assign(attributes)
    model.newest_cut.assign(newest_cut)
    model.pairs.usual.assign(co_interest.usual)
    model.pairs.co_interest.assign(co_interest.weights)
    return tuple(horizon for horizon in HORIZONS if rates[horizon].pairs.any())


class _Rates:
    """How often a category follows within a horizon, where the profile holds it and where it does not."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.positives, self.pairs = np.zeros([2, size]), np.zeros([2, size])

    def add(self, batch: dict[str, tf.Tensor], horizon: str) -> None:
        """Counts a batch."""
        known = (batch[label_name(HORIZON_OBSERVED[horizon])] == 1).numpy()
        touched = members(batch[INTEREST_IDS], self.size).numpy()[known]
        follows = members(batch[label_name(FUTURE_CATEGORIES[horizon])], self.size).numpy()[known]
        for row, pairs in enumerate((~touched, touched)):
            self.pairs[row] += pairs.sum(axis=0)
            self.positives[row] += (pairs & follows).sum(axis=0)

    @property
    def outside(self) -> Counts:
        """`[V]` log-odds of a category that the profile does not hold."""
        return _log_odds(self.positives[0], self.pairs[0])

    @property
    def inside(self) -> Counts:
        """`[V]` log-odds of a category that the profile holds."""
        return _log_odds(self.positives[1], self.pairs[1])


def _count(ids: tf.Tensor, size: int) -> Counts:
    flat = ids.numpy().ravel()
    return np.bincount(flat[(flat >= 1) & (flat <= size)] - 1, minlength=size).astype(np.float64)


def _log_share(counts: Counts) -> Counts:
    """Logarithm of (n + 1/2) over its mean: 0 for an average id."""
    smoothed = counts + 0.5
    return np.log(smoothed / smoothed.mean())


def _log_odds(positives: Counts, pairs: Counts) -> Counts:
    """Logarithm of the odds with half a case added to either side."""
    return np.log((positives + 0.5) / (pairs - positives + 0.5))

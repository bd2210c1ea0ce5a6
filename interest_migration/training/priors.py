"""What the training examples say before any learning: base rates as first biases, and the attributes of items."""

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from interest_migration.model.interest_model import ITEM_ATTRIBUTES, InterestModel
from schemas.features import (
    FUTURE_CATEGORIES,
    HORIZON_OBSERVED,
    HORIZONS,
    ITEM_IDS,
    NEXT_CATEGORIES,
    NEXT_ITEMS,
    label_name,
)

Counts = npt.NDArray[np.float64]


def initialise(model: InterestModel, batches: tf.data.Dataset) -> None:
    """Sets the biases of the heads to base rates, and fills the table of item attributes.

    Args:
      model: A built model.
      batches: Training batches, inputs and labels, in a fixed order.
    """
    sizes = model.sizes
    next_counts, item_counts = np.zeros(sizes.categories), np.zeros(sizes.items)
    future = {horizon: np.zeros(sizes.categories) for horizon in HORIZONS}
    observed = dict.fromkeys(HORIZONS, 0.0)
    attributes = np.zeros([sizes.items + 2, len(ITEM_ATTRIBUTES)], np.int32)
    for batch in batches:
        next_counts += _count(batch[label_name(NEXT_CATEGORIES)], sizes.categories)
        item_counts += _count(batch[label_name(NEXT_ITEMS)], sizes.items)
        for horizon in HORIZONS:
            known = batch[label_name(HORIZON_OBSERVED[horizon])] == 1
            observed[horizon] += float(tf.reduce_sum(tf.cast(known, tf.float32)))
            ids = tf.where(known[:, tf.newaxis], batch[label_name(FUTURE_CATEGORIES[horizon])], 0)
            future[horizon] += _count(ids, sizes.categories)
        items = batch[ITEM_IDS].numpy()
        for column, name in enumerate(ITEM_ATTRIBUTES):
            attributes[items, column] = batch[name].numpy()
    attributes[[0, -1]] = 0
    model.next_category.bias.assign(_log_share(next_counts))
    model.next_item.bias.assign(np.concatenate([[0], _log_share(item_counts), [0]]))
    for horizon, head in zip(HORIZONS, model.propensity, strict=True):
        head.bias.assign(_log_odds(future[horizon], observed[horizon]))
    model.next_item.attribute_ids.assign(attributes)


def _count(ids: tf.Tensor, size: int) -> Counts:
    flat = ids.numpy().ravel()
    return np.bincount(flat[(flat >= 1) & (flat <= size)] - 1, minlength=size).astype(np.float64)


def _log_share(counts: Counts) -> Counts:
    """Logarithm of (n + 1/2) over its mean: 0 for an average id."""
    smoothed = counts + 0.5
    return np.log(smoothed / smoothed.mean())


def _log_odds(counts: Counts, total: float) -> Counts:
    """Logarithm of the odds with half a case added to either side."""
    return np.log((counts + 0.5) / (max(total, counts.max()) - counts + 0.5))

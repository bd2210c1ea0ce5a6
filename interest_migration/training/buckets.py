"""Batches of examples of similar length."""

import numpy as np
import numpy.typing as npt

_WINDOW_BATCHES = 64
_LARGEST = 4

Integers = npt.NDArray[np.int64]


def bucket_rows(lengths: Integers, batch_size: int, seed: int) -> list[Integers]:
    """Splits examples into batches that hold about equally many events once they are padded.

    Examples are shuffled and sorted by length within windows of 64 batches, so that every pass mixes them anew; the
    batches come in random order.

    Args:
      lengths: `[N]`, events of each example.
      batch_size: Examples in a batch of average length; short ones come in batches up to four times as large.
      seed: The same seed gives the same batches.

    Returns:
      For each batch its rows.

    Example:
      lengths 1, 9, 1, 9, batch size 2 -> rows 1 and 3 alone in a batch each, or rows 0 and 2 together in one.
    """
    generator = np.random.default_rng(seed)
    rows = generator.permutation(len(lengths))
    budget = batch_size * (lengths.mean() + 1)
    batches: list[Integers] = []
    for start in range(0, len(rows), window := batch_size * _WINDOW_BATCHES):
        part = rows[start : start + window]
        batches += _split(part[np.argsort(lengths[part], kind="stable")], lengths, budget, _LARGEST * batch_size)
    return [batches[place] for place in generator.permutation(len(batches))]


def _split(rows: Integers, lengths: Integers, budget: float, most: int) -> list[Integers]:
    """Cuts rows of rising length into runs whose padded events stay within the budget."""
    batches = []
    while len(rows):
        padded = (lengths[rows[:most]] + 1) * np.arange(1, len(rows[:most]) + 1)
        count = max(1, int(np.searchsorted(padded, budget, side="right")))
        batches.append(rows[:count])
        rows = rows[count:]
    return batches

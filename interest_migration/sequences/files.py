"""Reads sequence files in the format of S3Rec (Zhou et al. 2020, CIKM).

Beauty.txt                    one user a line: the user, then items from old to new       1 1 2 3 4 5
Beauty_item2attributes.json   item -> ids of its attributes (categories, brand)           {"4": [1, 2, 3], ...}
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from interest_migration.errors import DataError
from interest_migration.ragged import Ragged

_SHORTEST = 3


@dataclass(frozen=True)
class SequenceFile:
    """Sequences of items.

    Attributes:
      items: N sequences of item ids 1..V, from old to new; among items the more frequent in the training part have the
        smaller id.
      names: `[V]`, the items as the file names them.
      left_out: Users with fewer than three items, who have nothing to train, validate and test on.
    """

    items: Ragged
    names: tuple[str, ...]
    left_out: int


def read_sequences(path: Path) -> SequenceFile:
    """Reads a file of sequences.

    Raises:
      DataError: If it cannot be read, or holds no sequence of three items.
    """
    lines = [line.split() for line in _read(path).splitlines()]
    rows = [line[1:] for line in lines if len(line) > _SHORTEST]
    if not rows:
        raise DataError(
            f"expected lines of a user and at least three items ('7 12 5 31') in {path}, received "
            f"{len(lines)} lines without any"
        )
    names, codes = np.unique([name for row in rows for name in row], return_inverse=True)
    lengths = np.array([len(row) for row in rows])
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    trained = np.arange(offsets[-1]) < np.repeat(offsets[1:], lengths) - 2
    order = np.argsort(-np.bincount(codes[trained], minlength=len(names)), kind="stable")
    ids = np.empty(len(names), np.int64)
    ids[order] = np.arange(1, len(names) + 1)
    skipped = sum(1 for line in lines if line) - len(rows)
    return SequenceFile(Ragged(ids[codes], offsets), tuple(names[order].tolist()), skipped)


def read_attributes(path: Path, names: tuple[str, ...]) -> Ragged:
    """Reads the attributes of items.

    Args:
      path: JSON file, item -> list of attribute ids.
      names: `[V]` items.

    Returns:
      V rows of attribute ids 1..A, the more frequent ones first; empty rows for items without attributes.

    Raises:
      DataError: If it cannot be read or is not of this form.
    """
    try:
        found = json.loads(_read(path))
    except json.JSONDecodeError as error:
        raise DataError(f"expected JSON in {path}, received a damaged file ({error})") from error
    if not isinstance(found, Mapping) or not all(isinstance(values, list) for values in found.values()):
        raise DataError(f'expected {{"item": [attribute, ...], ...}} in {path}, received something else')
    rows = [[str(value) for value in found.get(name, [])] for name in names]
    lengths = np.array([len(row) for row in rows])
    if not lengths.sum():
        raise DataError(f"expected attributes of the items of the sequence file in {path}, received none of theirs")
    _, codes = np.unique([value for row in rows for value in row], return_inverse=True)
    return Ragged(_frequent_first(codes, lengths), np.concatenate([[0], np.cumsum(lengths)]))


def _frequent_first(codes: npt.NDArray[np.int64], lengths: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    order = np.argsort(-np.bincount(codes), kind="stable")
    ids = np.empty(len(order), np.int64)
    ids[order] = np.arange(1, len(order) + 1)
    values = ids[codes]
    return values[np.lexsort((values, np.repeat(np.arange(len(lengths)), lengths)))]


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"expected a text file at {path}, could not read it ({error})") from error

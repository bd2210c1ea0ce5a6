"""Which users' labels a training may use."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from interest_migration.evaluation.spaces import dense_column, select
from interest_migration.ragged import Array, Examples, Ragged, read_examples
from schemas.features import TRANSFORMED_FEATURES, UNKNOWN_LABEL, USER, Role

Mask = npt.NDArray[np.bool_]

_LABELS = {spec.name for spec in TRANSFORMED_FEATURES if spec.role is Role.LABEL}


def choose_users(users: npt.NDArray[Any], share: float, seed: int) -> Mask:
    """Returns for each of `[N]` pseudonyms whether its labels may be used.

    A hash of pseudonym and seed chooses, so the choice does not depend on the other users, and the users of a smaller
    share are among those of a larger one.
    """
    distinct, places = np.unique(users, return_inverse=True)
    return np.asarray([_position(user, seed) < share for user in distinct], np.bool_)[places]


def read_users(paths: Sequence[str]) -> npt.NDArray[Any]:
    """Returns the pseudonyms of the `[N]` examples of sorted files."""
    return np.asarray(read_examples(paths, [spec for spec in TRANSFORMED_FEATURES if spec.name == USER])[USER])


def hide_labels(examples: Examples, share: float, seed: int) -> Examples:
    """Returns the examples without the labels of those users that `choose_users` leaves out; a share of 0 hides all."""
    kept = choose_users(dense_column(examples, USER), share, seed)
    return {name: _hide(column, kept) if name in _LABELS else column for name, column in examples.items()}


def _hide(column: Array | Ragged, kept: Mask) -> Array | Ragged:
    return select(column, kept[column.row_ids]) if isinstance(column, Ragged) else np.where(kept, column, UNKNOWN_LABEL)


def _position(user: bytes, seed: int) -> float:
    """Returns a number from 0 to 1."""
    digest = hashlib.blake2b(user, digest_size=8, key=f"labels {seed}".encode()).digest()
    return int.from_bytes(digest, "big") / 2.0**64

"""A platform: transformed examples, and what their ids mean."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from interest_migration.cold_items.held_out_items import without_items
from interest_migration.cold_items.simple_methods import describe_items
from interest_migration.evaluation.spaces import dense_column, ragged_column, take_examples
from interest_migration.language.text_vectors import TextVectors
from interest_migration.model.interest_model import ITEM_ATTRIBUTES
from interest_migration.model.settings import VocabularySizes
from interest_migration.ragged import Examples, Ragged, read_examples
from interest_migration.training.label_share import choose_users
from schemas.features import (
    BRAND_IDS,
    CATEGORY_IDS,
    CHILD_IDS,
    INTEREST_IDS,
    ITEM_IDS,
    PARENT_IDS,
    PLATFORM_IDS,
    PRICE_BUCKETS,
    SESSION_INDEX,
    TEXT_IDS,
    TRANSFORMED_FEATURES,
    USER,
)

Cut = Literal["items", "departments"]
Mask = npt.NDArray[np.bool_]
_VOCABULARY: Final = {
    ITEM_IDS: "items",
    CATEGORY_IDS: "categories",
    INTEREST_IDS: "categories",
    PARENT_IDS: "parents",
    CHILD_IDS: "children",
    BRAND_IDS: "brands",
    PLATFORM_IDS: "platforms",
}


@dataclass(frozen=True)
class Platform:
    """One platform.

    Attributes:
      splits: Name of the split -> its transformed examples.
      sizes: Vocabulary sizes.
      vectors: Vectors of texts by id.
      new_interest_days: As in training.
    """

    splits: Mapping[str, Examples]
    sizes: VocabularySizes
    vectors: TextVectors
    new_interest_days: float


def read_splits(paths: Mapping[str, Sequence[str]], share: float, seed: int) -> dict[str, Examples]:
    """Reads the transformed examples of a share of the users: split -> examples."""
    splits = {name: read_examples(sorted(files), TRANSFORMED_FEATURES) for name, files in paths.items()}
    if share == 1:
        return splits
    return {
        name: take_examples(examples, np.flatnonzero(choose_users(dense_column(examples, USER), share, seed)))
        for name, examples in splits.items()
    }


def as_foreign(examples: Examples, sizes: VocabularySizes) -> Examples:
    """Returns examples as the transform of another platform would write them: it knows none of their values.

    Args:
      examples: Transformed examples.
      sizes: Vocabulary sizes of the other platform.

    Example:
      item ids [3, 0, 8] on a platform with 5 items -> [6, 0, 6].
    """
    found = dict(examples)
    for name, vocabulary in _VOCABULARY.items():
        column = ragged_column(examples, name)
        found[name] = Ragged(np.where(column.values != 0, getattr(sizes, vocabulary) + 1, 0), column.offsets)
    for name, most in ((TEXT_IDS, 0), (PRICE_BUCKETS, sizes.price_buckets), (SESSION_INDEX, sizes.sessions - 1)):
        column = ragged_column(examples, name)
        found[name] = Ragged(np.minimum(column.values, most), column.offsets)
    return found


def cut_in_two(platform: Platform, by: Cut, seed: int) -> tuple[Platform, Platform]:
    """Makes two platforms of one, with no user and no item in common.

    Args:
      platform: The platform.
      by: `items` gives every item to one of the two at random; `departments` all items of a category's parent to one
        of them, so that they sell different kinds of goods.
      seed: Of the choice.
    """
    first = _choose_items(platform, by, seed)
    return _part(platform, first, seed, first_users=True), _part(platform, ~first, seed, first_users=False)


def _choose_items(platform: Platform, by: Cut, seed: int) -> Mask:
    size = platform.sizes.items
    if by == "items":
        return np.random.default_rng(seed).random(size + 2) < 0.5
    parents = describe_items(list(platform.splits.values()), size)[:, ITEM_ATTRIBUTES.index(PARENT_IDS)]
    counts = np.bincount(parents[ragged_column(platform.splits["train"], ITEM_IDS).values])
    first, shares = np.zeros(len(counts), np.bool_), [0, 0]
    for parent in np.argsort(-counts, kind="stable"):  # each department to the platform that has fewer events so far
        first[parent] = shares[0] <= shares[1]
        shares[0 if first[parent] else 1] += counts[parent]
    return np.pad(first, (0, max(0, int(parents.max()) + 1 - len(first))))[parents]


def _part(platform: Platform, chosen: Mask, seed: int, *, first_users: bool) -> Platform:
    gone = ~chosen
    gone[[0, -1]] = False
    splits = {
        name: without_items(take_examples(examples, _rows_of_half(examples, seed, first_users)), gone)
        for name, examples in platform.splits.items()
    }
    return replace(
        platform,
        splits=splits,
        sizes=platform.sizes.model_copy(update={"items": int((~gone).sum()) - 2}),
        vectors=replace(platform.vectors, items=platform.vectors.items[~gone]),
    )


def _rows_of_half(examples: Examples, seed: int, first: bool) -> npt.NDArray[np.int64]:
    return np.flatnonzero(choose_users(dense_column(examples, USER), 0.5, seed + 1) == first)

"""Category trees: from a category's id to its path."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from interest_migration.privacy.identifiers import as_text, canonical_ids
from interest_migration.sources.distinct import text_or_null
from interest_migration.sources.fields import CategoryField, Tree
from interest_migration.sources.keyed_tables import find_keys, read_keyed_table

MAX_DEPTH: Final = 64
"""Levels of a path that count; what is above them is left out."""


@dataclass(frozen=True)
class CategoryTree:
    """Paths of K categories.

    Attributes:
      ids: `[K]` distinct canonical ids.
      paths: `[K]` lists of levels, broad to narrow; the last is the category itself.
    """

    ids: pa.StringArray
    paths: pa.ListArray

    def find(self, categories: pa.Array) -> pa.Array:
        """Returns `[N]` lists of levels; a category that the tree lacks is its own only level."""
        ids = canonical_ids(categories)
        found = self.paths.take(find_keys(ids, self.ids))
        alone = pa.ListArray.from_arrays(pa.array(range(len(ids) + 1), pa.int32()), ids.cast(pa.string()))
        return pc.if_else(found.is_valid(), found, alone)


def load_tree(field: CategoryField | None, paths: Sequence[str]) -> CategoryTree | None:
    """Reads the tree of a category field; None if it has none, or an optional one without files.

    Raises:
      DataError: If a file cannot be read, lacks a column or has no rows.
    """
    if field is None or field.tree is None or not paths:
        return None
    states = [Path(path).stat() for path in paths]
    key = tuple((state.st_size, state.st_mtime_ns) for state in states)
    return _load_tree(field.tree.model_dump_json(), tuple(paths), key)


@lru_cache(maxsize=8)
def _load_tree(tree_json: str, paths: tuple[str, ...], states: tuple[tuple[int, int], ...]) -> CategoryTree:
    del states  # only part of what the cache goes by
    tree = Tree.model_validate_json(tree_json)
    name = tree.name or tree.id
    table = read_keyed_table(tree, paths, tree.id, (tree.parent, name))
    ids = table.keys.to_pylist()
    parents = text_or_null(table.columns[tree.parent], tree.null_values, canonical_ids).to_pylist()
    names = text_or_null(table.columns[name], tree.null_values, as_text if tree.name else canonical_ids).to_pylist()
    labels = {key: label or key for key, label in zip(ids, names, strict=True)}
    above = {key: parent for key, parent in zip(ids, parents, strict=True) if parent is not None}
    cyclic = _own_ancestors(above)
    levels = [[labels.get(key, key) for key in _ancestors(start, above, cyclic)] for start in ids]
    return CategoryTree(table.keys, pa.array(levels, pa.list_(pa.string())))


def _ancestors(start: str, above: Mapping[str, str], cyclic: Collection[str]) -> list[str]:
    """Returns a category and what is above it, broad to narrow.

    A parent without a row of its own is a top. A category that is its own ancestor is a top as well.

    Example:
      3 below 2 below 1 -> 1, 2, 3; with 1 below 2 (a cycle of 1 and 2): 3 -> 2, 3.
    """
    chain = [start]
    while chain[-1] in above and chain[-1] not in cyclic and len(chain) < MAX_DEPTH:
        chain.append(above[chain[-1]])
    return chain[::-1]


def _own_ancestors(above: Mapping[str, str]) -> set[str]:
    """Returns the categories of all cycles."""
    done: set[str] = set()
    cyclic: set[str] = set()
    for start in above:
        places: dict[str, int] = {}
        category = start
        while category in above and category not in done and category not in places:
            places[category] = len(places)
            category = above[category]
        if category in places:
            cyclic.update(list(places)[places[category] :])
        done.update(places)
    return cyclic

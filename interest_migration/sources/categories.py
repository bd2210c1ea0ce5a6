"""Category paths: levels from broad to narrow, joined by `schemas.events.PATH_SEPARATOR`."""

import re
from collections.abc import Mapping, Sequence
from itertools import dropwhile

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from interest_migration.errors import ContractError
from interest_migration.privacy.identifiers import canonical_ids
from interest_migration.sources.distinct import index_or, map_distinct, null_where, text_or_null
from interest_migration.sources.fields import CategoryField
from interest_migration.sources.trees import CategoryTree
from schemas.events import PATH_SEPARATOR

_MARK = PATH_SEPARATOR.strip()
_UNSAFE = re.compile(rf"(^|\s){_MARK}(\s|$)")


def category_paths(
    columns: Mapping[str, pa.Array],
    field: CategoryField,
    null_values: Sequence[str],
    tree: CategoryTree | None = None,
) -> pa.DictionaryArray:
    """Builds the category path of each row.

    A path ends before its first missing level, so that a level always means the same. A level in which the separator
    could be found has `>` replaced by `/`.

    Args:
      columns: Source column -> `[N]`; lists of texts are paths themselves, and of lists of those the first counts.
      field: Which columns, and how to split.
      null_values: Texts that mean "no value".
      tree: The field's tree; without it a value is its own only level.

    Returns:
      `[N]` dictionary of paths, null without a first level.

    Example:
      levels ["Food", "Food", null], ["Tea > Green", null, "Tea"] -> ["Food > Tea / Green", "Food", null].
    """
    path = above = _paths(columns[field.levels[0]], field, null_values, tree)
    for name in field.levels[1:]:
        level = _level(columns[name], null_values)
        above = pa.DictionaryArray.from_arrays(null_where(level.indices, above.indices.is_null()), level.dictionary)
        path = _append(path, above)
    for name in field.fallback if path.indices.null_count else ():
        other = _level(columns[name], null_values)
        path = pc.coalesce(path.cast(pa.string()), other.cast(pa.string())).dictionary_encode()
    return path


def _paths(
    values: pa.Array, field: CategoryField, null_values: Sequence[str], tree: CategoryTree | None
) -> pa.DictionaryArray:
    if _is_list(values.type) or not (field.separator or field.pattern or tree):
        return _level(values, null_values)

    def take_apart(distinct: pa.Array) -> pa.Array:
        if tree is not None:
            return _join_lists(tree.find(text_or_null(distinct, null_values, canonical_ids)), null_values)
        texts = text_or_null(distinct, null_values).to_pylist()
        parts = [None if text is None else _split(text, field) for text in texts]
        return pa.array([None if part is None else _join(part, null_values) for part in parts], pa.string())

    return map_distinct(values, take_apart)


def _split(text: str, field: CategoryField) -> Sequence[str | None]:
    if field.pattern is None:
        return text.split(field.separator)
    found = re.search(field.pattern, text)
    return () if found is None else found.groups() or (found[0],)


def _level(values: pa.Array, null_values: Sequence[str]) -> pa.DictionaryArray:
    if _is_list(values.type):
        return _join_lists(_plain_lists(values), null_values).dictionary_encode()
    return map_distinct(values, lambda distinct: _clean(text_or_null(distinct, null_values, canonical_ids)))


def _plain_lists(values: pa.Array) -> pa.ListArray:
    """Returns `[N]` lists of texts; of lists of lists the first part of each."""
    try:
        if _is_list(values.type.value_type):
            values = _first_of_each(values.cast(pa.list_(pa.list_(pa.string()))))
        return values.cast(pa.list_(pa.string()))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise ContractError(f"expected lists of plain values, received {values.type}") from error


def _is_list(kind: pa.DataType) -> bool:
    return pa.types.is_list(kind) or pa.types.is_large_list(kind)


def _first_of_each(lists: pa.ListArray) -> pa.Array:
    """Returns `[N]` the first part of each list, null where it is empty."""
    empty = pc.equal(pc.list_value_length(lists), 0).fill_null(True)
    starts = lists.offsets[:-1].cast(pa.int64())
    return lists.values.take(null_where(starts, empty))


def _join_lists(values: pa.ListArray, null_values: Sequence[str]) -> pa.Array:
    levels = map_distinct(values.flatten(), lambda distinct: _clean(text_or_null(distinct, null_values)))
    if levels.null_count:
        return pa.array([_join(parts or [], null_values) for parts in values.to_pylist()], pa.string())
    lengths = pc.list_value_length(values).fill_null(0).to_numpy(zero_copy_only=False)
    offsets = pa.array(np.concatenate([[0], np.cumsum(lengths)]), pa.int32())
    paths = pc.binary_join(pa.ListArray.from_arrays(offsets, levels.cast(pa.string())), PATH_SEPARATOR)
    return null_where(paths, pc.equal(paths, ""))


def _join(parts: Sequence[str | None], null_values: Sequence[str]) -> str | None:
    """Joins the parts up to the first missing one; empty parts at the start, as of "/a/b", are left out."""
    levels = [None if part is None else _level_text(part.strip(), null_values) for part in parts]
    present = list(dropwhile(lambda level: level is None, levels))
    end = present.index(None) if None in present else len(present)
    return PATH_SEPARATOR.join(level for level in present[:end] if level) or None


def _level_text(text: str, null_values: Sequence[str]) -> str | None:
    if not text or text in null_values:
        return None
    return text.replace(_MARK, "/") if _UNSAFE.search(text) else text


def _clean(level: pa.Array) -> pa.Array:
    unsafe = pc.match_substring_regex(level, _UNSAFE.pattern)
    return pc.if_else(unsafe, pc.replace_substring(level, _MARK, "/"), level)


def _append(path: pa.DictionaryArray, level: pa.DictionaryArray) -> pa.DictionaryArray:
    """Adds one level to paths that have all the levels before it."""
    none = len(level.dictionary)
    pairs = index_or(path.indices, -1) * (none + 1) + index_or(level.indices, none)
    distinct = pa.array(pairs).dictionary_encode()
    broad, narrow = np.divmod(distinct.dictionary.to_numpy(), none + 1)
    parents = path.dictionary.take(pa.array(broad, mask=broad < 0))
    children = level.dictionary.take(pa.array(narrow, mask=narrow == none))
    endings = pc.coalesce(pc.binary_join_element_wise(PATH_SEPARATOR, children, ""), "")
    merged = pc.binary_join_element_wise(parents, endings, "").dictionary_encode()
    return pa.DictionaryArray.from_arrays(merged.indices.take(distinct.indices), merged.dictionary)

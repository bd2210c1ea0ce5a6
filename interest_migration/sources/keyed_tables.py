"""Whole tables with a key: read once, joined to any number of batches."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from interest_migration.errors import DataError
from interest_migration.privacy.identifiers import as_text, canonical_ids
from interest_migration.sources.distinct import encode, text_or_null
from interest_migration.sources.file_readers import read_raw
from interest_migration.sources.file_sources import FileSource
from interest_migration.sources.filters import kept_rows
from interest_migration.sources.mapping import Lookup
from interest_migration.sources.paths import file_format


@dataclass(frozen=True)
class KeyedTable:
    """Rows that are found by an identifier.

    Attributes:
      keys: `[K]` distinct canonical identifiers.
      columns: Name -> `[K]` values.
      left_out: Rows of the files that were broken, had no key, or were replaced by a later row with the same key; not
        those that a filter dropped.
    """

    keys: pa.StringArray
    columns: Mapping[str, pa.Array]
    left_out: int

    def find(self, identifiers: pa.Array) -> pa.Array:
        """Returns `[N]` positions in the table, null where the identifier is unknown."""
        encoded = encode(identifiers)
        return find_keys(canonical_ids(encoded.dictionary), self.keys).take(encoded.indices)


def find_keys(identifiers: pa.Array, keys: pa.Array) -> pa.Array:
    """Returns `[N]` int32 positions in `keys`, null where there is none; null is never found."""
    return pc.index_in(identifiers, value_set=keys, skip_nulls=True)


@dataclass(frozen=True)
class TableRows:
    """All rows of a table that its filters keep, in the order of its files.

    Attributes:
      keys: `[R]` canonical identifiers, null where a row has none.
      columns: Name -> `[R]` values.
      broken: Rows that could not be read.
    """

    keys: pa.StringArray
    columns: Mapping[str, pa.Array]
    broken: int


def read_table_rows(
    source: FileSource,
    paths: Sequence[str],
    key: str,
    columns: Sequence[str],
    nested: Sequence[str] = (),
    limit: int | None = None,
) -> TableRows:
    """Reads all files of a table; only the rows that its filters keep are held in memory.

    Args:
      source: How the files are written, and which rows count.
      paths: Files.
      key: Column with the identifier.
      columns: Other columns to keep.
      nested: Those that may hold lists or objects.
      limit: Reading ends after about this many rows.

    Raises:
      DataError: If a file cannot be read, lacks a column, its key is nested, or there is no row.
    """
    wanted = list(dict.fromkeys((key, *columns)))
    asked = list(dict.fromkeys((*wanted, *(condition.column for condition in source.filters))))
    parts: list[Mapping[str, pa.Array]] = []
    seen = broken = 0
    for path in paths:
        for batch in read_raw(source, path, file_format(source, path), asked, [key], nested):
            broken += len(batch.broken)
            seen += len(batch)
            if len(batch):
                kept = pa.array(kept_rows(batch.columns, source, len(batch)))
                parts.append({name: batch.columns[name].filter(kept) for name in wanted})
            if limit is not None and seen >= limit:
                break
    if not any(len(part[key]) for part in parts):
        problem = "received none" if not seen else f"received {seen} and none that its filters keep"
        raise DataError(f"{', '.join(paths)}: expected a table with rows, {problem}")
    table = {name: _concatenate([part[name] for part in parts]) for name in wanted}
    keys = text_or_null(_plain(table[key]), source.null_values, canonical_ids)
    return TableRows(keys, {name: table[name] for name in columns}, broken)


def read_keyed_table(
    source: FileSource,
    paths: Sequence[str],
    key: str,
    columns: Sequence[str],
    nested: Sequence[str] = (),
    limit: int | None = None,
) -> KeyedTable:
    """Reads all files of a table; of rows with equal keys the last counts. See `read_table_rows`."""
    rows = read_table_rows(source, paths, key, columns, nested, limit)
    places = _last_places(rows.keys)
    kept = {name: values.take(places) for name, values in rows.columns.items()}
    return KeyedTable(rows.keys.take(places), kept, len(rows.keys) + rows.broken - len(places))


def load_lookup(lookup: Lookup, paths: tuple[str, ...]) -> KeyedTable:
    """Reads the table of a join; the pieces of a stream share it until a file changes."""
    states = [Path(path).stat() for path in paths]
    return _load_lookup(lookup.model_dump_json(), paths, tuple((state.st_size, state.st_mtime_ns) for state in states))


@lru_cache(maxsize=8)
def _load_lookup(lookup_json: str, paths: tuple[str, ...], states: tuple[tuple[int, int], ...]) -> KeyedTable:
    del states  # only part of what the cache goes by
    lookup = Lookup.model_validate_json(lookup_json)
    return read_keyed_table(lookup, paths, lookup.key or lookup.column, lookup.columns)


def _last_places(keys: pa.Array) -> pa.Array:
    """Positions of the last row of each key, ascending; rows without a key have none."""
    codes = keys.dictionary_encode().indices
    present = np.flatnonzero(codes.is_valid().to_numpy(zero_copy_only=False))
    codes = codes.drop_null().to_numpy()
    last = np.zeros(codes.max(initial=-1) + 1, np.int64)
    np.maximum.at(last, codes, present)
    return pa.array(np.sort(last))


def _concatenate(parts: Sequence[pa.Array]) -> pa.Array:
    plain = [_plain(part) for part in parts]
    kinds = {part.type for part in plain if not pa.types.is_null(part.type)}
    if len(kinds) > 1:
        plain = [as_text(part) for part in plain]
        kinds = {pa.string()}
    kind = kinds.pop() if kinds else pa.string()
    return pa.concat_arrays([part.cast(kind) for part in plain])


def _plain(values: pa.Array) -> pa.Array:
    return values.cast(values.type.value_type) if pa.types.is_dictionary(values.type) else values

"""What is known of items and users besides their events."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from interest_migration.errors import DataError
from interest_migration.privacy.identifiers import canonical_ids
from interest_migration.privacy.pseudonyms import Pseudonymiser
from interest_migration.sources.categories import category_paths
from interest_migration.sources.conversion import number_column, text_column
from interest_migration.sources.distinct import encode, null_mask, text_or_null
from interest_migration.sources.keyed_tables import find_keys, read_keyed_table, read_table_rows
from interest_migration.sources.mapping import Items, SourceMapping, Users
from interest_migration.sources.partition_settings import Selection
from interest_migration.sources.paths import resolve_root, source_files, tree_files
from interest_migration.sources.rejects import Verdict
from interest_migration.sources.times import parse_times
from interest_migration.sources.trees import CategoryTree, load_tree
from interest_migration.sources.versions import Versions, sort_versions
from schemas.events import EVENT_SCHEMA


@dataclass(frozen=True)
class ItemTable:
    """Items by id.

    Attributes:
      ids: `[K]` distinct canonical ids, as events have them.
      columns: Contract field -> `[K]` values, null where the item has none; `[R]` for R versions of the items.
      left_out: Rows of the table that were broken, had no id or time, or were replaced by a later row.
      versions: Which rows held when, if the table says so.
    """

    ids: pa.StringArray
    columns: Mapping[str, pa.Array]
    left_out: int
    versions: Versions | None = None

    def newest(self, name: str, ids: pa.Array) -> pa.Array:
        """Returns `[N]` values of a column for `[N]` canonical ids, from each item's newest row; null if unknown."""
        places = find_keys(ids, self.ids)
        if self.versions:
            places = self.versions.rows_at(places, np.full(len(ids), np.iinfo(np.int64).max))
        return self.columns[name].take(places)

    def join(self, events: pa.Table) -> pa.Table:
        """Fills what the events lack from the item table.

        Args:
          events: `[N]` rows with a column `item`, plain or dictionary encoded, and `time_s` if the table has versions.

        Returns:
          The same rows in the same order; columns that the table has are added where missing, and filled where null.

        Example:
          item ["tea", "?"], brand ["Own", null]; table tea -> brand "Leaf" -> brand ["Own", null].
        """
        if "item" not in events.column_names:
            return events
        items = encode(events["item"].combine_chunks())
        places = find_keys(items.dictionary, self.ids).take(items.indices)
        if self.versions:
            places = self.versions.rows_at(places, events["time_s"].to_numpy())
        for name, values in self.columns.items():
            found = values.take(places)
            if name not in events.column_names:
                events = events.append_column(name, found)
                continue
            column = events[name]
            if column.null_count:
                kind = EVENT_SCHEMA.field(name).type
                filled = pc.coalesce(column.cast(kind), found.cast(kind))
                events = events.set_column(events.column_names.index(name), name, filled)
        return events


@dataclass(frozen=True)
class UserTable:
    """Declared attributes of users, by pseudonym.

    Attributes:
      users: `[K]` distinct pseudonyms.
      values: `[K]` lists of `name=value`.
      left_out: Rows of the table that were broken, had no id, were replaced by a later row, or belong to erased users.
    """

    users: pa.StringArray
    values: pa.ListArray
    left_out: int

    def attributes(self, users: Sequence[str] | pa.Array) -> pa.ListArray:
        """Returns `[N]` lists of `name=value`, one per user; empty for users that the table does not have.

        Example:
          ["7f3a...", "unknown"] -> [["age=45-54", "income=50-74K"], []].
        """
        encoded = encode(users if isinstance(users, pa.Array) else pa.array(users, pa.string()))
        places = find_keys(encoded.dictionary.cast(pa.string()), self.users).take(encoded.indices)
        padded = pa.concat_arrays([self.values, pa.array([[]], self.values.type)])
        return padded.take(places.fill_null(len(self.users)))


def load_items(mapping: SourceMapping, input_root: str, selection: Selection | None = None) -> ItemTable | None:
    """Reads the item table of a mapping, or returns None if it has none, or an optional one without files.

    Raises:
      DataError: If the table is missing or cannot be read.
    """
    items = mapping.items
    root = resolve_root(input_root, selection) if items else None
    if items is None or root is None:
        return None
    paths = source_files(items, root, "the items table")
    tree = load_tree(items.category_path, tree_files(items.category_path, root, "the items table"))
    return read_items(items, paths, tree) if paths else None


def read_items(
    items: Items, paths: Sequence[str], tree: CategoryTree | None = None, limit: int | None = None
) -> ItemTable:
    """Reads the files of an item table. Values that are unusable become null.

    Args:
      items: Its settings.
      paths: Its files.
      tree: Its category tree.
      limit: Reading ends after about this many rows.

    Raises:
      DataError: If a file cannot be read or there are no rows.
    """
    nested = items.category_path.source_columns if items.category_path else ()
    if items.valid_from is None:
        table = read_keyed_table(items, paths, items.id, _item_columns(items), nested, limit)
        return ItemTable(table.keys, _item_values(items, table.columns, len(table.keys), tree), table.left_out)
    rows = read_table_rows(items, paths, items.id, _item_columns(items), nested, limit)
    times_s, missing, bad = parse_times(rows.columns[items.valid_from.column], items.valid_from, items.null_values)
    good = np.flatnonzero(~(missing | bad | null_mask(rows.keys)))
    if not len(good):
        raise DataError(
            f"{', '.join(paths)}: expected rows with {items.id} and {items.valid_from.column}, received none"
        )
    keys = encode(rows.keys.take(pa.array(good)))
    order, versions = sort_versions(keys.indices.to_numpy().astype(np.int64), times_s[good])
    columns = {name: values.take(pa.array(good[order])) for name, values in rows.columns.items()}
    left_out = len(rows.keys) + rows.broken - len(good)
    return ItemTable(keys.dictionary, _item_values(items, columns, len(good), tree), left_out, versions)


def _item_values(
    items: Items, columns: Mapping[str, pa.Array], size: int, tree: CategoryTree | None
) -> dict[str, pa.Array]:
    values: dict[str, pa.Array] = {}
    if items.category_path:
        values["category_path"] = category_paths(columns, items.category_path, items.null_values, tree)
    if items.price:
        price = number_column(columns, items.price, size, items.null_values, Verdict(size))
        values["price"] = pa.array(price, mask=np.isnan(price) | (price < 0) | (price > items.price.at_most))
    for name in ("brand", "text"):
        if field := getattr(items, name):
            values[name] = encode(text_column(columns, field, size, items.null_values, name))
    return values


def load_users(
    mapping: SourceMapping, input_root: str, pseudonymiser: Pseudonymiser, selection: Selection | None = None
) -> UserTable | None:
    """Reads the user table of a mapping, or returns None if it has none, or an optional one without files.

    Raw ids do not stay in memory.

    Raises:
      DataError: If the table is missing or cannot be read.
    """
    users = mapping.users
    if users is None:
        return None
    paths = source_files(users, resolve_root(input_root, selection), "the users table")
    return read_users(users, paths, pseudonymiser) if paths else None


def read_users(users: Users, paths: Sequence[str], pseudonymiser: Pseudonymiser, limit: int | None = None) -> UserTable:
    """Reads the files of a user table; see `read_items`."""
    table = read_keyed_table(users, paths, users.id, users.attributes, limit=limit)
    columns = [_attribute(name, table.columns[name], users.null_values) for name in users.attributes]
    pseudonyms = pseudonymiser.pseudonyms(table.keys)
    kept = pa.array(~pseudonymiser.is_erased(pseudonyms))
    left_out = table.left_out + len(kept) - kept.true_count
    return UserTable(pseudonyms.cast(pa.string()).filter(kept), _rows_of(columns).filter(kept), left_out)


def _item_columns(items: Items) -> tuple[str, ...]:
    names = [name for field in (items.category_path, items.brand, items.text) if field for name in field.source_columns]
    names += [field.column for field in (items.price, items.valid_from) if field and field.column]
    return tuple(dict.fromkeys(names))


def _attribute(name: str, values: pa.Array, null_values: tuple[str, ...]) -> pa.Array:
    text = text_or_null(values, null_values, canonical_ids)
    return pc.binary_join_element_wise(f"{name}=", text, "")


def _rows_of(columns: Sequence[pa.Array]) -> pa.ListArray:
    """Turns K-long columns into K lists of their values that are not null.

    Example:
      ["age=20", null], ["kids=0", "kids=1"] -> [["age=20", "kids=0"], ["kids=1"]].
    """
    size, width = len(columns[0]), len(columns)
    by_row = pa.array(np.arange(size * width).reshape(width, size).T.ravel())
    values = pa.concat_arrays(columns).take(by_row)
    present = values.is_valid().to_numpy(zero_copy_only=False).reshape(size, width)
    offsets = np.concatenate([[0], np.cumsum(present.sum(axis=1))])
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), values.drop_null())

"""What is known of items and users besides their events."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from interest_migration.privacy.identifiers import as_text
from interest_migration.privacy.pseudonyms import Pseudonymiser
from interest_migration.sources.categories import category_paths
from interest_migration.sources.conversion import number_column, text_column
from interest_migration.sources.distinct import encode, text_or_null
from interest_migration.sources.keyed_tables import find_keys, read_keyed_table
from interest_migration.sources.mapping import Items, SourceMapping
from interest_migration.sources.paths import resolve_root, source_files
from interest_migration.sources.rejects import Verdict
from schemas.events import EVENT_SCHEMA


@dataclass(frozen=True)
class ItemTable:
    """Items by id.

    Attributes:
      ids: `[K]` distinct canonical ids, as events have them.
      columns: Contract field -> `[K]` values, null where the item has none.
      left_out: Rows of the table that were broken, had no id, or were replaced by a later row.
    """

    ids: pa.StringArray
    columns: Mapping[str, pa.Array]
    left_out: int

    def join(self, events: pa.Table) -> pa.Table:
        """Fills what the events lack from the item table.

        Args:
          events: `[N]` rows with a column `item`, plain or dictionary encoded.

        Returns:
          The same rows in the same order; columns that the table has are added where missing, and filled where null.

        Example:
          item ["tea", "?"], brand ["Own", null]; table tea -> brand "Leaf" -> brand ["Own", null].
        """
        if "item" not in events.column_names:
            return events
        items = encode(events["item"].combine_chunks())
        places = find_keys(items.dictionary, self.ids).take(items.indices)
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
      left_out: Rows of the table that were broken, had no id, or were replaced by a later row.
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


def load_items(mapping: SourceMapping, input_root: str) -> ItemTable | None:
    """Reads the item table of a mapping, or returns None if it has none. Values that are unusable become null.

    Raises:
      DataError: If the table is missing or cannot be read.
    """
    items = mapping.items
    if items is None:
        return None
    levels = items.category_path.levels if items.category_path else ()
    paths = source_files(items, resolve_root(input_root), "the items table")
    table = read_keyed_table(items, paths, items.id, _item_columns(items), levels)
    size = len(table.keys)
    columns: dict[str, pa.Array] = {}
    if items.category_path:
        columns["category_path"] = category_paths(table.columns, items.category_path, items.null_values)
    if items.price:
        price = number_column(table.columns, items.price, size, items.null_values, Verdict(size))
        columns["price"] = pa.array(price, mask=np.isnan(price) | (price < 0))
    for name in ("brand", "text"):
        if field := getattr(items, name):
            columns[name] = encode(text_column(table.columns, field, size, items.null_values, name))
    return ItemTable(table.keys, columns, table.left_out)


def load_users(mapping: SourceMapping, input_root: str, pseudonymiser: Pseudonymiser) -> UserTable | None:
    """Reads the user table of a mapping, or returns None if it has none; raw ids do not stay in memory.

    Raises:
      DataError: If the table is missing or cannot be read.
    """
    users = mapping.users
    if users is None:
        return None
    paths = source_files(users, resolve_root(input_root), "the users table")
    table = read_keyed_table(users, paths, users.id, users.attributes)
    columns = [_attribute(name, table.columns[name], users.null_values) for name in users.attributes]
    pseudonyms = pseudonymiser.pseudonyms(table.keys).cast(pa.string())
    return UserTable(pseudonyms, _rows_of(columns), table.left_out)


def _item_columns(items: Items) -> tuple[str, ...]:
    names = [field.column for field in (items.brand, items.price, items.text) if field and field.column]
    return tuple(dict.fromkeys([*(items.category_path.levels if items.category_path else ()), *names]))


def _attribute(name: str, values: pa.Array, null_values: tuple[str, ...]) -> pa.Array:
    text = text_or_null(values, null_values, as_text)
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

"""A drafted mapping, tried on the samples that it was drafted from."""

import secrets
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from interest_migration.privacy.pseudonyms import Pseudonymiser
from interest_migration.sources.draft import Draft
from interest_migration.sources.draft_samples import SAMPLE_ROWS
from interest_migration.sources.draft_tables import EVENTS, ITEMS, PROPERTIES, TREE, USERS, Table
from interest_migration.sources.files import Piece
from interest_migration.sources.reading import read_events
from interest_migration.sources.tables import ItemTable, read_items, read_users
from interest_migration.sources.trees import load_tree

_TABLE_ROWS = 500_000
_KEY_BYTES = 32


@dataclass
class DraftCheck:
    """What came of the samples.

    Attributes:
      rows: Rows read.
      used: Rows that became events.
      set_aside: Reason -> rows.
      with_item: Events with an item.
      with_category: Events with a category, from their row or from the item table.
      in_items: Events whose item is in the item table; None if there is no such table.
      in_users: Events whose user is in the user table; None if there is no such table.
    """

    rows: int = 0
    used: int = 0
    set_aside: dict[str, int] = field(default_factory=dict)
    with_item: int = 0
    with_category: int = 0
    in_items: int | None = None
    in_users: int | None = None


def check_draft(draft: Draft) -> DraftCheck:
    """Reads about `SAMPLE_ROWS` rows of each file of events with the draft, and the tables' first rows.

    Raises:
      DataError: If a file cannot be read with it.
    """
    mapping, check = draft.mapping, DraftCheck()
    tree = _paths(draft.of_kind(TREE))
    items: ItemTable | None = None
    if mapping.items:
        paths = _paths(draft.of_kind(ITEMS, PROPERTIES))
        items = read_items(mapping.items, paths, load_tree(mapping.items.category_path, tree), _TABLE_ROWS)
        check.in_items = 0
    pseudonymiser = Pseudonymiser(secrets.token_bytes(_KEY_BYTES))
    users: pa.Array | None = None
    if mapping.users:
        users = read_users(mapping.users, _paths(draft.of_kind(USERS)), pseudonymiser, _TABLE_ROWS).users
        check.in_users = 0
    for stream, table in zip(mapping.streams, draft.of_kind(EVENTS), strict=True):
        needs_tree = stream.fields.category_path and stream.fields.category_path.tree
        for sample in table.samples:
            piece = Piece(stream.name, sample.path, sample.format, tree=tuple(tree if needs_tree else ()))
            for events, rejects in _some(read_events(piece, 0, mapping, pseudonymiser)):
                _count(check, pa.Table.from_batches([events]), rejects, items, users)
    return check


def _paths(tables: Sequence[Table]) -> list[str]:
    return [sample.path for table in tables[:1] for sample in table.samples]


def _some(batches: Iterator[tuple[pa.RecordBatch, pa.RecordBatch]]) -> Iterator[tuple[pa.RecordBatch, pa.RecordBatch]]:
    rows = 0
    for events, rejects in batches:
        yield events, rejects
        rows += events.num_rows + rejects.num_rows
        if rows >= SAMPLE_ROWS:
            return


def _count(
    check: DraftCheck, events: pa.Table, rejects: pa.RecordBatch, items: ItemTable | None, users: pa.Array | None
) -> None:
    check.rows += events.num_rows + rejects.num_rows
    check.used += events.num_rows
    for reason, count in Counter(rejects["reason"].to_pylist()).items():
        check.set_aside[reason] = check.set_aside.get(reason, 0) + count
    joined = items.join(events) if items else events
    check.with_item += _present(joined, "item")
    check.with_category += _present(joined, "category_path")
    if items and check.in_items is not None and "item" in events.column_names:
        check.in_items += _known(events["item"], items.ids)
    if users is not None and check.in_users is not None:
        check.in_users += _known(events["user"], users)


def _present(events: pa.Table, name: str) -> int:
    return len(events) - events[name].null_count if name in events.column_names else 0


def _known(values: pa.ChunkedArray, keys: pa.Array) -> int:
    return int(pc.sum(pc.is_in(values.cast(pa.string()), keys, skip_nulls=True)).as_py() or 0)

"""Texts of events and of items, from the log to what a language model reads.

A text belongs to its event where a user typed or read it (`OWN_TEXT_ACTIONS`): a query, a message, a review. The text
of any other event describes the item. What is known of an item that nothing describes is put into words:

    brand "National", category_path "GROCERY > BREAD > WHITE"  ->  "GROCERY, BREAD, WHITE, National"
"""

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from interest_migration.examples.ranges import IntArray
from interest_migration.examples.strings import Codes, as_dictionary, encode_strings
from interest_migration.sources.tables import ItemTable
from schemas.events import ACTIONS, OWN_TEXT_ACTIONS, PATH_SEPARATOR

ITEM_CHARACTERS: Final = 512
"""Longest text of an item."""

ITEM_TEXTS: Final = "item_texts"
"""Folder in the examples: texts of the items of every shard."""

ITEM_TEXTS_SCHEMA: Final = pa.schema([("item", pa.string()), ("text", pa.string()), ("events", pa.int64())])
"""A text that an item has, and the number of events that gave it."""

_DESCRIBED: Final = 1 << 40  # outweighs any number of events: a description wins over words put together
_TABLE: Final = 1 << 50  # and the item table over both


def own_texts(texts: Codes, actions: IntArray, characters: int) -> Codes:
    """Returns the texts that belong to their events, tidied; "none" for the others.

    Args:
      texts: `[N]` texts of events.
      actions: `[N]` index into `schemas.events.ACTIONS`.
      characters: Characters kept; 0 keeps no text.

    Example:
      " Red  shoes" of a search, 5 characters -> "Red s"; of a view -> "".
    """
    own = np.isin(actions, [ACTIONS.index(action) for action in OWN_TEXT_ACTIONS]) if characters else np.zeros(0)
    if not own.any():
        return Codes(np.zeros(len(texts), np.int32), texts.values.slice(0, 1))
    codes = np.where(own, texts.codes, 0)
    used, places = np.unique(codes, return_inverse=True)
    tidied = tidy(texts.values.take(pa.array(used)).cast(pa.string()), characters)
    encoded = encode_strings([tidied])
    return Codes(encoded.codes[places].astype(np.int32), encoded.values)


def tidy(texts: pa.Array, characters: int) -> pa.Array:
    """Returns texts in one line, cut off: a line of a vocabulary file must hold each."""
    trimmed = pc.utf8_trim_whitespace(pc.replace_substring_regex(texts, r"[\s\x00-\x1f]+", " "))
    return pc.utf8_trim_whitespace(pc.utf8_slice_codeunits(trimmed, 0, characters))


def collect_item_texts(events: pa.Table, items: ItemTable | None) -> pa.Table:
    """Finds texts of the items of some events.

    Args:
      events: Events of `schemas.events`, joined with the item table.
      items: The item table, if there is one.

    Returns:
      Rows of `ITEM_TEXTS_SCHEMA`, a row per item and text; `events` also ranks where a text comes from (the item
      table, a description in events, words of category and brand). `choose_item_texts` adds several such tables up.
    """
    columns = {name: _plain(events, name) for name in ("item", "text", "category_path", "brand", "action")}
    known = pc.greater(pc.binary_length(columns["item"]), 0)
    table = pa.table(columns).filter(known)
    own = pc.is_in(table["action"], value_set=pa.array(OWN_TEXT_ACTIONS))
    described = pc.if_else(own, "", table["text"])
    table = table.set_column(table.column_names.index("text"), "text", described)
    counted = table.group_by(["item", "text", "category_path", "brand"]).aggregate([("action", "count")])
    words = _words(counted["category_path"], counted["brand"])
    described = tidy(counted["text"].combine_chunks(), ITEM_CHARACTERS)
    has_text = pc.greater(pc.binary_length(described), 0)
    weight = pc.add(counted["action_count"], pc.if_else(has_text, _DESCRIBED, 0))
    text = pc.if_else(has_text, described, words)
    found = [pa.table([counted["item"], text, weight], schema=ITEM_TEXTS_SCHEMA)]
    if items is not None and "text" in items.columns:
        found.append(_of_table(items, pc.unique(counted["item"])))
    return _sum(found)


def choose_item_texts(tables: list[pa.Table]) -> pa.Table:
    """Chooses one text per item: of the item table, else the one that most events gave; equal ones by their letters.

    Args:
      tables: What `collect_item_texts` returned of every shard.

    Returns:
      Columns `item`, distinct, and `text`, sorted by item.
    """
    total = _sum(tables)
    order = [("item", "ascending"), ("events", "descending"), ("text", "ascending")]
    ordered = total.sort_by(order)
    names = ordered["item"].combine_chunks()
    if not len(names):
        return ordered.select(["item", "text"])
    first = pa.concat_arrays([pa.array([True]), pc.not_equal(names[1:], names[:-1])])
    return ordered.filter(first).select(["item", "text"])


def _plain(events: pa.Table, name: str) -> pa.Array:
    if name not in events.column_names:
        return pa.array([""] * len(events), pa.string())
    chunks = [as_dictionary(chunk).cast(pa.string()) for chunk in events[name].chunks]
    return pc.fill_null(pa.chunked_array(chunks, pa.string()), "")


def _words(paths: pa.Array, brands: pa.Array) -> pa.Array:
    levels = pc.replace_substring(paths, PATH_SEPARATOR, ", ")
    joint = pc.binary_join_element_wise(levels, brands, ", ")
    return tidy(pc.utf8_trim(joint, ", ").combine_chunks(), ITEM_CHARACTERS)


def _of_table(items: ItemTable, names: pa.Array) -> pa.Table:
    texts = items.newest("text", names).cast(pa.string())
    text = tidy(pc.fill_null(texts, ""), ITEM_CHARACTERS)
    table = pa.table([names, text, pa.array(np.full(len(names), _TABLE))], schema=ITEM_TEXTS_SCHEMA)
    return table.filter(pc.greater(pc.binary_length(table["text"]), 0))


def _sum(tables: list[pa.Table]) -> pa.Table:
    """Adds up the events of equal items and texts; texts that are empty are left out."""
    total = pa.concat_tables(tables, promote_options="none").group_by(["item", "text"]).aggregate([("events", "sum")])
    summed = pa.table([total["item"], total["text"], total["events_sum"]], schema=ITEM_TEXTS_SCHEMA)
    return summed.filter(pc.greater(pc.binary_length(summed["text"]), 0))

"""Further columns of a row as one JSON object."""

import json
from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from interest_migration.sources.distinct import encode, null_where, text_or_null

_NEEDS_ESCAPE = r'["\\\x00-\x1f]'


def pack_extras(columns: Mapping[str, pa.Array], names: Sequence[str], null_values: Sequence[str]) -> pa.Array:
    r"""Packs columns into JSON objects; values that are missing are left out.

    Args:
      columns: Source column -> `[N]`.
      names: Which of them, in this order.
      null_values: Texts that mean "no value".

    Returns:
      `[N]` strings, null where no column has a value.

    Example:
      store [3, null], note ['5" pan', null] -> ['{"store": 3, "note": "5\" pan"}', null].
    """
    parts = [_fragments(name, columns[name], null_values) for name in names]
    # Not null_handling="skip": in Arrow 18 that drops rows in which all parts are null.
    joined = pc.binary_join_element_wise(*parts, "", null_handling="replace", null_replacement="")
    objects = pc.binary_join_element_wise("{", pc.utf8_slice_codeunits(joined, len(", ")), "}", "")
    return null_where(objects, pc.equal(joined, ""))


def _fragments(name: str, values: pa.Array, null_values: Sequence[str]) -> pa.Array:
    """Returns `, "name": value` for each row."""
    kind = values.type
    if pa.types.is_nested(kind):
        texts = [None if value is None else json.dumps(value, default=str) for value in values.to_pylist()]
        return pc.binary_join_element_wise(f", {json.dumps(name)}", pa.array(texts, pa.string()), ": ")
    encoded = encode(values)
    text = text_or_null(encoded.dictionary, null_values)
    kind = encoded.dictionary.type
    if not (pa.types.is_integer(kind) or pa.types.is_boolean(kind) or pa.types.is_floating(kind)):
        text = _quote(text)
    elif pa.types.is_floating(kind):
        text = null_where(text, pc.invert(pc.is_finite(encoded.dictionary)))
    return pc.binary_join_element_wise(f", {json.dumps(name)}", text, ": ").take(encoded.indices)


def _quote(text: pa.Array) -> pa.Array:
    """Writes texts as JSON strings."""
    if pc.any(pc.match_substring_regex(text, _NEEDS_ESCAPE)).as_py():
        written = [None if value is None else json.dumps(value, ensure_ascii=False) for value in text.to_pylist()]
        return pa.array(written, pa.string())
    return pc.binary_join_element_wise('"', text, '"', "")

"""Raw columns of one stream to columns of the event contract, with a verdict on every row."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from interest_migration.privacy.identifiers import as_text, canonical_ids
from interest_migration.privacy.pseudonyms import Pseudonymiser
from interest_migration.sources.actions import parse_actions
from interest_migration.sources.categories import category_paths
from interest_migration.sources.distinct import encode, map_distinct, null_mask, repeat, text_or_null
from interest_migration.sources.extras import pack_extras
from interest_migration.sources.fields import NumberField, TextField
from interest_migration.sources.filters import passes
from interest_migration.sources.mapping import SourceMapping, Stream
from interest_migration.sources.numbers import Numbers, parse_numbers
from interest_migration.sources.partition_times import PartitionTimes
from interest_migration.sources.raw import RawBatch
from interest_migration.sources.rejects import Reason, Verdict
from interest_migration.sources.times import Seconds, parse_times
from interest_migration.sources.trees import CategoryTree
from schemas.events import EVENT_SCHEMA

_DAY_SECONDS = 86_400
_PLAIN_TEXT = ("text",)
"""Fields whose values are long and mostly distinct: they are not dictionary encoded."""

_IDENTIFIERS = ("item", "session", "brand")


@dataclass(frozen=True)
class TimeRange:
    """Events outside of it are set aside; Unix seconds, both ends inside."""

    first_s: int
    last_s: int
    partition: PartitionTimes | None = None


def time_range(mapping: SourceMapping, partition: PartitionTimes | None = None) -> TimeRange:
    """Returns the range that mapping and partition allow; without a `not_after`, until a day from now."""
    last = mapping.not_after.timestamp() if mapping.not_after else time.time() + _DAY_SECONDS
    return TimeRange(int(mapping.not_before.timestamp()), int(last), partition)


def convert(
    raw: RawBatch,
    stream: Stream,
    allowed: TimeRange,
    pseudonymiser: Pseudonymiser,
    tree: CategoryTree | None = None,
) -> tuple[dict[str, pa.Array], Verdict]:
    """Converts all rows and judges each.

    Args:
      raw: `[N]` rows, joined tables included.
      stream: Mapping of the stream.
      allowed: Range of times.
      pseudonymiser: Replaces user ids.
      tree: Category tree of the stream, if it has one.

    Returns:
      Contract field -> `[N]` values, in the contract's order, and the verdict. Fields that the mapping does not give
      are left out. Values of rejected rows mean nothing.
    """
    verdict = Verdict(len(raw))
    verdict.reject(raw.undecodable, Reason.UNDECODABLE_TEXT, "bytes that the encoding does not have")
    _apply_filters(raw, stream, verdict)
    columns: dict[str, pa.Array] = {
        "user": _users(raw, stream, pseudonymiser, verdict),
        "time_s": pa.array(_times(raw, stream, allowed, verdict)),
        "action": _actions(raw, stream, verdict),
        **_numbers(raw, stream, verdict),
    }
    for name in ("item", "brand", "text", "session", "platform"):
        if field := getattr(stream.fields, name):
            columns[name] = text_column(raw.columns, field, len(raw), stream.null_values, name)
    if stream.fields.category_path:
        columns["category_path"] = category_paths(raw.columns, stream.fields.category_path, stream.null_values, tree)
    if stream.fields.extras:
        columns["extras"] = pack_extras(raw.columns, stream.fields.extras, stream.null_values)
    return {name: columns[name] for name in EVENT_SCHEMA.names if name in columns}, verdict


def text_column(
    columns: Mapping[str, pa.Array], field: TextField, size: int, null_values: tuple[str, ...], name: str
) -> pa.Array:
    """Returns the `[size]` values of a text field; dictionary encoded unless it is free text."""
    if field.constant is not None:
        return repeat(field.constant, size)
    form = canonical_ids if name in _IDENTIFIERS else as_text

    def read(column: str) -> pa.Array:
        if name in _PLAIN_TEXT:
            return text_or_null(columns[column], null_values)
        return map_distinct(columns[column], lambda distinct: text_or_null(distinct, null_values, form))

    first, *others = field.source_columns
    values = read(first)
    for column in others if values.null_count else ():
        values = pc.coalesce(values.cast(pa.string()), read(column).cast(pa.string()))
    return values if name in _PLAIN_TEXT else encode(values)


def number_column(
    columns: Mapping[str, pa.Array], field: NumberField, size: int, null_values: tuple[str, ...], verdict: Verdict
) -> Numbers:
    """Returns the `[size]` values of a number field, NaN where there is none; rejects what is no number."""
    if field.constant is not None:
        return np.full(size, field.constant)
    name = str(field.column or field.total_column)
    numbers, bad = parse_numbers(columns[name], null_values, field.decimal, field.remove)
    verdict.reject(bad, Reason.BAD_NUMBER, f"{name}: expected a finite number")
    return numbers


def _apply_filters(raw: RawBatch, stream: Stream, verdict: Verdict) -> None:
    for condition in stream.filters:
        dropped = ~passes(raw.columns[condition.column], condition)
        verdict.reject(dropped, condition.reason, f"{condition.column}: filter of the mapping")


def _users(raw: RawBatch, stream: Stream, pseudonymiser: Pseudonymiser, verdict: Verdict) -> pa.DictionaryArray:
    column = stream.fields.user.column
    ids = map_distinct(raw.columns[column], lambda distinct: text_or_null(distinct, stream.null_values, canonical_ids))
    verdict.reject(null_mask(ids.indices), Reason.MISSING_USER, f"{column}: empty")
    pseudonyms = pseudonymiser.pseudonyms(ids)
    verdict.reject(pseudonymiser.is_erased(pseudonyms), Reason.ERASED_USER, f"{column}: on the erasure list")
    return pseudonyms


def _times(raw: RawBatch, stream: Stream, allowed: TimeRange, verdict: Verdict) -> Seconds:
    field = stream.fields.time
    seconds, missing, bad = parse_times(raw.columns[field.column], field, stream.null_values)
    verdict.reject(missing, Reason.MISSING_TIME, f"{field.column}: empty")
    verdict.reject(bad, Reason.BAD_TIME, f"{field.column}: expected {' or '.join(field.format)}")
    outside = (seconds < allowed.first_s) | (seconds > allowed.last_s)
    verdict.reject(outside, Reason.TIME_OUT_OF_RANGE, f"{field.column}: before not_before or after not_after")
    if allowed.partition:
        allowed.partition.judge(seconds, field.column, verdict)
    return seconds


def _actions(raw: RawBatch, stream: Stream, verdict: Verdict) -> pa.DictionaryArray:
    field = stream.fields.action
    if field.constant is not None:
        return repeat(field.constant, len(raw))
    return parse_actions(raw.columns[str(field.column)], field, stream.null_values, verdict)


def _numbers(raw: RawBatch, stream: Stream, verdict: Verdict) -> dict[str, pa.Array]:
    fields, null_values, columns = stream.fields, stream.null_values, raw.columns
    numbers: dict[str, pa.Array] = {}
    quantity = np.ones(len(raw))
    if fields.quantity:
        quantity = number_column(columns, fields.quantity, len(raw), null_values, verdict)
        quantity = np.where(np.isnan(quantity), 1.0, quantity)
        verdict.reject(quantity <= 0, Reason.QUANTITY_NOT_POSITIVE, f"{fields.quantity.column}: expected above zero")
        _limit(quantity, fields.quantity, verdict)
        numbers["quantity"] = pa.array(quantity)
    if fields.price:
        price = number_column(columns, fields.price, len(raw), null_values, verdict)
        name = fields.price.column or fields.price.total_column
        verdict.reject(price < 0, Reason.BAD_NUMBER, f"{name}: expected zero or more")
        if fields.price.total_column:
            with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
                price = price / quantity
        _limit(price, fields.price, verdict)
        numbers["price"] = pa.array(price, mask=np.isnan(price))
    return numbers


def _limit(numbers: Numbers, field: NumberField, verdict: Verdict) -> None:
    name = field.column or field.total_column or "a constant"
    verdict.reject(numbers > field.at_most, Reason.NUMBER_OUT_OF_RANGE, f"{name}: expected at most {field.at_most:g}")

"""Events to shards: all events of one user go to the same shard."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from interest_migration.errors import ContractError
from interest_migration.examples.pseudonyms import number_pseudonyms
from interest_migration.examples.strings import as_dictionary


def partition_by_user(events: pa.RecordBatch, shards: int) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Splits a batch of events by the hash of the user.

    The shard is the number in the pseudonym's leading hex digits modulo `shards`: the same on every machine, for every
    batch and in every run.

    Args:
      events: Columns of `schemas.events`; strings plain or dictionary-encoded.
      shards: Number of shards.

    Yields:
      (shard, its events in the order of arrival) for every shard that has any, in ascending order. Dictionaries hold
      only what the shard's events use, so that a piece costs no more than its own rows when it is shuffled.

    Raises:
      ContractError: If `shards` is below 1 or a user is no pseudonym.
    """
    if shards < 1:
        raise ContractError(f"expected at least 1 shard, received {shards}")
    users = _compact(as_dictionary(events.column("user")))
    if users.null_count:
        raise ContractError(f"expected a user in every event, received {users.null_count} without one")
    shard = (number_pseudonyms(users.dictionary) % shards)[users.indices.to_numpy()]
    order = np.argsort(shard, kind="stable")
    ordered = events.take(pa.array(order))
    bounds = np.searchsorted(shard[order], np.arange(shards + 1))
    for number in np.flatnonzero(np.diff(bounds)).tolist():
        yield number, _compact_batch(ordered.slice(bounds[number], bounds[number + 1] - bounds[number]))


def _compact_batch(batch: pa.RecordBatch) -> pa.RecordBatch:
    columns = [_compact(column) if pa.types.is_dictionary(column.type) else column for column in batch.columns]
    return pa.RecordBatch.from_arrays(columns, schema=batch.schema)


def _compact(column: pa.DictionaryArray) -> pa.DictionaryArray:
    """Drops the dictionary's entries that no row uses."""
    valid = column.is_valid().to_numpy(zero_copy_only=False)
    codes = column.indices.fill_null(0).to_numpy(zero_copy_only=False)
    used = np.flatnonzero(np.bincount(codes[valid], minlength=len(column.dictionary)))
    ranks = np.zeros(len(column.dictionary) + 1, codes.dtype)
    ranks[used] = np.arange(len(used))
    indices = pa.array(ranks[codes], mask=~valid)
    return pa.DictionaryArray.from_arrays(indices, column.dictionary.take(pa.array(used)))

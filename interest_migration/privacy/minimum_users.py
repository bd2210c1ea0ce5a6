"""How many different users are behind a value.

Users are disjoint between shards, so the counts of several shards add up to the exact count.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

VALUE_USERS_SCHEMA = pa.schema([("value", pa.large_binary()), ("users", pa.int64())])
"""A value, and the number of distinct users who have it."""


def count_users(users: pa.Array, columns: Sequence[pa.Array]) -> pa.Table:
    """Counts the distinct users of each value; a value that a user has often counts once.

    Args:
      users: `[B]` who each example belongs to.
      columns: Each `[B]` lists of strings or bytes; a value counts in whichever column it stands.

    Returns:
      `[V]` rows of `VALUE_USERS_SCHEMA`, empty values left out.

    Example:
      users [u1, u1, u2], one column [["tea", "tea"], ["tea", "pie"], ["pie"]] -> tea 1, pie 2.
    """
    codes = users.dictionary_encode().indices.to_numpy(zero_copy_only=False).astype(np.int64)
    owners = [codes[pc.list_parent_indices(column).to_numpy(zero_copy_only=False)] for column in columns]
    values = [column.flatten().cast(pa.large_binary()) for column in columns]
    encoded = pa.concat_arrays(values).dictionary_encode()
    width = codes.max(initial=0) + 1
    places = encoded.indices.cast(pa.int64()).fill_null(-1).to_numpy(zero_copy_only=False)
    pairs = np.unique(places * width + np.concatenate(owners))
    counts = np.bincount(pairs[pairs >= 0] // width, minlength=len(encoded.dictionary))
    table = pa.table([encoded.dictionary, pa.array(counts, pa.int64())], schema=VALUE_USERS_SCHEMA)
    return table.filter(pc.greater(pc.binary_length(table["value"]), 0))


def add_counts(tables: Sequence[pa.Table]) -> pa.Table:
    """Adds the counts of several shards up.

    Example:
      tea 2, pie 1; tea 3 -> tea 5, pie 1.
    """
    total = pa.concat_tables(tables, promote_options="none").group_by("value").aggregate([("users", "sum")])
    return pa.table([total["value"], total["users_sum"]], schema=VALUE_USERS_SCHEMA)


def enough_users(counts: pa.Table, minimum: int) -> pa.Array:
    """Returns the values with at least `minimum` distinct users.

    Args:
      counts: `[V]` rows of `VALUE_USERS_SCHEMA`.
      minimum: k.

    Example:
      tea 5, pie 1 with minimum 2 -> [b"tea"].
    """
    return counts.filter(pc.greater_equal(counts["users"], minimum))["value"].combine_chunks()

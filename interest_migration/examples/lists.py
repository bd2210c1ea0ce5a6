"""Columns of examples: one Arrow list per example, the form that the `tf.Example` coder takes."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from interest_migration.examples.ranges import IntArray
from schemas.features import RAW_FEATURES, Role

_TYPES: Final = {"string": pa.large_binary(), "int64": pa.int64(), "float32": pa.float32()}

EXAMPLE_SCHEMA: Final = pa.schema([pa.field(spec.name, pa.large_list(_TYPES[spec.dtype])) for spec in RAW_FEATURES])
"""One `large_list` column per raw feature, in the order of the table."""

INPUT_SCHEMA: Final = pa.schema(
    [EXAMPLE_SCHEMA.field(spec.name) for spec in RAW_FEATURES if spec.role in (Role.KEY, Role.INPUT)]
)
"""The part of it that a serving client sends."""

Columns = dict[str, pa.LargeListArray]


def list_column(values: pa.Array, lengths: IntArray, known: npt.NDArray[np.bool_] | None = None) -> pa.LargeListArray:
    """Returns consecutive values as lists of the given lengths; unknown ones, of length 0, become null.

    Example:
      values [1, 2, 3], lengths [2, 0, 1] -> [[1, 2], [], [3]].
    """
    offsets = pa.array(np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64))
    mask = None if known is None else pa.array(~known)
    return pa.LargeListArray.from_arrays(offsets, values, mask=mask)


def scalar_column(values: pa.Array, known: npt.NDArray[np.bool_] | None = None) -> pa.LargeListArray:
    """Returns each value as a list of length 1; unknown ones become null."""
    if known is None:
        return list_column(values, np.ones(len(values), np.int64))
    return list_column(values.filter(pa.array(known)), known.astype(np.int64), known)


def floats(values: npt.NDArray[Any]) -> pa.FloatArray:
    """Returns numbers as float32."""
    return pa.array(values.astype(np.float32))

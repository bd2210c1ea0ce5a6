"""Transformed examples written by hand: lists in, columns out."""

import numpy as np

from interest_migration.ragged import Ragged
from schemas.features import AGGREGATE_WIDTH, TRANSFORMED_FEATURES, Shape

_DTYPES = {"int64": np.int64, "float32": np.float32, "string": object}
_WIDTHS = {Shape.AGGREGATES: AGGREGATE_WIDTH}


def transformed(count, **columns):
    """Returns all transformed columns of `count` examples; those not given hold 0, -1 (labels), b"" or nothing.

    Example:
      transformed(2, interest_ids=[[1], []]) -> columns of two examples, the second without interests.
    """
    unknown = set(columns) - {spec.name for spec in TRANSFORMED_FEATURES}
    if unknown:
        raise KeyError(f"no such features: {sorted(unknown)}")
    return {spec.name: _column(spec, count, columns.get(spec.name)) for spec in TRANSFORMED_FEATURES}


def _column(spec, count, given):
    dtype = _DTYPES[spec.dtype]
    if spec.shape in (Shape.SCALAR, Shape.AGGREGATES):
        if given is not None:
            return np.array(given, dtype)
        empty = b"" if spec.dtype == "string" else -1 if spec.name.startswith("label_") else 0
        return np.full((count, *([_WIDTHS[spec.shape]] if spec.shape in _WIDTHS else [])), empty, dtype)
    rows = [[] for _ in range(count)] if given is None else given
    values = np.array([value for row in rows for value in row], dtype)
    return Ragged(values, np.cumsum([0, *(len(row) for row in rows)]))

"""Which rows of a file count."""

import re
from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from interest_migration.privacy.identifiers import canonical_ids
from interest_migration.sources.distinct import encode, spread
from interest_migration.sources.file_sources import FileSource, Filter
from interest_migration.sources.rejects import Mask


def passes(values: pa.Array, condition: Filter) -> Mask:
    """Returns `[N]`, the rows that a filter keeps.

    Args:
      values: `[N]` values of the filter's column.
      condition: The filter; texts are compared in the form that identifiers have.

    Example:
      ["536365", "C536379", null], drop_pattern ^C -> [T, F, T].
    """
    encoded = encode(values)
    found = spread(_matches(canonical_ids(encoded.dictionary), condition), encoded)
    return found if condition.keep or condition.keep_pattern else ~found


def kept_rows(columns: Mapping[str, pa.Array], source: FileSource, size: int) -> Mask:
    """Returns `[size]`, the rows that all filters of a table keep."""
    kept = np.ones(size, np.bool_)
    for condition in source.filters:
        kept &= passes(columns[condition.column], condition)
    return kept


def _matches(texts: pa.Array, condition: Filter) -> list[bool]:
    pattern = condition.keep_pattern or condition.drop_pattern
    if pattern is None:
        return pc.is_in(texts, pa.array([*condition.keep, *condition.drop], pa.string())).to_pylist()
    search = re.compile(pattern).search
    return [text is not None and search(text) is not None for text in texts.to_pylist()]

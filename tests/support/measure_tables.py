"""Tables of measures, as an evaluation leaves them, from a few arrays."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from interest_migration.evaluation.measures import About, Measures
from schemas.features import SLICE_ACTIVITY, SWITCHED, USER_ATTRIBUTES


def table(
    users: Sequence[int] | np.ndarray[Any, Any],
    values: Mapping[str, Any],
    about: About | None = None,
    switched: Sequence[str | None] | None = None,
    activity: Sequence[str | None] | None = None,
    attributes: Sequence[Sequence[str]] | None = None,
) -> Measures:
    """Returns a table of N examples; slices that are not given hold nothing."""
    none: list[str | None] = [None] * len(users)
    slices = {
        SWITCHED: pa.array(switched or none, pa.string()),
        SLICE_ACTIVITY: pa.array(activity or none, pa.string()),
        USER_ATTRIBUTES: pa.array(attributes or [[]] * len(users), pa.list_(pa.string())),
    }
    columns = {name: np.asarray(column, np.float32) for name, column in values.items()}
    return Measures(np.asarray(users, np.int64), np.arange(len(users)), slices, columns, about or About())

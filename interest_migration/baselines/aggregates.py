"""Columns of the `aggregates` feature by name."""

import numpy as np
import numpy.typing as npt

from interest_migration.evaluation.spaces import Numbers, dense_column
from interest_migration.ragged import Examples
from schemas.features import AGGREGATE_INPUTS, AGGREGATES, RAW_FEATURES, WINDOW_DAYS, Shape


def aggregate_index(name: str, window_days: int | None = None) -> int:
    """Returns the column of a raw feature in `aggregates`; windowed ones need the window.

    Example:
      `window_events` with 3 days -> 1, the second window of the first feature.
    """
    windowed = {spec.name for spec in RAW_FEATURES if spec.shape is Shape.WINDOWS}
    before = AGGREGATE_INPUTS[: AGGREGATE_INPUTS.index(name)]
    start = sum(len(WINDOW_DAYS) if other in windowed else 1 for other in before)
    return start if window_days is None else start + WINDOW_DAYS.index(window_days)


def aggregate_columns(examples: Examples, columns: tuple[int, ...]) -> npt.NDArray[np.float32]:
    """Returns `[N, len(columns)]`."""
    values: Numbers = dense_column(examples, AGGREGATES)
    return values[:, list(columns)]

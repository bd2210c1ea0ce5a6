"""What every method did on every test example, as one table: gates judge it and reports draw it without any model.

    user  cut_time_s  switched  user_attributes   churn_short/label  churn_short/model/score  next_item/served/hit_at_10
    0     1514419200  "1"       ["age=25", ...]   1                  0.83                     1
    0     1515628800  "0"       ["age=25", ...]   NaN                NaN                      NaN

`user` numbers the users without telling who they are. Values are NaN where an example does not count for a task.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from interest_migration.errors import DataError
from interest_migration.evaluation.spaces import Numbers
from interest_migration.ragged import Examples, Ragged
from interest_migration.storage.atomic import replacing
from schemas.features import CUT_TIME, RAW_FEATURES, SWITCHED, USER, Role, label_name

MEASURES_FILE: Final = "measures.parquet"
SERVED: Final = "served"
"""The method that is served now; the candidate is `interest_migration.evaluation.compare.MODEL`."""

LABEL: Final = "label"
SLICE_COLUMNS: Final = (SWITCHED, *(spec.name for spec in RAW_FEATURES if spec.role is Role.SLICE))
"""Features an evaluation can be sliced by."""

_ABOUT: Final = b"interest_migration"


@dataclass(frozen=True)
class About:
    """What the table does not say in its columns.

    Attributes:
      served_version: Version of the served model; None if there was none.
      served_note: Why the served model has no values, if it has none though there is one.
      skipped: Task -> baseline -> why it gave no scores.
      seed: Seed of the resamples.
      minimum_users: Slices with fewer different users are neither judged nor named.
    """

    served_version: int | None = None
    served_note: str = ""
    skipped: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    seed: int = 0
    minimum_users: int = 1


@dataclass(frozen=True)
class Measures:
    """Values of N examples.

    Attributes:
      users: `[N]` int64, number of each example's user.
      times_s: `[N]` int64, its cut time.
      slices: Slice column -> `[N]` strings, or lists of strings; null or empty where an example is in none.
      values: `task/label` or `task/method/measure` -> `[N]` float32.
      about: What else is known.
    """

    users: npt.NDArray[np.int64]
    times_s: npt.NDArray[np.int64]
    slices: Mapping[str, pa.Array]
    values: Mapping[str, Numbers]
    about: About = About()

    def __len__(self) -> int:
        return len(self.users)

    def find(self, task: str, method: str, measure: str) -> Numbers | None:
        """Returns `[N]` values, or None if the method was not measured."""
        return self.values.get(f"{task}/{method}/{measure}")

    def methods(self, task: str) -> tuple[str, ...]:
        """Returns the methods with values for a task, in the order of the table."""
        parts = (name.split("/") for name in self.values)
        return tuple(dict.fromkeys(part[1] for part in parts if part[0] == task and len(part) == 3))

    def slice_values(self, column: str) -> list[str]:
        """Returns the distinct values of a slice column, sorted."""
        return sorted(value for value in pc.unique(_flat(self.slices[column])).to_pylist() if value is not None)

    def members(self, column: str, value: str | None = None) -> npt.NDArray[np.bool_]:
        """Returns `[N]`, the examples with a value of a slice column; with any value if none is given."""
        array = self.slices[column]
        if not pa.types.is_list(array.type):
            found = array.is_valid() if value is None else pc.equal(array, value).fill_null(False)
            return found.to_numpy(zero_copy_only=False)
        rows = pc.list_parent_indices(array).to_numpy()
        chosen = rows if value is None else rows[pc.equal(array.flatten(), value).to_numpy(zero_copy_only=False)]
        return np.bincount(chosen, minlength=len(self)) > 0

    def take(self, rows: npt.NDArray[np.int64]) -> Self:
        """Returns the given examples in the given order."""
        return replace(
            self,
            users=self.users[rows],
            times_s=self.times_s[rows],
            slices={name: column.take(pa.array(rows)) for name, column in self.slices.items()},
            values={name: column[rows] for name, column in self.values.items()},
        )

    def with_values(self, values: Mapping[str, Numbers], about: About | None = None) -> Self:
        """Returns the table with further columns, `task/method/measure` -> `[N]`, and what else is known now."""
        return replace(self, values={**self.values, **values}, about=about or self.about)

    def write(self, folder: Path) -> None:
        """Writes `measures.parquet` into a folder."""
        columns = {"user": pa.array(self.users), CUT_TIME: pa.array(self.times_s), **self.slices}
        columns |= {name: pa.array(values.astype(np.float32)) for name, values in self.values.items()}
        table = pa.table(columns).replace_schema_metadata({_ABOUT: json.dumps(asdict(self.about))})
        with replacing(folder / MEASURES_FILE) as temporary:
            pq.write_table(table, temporary, compression="zstd")

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Reads what `write` wrote.

        Raises:
          DataError: If the folder holds no such table.
        """
        path = folder / MEASURES_FILE
        try:
            table = pq.read_table(path)
            about = About(**json.loads((table.schema.metadata or {})[_ABOUT]))
        except (OSError, pa.ArrowException, KeyError, ValueError, TypeError) as error:
            raise DataError(f"expected an evaluation in {folder}, received no readable {MEASURES_FILE}") from error
        columns = {name: table[name].combine_chunks() for name in table.column_names}
        users, times_s = (columns.pop(name).to_numpy() for name in ("user", CUT_TIME))
        slices = {name: columns.pop(name) for name in SLICE_COLUMNS if name in columns}
        return cls(users, times_s, slices, {name: values.to_numpy() for name, values in columns.items()}, about)


def slices_of(examples: Examples) -> dict[str, pa.Array]:
    """Returns the slice columns of transformed examples; absent values are null."""
    return {name: _slice_column(examples[label_name(name) if name == SWITCHED else name]) for name in SLICE_COLUMNS}


def number_users(examples: Examples) -> npt.NDArray[np.int64]:
    """Returns `[N]`, users numbered in the order of their pseudonyms."""
    users: Any = examples[USER]
    return np.unique(users, return_inverse=True)[1].astype(np.int64)


def value_columns(task: str, method: str, values: Mapping[str, Numbers]) -> dict[str, Numbers]:
    """Returns the values of one method under their names in the table."""
    return {f"{task}/{method}/{measure}": column for measure, column in values.items()}


def _slice_column(values: Any) -> pa.Array:
    if isinstance(values, Ragged):
        texts = pa.array(_texts(values.values), pa.string())
        return pa.ListArray.from_arrays(pa.array(values.offsets, pa.int32()), texts)
    if values.dtype.kind in "iu":
        return pa.array(values.astype(str), pa.string(), mask=values < 0)
    return pa.array(_texts(values), pa.string())


def _texts(values: Any) -> list[str]:
    return [value.decode("utf-8", "replace") for value in values.tolist()]


def _flat(array: pa.Array) -> pa.Array:
    return array.flatten() if pa.types.is_list(array.type) else array

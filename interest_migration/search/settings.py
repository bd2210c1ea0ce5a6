"""The `search` section of a configuration.

    search:
      trials: 20
      epochs: 3
      algorithm: bayesian
      space:
        training.learning_rate: {min: 3.0e-4, max: 3.0e-3, log: true}
        model.width: {values: [32, 64, 128]}
        model.layers: {min: 1, max: 3}

docs/search.md explains it.
"""

from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self, get_args

from pydantic import Field, TypeAdapter, ValidationError, field_validator, model_validator

from interest_migration.model.settings import ModelSettings
from interest_migration.settings import Settings
from interest_migration.training.settings import TrainingSettings
from schemas.signatures import CHURN_TASKS, RANKING_TASKS, measure_name

Value = bool | int | float | str
SECTIONS: Final[dict[str, type[Settings]]] = {"model": ModelSettings, "training": TrainingSettings}
FIXED: Final = frozenset(
    f"training.{name}"
    for name in ("epochs", "checkpoint_directory", "strategy", "tpu", "warm_start", "warm_epochs", "seed")
)
"""Fields that are not searched: they say where or how long training runs, or what chance does."""

OBJECTIVES: Final = (
    "score",
    *(f"{task}_auc" for task in CHURN_TASKS),
    *(measure_name(task, measure) for task, measures in RANKING_TASKS.items() for measure in measures),
)
"""Validation metrics; in all of them higher is better."""


class Dimension(Settings):
    """The values that one field may take.

    Attributes:
      min: Least value of a number.
      max: Largest value.
      step: Distance of the values that are tried; by default 1 for whole numbers, none for others.
      log: Whether equal ratios rather than equal distances are equally likely.
      values: The values, instead of a range.
    """

    min: float | None = None
    max: float | None = None
    step: float | None = Field(None, gt=0)
    log: bool = False
    values: tuple[Value, ...] = ()

    @model_validator(mode="after")
    def _either(self) -> Self:
        if self.values:
            if (self.min, self.max, self.step, self.log) != (None, None, None, False):
                raise ValueError("expected either values, or min and max")
            return self
        if self.min is None or self.max is None or self.min >= self.max:
            raise ValueError("expected values, or min below max")
        if self.log and (self.min <= 0 or self.step is not None):
            raise ValueError("expected min above 0 and no step for log")
        return self


class SearchSettings(Settings):
    """Which hyperparameters are searched, and how.

    Attributes:
      space: Field such as `model.width` -> its values; none searches nothing.
      trials: Most trials.
      epochs: Most epochs of a trial; by default those of training. Early stopping holds as well.
      algorithm: `random`, `bayesian` (Gaussian process) or `hyperband` (many short trials, few long ones).
      objective: Validation metric that is to be high; `score` is what early stopping follows.
      directory: Where the state of the search outlives a killed run; by default `search` in the workspace.
      best: YAML file with the values that an earlier search found; they replace those of this configuration.
    """

    space: dict[str, Dimension] = Field(default_factory=dict)
    trials: int = Field(20, ge=1)
    epochs: int | None = Field(None, ge=1)
    algorithm: Literal["random", "bayesian", "hyperband"] = "bayesian"
    objective: str = "score"
    directory: Path | None = None
    best: Path | None = None

    @field_validator("objective")
    @classmethod
    def _known(cls, objective: str) -> str:
        if objective not in OBJECTIVES:
            raise ValueError(f"expected one of {', '.join(OBJECTIVES)}")
        return objective

    @model_validator(mode="after")
    def _check(self) -> Self:
        for name, dimension in self.space.items():
            check_dimension(name, dimension)
        if self.space and self.best:
            raise ValueError("expected space (search) or best (use what a search found), received both")
        return self

    @property
    def searches(self) -> bool:
        """Whether there is anything to search."""
        return bool(self.space)


def check_dimension(name: str, dimension: Dimension) -> None:
    """Raises ValueError, which names the field, if it cannot take the values."""
    field = find_field(name)
    adapter = TypeAdapter[Any](Annotated[field.annotation, field])  # type: ignore[arg-type]
    bounds = dimension.values or (dimension.min, dimension.max)
    if not dimension.values and not is_number(name):
        raise ValueError(f"{name}: expected values, received a range for a field that is no number")
    for value in bounds:
        try:
            adapter.validate_python(value)
        except ValidationError as error:
            raise ValueError(f"{name}: {error.errors()[0]['msg']}, received {value!r}") from error
    if is_whole(name) and dimension.step is not None and dimension.step != int(dimension.step):
        raise ValueError(f"{name}: expected a whole step, received {dimension.step}")


def find_field(name: str) -> Any:
    """Returns what pydantic knows of a field such as `model.loss_weights.churn`.

    Raises:
      ValueError: If there is none that can be searched.
    """
    section, *parts = name.split(".")
    fields: Any = SECTIONS[section].model_fields if section in SECTIONS else {}
    field = None
    for part in parts:
        field = fields.get(part)
        kind = getattr(field, "annotation", None)
        fields = kind.model_fields if isinstance(kind, type) and issubclass(kind, Settings) else {}
    if field is None or fields or name in FIXED:
        raise ValueError(f"{name}: expected a field of model or training such as training.learning_rate that varies")
    return field


def is_whole(name: str) -> bool:
    """Returns whether a field is a whole number."""
    return int in _kinds(name)


def is_number(name: str) -> bool:
    """Returns whether a field is a number."""
    return bool({int, float} & _kinds(name))


def _kinds(name: str) -> set[Any]:
    annotation = find_field(name).annotation
    return {annotation, *get_args(annotation)}

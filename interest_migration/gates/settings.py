"""The gates file: by what the evaluation is sliced and which rules bless a model.

Example of a file:

    slices: [switched, slice_activity]
    rules:
      - name: churn is told better than by chance
        task: churn_short
        metric: auc
        at_least: 0.75
      - name: no step back for users who switch
        task: next_category
        metric: hit_at_5
        slices: [switched=1]
        no_worse_than_served_by: 0.02
        min_examples: 200
        when_undefined: pass
"""

from typing import Final, Literal, Self

from pydantic import Field, field_validator, model_validator

from interest_migration.gates.metrics import CALIBRATION, TASKS, metrics_of
from interest_migration.settings import Settings
from schemas.features import RAW_FEATURES, SWITCHED, Role

SLICE_COLUMNS: Final = (SWITCHED, *(spec.name for spec in RAW_FEATURES if spec.role is Role.SLICE))
"""Features an evaluation can be sliced by."""


class Rule(Settings):
    """One demand on one metric of one task.

    Attributes:
      name: What the rule is about, in words; shown in the verdict.
      task: A task of `schemas.signatures`.
      metric: One of `interest_migration.gates.metrics.metrics_of(task)`.
      at_least: Smallest value that passes.
      at_most: Largest value that passes.
      no_worse_than_served_by: How far the metric may fall below that of the model which is served now; without one
        the rule's bound is not checked.
      slices: Where the rule holds: a slice column (each of its values) or `column=value`; none means all examples
        together.
      min_examples: Slices with fewer known labels, but at least one, are not judged.
      when_undefined: Outcome where the metric has no value, as churn on a log of a few days, or no example is in the
        slice.
    """

    name: str = Field(min_length=1)
    task: str
    metric: str
    at_least: float | None = None
    at_most: float | None = None
    no_worse_than_served_by: float | None = Field(None, ge=0)
    slices: tuple[str, ...] = ()
    min_examples: int = Field(0, ge=0)
    when_undefined: Literal["pass", "refuse"] = "refuse"

    @field_validator("task")
    @classmethod
    def _known_task(cls, task: str) -> str:
        if task not in TASKS:
            raise ValueError(f"expected one of {', '.join(TASKS)}")
        return task

    @field_validator("slices")
    @classmethod
    def _known_slices(cls, slices: tuple[str, ...]) -> tuple[str, ...]:
        for name in slices:
            if split_slice(name)[0] not in SLICE_COLUMNS:
                raise ValueError(f"expected columns of {', '.join(SLICE_COLUMNS)}, or column=value")
        return slices

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.metric not in metrics_of(self.task):
            raise ValueError(f"expected a metric of {self.task}: {', '.join(metrics_of(self.task))}")
        if self.at_least is None and self.at_most is None and self.no_worse_than_served_by is None:
            raise ValueError("expected at_least, at_most or no_worse_than_served_by, received none of them")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError("expected at_least <= at_most")
        if self.metric == CALIBRATION and self.no_worse_than_served_by is not None:
            raise ValueError("expected at_least and at_most for calibration, which is best at 1")
        return self


class GateSettings(Settings):
    """What is measured, where, and what is demanded.

    Attributes:
      slices: Columns the evaluation is broken down by, besides all examples together.
      churn_threshold: Probability from which a user counts as predicted to churn (accuracy, precision, recall, F1).
      confusion_thresholds: Probabilities at which churn's confusion matrix is reported.
      confusion_categories: Number of the most frequent categories in the confusion matrix of the next category.
      rules: All must hold. At least one is needed: a model without a rule is never blessed.
    """

    slices: tuple[str, ...] = SLICE_COLUMNS
    churn_threshold: float = Field(0.5, gt=0, lt=1)
    confusion_thresholds: tuple[float, ...] = (0.1, 0.25, 0.5, 0.75, 0.9)
    confusion_categories: int = Field(10, ge=1, le=100)
    rules: tuple[Rule, ...] = Field(min_length=1)

    @field_validator("slices")
    @classmethod
    def _known_slices(cls, slices: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [name for name in slices if name not in SLICE_COLUMNS]
        if unknown:
            raise ValueError(f"expected columns of {', '.join(SLICE_COLUMNS)}")
        return slices


def split_slice(name: str) -> tuple[str, str | None]:
    """`switched` -> (`switched`, None); `user_attributes=age=25-34` -> (`user_attributes`, `age=25-34`)."""
    column, found, value = name.partition("=")
    return column, value if found else None

"""The gates file: by what the evaluation is sliced and which rules bless a model.

    confidence: 0.95
    slices: [switched, slice_activity]
    rules:
      - name: churn is told better than by chance
        task: churn_short
        metric: auc
        at_least: 0.75
      - name: no step back for users of any activity
        task: churn_short
        metric: auc
        slices: [slice_activity]
        no_worse_than_served_by: 0.02
        min_examples: 200
      - name: better than counting
        task: next_category
        metric: hit_at_5
        lift_over_baseline: {name: best, by: 0.01}

docs/model_gate.md explains it.
"""

from typing import Final, Literal, Self

from pydantic import Field, field_validator, model_validator

from interest_migration.evaluation.measures import SLICE_COLUMNS
from interest_migration.gates.metrics import CALIBRATION, TASKS, metrics_of
from interest_migration.settings import Settings

BEST: Final = "best"
"""Names the baseline that is strongest at the metric, on the examples that are judged."""

Outcome = Literal["pass", "refuse"]


class Lift(Settings):
    """How far a baseline must be left behind.

    Attributes:
      name: A baseline of the task (docs/baselines_and_metrics.md), or `best`.
      by: Least lead, in units of the metric.
    """

    name: str = Field(BEST, min_length=1)
    by: float = 0.0


class Rule(Settings):
    """One demand, or several, on one metric of one task.

    Attributes:
      name: What the rule is about, in words; shown in the decision.
      task: A task of `schemas.signatures`.
      metric: One of `interest_migration.gates.metrics.metrics_of(task)`.
      at_least: Smallest value that passes.
      at_most: Largest value that passes; also a bound on what is plausible.
      no_worse_than_served_by: How far the metric may fall behind the model that is served now. Refused is a model that
        is shown to be worse, unless a drop of this size is excluded.
      better_than_served_by: By how much the served model must be beaten.
      lift_over_baseline: By how much a baseline must be beaten.
      max_gap: How far a slice may lie behind the other examples that the column tells of.
      slices: Where the rule holds: a slice column (each of its values) or `column=value`; none means all examples
        together.
      min_examples: Slices with fewer known labels, but at least one, are not judged.
      min_users: Slices with fewer users behind known labels, but at least one, are not judged.
      judge_by: `interval`: of the measured value with its chance variation; `value`: of the measured value alone. Left
        out: `value` for `at_least` and `at_most` on all examples, else `interval`.
      when_undecided: Outcome where the interval does not tell. Left out: `refuse` for `better_than_served_by` and
        `lift_over_baseline`, which must be shown, else `pass`.
      when_undefined: Outcome where the metric has no value, as churn on a log of a few days, or no example is in the
        slice.
    """

    name: str = Field(min_length=1)
    task: str
    metric: str
    at_least: float | None = None
    at_most: float | None = None
    no_worse_than_served_by: float | None = Field(None, ge=0)
    better_than_served_by: float | None = None
    lift_over_baseline: Lift | None = None
    max_gap: float | None = Field(None, ge=0)
    slices: tuple[str, ...] = ()
    min_examples: int = Field(0, ge=0)
    min_users: int = Field(0, ge=0)
    judge_by: Literal["interval", "value"] | None = None
    when_undecided: Outcome | None = None
    when_undefined: Outcome = "refuse"

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
        if all(getattr(self, demand) is None for demand in DEMANDS):
            raise ValueError(f"expected {', '.join(DEMANDS[:-1])} or {DEMANDS[-1]}, received none of them")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError("expected at_least <= at_most")
        if self.metric == CALIBRATION and any(getattr(self, demand) is not None for demand in DEMANDS[2:]):
            raise ValueError("expected at_least and at_most for calibration, which is best at 1")
        if self.max_gap is not None and not self.slices:
            raise ValueError("expected slices for max_gap, received none")
        return self


DEMANDS: Final = (
    "at_least",
    "at_most",
    "no_worse_than_served_by",
    "better_than_served_by",
    "lift_over_baseline",
    "max_gap",
)
"""What a rule may demand."""


class GateSettings(Settings):
    """What is measured, where, and what is demanded.

    Attributes:
      slices: Columns the evaluation is broken down by, besides all examples together.
      confidence: Chance that all intervals of a decision hold together: each is widened for the number of comparisons
        (Bonferroni), so that many slices do not make a chance finding likely.
      resamples: Bootstrap resamples of users behind the intervals.
      churn_threshold: Probability from which a user counts as predicted to churn (accuracy, precision, recall, F1).
      confusion_thresholds: Probabilities at which churn's confusion matrix is reported.
      confusion_categories: Number of the most frequent categories in the confusion matrix of the next category.
      rules: All must hold. At least one is needed: a model without a rule is never blessed.
    """

    slices: tuple[str, ...] = SLICE_COLUMNS
    confidence: float = Field(0.95, gt=0.5, lt=1)
    resamples: int = Field(500, ge=100)
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

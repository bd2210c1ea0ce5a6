"""Which metrics each task has: what a gate rule may name.

    churn_short    auc, auc_precision_recall, accuracy, precision, recall, f1, calibration, brier, ...
    next_category  hit_at_1, ..., accuracy, macro_f1, weighted_f1, ...
    others         their ranking measures (schemas.signatures.RANKING_TASKS)

Every task also has `example_count`, the number of examples whose label is known.
"""

from typing import Final

from schemas.signatures import CHURN_TASKS, RANKING_TASKS

EXAMPLE_COUNT: Final = "example_count"
CALIBRATION: Final = "calibration"
"""Sum of predictions over sum of labels; 1 is best, so it can only be kept between bounds."""

CALIBRATION_BINS: Final = 15
"""Equal-width bins of the expected calibration error."""

LOWER_IS_BETTER: Final = ("expected_calibration_error", "brier", "log_loss")

CHURN_METRICS: Final = (
    "auc",
    "auc_precision_recall",
    "accuracy",
    "precision",
    "recall",
    "f1",
    CALIBRATION,
    "mean_label",
    "mean_prediction",
    *LOWER_IS_BETTER,
)
CLASSIFICATION_METRICS: Final = (
    "accuracy",
    *(f"{average}_{metric}" for average in ("macro", "weighted") for metric in ("precision", "recall", "f1")),
)
CLASSIFIED_TASK: Final = "next_category"
"""The ranking task whose first answer is also scored as a classification."""

TASKS: Final = (*CHURN_TASKS, *RANKING_TASKS)


def metrics_of(task: str) -> tuple[str, ...]:
    """Returns the names of a task's metrics; raises KeyError for an unknown task."""
    if task in CHURN_TASKS:
        return (*CHURN_METRICS, EXAMPLE_COUNT)
    classified = CLASSIFICATION_METRICS if task == CLASSIFIED_TASK else ()
    return (*RANKING_TASKS[task], *classified, EXAMPLE_COUNT)

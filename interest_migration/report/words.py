"""Names of tasks, metrics and slices for people who do not read the code."""

from typing import Final

TASKS: Final = {
    "churn_short": "Churn, short horizon",
    "churn_long": "Churn, long horizon",
    "propensity_short": "Categories of the short horizon",
    "propensity_long": "Categories of the long horizon",
    "new_interest_short": "New interests, short horizon",
    "new_interest_long": "New interests, long horizon",
    "next_category": "Next category",
    "next_item": "Next item",
}
METRICS: Final = {
    "auc": "AUROC",
    "auroc": "AUROC",
    "auc_precision_recall": "area under precision-recall",
    "macro_auroc": "macro AUROC",
    "user_auc": "AUROC per user",
    "hit_at_1": "hit@1",
    "hit_at_5": "hit@5",
    "hit_at_10": "hit@10",
    "ndcg_at_10": "NDCG@10",
    "reciprocal_rank": "reciprocal rank",
    "f1": "F1",
    "macro_f1": "macro F1",
    "weighted_f1": "weighted F1",
    "calibration": "predicted / real",
}
MEANINGS: Final = {
    "auroc": "chance that a user who leaves is ranked above one who stays; 0.5 is guessing",
    "macro_auroc": "AUROC of each category over the users, averaged over categories",
    "user_auc": "AUROC of the categories of each user, averaged over users",
    "hit_at_5": "share of users whose next category is among the first five answers",
    "ndcg_at_10": "how far up the next items stand among the first ten answers; 1 is best",
}
SLICES: Final = {
    "switched": "Whether interest moved",
    "slice_activity": "Steps in the last 28 days",
    "slice_tenure": "Days since the first event",
    "slice_category": "Strongest current category",
    "slice_action": "Newest action",
    "slice_platform": "Platform",
    "user_attributes": "Declared attributes",
}
METHODS: Final = {"model": "model", "served": "served model"}


def task_name(task: str) -> str:
    """`churn_short` -> `Churn, short horizon`."""
    return TASKS.get(task, task.replace("_", " "))


def metric_name(metric: str) -> str:
    """`hit_at_5` -> `hit@5`."""
    return METRICS.get(metric, metric.replace("_", " "))


def method_name(method: str) -> str:
    """`rfm_logit` -> `rfm logit`."""
    return METHODS.get(method, method.replace("_", " "))


def slice_name(column: str) -> str:
    """`slice_activity` -> `Steps in the last 28 days`."""
    return SLICES.get(column, column.removeprefix("slice_").replace("_", " "))


def slice_value(column: str, value: str) -> str:
    """The value of a slice in words: of `switched`, 1 is `moved`; an empty one is `none`."""
    if column == "switched":
        return {"0": "stayed", "1": "moved"}.get(value, value)
    return value or "none"

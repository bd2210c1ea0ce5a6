"""Names of the exported model's signatures and of what they return.

Every signature takes `examples`: `[B]` serialized `tf.Example`s that hold the raw input features of `schemas.features`.
"""

from typing import Final

from schemas.features import HORIZONS

SERVE: Final = "serving_default"
EVALUATE: Final = "evaluate"
EVALUATION_LABELS: Final = "evaluation_labels"
EXAMPLES: Final = "examples"
TOP_K: Final = 10

SCORE_ITEMS: Final = "score_items"
"""Of models with texts only: ranks items by vectors of their texts, new ones too, and reads histories that hold such.

Besides `examples` it takes `item_vectors` `[C, W]` float32, the vectors of C candidates, and `event_vectors`
`[B, N, W]`: row n is the vector of the text of event n of a history, from its oldest, and 0 for events whose item and
text the model knows (their own vectors are in the model); N may be 0, or less than the number of events. Vectors come
from the language model whose digest `assets.extra/warm_start.json` names. It returns `item_scores` `[B, C]` float32
logits, higher is better, comparable within a row.
"""
ITEM_VECTORS, EVENT_VECTORS, ITEM_SCORES = "item_vectors", "event_vectors", "item_scores"

# What `serving_default` returns; [B, TOP_K] unless noted.
NEXT_CATEGORY, NEXT_CATEGORY_PROBABILITY = "next_category", "next_category_probability"
NEXT_ITEM, NEXT_ITEM_SCORE = "next_item", "next_item_score"
CURRENT_CATEGORY, SWITCH_PROBABILITY = "current_category", "switch_probability"  # [B]
USER_EMBEDDING: Final = "user_embedding"  # [B, D]
INTEREST = {horizon: f"interest_{horizon}" for horizon in HORIZONS}
INTEREST_PROBABILITY = {horizon: f"interest_probability_{horizon}" for horizon in HORIZONS}
NEW_INTEREST = {horizon: f"new_interest_{horizon}" for horizon in HORIZONS}  # empty where there are fewer candidates
NEW_INTEREST_SHARE = {horizon: f"new_interest_share_{horizon}" for horizon in HORIZONS}
CHURN_PROBABILITY = {horizon: f"churn_probability_{horizon}" for horizon in HORIZONS}  # [B]

# Tasks, and what `evaluate` returns for them, all [B] float32: for churn `<task>` is the probability; for the ranking
# tasks `<task>_<measure>` is that measure of the example, computed in the graph from the labels in the same examples.
CHURN_TASKS: Final = tuple(f"churn_{horizon}" for horizon in HORIZONS)
RANKING_TASKS: Final = {
    "next_category": ("hit_at_1", "hit_at_5", "hit_at_10", "ndcg_at_10", "reciprocal_rank"),
    "next_item": ("hit_at_10", "ndcg_at_10", "reciprocal_rank"),
    **{f"propensity_{horizon}": ("user_auc", "ndcg_at_10") for horizon in HORIZONS},
    **{f"new_interest_{horizon}": ("user_auc", "ndcg_at_10") for horizon in HORIZONS},
}
NEXT_CATEGORY_PREDICTED: Final = "next_category_predicted"
"""`evaluate`: `[B]` float32, id of the category ranked first."""


def measure_name(task: str, measure: str) -> str:
    """`next_category`, `hit_at_5` -> `next_category_hit_at_5`."""
    return f"{task}_{measure}"


def label_key(task: str) -> str:
    """Key under which `evaluation_labels` returns a task's label, `[B]` float32.

    Churn: 0 or 1. `next_category`: the id predicted if it is among the true ones, else the smallest true id. 0 where
    unknown; the weight says so.
    """
    return f"{task}_label"


def weight_key(task: str) -> str:
    """Key under which `evaluation_labels` returns a task's example weight, `[B]` float32: 1 if the label is known."""
    return f"{task}_weight"


# `explain`: what each answer would be without single events, interests or numbers. T tasks, N = TOP_EVENTS.
EXPLAIN: Final = "explain"
TOP_EVENTS: Final = 10
EXPLAINED_TASKS: Final = (
    *CHURN_TASKS,
    "next_category",
    *(f"propensity_{horizon}" for horizon in HORIZONS),
    *(f"new_interest_{horizon}" for horizon in HORIZONS),
)
EXPLAINED_TASK, EXPLAINED_CATEGORY, EXPLAINED_SCORE = "task", "category", "score"
"""`[B, T]`: the task, the category ranked first (empty for churn), and its probability (for new interests, share)."""
REASON_EVENT, REASON_CONTRIBUTION, REASON_CATEGORY, REASON_ITEM, REASON_ACTION, REASON_AGE = (
    "event_index",
    "event_contribution",
    "event_category",
    "event_item",
    "event_action",
    "event_age_seconds",
)
"""`[B, T, N]`: place in the lists sent (-1 where there are fewer events), score less the score without the event, and
the event's own values; largest contribution, of either sign, first."""
REASON_INTEREST, REASON_INTEREST_CONTRIBUTION = "interest", "interest_contribution"
"""`[B, T, N]`: categories, empty where there are fewer, and score less the score without any event of theirs."""
REASON_NUMBER, REASON_NUMBER_CONTRIBUTION = "number", "number_contribution"
"""`[B, T, A]`: names of AGGREGATE_INPUTS, and score less the score with the average of all users in its place."""


# `paths`: the likeliest categories of the next PATH_STEPS steps, likeliest path first.
PATHS: Final = "paths"
PATH_STEPS: Final = 3
PATH_BEAM: Final = 8
STEPS, MOVES = "steps", "moves"
"""Two kinds of paths: of steps, which may stay in a category; of moves, each to a category not yet on the path."""
PATH_KINDS: Final = (STEPS, MOVES)
PATH_CATEGORY = {kind: f"{kind}_category" for kind in PATH_KINDS}  # [B, PATH_BEAM, PATH_STEPS]; empty: no such path
PATH_STEP_PROBABILITY = {kind: f"{kind}_step_probability" for kind in PATH_KINDS}  # [B, PATH_BEAM, PATH_STEPS]
PATH_PROBABILITY = {kind: f"{kind}_probability" for kind in PATH_KINDS}  # [B, PATH_BEAM], product of its steps
FORECAST_CATEGORY, FORECAST_PROBABILITY = "forecast_category", "forecast_probability"
"""`[B, PATH_STEPS, TOP_K]`: the likeliest categories of each step, over all paths of steps that the beam holds."""

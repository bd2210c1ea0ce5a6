"""Names of the exported model's signatures and of what they return.

Signatures take `examples`: `[B]` serialized `tf.Example`s that hold the raw input features of `schemas.features`. Those
of `COLUMN_SIGNATURES` take the columns of `COLUMNS` instead: users' events as they happened.
"""

from dataclasses import dataclass
from typing import Final, Literal

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


# What a client without `tf.Example`s sends: one row per user, N slots for events, filled up with empty ones.
@dataclass(frozen=True)
class Column:
    """One input of the signatures in `COLUMN_SIGNATURES`.

    Attributes:
      name: Name of the input; that of the field in `schemas.events`.
      dtype: Element type.
      shape: `[B]` for one value per user; `[B, N]` for one per event, where 1 in place of B or N stands for all.
      default: Value that stands for "none"; None where there is none, so that every request must have the column.
      description: Meaning and unit.
    """

    name: str
    dtype: Literal["string", "int64", "float32"]
    shape: Literal["[B]", "[B, N]"]
    default: str | float | None
    description: str


COLUMN_CUT, COLUMN_TIME, COLUMN_ACTION, COLUMN_ITEM, COLUMN_PATH, COLUMN_BRAND = (
    "cut_time_s",
    "time_s",
    "action",
    "item",
    "category_path",
    "brand",
)
COLUMN_PLATFORM, COLUMN_TEXT, COLUMN_SESSION = "platform", "text", "session"
COLUMN_PRICE, COLUMN_QUANTITY = "price", "quantity"
COLUMNS: Final = (
    Column(COLUMN_CUT, "int64", "[B]", None, "the moment asked about, usually now, Unix seconds UTC"),
    Column(COLUMN_TIME, "int64", "[B, N]", None, "when, Unix seconds UTC; what is not before the moment is left out"),
    Column(COLUMN_ACTION, "string", "[B, N]", None, "one of schemas.events.ACTIONS; empty: the slot holds no event"),
    Column(COLUMN_ITEM, "string", "[B, N]", "", "item"),
    Column(COLUMN_PATH, "string", "[B, N]", "", "category path, from broad to narrow, joined by ' > '"),
    Column(COLUMN_BRAND, "string", "[B, N]", "", "brand"),
    Column(COLUMN_PLATFORM, "string", "[B, N]", "", "channel, shop or device"),
    Column(COLUMN_TEXT, "string", "[B, N]", "", "what was typed or read: a query, a message, a review"),
    Column(COLUMN_SESSION, "string", "[B, N]", "", "the platform's own session id"),
    Column(COLUMN_PRICE, "float32", "[B, N]", -1.0, "price per unit"),
    Column(COLUMN_QUANTITY, "float32", "[B, N]", -1.0, "units; none counts as one"),
)
"""Events may come in any order. Those of one second form one step, see `schemas.events`."""

PREDICT: Final = "predict"
"""All that `serving_default` returns for the same past, and these."""
MIGRATION_FROM, MIGRATION_TO, MIGRATION_PROBABILITY = "migration_from", "migration_to", "migration_probability"
"""`[B]` the current category, empty without any; `[B, TOP_K]` the likeliest categories of the next step other than it,
and their probabilities as in `next_category_probability`."""
MODEL_ID: Final = "model_id"
"""`[B]` string, the same in every row: digest of the model's weights, settings, vocabularies and provenance."""

EMBED: Final = "embed"
"""USER_EMBEDDING, ITEM_QUERY and MODEL_ID."""
ITEM_QUERY: Final = "item_query"
"""`[B, D]`: its product with the vector of an item, plus the item's bias, is the item's score without what the history
adds to the items in it."""

EMBED_NAMES: Final = "embed_names"
"""Takes EMBED_ITEM and EMBED_CATEGORY, `[M]` and `[C]` strings; returns the vectors of those items and categories."""
EMBED_ITEM, EMBED_CATEGORY = "item", "category"
ITEM_VECTOR, ITEM_BIAS, ITEM_KNOWN = "item_vector", "item_bias", "item_known"
"""`[M, D]`, `[M]` float32, `[M]` bool; 0 for items that the model does not know."""
CATEGORY_VECTOR, CATEGORY_KNOWN = "category_vector", "category_known"
"""`[C, D]` float32, `[C]` bool; 0 for categories that the model does not know."""

EXPLAIN_COLUMNS: Final = "explain_columns"
"""What `explain` returns; REASON_EVENT is the place in the row that was sent."""
PATHS_COLUMNS: Final = "paths_columns"
"""What `paths` returns."""
COLUMN_SIGNATURES: Final = (PREDICT, EMBED, EXPLAIN_COLUMNS, PATHS_COLUMNS)

"""The feature contract: every feature of an example, who makes it and who reads it.

An *example* is one user at one *cut time*. Features describe what happened strictly before the cut, labels what
happened at or after it. Sequences run from old to new; all `event_*` features of an example have the same length E, all
`interest_*` features the same length K. Worked example (cut at day 10; two events on day 3, one on day 9):

    event_item        ["milk", "bread", "tea"]   event_age_seconds [604800, 604800, 86400]
    interest_category ["dairy", "bakery", "drinks"]  interest_recency_days [7.0, 7.0, 1.0]

The names exist here only; other modules refer to the constants below.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

Dtype = Literal["string", "int64", "float32"]


class Shape(StrEnum):
    """How many values an example has: one, a fixed number, or as many as it takes."""

    SCALAR = "scalar"
    WINDOWS = "windows"  # one value per entry of WINDOW_DAYS
    AGGREGATES = "aggregates"  # AGGREGATE_WIDTH values
    EVENTS = "events"  # E values, old to new
    INTERESTS = "interests"  # K values, strongest first
    SET = "set"  # any number of distinct values


class Role(StrEnum):
    """What a feature is for."""

    KEY = "key"  # identifies the example; no model reads it
    INPUT = "input"  # the model reads it, in training and in serving
    SLICE = "slice"  # evaluation groups by it; the model does not read it
    LABEL = "label"  # known only after the cut


@dataclass(frozen=True)
class FeatureSpec:
    """One feature.

    Attributes:
      name: Name in the `tf.Example`.
      dtype: Element type.
      shape: Number of values per example.
      role: Key, input, slice or label.
      made_by: `ingest` (raw examples) or `transform` (what the Trainer reads).
      description: Meaning and unit.
      optional: Whether an example may lack it (a label that the log cannot tell).
    """

    name: str
    dtype: Dtype
    shape: Shape
    role: Role
    made_by: Literal["ingest", "transform"]
    description: str
    optional: bool = False


WINDOW_DAYS: Final = (1, 3, 7, 14, 28, 56, 112, 365)
"""Look-back windows of the aggregates, in days before the cut."""

DECAY_HALF_LIFE_DAYS: Final = (7, 28, 112)
"""Half-lives of the decayed interest counts, in days."""

STRENGTH_HALF_LIFE_DAYS: Final = 28
"""Half-life of the decayed count that interests are ranked by."""

HORIZONS: Final = ("short", "long")
"""The two horizons that labels look ahead; their lengths in days are settings (demo: 14 and 28)."""

USER, CUT_TIME = "user", "cut_time_s"

EVENT_ITEM, EVENT_CATEGORY, EVENT_PARENT, EVENT_CHILD = (
    "event_item",
    "event_category",
    "event_parent_category",
    "event_child_category",
)
EVENT_BRAND, EVENT_ACTION, EVENT_PLATFORM = "event_brand", "event_action", "event_platform"
EVENT_PRICE, EVENT_AGE, EVENT_SESSION = "event_price", "event_age_seconds", "event_session"
EVENT_TEXT = "event_text"

INTEREST_CATEGORY, INTEREST_COUNT, INTEREST_RECENCY = "interest_category", "interest_count", "interest_recency_days"
INTEREST_DECAYED: Final = tuple(f"interest_decayed_{days}d" for days in DECAY_HALF_LIFE_DAYS)

WINDOW_EVENTS, WINDOW_STEPS, WINDOW_SPEND, WINDOW_CATEGORIES = (
    "window_events",
    "window_steps",
    "window_spend",
    "window_categories",
)
RECENCY, TENURE = "recency_days", "tenure_days"
LIFETIME_EVENTS, LIFETIME_STEPS, LIFETIME_SPEND = "lifetime_events", "lifetime_steps", "lifetime_spend"
GAP_MEAN, GAP_DEVIATION, GAP_LAST = "gap_mean_days", "gap_deviation_days", "gap_last_days"
WINDOW_VISITS, ABSENCE, VISIT_RECENCY = "window_visits", "absence_days", "visit_recency_days"

SLICE_ACTIVITY, SLICE_TENURE, SLICE_CATEGORY = "slice_activity", "slice_tenure", "slice_category"
SLICE_ACTION, SLICE_PLATFORM, USER_ATTRIBUTES = "slice_action", "slice_platform", "user_attributes"

NEXT_CATEGORIES, NEXT_ITEMS, SWITCHED = "next_categories", "next_items", "switched"
FUTURE_CATEGORIES: Final = {horizon: f"future_categories_{horizon}" for horizon in HORIZONS}
NEW_CATEGORIES: Final = {horizon: f"new_categories_{horizon}" for horizon in HORIZONS}
HORIZON_OBSERVED: Final = {horizon: f"horizon_observed_{horizon}" for horizon in HORIZONS}
CHURN: Final = {horizon: f"churn_{horizon}" for horizon in HORIZONS}


def _event(name: str, dtype: Dtype, description: str) -> FeatureSpec:
    return FeatureSpec(name, dtype, Shape.EVENTS, Role.INPUT, "ingest", description)


def _interest(name: str, dtype: Dtype, description: str) -> FeatureSpec:
    return FeatureSpec(name, dtype, Shape.INTERESTS, Role.INPUT, "ingest", description)


def _window(name: str, description: str) -> FeatureSpec:
    return FeatureSpec(name, "float32", Shape.WINDOWS, Role.INPUT, "ingest", description)


def _number(name: str, description: str) -> FeatureSpec:
    return FeatureSpec(name, "float32", Shape.SCALAR, Role.INPUT, "ingest", description)


def _slice(name: str, description: str, shape: Shape = Shape.SCALAR) -> FeatureSpec:
    return FeatureSpec(name, "string", shape, Role.SLICE, "ingest", description, optional=shape is Shape.SET)


def _label(name: str, dtype: Dtype, shape: Shape, description: str, *, optional: bool = True) -> FeatureSpec:
    return FeatureSpec(name, dtype, shape, Role.LABEL, "ingest", description, optional=optional)


def _horizon_labels(horizon: str) -> tuple[FeatureSpec, ...]:
    return (
        _label(
            HORIZON_OBSERVED[horizon],
            "int64",
            Shape.SCALAR,
            "1 if the log covers the whole horizon, else 0",
            optional=False,
        ),
        _label(FUTURE_CATEGORIES[horizon], "string", Shape.SET, "categories of interest within the horizon"),
        _label(
            NEW_CATEGORIES[horizon],
            "string",
            Shape.SET,
            "those of them not touched in the new-interest window before the cut",
        ),
        _label(
            CHURN[horizon],
            "int64",
            Shape.SCALAR,
            "1 if no qualifying event falls in the horizon, 0 if one does, absent if unknown",
        ),
    )


RAW_FEATURES: Final = (
    FeatureSpec(USER, "string", Shape.SCALAR, Role.KEY, "ingest", "pseudonym of the user"),
    FeatureSpec(CUT_TIME, "int64", Shape.SCALAR, Role.KEY, "ingest", "cut time, Unix seconds UTC"),
    _event(EVENT_ITEM, "string", "item, empty if none"),
    _event(EVENT_CATEGORY, "string", "category at the interest level, empty if none"),
    _event(EVENT_PARENT, "string", "category path above the interest level, empty if none"),
    _event(EVENT_CHILD, "string", "category one level below the interest level, empty if none"),
    _event(EVENT_BRAND, "string", "brand, empty if none"),
    _event(EVENT_ACTION, "string", "action, see schemas.events.ACTIONS"),
    _event(EVENT_PLATFORM, "string", "platform, empty if none"),
    _event(EVENT_TEXT, "string", "text of a search, message or review; empty if none or if texts are not kept"),
    _event(EVENT_PRICE, "float32", "unit price, -1 if none"),
    _event(EVENT_AGE, "int64", "seconds from the event to the cut, at least 1; equal ages form one step"),
    _event(EVENT_SESSION, "int64", "sessions back from the newest event's session, which is 0"),
    _interest(INTEREST_CATEGORY, "string", "every category touched before the cut, strongest first"),
    _interest(INTEREST_COUNT, "float32", "number of events in the category before the cut"),
    _interest(INTEREST_RECENCY, "float32", "days from the newest event in the category to the cut"),
    *(
        _interest(name, "float32", f"events weighted by 0.5 ** (age in days / {days})")
        for name, days in zip(INTEREST_DECAYED, DECAY_HALF_LIFE_DAYS, strict=True)
    ),
    _window(WINDOW_EVENTS, "events in the window"),
    _window(WINDOW_STEPS, "steps (distinct seconds with events) in the window"),
    _window(WINDOW_SPEND, "price times quantity of purchases in the window"),
    _window(WINDOW_CATEGORIES, "distinct categories in the window"),
    _number(RECENCY, "days from the newest event to the cut"),
    _number(TENURE, "days from the user's first event to the cut"),
    _number(LIFETIME_EVENTS, "events before the cut"),
    _number(LIFETIME_STEPS, "steps before the cut"),
    _number(LIFETIME_SPEND, "price times quantity of purchases before the cut"),
    _number(GAP_MEAN, "mean days between steps, 0 with fewer than two"),
    _number(GAP_DEVIATION, "standard deviation of the days between steps, 0 with fewer than two"),
    _number(GAP_LAST, "days between the two newest steps, 0 with fewer than two"),
    _window(WINDOW_VISITS, "visits (steps with a churn action; without those, all steps) in the window"),
    _window(ABSENCE, "for each window length: days since the first visit that lay further than it behind a visit"),
    _number(VISIT_RECENCY, "days from the newest visit to the cut, from the first event if there is no visit"),
    _slice(SLICE_ACTIVITY, "steps in the last 28 days: '0', '1-2', '3-5', '6-10' or '11+'"),
    _slice(SLICE_TENURE, "days since the first event: '<28', '28-83', '84-181' or '182+'"),
    _slice(SLICE_CATEGORY, "strongest current category, empty if none"),
    _slice(SLICE_ACTION, "action of the newest step (the one latest in ACTIONS)"),
    _slice(SLICE_PLATFORM, "platform of the newest event, empty if none"),
    _slice(USER_ATTRIBUTES, "declared attributes as 'name=value'", Shape.SET),
    _label(NEXT_CATEGORIES, "string", Shape.SET, "categories of the first step at or after the cut that has any"),
    _label(NEXT_ITEMS, "string", Shape.SET, "items of that step"),
    _label(
        SWITCHED,
        "int64",
        Shape.SCALAR,
        "1 if that step shares no category with the newest step before the cut that has any",
    ),
    *(label for horizon in HORIZONS for label in _horizon_labels(horizon)),
)
"""What ingestion writes and what TF Serving clients send (inputs only)."""


ITEM_IDS, CATEGORY_IDS, PARENT_IDS, CHILD_IDS = "item_ids", "category_ids", "parent_ids", "child_ids"
BRAND_IDS, ACTION_IDS, PLATFORM_IDS, TEXT_IDS = "brand_ids", "action_ids", "platform_ids", "text_ids"
PRICE_BUCKETS, AGE_BUCKETS, GAP_BUCKETS = "price_buckets", "age_buckets", "gap_buckets"
STEP_INDEX, SESSION_INDEX = "step_index", "session_index"
INTEREST_IDS, AGGREGATES = "interest_ids", "aggregates"
AGGREGATE_INPUTS: Final = (
    WINDOW_EVENTS,
    WINDOW_STEPS,
    WINDOW_SPEND,
    WINDOW_CATEGORIES,
    RECENCY,
    TENURE,
    LIFETIME_EVENTS,
    LIFETIME_STEPS,
    LIFETIME_SPEND,
    GAP_MEAN,
    GAP_DEVIATION,
    GAP_LAST,
    WINDOW_VISITS,
    ABSENCE,
    VISIT_RECENCY,
)
"""The raw features that `aggregates` concatenates, in this order."""
AGGREGATE_WIDTH: Final = sum(
    len(WINDOW_DAYS) if spec.shape is Shape.WINDOWS else 1 for spec in RAW_FEATURES if spec.name in AGGREGATE_INPUTS
)
UNKNOWN_LABEL: Final = -1
"""What a transformed scalar label holds where the raw one is absent."""


def label_name(raw_name: str) -> str:
    """Returns the transformed name of a raw label: `churn_short` -> `label_churn_short`."""
    return f"label_{raw_name}"


def _transformed(name: str, shape: Shape, description: str, dtype: Dtype = "int64") -> FeatureSpec:
    return FeatureSpec(name, dtype, shape, Role.INPUT, "transform", description)


def _transformed_label(raw: FeatureSpec) -> FeatureSpec:
    note = "ids" if raw.shape is Shape.SET else f"{UNKNOWN_LABEL} if unknown"
    return FeatureSpec(label_name(raw.name), "int64", raw.shape, Role.LABEL, "transform", f"{raw.description}; {note}")


TRANSFORMED_FEATURES: Final = (
    *(spec for spec in RAW_FEATURES if spec.role in (Role.KEY, Role.SLICE)),
    _transformed(ITEM_IDS, Shape.EVENTS, "item ids"),
    _transformed(CATEGORY_IDS, Shape.EVENTS, "category ids at the interest level"),
    _transformed(PARENT_IDS, Shape.EVENTS, "ids of the path above the interest level"),
    _transformed(CHILD_IDS, Shape.EVENTS, "ids of the category below the interest level"),
    _transformed(BRAND_IDS, Shape.EVENTS, "brand ids"),
    _transformed(ACTION_IDS, Shape.EVENTS, "action ids, 1 + position in schemas.events.ACTIONS"),
    _transformed(PLATFORM_IDS, Shape.EVENTS, "platform ids"),
    _transformed(TEXT_IDS, Shape.EVENTS, "ids of the texts of searches, messages and reviews"),
    _transformed(PRICE_BUCKETS, Shape.EVENTS, "0 if no price, else 1 + quantile bucket"),
    _transformed(AGE_BUCKETS, Shape.EVENTS, "logarithmic bucket of the age at the cut"),
    _transformed(GAP_BUCKETS, Shape.EVENTS, "logarithmic bucket of the time since the step before, 0 if there is none"),
    _transformed(STEP_INDEX, Shape.EVENTS, "steps back from the newest step, which is 0"),
    _transformed(SESSION_INDEX, Shape.EVENTS, "sessions back from the newest session, clipped"),
    _transformed(INTEREST_IDS, Shape.INTERESTS, "category ids of the interest profile"),
    *(spec for spec in RAW_FEATURES if spec.shape is Shape.INTERESTS and spec.dtype == "float32"),
    FeatureSpec(
        AGGREGATES,
        "float32",
        Shape.AGGREGATES,
        Role.INPUT,
        "transform",
        "log1p, then z-score, of AGGREGATE_INPUTS in order",
    ),
    *(_transformed_label(spec) for spec in RAW_FEATURES if spec.role is Role.LABEL),
)
"""What Transform writes and the Trainer and the baselines read.

Ids: 0 is padding or "none" (empty string), 1..V are the vocabulary by falling frequency, V + 1 is out of vocabulary.
"""

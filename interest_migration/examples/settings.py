"""What an example looks like: the settings behind features, labels and splits."""

from typing import Literal

from pydantic import Field, model_validator

from interest_migration.settings import Settings
from schemas.events import ACTIONS

Action = Literal["view", "click", "cart", "favourite", "purchase", "review", "search", "message"]


class Horizons(Settings):
    """How far labels look ahead, in days."""

    short: float = Field(14, gt=0)
    long: float = Field(28, gt=0)

    @model_validator(mode="after")
    def _ordered(self) -> "Horizons":
        if self.short >= self.long:
            raise ValueError(f"expected short < long, received {self.short} and {self.long}")
        return self


ConflictField = Literal["category_path", "brand", "price", "quantity", "text", "platform", "extras"]


class RateLimit(Settings):
    """What no person does: more than `events` events within any `minutes` minutes."""

    events: int = Field(ge=1)
    minutes: float = Field(gt=0)


class ExampleSettings(Settings):
    """Definition of examples.

    Attributes:
      max_events: L, the newest events kept in a history. A step that does not fit whole is left out whole.
      max_interests: Strongest categories kept in the interest profile.
      conflicting_fields: Rows with the same user, second, action, item and session that disagree in one of these
        contradict each other: the last by position stays, the others are set aside as `conflicting_duplicate`.
      bot_limits: All events of a user who breaks one of these are set aside as `bot_like_user`; none turns it off.
      max_events_per_user: Events kept per user, newest first; more are set aside as `hot_user`.
      session_gap_minutes: Inactivity that ends a session, where the source has no session ids.
      item_texts: Whether a text of every item is written beside the examples, for a language model.
      text_characters: Characters kept of what users typed or read (search, message, review); 0 keeps no such text.
      interest_level: Which level of the category path is an interest, 0 the broadest; shorter paths use their last.
      interest_actions: Actions that show an interest: they make labels and the interest profile.
      churn_actions: Actions that count as staying; none means that churn is never defined.
      active_days: W, a user has an example at a cut only with a churn action (without those: any event) in the W
        days before it.
      new_interest_days: An interest is new if its category was not touched in this many days before the cut.
      horizons_days: H, how far labels look ahead.
      sampling: `calendar`: cuts at fixed distances, the same for all users in eval and test, shifted per user in
        train; `events`: cuts one second after a user's own steps, sampled.
      cut_every_days: Distance between cuts (`calendar`), or between blocks of which each user gives one (`events`).
      min_history_days: No cut falls earlier than this after the start of the log.
      eval_cuts: Number of cuts (or blocks) in the eval split.
      test_cuts: Number of cuts (or blocks) in the test split.
      user_holdout: Share of users who appear in eval and test only; the others then appear in train only. 0 splits
        by time alone.
      seed: Seed of every sampling step.
    """

    max_events: int = Field(192, ge=1, le=4096)
    max_interests: int = Field(128, ge=1)
    conflicting_fields: tuple[ConflictField, ...] = ("category_path", "brand")
    bot_limits: tuple[RateLimit, ...] = (RateLimit(events=5_000, minutes=60), RateLimit(events=20_000, minutes=1440))
    max_events_per_user: int = Field(20_000, ge=1)
    session_gap_minutes: float = Field(30, gt=0)
    item_texts: bool = False
    text_characters: int = Field(0, ge=0)
    interest_level: int = Field(0, ge=0)
    interest_actions: tuple[Action, ...] = ACTIONS
    churn_actions: tuple[Action, ...] = ("purchase",)
    active_days: float = Field(56, gt=0)
    new_interest_days: float = Field(56, gt=0)
    horizons_days: Horizons = Horizons()
    sampling: Literal["calendar", "events"] = "calendar"
    cut_every_days: float = Field(14, gt=0)
    min_history_days: float = Field(0, ge=0)
    eval_cuts: int = Field(2, ge=1)
    test_cuts: int = Field(3, ge=1)
    user_holdout: float = Field(0.0, ge=0, lt=1)
    seed: int = Field(0, ge=0, lt=2**63)

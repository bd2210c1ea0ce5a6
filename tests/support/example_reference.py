"""The definitions of docs/examples_and_labels.md once more: slow, plain Python, one example at a time.

Written from the document and sharing no code with the product, so that both can only agree by being right.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from math import fsum, sqrt

import numpy as np
from event_tables import DAY_S, Event

from interest_migration.examples.settings import ExampleSettings
from schemas.events import ACTIONS

WINDOWS = (1, 3, 7, 14, 28, 56, 112, 365)


class Reference:
    """What one user's example at one cut must hold."""

    def __init__(
        self, events: Sequence[Event], user: str, cut_s: int, settings: ExampleSettings, log: tuple[int, int]
    ) -> None:
        distinct = {tuple(sorted((k, v) for k, v in e.items() if v is not None)): e for e in events}
        own = [e for e in distinct.values() if e["user"] == user]
        self.past = [e for e in own if e["time_s"] < cut_s]
        self.future = [e for e in own if e["time_s"] >= cut_s]
        self.cut_s, self.settings, self.log = cut_s, settings, log

    def parts(self, event: Event) -> tuple[str, str, str]:
        if not event.get("category_path"):
            return "", "", ""
        names = str(event["category_path"]).split(" > ")
        level = min(self.settings.interest_level, len(names) - 1)
        child = " > ".join(names[: level + 2]) if len(names) > level + 1 else ""
        return " > ".join(names[: level + 1]), " > ".join(names[:level]), child

    def is_touch(self, event: Event) -> bool:
        return event["action"] in self.settings.interest_actions and bool(event.get("category_path"))

    def age_days(self, event: Event) -> float:
        return (self.cut_s - event["time_s"]) / DAY_S

    def within(self, days: float) -> list[Event]:
        return [e for e in self.past if e["time_s"] >= self.cut_s - days * DAY_S]

    def is_active(self) -> bool:
        wanted = self.settings.churn_actions or ACTIONS
        return any(e["action"] in wanted for e in self.within(self.settings.active_days))

    # features

    def history(self) -> list[Event]:
        """Newest whole steps that fit; [] if even the newest step does not fit (then any of its events may stay)."""
        kept: list[Event] = []
        for time_s in sorted({e["time_s"] for e in self.past}, reverse=True):
            step = [e for e in self.past if e["time_s"] == time_s]
            if len(kept) + len(step) > self.settings.max_events:
                break
            kept = step + kept
        return kept

    def sessions(self) -> dict[int, int]:
        """Second of a step -> sessions back from the newest."""
        times = sorted({e["time_s"] for e in self.past})
        ids = {t: {e["session"] for e in self.past if e["time_s"] == t and e.get("session")} for t in times}
        number, numbers = 0, {times[0]: 0}
        for before, now in pairwise(times):
            if ids[before] and ids[now]:
                number += not ids[before] & ids[now]
            else:
                number += now - before > self.settings.session_gap_minutes * 60
            numbers[now] = number
        return {t: number - n for t, n in numbers.items()}

    def profile(self) -> list[tuple[str, int, float, tuple[float, ...]]]:
        """(category, count, recency, decayed counts), strongest first."""
        rows = []
        for name in {self.parts(e)[0] for e in self.past if self.is_touch(e)}:
            ages = [self.age_days(e) for e in self.past if self.is_touch(e) and self.parts(e)[0] == name]
            decayed = tuple(fsum(0.5 ** (age / half_life) for age in ages) for half_life in (7, 28, 112))
            rows.append((name, len(ages), min(ages), decayed))
        rows.sort(key=lambda row: (-np.float32(row[3][1]), row[0]))
        return rows[: self.settings.max_interests]

    def per_window(self, measure: Callable[[list[Event]], float]) -> list[float]:
        return [measure(self.within(days)) for days in WINDOWS]

    def spend(self, events: list[Event]) -> float:
        bought = [e for e in events if e["action"] == "purchase" and e.get("price") is not None]
        return fsum(e["price"] * (e["quantity"] if e.get("quantity") is not None else 1) for e in bought)

    def steps(self, events: list[Event]) -> int:
        return len({e["time_s"] for e in events})

    def categories(self, events: list[Event]) -> set[str]:
        return {self.parts(e)[0] for e in events if self.is_touch(e)}

    def count_categories(self, events: list[Event]) -> int:
        return len(self.categories(events))

    def gaps(self) -> tuple[float, float, float]:
        times = sorted({e["time_s"] for e in self.past})
        gaps = [(after - before) / DAY_S for before, after in pairwise(times)]
        if not gaps:
            return 0.0, 0.0, 0.0
        mean = fsum(gaps) / len(gaps)
        return mean, sqrt(fsum((gap - mean) ** 2 for gap in gaps) / len(gaps)), gaps[-1]

    def visits(self) -> list[float]:
        """Ages in days of the visits, old to new."""
        wanted = self.settings.churn_actions or ACTIONS
        times = {e["time_s"] for e in self.past if e["action"] in wanted}
        return [(self.cut_s - time_s) / DAY_S for time_s in sorted(times)]

    def absence(self) -> list[float]:
        gaps = [before - after for before, after in pairwise([*self.visits(), 0.0])]
        return [fsum(max(gap - days, 0.0) for gap in gaps) for days in WINDOWS]

    # labels

    def next_step(self, embargo_s: int) -> list[Event] | None:
        times = [e["time_s"] for e in self.future if self.is_touch(e)]
        if not times or min(times) >= self.cut_s + embargo_s:
            return None
        return [e for e in self.future if e["time_s"] == min(times) and e["action"] in self.settings.interest_actions]

    def next_items(self, embargo_s: int) -> set[object] | None:
        step = self.next_step(embargo_s)
        return None if step is None else {e["item"] for e in step if e.get("item")}

    def next_categories(self, embargo_s: int) -> set[str] | None:
        step = self.next_step(embargo_s)
        return None if step is None else self.categories(step)

    def switched(self, embargo_s: int) -> int | None:
        after = self.next_categories(embargo_s)
        times = [e["time_s"] for e in self.past if self.is_touch(e)]
        if after is None or not times:
            return None
        before = self.categories([e for e in self.past if e["time_s"] == max(times)])
        return int(not before & after)

    def observed(self, days: float) -> bool:
        return self.cut_s + days * DAY_S <= self.log[1]

    def in_horizon(self, days: float) -> list[Event]:
        return [e for e in self.future if e["time_s"] < self.cut_s + days * DAY_S]

    def future_categories(self, days: float) -> set[str]:
        return self.categories(self.in_horizon(days))

    def new_categories(self, days: float) -> set[str]:
        return self.future_categories(days) - self.categories(self.within(self.settings.new_interest_days))

    def churn(self, days: float) -> int | None:
        if not self.settings.churn_actions or self.cut_s - self.settings.active_days * DAY_S < self.log[0]:
            return None
        return int(not any(e["action"] in self.settings.churn_actions for e in self.in_horizon(days)))

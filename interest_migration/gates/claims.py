"""What the rules of a gate claim about a table of measures: each demand in each place, its value and chance error."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from interest_migration.evaluation.bootstrap import Draws
from interest_migration.evaluation.compare import MODEL
from interest_migration.evaluation.measures import SERVED, Measures
from interest_migration.gates.draws import Mask, MetricDraws
from interest_migration.gates.metrics import LOWER_IS_BETTER
from interest_migration.gates.settings import BEST, DEMANDS, Lift, Rule, split_slice

OVERALL = "all examples"
_MUST_BE_SHOWN = ("better_than_served_by", "lift_over_baseline")
_ABSOLUTE = ("at_least", "at_most")


@dataclass(frozen=True)
class Place:
    """Where a rule is held against a table.

    Attributes:
      name: `all examples` or `column=value`.
      rows: `[N]`, its examples.
      others: `[N]`, the examples a gap is measured against.
    """

    name: str
    rows: Mask
    others: Mask


@dataclass(frozen=True)
class Claim:
    """One demand of one rule in one place.

    Attributes:
      rule: The rule.
      demand: One of `DEMANDS`.
      place: Name of the place.
      subject: What is measured, in words.
      reference: What it is compared with; empty if nothing.
      bound: What is demanded, in words.
      value: What was measured: the metric, the lead over the reference, or the gap.
      error: Its standard error over resamples of users.
      users: Users behind it.
      examples: Examples behind it.
      limit: `value` must not lie below it; or not above, if `upward` is false.
      harmless: Only a value on the wrong side of this is shown to be wrong: 0 for a change, else `limit`.
      upward: Whether larger values are better.
      skipped: Why there is nothing to judge; empty otherwise.
      undefined: Why there is no value; empty otherwise.
    """

    rule: Rule
    demand: str
    place: str
    subject: str
    reference: str
    bound: str
    value: float = math.nan
    error: float = math.nan
    users: int = 0
    examples: int = 0
    limit: float = math.nan
    harmless: float = math.nan
    upward: bool = True
    skipped: str = ""
    undefined: str = ""

    @property
    def by_value(self) -> bool:
        """Whether the value alone decides."""
        if self.rule.judge_by is not None:
            return self.rule.judge_by == "value"
        return self.demand in _ABSOLUTE and not self.rule.slices

    @property
    def passes_undecided(self) -> bool:
        """Whether it passes where the interval does not tell."""
        if self.rule.when_undecided is not None:
            return self.rule.when_undecided == "pass"
        return self.demand not in _MUST_BE_SHOWN

    @property
    def is_compared(self) -> bool:
        """Whether an interval decides: these share the error that chance is allowed."""
        return not (self.skipped or self.undefined or self.by_value)


def claims_of(rule: Rule, draws: MetricDraws) -> Iterator[Claim]:
    """Yields every claim of a rule: each of its demands in each of its places."""
    for place in _places(rule, draws.measures):
        for demand in DEMANDS:
            if getattr(rule, demand) is not None:
                yield _Measured(rule, demand, place, draws).claim()


def _places(rule: Rule, measures: Measures) -> Iterator[Place]:
    """Yields where a rule holds; slices of fewer users than may be told of are left out."""
    everywhere = np.ones(len(measures), np.bool_)
    if not rule.slices:
        yield Place(OVERALL, everywhere, ~everywhere)
    for column, value in dict.fromkeys(split_slice(name) for name in rule.slices):
        told = measures.members(column)
        for one in measures.slice_values(column) if value is None else [value]:
            rows = measures.members(column, one)
            if value is not None or len(np.unique(measures.users[rows])) >= measures.about.minimum_users:
                yield Place(f"{column}={one}", rows, told & ~rows)
        if value is None and not told.any():
            yield Place(f"{column}=any", ~everywhere, ~everywhere)


@dataclass(frozen=True)
class _Measured:
    """Measures one demand in one place."""

    rule: Rule
    demand: str
    place: Place
    draws: MetricDraws

    @property
    def _sign(self) -> float:
        return -1.0 if self.rule.metric in LOWER_IS_BETTER else 1.0

    @property
    def _served(self) -> bool:
        return self.demand in ("no_worse_than_served_by", "better_than_served_by")

    def claim(self) -> Claim:
        method, missing = self._rival()
        known = self._known(MODEL)
        own, users, examples = self._count(known if method is None else known & self._known(method))
        claim = self._words(method)
        changes: dict[str, object] = {"users": users, "examples": examples}
        if self._served and self.draws.measures.about.served_version is None:
            changes["skipped"] = "no model is served yet"
        elif missing:
            changes["undefined"] = missing
        elif 0 < examples < self.rule.min_examples or 0 < users < self.rule.min_users:
            changes["skipped"] = self._too_few()
        else:
            values = self._values(method, own)
            changes |= self._limits(values, users)
        return Claim(**{**claim, **changes})  # type: ignore[arg-type]

    def _rival(self) -> tuple[str | None, str]:
        """Returns the method that is compared with, if any, and why it cannot be."""
        about = self.draws.measures.about
        if self._served:
            lacks = self.draws.known(self.rule.task, self.rule.metric, SERVED) is None
            return SERVED, (about.served_note or f"{self.rule.metric} of the served model was not measured") * lacks
        if self.demand != "lift_over_baseline" or self.rule.lift_over_baseline is None:
            return None, ""
        measured = self._baselines()
        name = self.rule.lift_over_baseline.name
        if name == BEST and measured:
            return self._strongest(measured), ""
        if name in measured:
            return name, ""
        why = about.skipped.get(self.rule.task, {}).get(name, "")
        return name, why or f"no baseline {name}; measured for {self.rule.task}: {', '.join(measured) or 'none'}"

    def _baselines(self) -> tuple[str, ...]:
        methods = self.draws.measures.methods(self.rule.task)
        known = (name for name in methods if name not in (MODEL, SERVED))
        return tuple(name for name in known if self.draws.known(self.rule.task, self.rule.metric, name) is not None)

    def _strongest(self, methods: tuple[str, ...]) -> str:
        def value(name: str) -> float:
            rows, _, _ = self._count(self._known(MODEL) & self._known(name))
            sample = self.draws.alone().draw(self.rule.task, self.rule.metric, name, rows)
            return -math.inf if math.isnan(sample[0]) else self._sign * float(sample[0])

        return max(methods, key=value)

    def _known(self, method: str) -> Mask:
        known = self.draws.known(self.rule.task, self.rule.metric, method)
        return np.zeros(len(self.draws.measures), np.bool_) if known is None else known

    def _count(self, known: Mask) -> tuple[npt.NDArray[np.int64], int, int]:
        rows = np.flatnonzero(known & self.place.rows)
        return rows, len(np.unique(self.draws.measures.users[rows])), len(rows)

    def _values(self, method: str | None, rows: npt.NDArray[np.int64]) -> Draws:
        own = self._draw(MODEL, rows)
        if self.demand == "max_gap":
            return self._sign * (self._draw(MODEL, np.flatnonzero(self._known(MODEL) & self.place.others)) - own)
        return own if method is None else self._sign * (own - self._draw(method, rows))

    def _draw(self, method: str, rows: npt.NDArray[np.int64]) -> Draws:
        return self.draws.draw(self.rule.task, self.rule.metric, method, rows)

    def _limits(self, values: Draws, users: int) -> dict[str, object]:
        given = getattr(self.rule, self.demand)
        amount = given.by if isinstance(given, Lift) else float(given)
        limit = -amount if self.demand == "no_worse_than_served_by" else amount
        drawn = values[1:][~np.isnan(values[1:])]
        told = users > 1 and 2 * len(drawn) > len(values)
        return {
            "value": float(values[0]),
            "error": float(np.std(drawn, ddof=1)) if told else math.nan,
            "limit": limit,
            "harmless": 0.0 if self.demand == "no_worse_than_served_by" else limit,
            "upward": self.demand not in ("at_most", "max_gap"),
            "undefined": "it has no value there" if math.isnan(values[0]) else "",
        }

    def _too_few(self) -> str:
        needs = [(self.rule.min_examples, "known labels"), (self.rule.min_users, "users")]
        return " and ".join(f"{count} {what}" for count, what in needs if count) + " are needed to judge"

    def _words(self, method: str | None) -> dict[str, object]:
        subject = f"{self.rule.metric} of {self.rule.task}"
        version = self.draws.measures.about.served_version
        served = "the served model" if version is None else f"served version {version}"
        reference = {None: "", SERVED: served}.get(method, f"baseline {method}")
        given = getattr(self.rule, self.demand)
        bounds = {
            "at_least": f"at least {given}",
            "at_most": f"at most {given}",
            "no_worse_than_served_by": f"no worse by {given} or more" if given else "no worse",
            "better_than_served_by": f"better by {given} or more" if given else "better",
            "lift_over_baseline": f"better by {given.by} or more" if isinstance(given, Lift) and given.by else "better",
            "max_gap": f"behind by at most {given}",
        }
        if self.demand == "max_gap":
            reference = "the other examples"
        return {
            "rule": self.rule,
            "demand": self.demand,
            "place": self.place.name,
            "subject": subject,
            "reference": reference,
            "bound": bounds[self.demand],
        }

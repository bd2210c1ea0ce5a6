"""What is known about the flow of interests, and its JSON. No user appears in it, and no small group of users."""

import json
from dataclasses import asdict, dataclass
from typing import Any, Self

OTHER = "(other categories)"
GONE = "(no further step)"
"""Places of the matrix besides categories."""


@dataclass(frozen=True)
class CategoryFlow:
    """One category before and after. A user's interest counts 1 in all, spread evenly over the basket.

    Attributes:
      name: The category.
      users: Different users who had it before or after.
      before: Its share of all interest before the cuts, of users with a next step.
      after: Its share of all interest after the cuts.
      change: `after - before`: what it gains or loses at a step.
      low: Lower bound of the change; the bounds of all categories hold at once.
      high: Upper bound.
      stays: Share of its interest that stays in it.
      gone: Share of the observations with it that no step follows.
    """

    name: str
    users: int
    before: float
    after: float
    change: float
    low: float
    high: float
    stays: float
    gone: float


@dataclass(frozen=True)
class Link:
    """Interest that moved from one place to another, or stayed.

    Attributes:
      source: A category or `OTHER`.
      target: A category, `OTHER` or `GONE`.
      share: Its share of all interest.
      of_source: Its share of the interest that was at `source`.
      users: Different users behind it.
    """

    source: str
    target: str
    share: float
    of_source: float
    users: int


@dataclass(frozen=True)
class Pair:
    """How often `target` follows `source`.

    Attributes:
      source: Category now.
      target: Category next.
      users: Different users in whom it did.
      observations: Observations with `source` that `target` could follow.
      share: Share of these that it did follow.
      chance: Share that chance would give among baskets of similar size.
      lift: `share / chance`.
      low: Lower bound of the lift; the bounds of all pairs tested hold at once.
      high: Upper bound.
    """

    source: str
    target: str
    users: int
    observations: int
    share: float
    chance: float
    lift: float
    low: float
    high: float


@dataclass(frozen=True)
class PairTable:
    """Pairs that differ from chance.

    Attributes:
      tested: Pairs that were judged.
      more: How many of them go together more often than by chance.
      less: How many less often.
      pairs: The clearest of both, by how far their interval is from 1.
    """

    tested: int
    more: int
    less: int
    pairs: tuple[Pair, ...]


@dataclass(frozen=True)
class NewInterest:
    """A category that users take up who did not have it.

    Attributes:
      name: The category.
      users: Different users who took it up.
      rate: Share of the observations without it in which it was taken up within the horizon.
    """

    name: str
    users: int
    rate: float


@dataclass(frozen=True)
class Period:
    """One period of cuts.

    Attributes:
      start_s: Its beginning, Unix seconds.
      users: Different users with a next step.
      shares: Category -> share of the next baskets that hold it; None where too few users are behind it.
    """

    start_s: int
    users: int
    shares: dict[str, float | None]


@dataclass(frozen=True)
class Flows:
    """The flow of interests.

    Attributes:
      observations: Users at cuts.
      users: Different users.
      minimum_users: Fewest users behind anything shown.
      confidence: Of the intervals.
      hidden_share: Share of the interest whose links too few users are behind.
      categories: Most frequent first.
      links: Between the most frequent categories and the other places.
      following: What follows what beyond chance.
      new: The same for categories that are new to the user.
      new_interests: Most frequently taken up first.
      periods: Old to new.
    """

    observations: int
    users: int
    minimum_users: int
    confidence: float
    hidden_share: float
    categories: tuple[CategoryFlow, ...]
    links: tuple[Link, ...]
    following: PairTable
    new: PairTable
    new_interests: tuple[NewInterest, ...]
    periods: tuple[Period, ...]

    def to_json(self) -> str:
        """Returns the flows as JSON."""
        return json.dumps(asdict(self), indent=1, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Reads what `to_json` wrote."""
        values: dict[str, Any] = json.loads(text)
        lists = {"categories": CategoryFlow, "links": Link, "new_interests": NewInterest, "periods": Period}
        for name, kind in lists.items():
            values[name] = tuple(kind(**entry) for entry in values[name])
        for name in ("following", "new"):
            pairs = tuple(Pair(**entry) for entry in values[name].pop("pairs"))
            values[name] = PairTable(**values[name], pairs=pairs)
        return cls(**values)

"""Which cut times belong to train, eval and test.

Going back from the end of the log, with the embargo G (the longest horizon that the log has room for):

    start ... [ train blocks ] <- G -> [ eval cuts ] <- G -> [ test cuts ] <- G -> end

Labels look at most G ahead of a cut, so no label of train sees the eval period, and none of eval the test period.
"""

from dataclasses import dataclass
from typing import Final, Literal

from interest_migration.errors import DataError
from interest_migration.examples.log import DAY_SECONDS, TimeRange, whole_seconds
from interest_migration.examples.settings import ExampleSettings
from schemas.features import HORIZONS

Split = Literal["train", "eval", "test"]
SPLITS: Final[tuple[Split, ...]] = ("train", "eval", "test")


@dataclass(frozen=True)
class CutWindow:
    """Where one cut of a user may fall: `first_s` to `last_s`, both included; equal for a fixed cut."""

    first_s: int
    last_s: int


@dataclass(frozen=True)
class Schedule:
    """The cuts of a whole log.

    Attributes:
      windows: Cut windows of each split, old to new; they do not overlap. A user gives at most one example per window.
      embargo_s: How far any label looks ahead of its cut.
      usable: Horizons that every cut of every split has observed; labels of the others are absent.
    """

    windows: dict[Split, tuple[CutWindow, ...]]
    embargo_s: int
    usable: tuple[str, ...]


def plan_cuts(log: TimeRange, settings: ExampleSettings) -> Schedule:
    """Plans the cuts of a log.

    A horizon is usable if train, eval and test all fit when it is the embargo. The longest usable horizon becomes the
    embargo; without one, `cut_every_days` does, and only next-step labels remain.

    Args:
      log: Time that the whole log covers, not the shard's share of it.
      settings: Uses the horizons, `sampling`, `cut_every_days`, `min_history_days`, `eval_cuts` and `test_cuts`.

    Raises:
      DataError: If not even one block of train cuts fits.

    Example:
      A log of days 0 to 100, cuts every 14 days, 1 eval and 1 test cut, horizons 14 and 28: test cut on day 72, eval
      cut on day 44, train cuts in [2, 16), embargo 28 days. With 90 days, train would not fit: the embargo falls to
      14 days and the long horizon is not usable.
    """
    horizon_s = {name: whole_seconds(getattr(settings.horizons_days, name)) for name in HORIZONS}
    for embargo_s in (*sorted(horizon_s.values(), reverse=True), whole_seconds(settings.cut_every_days)):
        windows = _lay_out(log, settings, embargo_s)
        if windows["train"]:
            usable = tuple(name for name in HORIZONS if horizon_s[name] <= embargo_s)
            return Schedule(windows, embargo_s, usable if embargo_s in horizon_s.values() else ())
    raise DataError(_explain_shortage(log, settings))


def _lay_out(log: TimeRange, settings: ExampleSettings, embargo_s: int) -> dict[Split, tuple[CutWindow, ...]]:
    test, test_start_s = _place_back(_align(log.end_s - embargo_s, settings), settings.test_cuts, settings)
    evaluation, eval_start_s = _place_back(_align(test_start_s - embargo_s, settings), settings.eval_cuts, settings)
    train = _fill_back(_align(eval_start_s - embargo_s, settings), log, settings)
    return {"train": train, "eval": evaluation, "test": test}


def _place_back(end_s: int, count: int, settings: ExampleSettings) -> tuple[tuple[CutWindow, ...], int]:
    """Returns `count` windows up to `end_s`, old to new, and the time before which the split before must be done."""
    every_s = whole_seconds(settings.cut_every_days)
    if settings.sampling == "calendar":
        cuts_s = [end_s - every_s * back for back in reversed(range(count))]
        return tuple(CutWindow(cut_s, cut_s) for cut_s in cuts_s), cuts_s[0]
    starts_s = [end_s - every_s * back for back in range(count, 0, -1)]
    return tuple(_block(start_s, settings) for start_s in starts_s), starts_s[0]


def _fill_back(end_s: int, log: TimeRange, settings: ExampleSettings) -> tuple[CutWindow, ...]:
    """Returns all whole blocks between the shortest allowed history and `end_s`, old to new."""
    every_s = whole_seconds(settings.cut_every_days)
    count = max(0, (end_s - log.start_s - whole_seconds(settings.min_history_days)) // every_s)
    return tuple(_block(end_s - every_s * back, settings) for back in range(count, 0, -1))


def _block(start_s: int, settings: ExampleSettings) -> CutWindow:
    """Returns the cuts of one block; a cut after a step in [start, end) lies in (start, end]."""
    shift_s = 0 if settings.sampling == "calendar" else 1
    return CutWindow(start_s + shift_s, start_s + whole_seconds(settings.cut_every_days) - 1 + shift_s)


def _align(time_s: int, settings: ExampleSettings) -> int:
    """Moves a time back to midnight UTC where cuts lie whole days apart."""
    return time_s - time_s % DAY_SECONDS if float(settings.cut_every_days).is_integer() else time_s


def _explain_shortage(log: TimeRange, settings: ExampleSettings) -> str:
    every, short = settings.cut_every_days, settings.horizons_days.short
    blocks = settings.eval_cuts + settings.test_cuts - (2 if settings.sampling == "calendar" else 0)
    needed = settings.min_history_days + every * (1 + blocks) + 3 * min(every, short)
    return (
        f"expected a log of about {needed + (1 if float(every).is_integer() else 0):g} days or more, received one of "
        f"{log.days:.1f} days: no train cut fits before {settings.eval_cuts} eval and {settings.test_cuts} test cuts "
        f"every {every:g} days; lower cut_every_days, eval_cuts, test_cuts, min_history_days or horizons_days.short"
    )

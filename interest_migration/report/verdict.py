"""The verdict of a run in words: how it ended, and why."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from interest_migration.gates.decision import Check, CheckVerdict, Decision
from interest_migration.report.headlines import Headline, stand
from interest_migration.report.inputs import RunReport
from interest_migration.report.record import State

CHECK_ORDER: Final = (CheckVerdict.BROKEN, CheckVerdict.UNDECIDED, CheckVerdict.PASSED, CheckVerdict.SKIPPED)


class Tone(StrEnum):
    """How a state is coloured; its words say the same."""

    GOOD = "good"
    BAD = "bad"
    WARNING = "warning"
    QUIET = "quiet"


_TONES: Final = {
    State.PUSHED: Tone.GOOD,
    State.HELD: Tone.WARNING,
    State.MODEL_REFUSED: Tone.BAD,
    State.DATA_REFUSED: Tone.BAD,
    State.SERVING_REFUSED: Tone.BAD,
    State.FAILED: Tone.BAD,
    State.INTERRUPTED: Tone.WARNING,
    State.RUNNING: Tone.QUIET,
}


@dataclass(frozen=True)
class Verdict:
    """What a reader must know first.

    Attributes:
      headline: One line.
      tone: Its colour.
      reasons: Why, one sentence each.
      served: What is served in consequence.
    """

    headline: str
    tone: Tone
    reasons: tuple[str, ...]
    served: str


def tell_verdict(report: RunReport, headlines: Sequence[Headline]) -> Verdict:
    """Tells how a run ended and why."""
    reasons = (*_reasons(report), *_standing(headlines))
    return Verdict(_headline(report), _TONES[report.record.state], reasons, _served(report))


def order_checks(decision: Decision) -> list[Check]:
    """Returns the checks of a gate, those that refuse first."""
    return sorted(decision.checks, key=lambda check: CHECK_ORDER.index(check.verdict))


def count_checks(decision: Decision) -> str:
    """`12 checks: 10 passed, 2 skipped`."""
    counts = Counter(check.verdict for check in decision.checks)
    told = ", ".join(f"{counts[verdict]} {verdict}" for verdict in CHECK_ORDER if counts[verdict])
    return f"{len(decision.checks)} check{'' if len(decision.checks) == 1 else 's'}: {told}" if told else "no checks"


def _headline(report: RunReport) -> str:
    record = report.record
    if record.pushed is not None:
        how = "The model was pushed as" if record.pushed.is_new else "The model is already served as"
        return f"{how} version {record.pushed.version}"
    headline = {
        State.HELD: "The model passed the gate and is held back by a person",
        State.MODEL_REFUSED: "The model gate refused the model",
        State.SERVING_REFUSED: "The serving gate refused the model; the model gate passed it",
        State.DATA_REFUSED: "The data gate refused the data; nothing was trained",
        State.FAILED: f"The run failed at the step {record.failed_step}" if record.failed_step else "The run failed",
        State.INTERRUPTED: "The run was interrupted",
        State.RUNNING: "The run has not ended",
    }[record.state]
    released = report.reviews[-1].version if report.reviews else None
    return f"{headline}; a person released it as version {released}" if released is not None else headline


def _reasons(report: RunReport) -> Iterator[str]:
    for decision in (report.data_decision, report.model_decision, report.serving_decision):
        if decision is not None:
            yield f"The {decision.gate} gate {'passed' if decision.passed else 'refused'}; {count_checks(decision)}."
            yield from decision.reasons
    if report.reviews:
        yield f"Review: {report.reviews[-1].describe()}."
    if report.record.error and report.record.state in (State.FAILED, State.INTERRUPTED):
        yield report.record.error


def _standing(headlines: Sequence[Headline]) -> Iterator[str]:
    for rival, differences in (
        ("the strongest baselines", [row.difference for row in headlines]),
        ("the served model", [row.change for row in headlines if row.change]),
    ):
        counts = Counter(stand(difference) for difference in differences)
        if counts["ahead"] + counts["level"] + counts["behind"]:
            yield (
                f"Against {rival} the model is ahead in {counts['ahead']} headline metrics, level in {counts['level']} "
                f"and behind in {counts['behind']}."
            )


def _served(report: RunReport) -> str:
    pushed = report.record.pushed
    if pushed is not None:
        return f"Version {pushed.version} answers, from {pushed.path}."
    released = report.reviews[-1].version if report.reviews else None
    if released is not None:
        return f"Version {released} answers."
    decision = report.model_decision
    if decision is not None and decision.served_version is not None:
        return f"Version {decision.served_version} goes on answering."
    return "Nothing was pushed; what was served before goes on answering."

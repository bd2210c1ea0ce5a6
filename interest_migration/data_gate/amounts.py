"""Bounds on amounts, on what is set aside, and on age."""

from collections.abc import Iterator
from datetime import UTC, datetime
from math import nan

from interest_migration.data_gate.evidence import Evidence
from interest_migration.data_gate.newest_events import read_spans
from interest_migration.data_gate.settings import DataGateSettings, Volume
from interest_migration.gates.decision import Check, CheckVerdict
from interest_migration.ingestion.bounds import is_bad
from interest_migration.ingestion.summary import IngestSummary

_NEWEST = "newest_span_"
_HOUR_S = 3_600


def check_volumes(evidence: Evidence, settings: DataGateSettings) -> Iterator[Check]:
    """Holds amounts against their bounds and against the reference."""
    spans = settings.events.reference_spans if settings.events else 4
    for rule in settings.volume:
        amount, reference, name = _amounts(evidence, rule.measure, spans)
        if amount is None:
            yield _check(rule.measure, evidence, nan, "", CheckVerdict.SKIPPED, "the log is not in dated partitions")
            continue
        yield from _check_absolute(evidence, rule, amount)
        yield from _check_relative(evidence, rule, amount, reference, name)


def _check_absolute(evidence: Evidence, rule: Volume, amount: float) -> Iterator[Check]:
    if rule.at_least is not None:
        verdict = _verdict(amount < rule.at_least)
        text = f"{amount:,.0f}, expected at least {rule.at_least:,.0f}"
        yield _check(rule.measure, evidence, amount, f"at least {rule.at_least:g}", verdict, text)
    if rule.at_most is not None:
        verdict = _verdict(amount > rule.at_most)
        text = f"{amount:,.0f}, expected at most {rule.at_most:,.0f}"
        yield _check(rule.measure, evidence, amount, f"at most {rule.at_most:g}", verdict, text)


def _check_relative(
    evidence: Evidence, rule: Volume, amount: float, reference: float | None, name: str
) -> Iterator[Check]:
    bounds = (("shrinks", -1, rule.shrinks_by_at_most), ("grows", 1, rule.grows_by_at_most))
    for word, sign, bound in bounds:
        if bound is None:
            continue
        limit = f"{word} by at most {bound:.0%}"
        if not reference:
            text = "nothing earlier to compare with"
            yield _check(rule.measure, evidence, amount, limit, CheckVerdict.SKIPPED, text)
            continue
        change = amount / reference - 1
        verdict = _verdict(sign * change > bound)
        text = f"{amount:,.0f} after {reference:,.0f} in {name} ({change:+.1%}), expected that it {limit}"
        yield _check(rule.measure, evidence, amount, limit, verdict, text, name)


def _amounts(evidence: Evidence, measure: str, spans: int) -> tuple[float | None, float | None, str]:
    """Returns an amount, the reference's, and what the reference is called."""
    if measure.startswith(_NEWEST):
        if evidence.profile is None:
            return None, None, ""
        now, before = read_spans(evidence.profile, 0, 0), read_spans(evidence.profile, 1, spans)
        kind = measure.removeprefix(_NEWEST)
        return (
            getattr(now, kind) if now else 0.0,
            getattr(before, kind) if before else None,
            f"the mean of the {spans} spans before",
        )
    if evidence.before is None:
        return _amount(evidence.summary, measure), None, ""
    return (
        _amount(evidence.summary, measure),
        _amount(evidence.before.summary, measure),
        evidence.before.reference.name,
    )


def _amount(summary: IngestSummary, measure: str) -> float:
    if measure == "examples":
        return sum(summary.examples.values())
    if measure.startswith("examples_"):
        return summary.examples.get(measure.removeprefix("examples_"), 0)
    return float(getattr(summary, measure))


def check_rejected(evidence: Evidence, settings: DataGateSettings) -> Iterator[Check]:
    """Bounds the shares of the rows read that were set aside."""
    summary, rules = evidence.summary, settings.rejected
    bounds = [(name, bound, summary.rejected.get(name, 0)) for name, bound in rules.reasons.items()]
    if rules.total is not None:
        bounds.insert(0, ("bad data", rules.total, sum(n for reason, n in summary.rejected.items() if is_bad(reason))))
    for name, bound, count in bounds:
        share = count / summary.rows_read if summary.rows_read else 1.0
        text = f"{count:,} of {summary.rows_read:,} rows ({share:.2%}), expected at most {bound:.2%}"
        verdict = _verdict(share > bound)
        yield _check(
            f"rows set aside for {name}", evidence, share, f"at most {bound:.2%}", verdict, text, rule="rejected"
        )


def check_freshness(evidence: Evidence, settings: DataGateSettings) -> Iterator[Check]:
    """Bounds the age of the newest event and of the span."""
    rules, delivery = settings.freshness, evidence.delivery
    if rules.newest_event_hours is not None:
        yield _check_newest(evidence, rules.newest_event_hours)
    if rules.span_age_days is not None:
        bound, age = f"at most {rules.span_age_days} days", delivery.age_days
        if age is None:
            text = "the log is not in dated partitions"
            yield _check("age of the span", evidence, nan, bound, CheckVerdict.SKIPPED, text, rule="freshness")
            return
        text = f"the span ended {age} days before the run, expected {bound}"
        verdict = _verdict(age > rules.span_age_days)
        yield _check("age of the span", evidence, age, bound, verdict, text, rule="freshness")


def _check_newest(evidence: Evidence, limit_hours: float) -> Check:
    last_s, end_s = evidence.summary.last_event_s, evidence.delivery.end_s
    subject, bound = "newest event", f"at most {limit_hours:g} hours before the end of the span"
    if end_s is None:
        text = "the log is not in dated partitions"
        return _check(subject, evidence, nan, bound, CheckVerdict.SKIPPED, text, rule="freshness")
    if last_s is None:
        return _check(subject, evidence, nan, bound, CheckVerdict.BROKEN, "there is no event", rule="freshness")
    hours = (end_s - last_s) / _HOUR_S
    text = f"{datetime.fromtimestamp(last_s, UTC):%Y-%m-%d %H:%M} UTC, {hours:.1f} hours before the end of the span; "
    return _check(
        subject, evidence, hours, bound, _verdict(hours > limit_hours), f"{text}expected {bound}", rule="freshness"
    )


def _verdict(broken: bool) -> CheckVerdict:
    return CheckVerdict.BROKEN if broken else CheckVerdict.PASSED


def _check(
    subject: str,
    evidence: Evidence,
    value: float,
    bound: str,
    verdict: CheckVerdict,
    text: str,
    reference: str = "",
    *,
    rule: str = "volume",
) -> Check:
    reason = f"{rule}: {subject}: {text}"
    return Check(rule, subject, evidence.delivery.name, float(value), nan, nan, reference, bound, verdict, reason)

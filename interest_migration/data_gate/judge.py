"""All checks of the data gate, and its decision."""

from collections.abc import Iterator
from math import nan

from interest_migration.data_gate.amounts import check_freshness, check_rejected, check_volumes
from interest_migration.data_gate.anomalies import check_anomalies, check_columns
from interest_migration.data_gate.comparisons import Comparison
from interest_migration.data_gate.evidence import Evidence
from interest_migration.data_gate.newest_events import check_events
from interest_migration.data_gate.settings import FEATURES, INPUT_FEATURES, DataGateSettings, Distances
from interest_migration.gates.decision import Check, CheckVerdict, Decision

GATE = "data"


def judge(evidence: Evidence, settings: DataGateSettings) -> Decision:
    """Decides whether the data of a run may be learned from."""
    checks = [
        *check_anomalies(evidence, settings),
        *check_columns(evidence, settings),
        *check_volumes(evidence, settings),
        *check_rejected(evidence, settings),
        *check_freshness(evidence, settings),
        *(check_events(evidence, settings.events, settings) if settings.events else ()),
        *_check_drift(evidence, settings),
        *_check_skew(evidence, settings),
        *_check_serving(evidence, settings),
    ]
    return Decision.of(GATE, checks, notes=_notes(evidence, settings, checks))


def _notes(evidence: Evidence, settings: DataGateSettings, checks: list[Check]) -> list[str]:
    compared = sum(check.bound.startswith(("jensen_shannon", "l_infinity")) for check in checks)
    notes = [
        f"Data: {evidence.delivery.name}",
        f"Compared with: {evidence.before.reference.name if evidence.before else 'no earlier run'}",
        f"{compared} distances; each is broken by chance with a probability below {settings.false_alarm:g}",
    ]
    if evidence.summary.late_events:
        delay = evidence.summary.largest_delay_s / 86_400
        notes.append(f"{evidence.summary.late_events:,} late events, up to {delay:.1f} days before their partition")
    return notes


def _check_drift(evidence: Evidence, settings: DataGateSettings) -> Iterator[Check]:
    rules, before = settings.drift, evidence.before
    if rules is None:
        return
    if before is None or not before.reference.comparable:
        text = "no earlier run" if before is None else f"examples were defined otherwise in {before.reference.name}"
        reason, name = f"drift: not compared, {text}", evidence.delivery.name
        yield Check("drift", "features", name, nan, nan, nan, "", "", CheckVerdict.SKIPPED, reason)
        return
    for split in rules.splits:
        reference = f"the {split} split of {before.reference.name}"
        comparison = _comparison("drift", rules, evidence, settings, split, reference)
        yield from comparison.checks(FEATURES, before.splits[split], evidence.splits[split])


def _check_skew(evidence: Evidence, settings: DataGateSettings) -> Iterator[Check]:
    rules = settings.skew
    for split in rules.splits if rules else ():
        assert rules is not None
        comparison = _comparison("skew", rules, evidence, settings, split, f"the {rules.base} split")
        yield from comparison.checks(FEATURES, evidence.splits[rules.base], evidence.splits[split])


def _check_serving(evidence: Evidence, settings: DataGateSettings) -> Iterator[Check]:
    rules, requests = settings.serving, evidence.requests
    if rules is None:
        return
    if requests is None or requests.examples < rules.min_examples:
        count = requests.examples if requests else 0
        reason = f"serving: not compared, {count} requests logged, fewer than {rules.min_examples}"
        yield Check("serving", "features", "requests", nan, nan, nan, "", "", CheckVerdict.SKIPPED, reason, count)
        return
    comparison = Comparison(
        rule="serving",
        what="feature",
        where="requests to the model server",
        reference=f"the {rules.split} split",
        limits=rules.limits,
        false_alarm=settings.false_alarm,
        min_size=settings.min_size,
        examples=requests.examples,
    )
    yield from comparison.checks(INPUT_FEATURES, evidence.splits[rules.split], requests.features)


def _comparison(
    rule: str, rules: Distances, evidence: Evidence, settings: DataGateSettings, split: str, reference: str
) -> Comparison:
    return Comparison(
        rule=rule,
        what="feature",
        where=f"{split} split of {evidence.delivery.name}",
        reference=reference,
        limits=rules.limits,
        false_alarm=settings.false_alarm,
        min_size=settings.min_size,
        examples=evidence.summary.examples.get(split, 0),
    )

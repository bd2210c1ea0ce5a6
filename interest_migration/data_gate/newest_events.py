"""The events of the newest span beside those of the spans before it."""

from dataclasses import dataclass
from math import nan

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from interest_migration.data_gate.comparisons import Comparison
from interest_migration.data_gate.distributions import Distribution, Floats, from_counts
from interest_migration.data_gate.evidence import Evidence, Features
from interest_migration.data_gate.settings import DataGateSettings, Events
from interest_migration.gates.decision import Check, CheckVerdict
from interest_migration.ingestion.profile import EVENTS, GROUPS, PROFILED, USERS


@dataclass(frozen=True)
class SpanEvents:
    """Events of one span or of several together.

    Attributes:
      features: Field -> its values.
      events: Events, of several spans their mean.
      users: Users, of several spans their mean.
    """

    features: Features
    events: float
    users: float


def read_spans(profile: pa.Table, first: int, last: int) -> SpanEvents | None:
    """Puts the periods `first` to `last` of a profile together; None if they hold no event."""
    inside = pc.and_(pc.greater_equal(profile["period"], first), pc.less_equal(profile["period"], last))
    rows = profile.filter(inside)
    events, users = (rows.filter(pc.equal(rows["field"], name)) for name in (EVENTS, USERS))
    filled = pc.count_distinct(events["period"]).as_py()
    if not filled:
        return None
    features = {name: _distribution(rows.filter(pc.equal(rows["field"], name))) for name in PROFILED}
    return SpanEvents(features, pc.sum(events["count"]).as_py() / filled, pc.sum(users["count"]).as_py() / filled)


def _distribution(rows: pa.Table) -> Distribution:
    """Rows of one field."""
    values = rows["value"].combine_chunks().dictionary_encode()
    counts = np.zeros((GROUPS, len(values.dictionary)))
    np.add.at(counts, (rows["group"].to_numpy(), values.indices.to_numpy()), rows["count"].to_numpy())
    totals = dict(zip(values.dictionary.to_pylist(), counts.sum(axis=0).tolist(), strict=True))
    return from_counts(totals, independent_size(counts))


def independent_size(counts: Floats) -> float:
    """Returns how many independent observations say as much as counts of users, who are not all alike, do.

    The variance of each share is taken from the differences between random groups of users (a jackknife); the size is
    that at which independent draws would have the same variance on average (Rao and Scott's first-order correction).

    Args:
      counts: `[G, V]` events of each group and value.

    Example:
      Groups that each have one value only, [[8, 0], [0, 8]], say as much as one draw; equal ones, [[4, 4], [4, 4]], as
      all sixteen.
    """
    total, groups = counts.sum(), int((counts.sum(axis=1) > 0).sum())
    counts = counts[:, counts.sum(axis=0) > 0]
    shares = counts.sum(axis=0) / total
    if groups < 2 or len(shares) == 1:
        return float(groups) if groups < 2 else float(total)
    differences = counts - counts.sum(axis=1, keepdims=True) * shares
    variances = groups / (groups - 1) * (differences**2).sum(axis=0) / total**2
    needed = (variances / shares).sum()
    return float(total) if needed <= 0 else float(min(total, (1 - shares).sum() / needed))


def check_events(evidence: Evidence, rules: Events, settings: DataGateSettings) -> list[Check]:
    """Compares the newest span's events, field by field, with those of the spans before it."""
    now = None if evidence.profile is None else read_spans(evidence.profile, 0, 0)
    before = None if evidence.profile is None else read_spans(evidence.profile, 1, rules.reference_spans)
    reference = f"the {rules.reference_spans} spans before it"
    if now is None or before is None:
        missing = "no event in the newest span" if evidence.profile is not None and now is None else f"no {reference}"
        text = "the log is not in dated partitions" if evidence.profile is None else missing
        reason = f"events: not compared, {text}"
        empty = evidence.profile is not None and now is None
        verdict = CheckVerdict.BROKEN if empty else CheckVerdict.SKIPPED
        return [Check("events", "events", evidence.delivery.name, nan, nan, nan, reference, "", verdict, reason)]
    comparison = Comparison(
        rule="events",
        what="field",
        where=f"newest span {evidence.delivery.name}",
        reference=reference,
        limits=rules.limits,
        false_alarm=settings.false_alarm,
        min_size=settings.min_size,
        examples=round(now.events),
    )
    return list(comparison.checks(PROFILED, before.features, now.features))

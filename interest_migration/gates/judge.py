"""The model gate: rules held against a table of measures, so that chance neither blocks a model nor passes it.

Each compared value has an interval, value +- t * standard error, over resamples of users. With K comparisons in a
decision each interval has confidence 1 - (1 - confidence) / K (Bonferroni; Dunn 1961): the chance that any of them
misses the truth is at most 1 - confidence, however many slices there are. Student's t has one degree of freedom less
than the slice has users, which widens the intervals of small slices.

    interval wholly on the good side of the limit    passed
    wholly on the bad side                           broken
    limit inside                                     undecided: passes or not, as the rule says

A change against the served model is broken if the model is shown to be worse (interval below 0) and a drop of the
declared size is not excluded (interval reaches the limit). A model that equals the served one is thus refused with
probability (1 - confidence) / 2 at most; one that is worse by the declared size is refused wherever the slice is large
enough to tell such a drop from none.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from interest_migration.evaluation.bootstrap import Resamples
from interest_migration.evaluation.measures import Measures
from interest_migration.gates.claims import Claim, claims_of
from interest_migration.gates.decision import Check, CheckVerdict, Decision
from interest_migration.gates.draws import MetricDraws
from interest_migration.gates.settings import GateSettings

GATE = "model"


def judge(measures: Measures, gates: GateSettings) -> Decision:
    """Decides whether a model may be served.

    Args:
      measures: What the model, the served model and the baselines did on the same examples.
      gates: The rules.

    Returns:
      One check for every demand of every rule in every place.
    """
    resamples = Resamples.draw(measures.users, gates.resamples, measures.about.seed)
    draws = MetricDraws(measures, resamples, gates.churn_threshold)
    claims = [claim for rule in gates.rules for claim in claims_of(rule, draws)]
    comparisons = sum(claim.is_compared for claim in claims)
    checks = [_check(claim, _interval(claim, gates.confidence, comparisons)) for claim in claims]
    return Decision.of(GATE, checks, measures.about.served_version, _notes(gates, comparisons, measures))


@dataclass(frozen=True)
class _Interval:
    """Where the true value lies."""

    low: float
    high: float


def _interval(claim: Claim, confidence: float, comparisons: int) -> _Interval:
    """Returns the interval of a claim; of a claim that its value decides, the plain one, for information."""
    if np.isnan(claim.error):
        return _Interval(np.nan, np.nan)
    doubt = (1 - confidence) / (comparisons if claim.is_compared else 1)
    reach = claim.error * float(stats.t.ppf(1 - doubt / 2, max(claim.users - 1, 1)))
    return _Interval(claim.value - reach, claim.value + reach)


def _check(claim: Claim, interval: _Interval) -> Check:
    verdict, remark = _decide(claim, interval)
    return Check(
        rule=claim.rule.name,
        subject=claim.subject,
        where=claim.place,
        value=claim.value,
        low=interval.low,
        high=interval.high,
        reference=claim.reference,
        bound=claim.bound,
        verdict=verdict,
        reason=_sentence(claim, interval, remark),
        examples=claim.examples,
    )


def _decide(claim: Claim, interval: _Interval) -> tuple[CheckVerdict, str]:
    """Returns the verdict, and what explains it besides the numbers."""
    if claim.skipped:
        return CheckVerdict.SKIPPED, ""
    if claim.undefined:
        passes = claim.rule.when_undefined == "pass"
        verdict = CheckVerdict.SKIPPED if passes else CheckVerdict.BROKEN
        remark = "passes, since when_undefined is pass" if passes else "refused, since it cannot be computed"
        return verdict, f"{remark}: {claim.undefined}"
    sign = 1.0 if claim.upward else -1.0
    value, limit, harmless = (sign * number for number in (claim.value, claim.limit, claim.harmless))
    if claim.by_value:
        return (CheckVerdict.PASSED, "") if value >= limit else (CheckVerdict.BROKEN, "")
    if np.isnan(interval.low):
        verdict = CheckVerdict.UNDECIDED if claim.passes_undecided else CheckVerdict.BROKEN
        return verdict, "its chance variation cannot be told"
    low, high = sorted((sign * interval.low, sign * interval.high))
    if low >= limit:
        return CheckVerdict.PASSED, ""
    if high < harmless:
        return CheckVerdict.BROKEN, "more than chance explains"
    if claim.passes_undecided:
        return CheckVerdict.UNDECIDED, "passes, since chance may explain it"
    return CheckVerdict.BROKEN, "refused, since chance may explain it and it must be shown"


def _sentence(claim: Claim, interval: _Interval, remark: str) -> str:
    if claim.skipped:
        return f"{claim.rule.name}: {claim.subject} in {claim.place} is not judged: {claim.skipped}"
    what = f"{claim.subject} in {claim.place} ({claim.examples:,} known labels of {claim.users:,} users)"
    against = f", against {claim.reference}," if claim.reference else ""
    received = "undefined" if np.isnan(claim.value) else f"{claim.value:{'+' if claim.reference else ''}.4f}"
    if not np.isnan(interval.low):
        received += f" ({interval.low:.4f} to {interval.high:.4f})"
    return f"{claim.rule.name}: expected {what}{against} to be {claim.bound}, received {received}" + (
        f"; {remark}" if remark else ""
    )


def _notes(gates: GateSettings, comparisons: int, measures: Measures) -> Sequence[str]:
    notes = []
    if comparisons:
        notes.append(
            f"{comparisons} comparisons; their intervals hold together with a confidence of {gates.confidence:.0%} "
            f"(Bonferroni), from {gates.resamples} resamples of {len(np.unique(measures.users)):,} users"
        )
    if measures.about.served_note:
        notes.append(f"the served model was not measured: {measures.about.served_note}")
    return notes

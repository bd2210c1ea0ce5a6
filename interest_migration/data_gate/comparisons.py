"""Two sets of features, compared feature by feature."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from math import nan

from interest_migration.data_gate.distances import Distance, MeasureName, measure
from interest_migration.data_gate.distributions import MISSING, Aligned, Distribution, align
from interest_migration.data_gate.evidence import Features
from interest_migration.data_gate.settings import Limits
from interest_migration.gates.decision import Check, CheckVerdict

_WORDS: dict[MeasureName, str] = {
    "jensen_shannon": "Jensen-Shannon divergence in bits",
    "l_infinity": "largest change of a share",
}


@dataclass(frozen=True)
class Comparison:
    """What is compared with what.

    Attributes:
      rule: `drift`, `skew`, ...
      what: What a name stands for: `feature` or `field`.
      where: What is judged: `test split of 2024-01-31 (span 19753)`.
      reference: What it is compared with.
      limits: Name -> limits.
      false_alarm: Probability that chance alone breaks a limit.
      min_size: With fewer independent observations nothing is judged.
      examples: Examples behind what is judged.
    """

    rule: str
    what: str
    where: str
    reference: str
    limits: Callable[[str], Limits]
    false_alarm: float
    min_size: float
    examples: int

    def checks(self, names: Iterable[str], before: Features, now: Features) -> Iterator[Check]:
        """Compares all named features that either side has.

        A feature that one side lacks counts there as missing in every example.
        """
        for name in names:
            limits = self.limits(name)
            bounds: list[tuple[MeasureName, float | None]] = [
                ("jensen_shannon", limits.jensen_shannon),
                ("l_infinity", limits.l_infinity),
            ]
            wanted = [(kind, bound) for kind, bound in bounds if bound is not None]
            if wanted and (name in before or name in now):
                yield from self._compare(name, before.get(name), now.get(name), wanted)

    def _compare(
        self,
        name: str,
        before: Distribution | None,
        now: Distribution | None,
        bounds: list[tuple[MeasureName, float]],
    ) -> Iterator[Check]:
        first, second = before or _absent(now), now or _absent(before)
        size = min(first.size, second.size)
        if size < self.min_size:
            yield self._check(
                name, "", nan, CheckVerdict.SKIPPED, f"only {size:.0f} independent observations, too few to judge"
            )
            return
        try:
            pair = align(first, second)
        except ValueError as error:
            yield self._check(name, "", nan, CheckVerdict.BROKEN, f"changed its type: {error}")
            return
        for kind, bound in bounds:
            yield self._judge(name, pair, kind, bound)

    def _judge(self, name: str, pair: Aligned, kind: MeasureName, bound: float) -> Check:
        distance = measure(pair, kind)
        verdict = CheckVerdict.PASSED
        ending = f"within the {bound:g} allowed"
        if distance.value > bound:
            broken = distance.beyond_chance > bound and distance.p_value < self.false_alarm
            verdict = CheckVerdict.BROKEN if broken else CheckVerdict.UNDECIDED
            ending = f"expected at most {bound:g} beyond chance" if broken else "which chance can explain"
        text = (
            f"lies {distance.value:.3f} ({_WORDS[kind]}) from {self.reference}, where chance gives "
            f"{distance.by_chance:.3f}; {ending}{_describe_moved(distance)}"
        )
        return self._check(name, f"{kind} at most {bound:g}", distance.value, verdict, text)

    def _check(self, name: str, bound: str, value: float, verdict: CheckVerdict, text: str) -> Check:
        return Check(
            rule=self.rule,
            subject=f"{self.what} {name}",
            where=self.where,
            value=value,
            low=nan,
            high=nan,
            reference=self.reference,
            bound=bound,
            verdict=verdict,
            reason=f"{self.rule}: {self.what} {name}, {self.where}, {text}",
            examples=self.examples,
        )


def _absent(other: Distribution | None) -> Distribution:
    return Distribution({MISSING: 1.0}, other.size if other else 0.0)


def _describe_moved(distance: Distance) -> str:
    moved = [f"{value or '(none)'} {before:.1%} -> {now:.1%}" for value, before, now in distance.moved]
    return f"; most moved: {', '.join(moved)}" if moved else ""

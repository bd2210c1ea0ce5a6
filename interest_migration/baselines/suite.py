"""All baselines together."""

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass

from interest_migration.baselines.baseline import Baseline
from interest_migration.baselines.boosted_propensity import BoostedPropensity
from interest_migration.baselines.categories import CategoryPopularity, OlderCounts, RecencyWeighted, UserFrequent
from interest_migration.baselines.churn import BoostedChurn, RfmLogit, RfmWindowLogit
from interest_migration.baselines.next_category import Markov, RecentThenMarkov, RepeatLast
from interest_migration.baselines.next_item import FrequentItems, ItemPopularity, ItemTransitions
from interest_migration.baselines.settings import BaselineSettings
from interest_migration.errors import DataError
from interest_migration.evaluation.scores import Scores
from interest_migration.evaluation.spaces import IdSpaces
from interest_migration.evaluation.tasks import NEW_INTEREST_TASK, NEXT_CATEGORY, PROPENSITY_TASK
from interest_migration.ragged import Examples
from schemas.features import HORIZONS

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True)
class FitTime:
    """How long one baseline took to fit. `cpu_seconds` counts all threads of this process."""

    baseline: str
    tasks: tuple[str, ...]
    wall_seconds: float
    cpu_seconds: float


@dataclass(frozen=True)
class BaselineSuite:
    """Fitted baselines.

    Attributes:
      fitted: Those that could be fitted.
      skipped: Task -> baseline -> why it could not be fitted.
      fit_times: One entry per fitted baseline.
    """

    fitted: tuple[Baseline, ...]
    skipped: dict[str, dict[str, str]]
    fit_times: tuple[FitTime, ...]

    def score_all(self, examples: Examples) -> dict[str, dict[str, Scores]]:
        """Scores the examples with every fitted baseline.

        Returns:
          Task -> baseline -> scores, see `interest_migration.evaluation.scores`.
        """
        scores: dict[str, dict[str, Scores]] = {}
        for baseline in self.fitted:
            scored = baseline.score(examples)
            for task in baseline.tasks:
                scores.setdefault(task, {})[baseline.name] = scored
        return scores


def fit_all(train: Examples, spaces: IdSpaces, settings: BaselineSettings) -> BaselineSuite:
    """Fits every baseline on the training examples.

    A baseline that finds nothing to learn from (a log too short for a horizon, no churn) is skipped with the reason.
    """
    fitted: list[Baseline] = []
    skipped: dict[str, dict[str, str]] = {}
    times: list[FitTime] = []
    for baseline in _baselines(spaces, settings):
        wall, cpu = time.perf_counter(), time.process_time()
        try:
            baseline.fit(train)
        except DataError as error:
            _LOGGER.info("baseline %s skipped for %s: %s", baseline.name, ", ".join(baseline.tasks), error)
            for task in baseline.tasks:
                skipped.setdefault(task, {})[baseline.name] = str(error)
            continue
        fitted.append(baseline)
        elapsed = (time.perf_counter() - wall, time.process_time() - cpu)
        times.append(FitTime(baseline.name, baseline.tasks, *elapsed))
    return BaselineSuite(tuple(fitted), skipped, tuple(times))


def _baselines(spaces: IdSpaces, settings: BaselineSettings) -> Iterator[Baseline]:
    for horizon in HORIZONS:
        propensity, new_interest = PROPENSITY_TASK[horizon], NEW_INTEREST_TASK[horizon]
        yield RfmLogit(horizon)
        yield RfmWindowLogit(horizon)
        yield BoostedChurn(horizon, settings)
        yield CategoryPopularity(propensity, spaces)
        yield RecencyWeighted(propensity, spaces)
        yield CategoryPopularity(new_interest, spaces)
        yield OlderCounts(new_interest, spaces)
        yield BoostedPropensity(horizon, spaces, settings)
    yield CategoryPopularity(NEXT_CATEGORY, spaces)
    yield RepeatLast(spaces)
    yield Markov(spaces)
    yield RecentThenMarkov(spaces)
    yield UserFrequent(NEXT_CATEGORY, spaces)
    yield ItemPopularity(spaces)
    yield ItemTransitions(spaces, settings)
    yield FrequentItems(spaces)

"""Next category: repeat the last step, first-order Markov chain, recently touched categories then Markov."""

import numpy as np
import numpy.typing as npt

from interest_migration.baselines.baseline import break_ties
from interest_migration.baselines.histories import Steps, read_steps
from interest_migration.baselines.transitions import Transitions, count_transitions
from interest_migration.evaluation.spaces import IdSpaces
from interest_migration.evaluation.tasks import NEXT_CATEGORY
from interest_migration.ragged import Examples
from schemas.features import NEXT_CATEGORIES, label_name


class _StepBaseline:
    """Learns category transitions; subclasses rank."""

    tasks = (NEXT_CATEGORY,)

    def __init__(self, spaces: IdSpaces) -> None:
        self._size = spaces.categories
        self._transitions: Transitions

    def fit(self, train: Examples) -> None:
        """Counts transitions and how often each category was reached."""
        steps = read_steps(train)
        occurrences = steps.categories(self._size)
        self._transitions = count_transitions(train, steps, occurrences, label_name(NEXT_CATEGORIES))

    def _newest(self, steps: Steps) -> npt.NDArray[np.float64]:
        """Returns `[N, C]`, 1 for the categories of the newest step that has any."""
        last = np.zeros((len(steps.end), self._size))
        some = np.flatnonzero(steps.end > steps.first)
        last[some] = steps.categories(self._size)[steps.end[some] - 1].toarray()
        return last

    def _follow(self, steps: Steps) -> npt.NDArray[np.float64]:
        """Returns `[N, C]` in [0, 1], mean transition probability from the newest step's categories."""
        last = self._newest(steps)
        weights = last / np.maximum(last.sum(axis=1, keepdims=True), 1)
        followed: npt.NDArray[np.float64] = weights @ self._transitions.probabilities.toarray()
        return followed


class RepeatLast(_StepBaseline):
    """The categories of the newest step first; popularity decides within it and behind it."""

    name = "repeat_last"

    def score(self, examples: Examples) -> npt.NDArray[np.float64]:
        """Returns `[N, C]`."""
        return break_ties(self._newest(read_steps(examples)), self._transitions.popularity, 1.0)


class Markov(_StepBaseline):
    """First-order Markov chain: P(b in the next step | a in the newest), averaged over the newest step's a."""

    name = "markov"

    def score(self, examples: Examples) -> npt.NDArray[np.float64]:
        """Returns `[N, C]`."""
        return break_ties(self._follow(read_steps(examples)), self._transitions.popularity, 1e-6)


class RecentThenMarkov(_StepBaseline):
    """The user's own categories, most recent step first; then, and within a step, the Markov chain."""

    name = "user_recent_markov"

    def score(self, examples: Examples) -> npt.NDArray[np.float64]:
        """Returns `[N, C]`."""
        steps = read_steps(examples)
        inside = (steps.category >= 1) & (steps.category <= self._size)
        step = steps.event_step[inside]
        freshness = np.zeros((len(steps.end), self._size))
        oldest = int(steps.back.max(initial=0)) + 1
        np.maximum.at(freshness, (steps.example[step], steps.category[inside] - 1), oldest - steps.back[step])
        follow = break_ties(self._follow(steps), self._transitions.popularity, 1e-6)
        return break_ties(freshness, follow / 2, 1.0)

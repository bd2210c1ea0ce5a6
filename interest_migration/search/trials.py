"""The account of a search: its trials, the best values, for people and for later runs.

<folder>/trials.json    every trial that has ended
<folder>/best.yaml      the values of the best one, once one has completed
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from interest_migration.errors import DataError
from interest_migration.search.values import to_yaml
from interest_migration.storage.atomic import replacing

TRIALS_FILE: Final = "trials.json"
BEST_FILE: Final = "best.yaml"


@dataclass(frozen=True)
class Trial:
    """One trial that has ended.

    Attributes:
      trial: Its name.
      values: Field -> value.
      score: Value of the objective; None if the trial failed.
      epochs: Epochs that were trained.
      seconds: Wall seconds of these epochs.
      reason: Why it failed; empty if it did not.
    """

    trial: str
    values: Mapping[str, Any]
    score: float | None = None
    epochs: int = 0
    seconds: float = 0.0
    reason: str = ""

    def describe(self, number: int, count: int) -> str:
        """Returns one line for a log."""
        values = " ".join(f"{name}={value:.4g}" if isinstance(value, float) else f"{name}={value}"
                          for name, value in self.values.items())  # fmt: skip
        result = (
            f"{self.score:.4f} {self.epochs} epochs {self.seconds:.0f} s" if self.score is not None else self.reason
        )
        return f"trial {number}/{count} {values}: {result}"


@dataclass(frozen=True)
class Search:
    """The trials of a search in the order in which they ended.

    Attributes:
      objective: What is to be high.
      trials: The trials.
    """

    objective: str
    trials: Sequence[Trial] = field(default_factory=tuple)

    @property
    def best(self) -> Trial | None:
        """The trial with the highest score, the earlier of equal ones."""
        return next((trial for trial in self.ranked() if trial.score is not None), None)

    def ranked(self) -> list["Trial"]:
        """Returns the trials from the highest score down, the earlier of equal ones first, failed ones last."""
        return sorted(self.trials, key=lambda trial: (trial.score is None, -(trial.score or 0.0)))

    def with_trial(self, trial: Trial) -> "Search":
        """Returns the search after one more trial, which replaces one of the same name."""
        return Search(self.objective, (*(each for each in self.trials if each.trial != trial.trial), trial))

    def write(self, folder: Path) -> None:
        """Writes both files, each whole or not at all."""
        with replacing(folder / TRIALS_FILE) as temporary:
            temporary.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")
        if self.best:
            with replacing(folder / BEST_FILE) as temporary:
                temporary.write_text(to_yaml(self.best.values), encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> "Search":
        """Reads what `write` wrote.

        Raises:
          DataError: If there is no account of a search.
        """
        try:
            content = json.loads((folder / TRIALS_FILE).read_text(encoding="utf-8"))
            return cls(content["objective"], tuple(Trial(**trial) for trial in content["trials"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataError(f"expected {TRIALS_FILE} of a search in {folder}, received: {error}") from error


def newest_search(directory: Path) -> Path:
    """Returns the folder of the search that was written last.

    Raises:
      DataError: If there is none.
    """
    found = sorted(directory.glob(f"*/{TRIALS_FILE}"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise DataError(
            f"expected a search in {directory}, found none; give the configuration a search.space and run it"
        )
    return found[-1].parent

"""Steps of a run that have ended, and how they fail."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from interest_migration.errors import InterestMigrationError

if TYPE_CHECKING:
    from tfx import types


@dataclass(frozen=True)
class Step:
    """A step that has ended.

    Attributes:
      name: Id of the component.
      seconds: How long it took.
      cached: Whether an earlier result was reused.
      outputs: Its artifacts.
    """

    name: str
    seconds: float
    cached: bool
    outputs: "dict[str, list[types.Artifact]]"

    def output(self, key: str) -> "types.Artifact":
        """Returns the only artifact of an output."""
        (artifact,) = self.outputs[key]
        return artifact


class StepFailedError(InterestMigrationError):
    """A step of the pipeline failed.

    Attributes:
      step: Its name.
    """

    def __init__(self, step: str, cause: BaseException) -> None:
        super().__init__(f"{step} failed: {cause}")
        self.step = step

"""How the data gate refuses."""

from math import nan
from typing import Self

from interest_migration.errors import RefusedError
from interest_migration.gates.decision import Check, CheckVerdict, Decision


class DataRefusedError(RefusedError):
    """The data must not be learned from.

    Attributes:
      decision: Every check. It travels with the error, since orchestrators remove what a failed step has written.
    """

    def __init__(self, decision: Decision) -> None:
        reasons = "".join(f"\n  - {reason}" for reason in decision.reasons)
        super().__init__(f"the data gate refuses these data; nothing was trained:{reasons}")
        self.decision = decision

    @classmethod
    def unmeasured(cls, error: Exception) -> Self:
        """Returns the refusal of data that could not be judged."""
        reason = f"the gate could not be computed: {error}"
        check = Check("gate", "data", "all data", nan, nan, nan, "", "can be judged", CheckVerdict.BROKEN, reason)
        return cls(Decision.of("data", [check]))


def find_decision(error: BaseException) -> Decision | None:
    """Returns the decision behind an error, if the data gate is its cause."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, DataRefusedError):
            return cause.decision
        cause = cause.__cause__
    return None

"""How much bad data an owner accepts."""

from typing import Final, Self

from pydantic import Field, model_validator

from interest_migration.errors import ConfigError, RefusedError
from interest_migration.examples.cleaning import ShardReason
from interest_migration.ingestion.summary import IngestSummary
from interest_migration.settings import Settings
from interest_migration.sources.mapping import SourceMapping
from interest_migration.sources.rejects import Reason

REASONS: Final = (*map(str, Reason), *map(str, ShardReason))
"""Every reason for setting a row aside."""

BY_INTENT: Final = frozenset(
    map(
        str,
        (
            Reason.FILTERED_OUT,
            Reason.IGNORED_ACTION,
            Reason.ERASED_USER,
            ShardReason.DUPLICATE,
            ShardReason.HOT_USER,
        ),
    )
)
"""Reasons that say nothing bad about the data: the owner asked for them, or the same rows were delivered twice."""


def is_bad(reason: str) -> bool:
    """Whether a reason counts as bad data; one that only a filter of the mapping gives does not."""
    return reason in REASONS and reason not in BY_INTENT


class RejectBounds(Settings):
    """Shares of the rows read; more of them stop the run.

    Attributes:
      max_share: Of all bad rows together, those of `max_share_by_reason` left out.
      max_share_by_reason: Reason, of any kind -> its own bound.
    """

    max_share: float = Field(0.5, ge=0, le=1)
    max_share_by_reason: dict[str, float] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if any(not 0 <= share <= 1 for share in self.max_share_by_reason.values()):
            raise ValueError("expected shares from 0 to 1")
        return self

    def require_reasons(self, mapping: SourceMapping) -> None:
        """Checks that every bound is on a reason that a mapping can give.

        Raises:
          ConfigError: Naming those that it cannot.
        """
        reasons = [*REASONS, *(condition.reason for stream in mapping.streams for condition in stream.filters)]
        if unknown := sorted(set(self.max_share_by_reason) - set(reasons)):
            raise ConfigError(
                f"max_rejected_share_by_reason: expected reasons among {', '.join(dict.fromkeys(reasons))}, "
                f"received {', '.join(unknown)}"
            )

    def check(self, summary: IngestSummary) -> None:
        """Compares an ingestion with the bounds.

        Raises:
          RefusedError: Naming every bound that is broken, the shares and the reasons.

        Example:
          100 rows read, 60 bad_time -> "60.0 % of the rows read are bad (bad_time 60.0 %), accepted are 50.0 %".
        """
        own = self.max_share_by_reason
        shares = {reason: count / max(summary.rows_read, 1) for reason, count in summary.rejected.items()}
        bad = {reason: share for reason, share in shares.items() if is_bad(reason) and reason not in own}
        broken = [
            f"{_percent(shares[reason])} of the rows read are {reason}, accepted are {_percent(bound)}"
            for reason, bound in own.items()
            if shares.get(reason, 0) > bound
        ]
        if sum(bad.values()) > self.max_share:
            parts = ", ".join(f"{name} {_percent(bad[name])}" for name in sorted(bad, key=lambda name: -bad[name]))
            total = _percent(sum(bad.values()))
            broken.append(f"{total} of the rows read are bad ({parts}), accepted are {_percent(self.max_share)}")
        if broken:
            raise RefusedError(
                f"data refused: {'; '.join(broken)}. Correct the mapping or the data, or accept more with "
                "data.max_rejected_share and data.max_rejected_share_by_reason (ingest: --max-rejected-share)"
            )


def _percent(share: float) -> str:
    return f"{100 * share:.{1 if share >= 0.01 or not share else 4}f} %"

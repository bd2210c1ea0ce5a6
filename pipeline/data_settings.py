"""Settings of the logs."""

from pathlib import Path

from pydantic import Field, model_validator

from interest_migration.ingestion.bounds import RejectBounds
from interest_migration.settings import Settings
from interest_migration.sources.partition_settings import PartitionSettings


class DataSettings(Settings):
    """Where the logs are and how they are read.

    Attributes:
      mapping: Source mapping, a YAML file.
      input: Folder or file of the logs, or `package:<name>/<folder>`; `--input` on the command line wins.
      span: Number of this batch of data; with `partitions` it follows from the newest one that is read.
      partitions: Pattern of dated partitions below the input, such as `events/{YYYY}-{MM}-{DD}`, and what may be
        missing or late in them; see docs/spans.md.
      shards: Number of user shards; about one per 250,000 to 500,000 events, at least 4 per core.
      key_file: Key of the pseudonyms, made on first use; default: in the workspace.
      erasure_list: Users whose rows no run may use: a file with one raw user id per line.
      max_rejected_share: Share of the rows read that may be bad; more stop the run (docs/dead_letters.md).
      max_rejected_share_by_reason: Reason -> its own bound.
    """

    mapping: Path
    input: str | None = None
    span: int = Field(1, ge=0)
    partitions: PartitionSettings | None = None
    shards: int = Field(8, ge=1)
    key_file: Path | None = None
    erasure_list: Path | None = None
    max_rejected_share: float = Field(0.5, ge=0, le=1)
    max_rejected_share_by_reason: dict[str, float] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _check(self) -> "DataSettings":
        _ = self.bounds
        return self

    @property
    def bounds(self) -> RejectBounds:
        """How many rows may be bad."""
        return RejectBounds(max_share=self.max_rejected_share, max_share_by_reason=self.max_rejected_share_by_reason)

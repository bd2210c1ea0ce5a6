"""What the submitting command looks up for a pipeline, since no step could be answered from the cache without it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import schemas
from interest_migration.serving.bases import NO_BASE

SCHEMA_FILE: Final = Path(schemas.__file__).with_name("schema.pbtxt")
"""The curated schema."""


@dataclass(frozen=True)
class Resolved:
    """What the submitting command looks up, since it must be part of the cache keys.

    Attributes:
      fingerprint: Digest of the input files.
      key_id: Public id of the pseudonym key.
      served_state: Differs whenever the served model differs.
      schema_file: The curated schema, under a path that differs whenever its content does.
      base: Name of the version that a warm start takes, see `interest_migration.serving.bases`.
      erasure_digest: Differs whenever the users on the erasure list differ.
      partitions: Which dated partitions are read, `Selection` as JSON; empty where the log has none.
      delivery: What is known of the data, `Delivery` as JSON.
      reference: The earlier run to compare with, `Reference` as JSON; empty if there is none.
      requests: Digest of the logged requests, if a data gate looks at them.
      data_record: What later runs need to know of this one's data, as JSON; only where no command outlives the run.
    """

    fingerprint: str
    key_id: str
    served_state: str
    schema_file: str = str(SCHEMA_FILE)
    base: str = NO_BASE
    erasure_digest: str = ""
    partitions: str = ""
    delivery: str = '{"name": "all data"}'
    reference: str = ""
    requests: str = ""
    data_record: str = ""

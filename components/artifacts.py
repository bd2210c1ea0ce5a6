"""Artifact types of our own. Their TYPE_NAME is how orchestrators import them: `components.Rejects`."""

from typing import Final

from tfx.types.artifact import Artifact

DECISION_FILE: Final = "decision.json"
"""In an artifact `Decision`: `interest_migration.gates.decision.Decision` as JSON."""


class Rejects(Artifact):
    """Rows that ingestion set aside, as Parquet, each with a reason."""

    TYPE_NAME = "components.Rejects"


class Summary(Artifact):
    """Counts of an ingestion, as JSON."""

    TYPE_NAME = "components.Summary"


class Flows(Artifact):
    """Where interests move, as JSON."""

    TYPE_NAME = "components.Flows"


class Comparison(Artifact):
    """The model and the baselines on the same examples, as JSON and Parquet."""

    TYPE_NAME = "components.Comparison"


class Decision(Artifact):
    """What a gate decided and why, as JSON; the model gate adds the measures it judged, as Parquet."""

    TYPE_NAME = "components.Decision"

"""Artifact types of our own. Their TYPE_NAME is how orchestrators import them: `components.Rejects`."""

from tfx.types.artifact import Artifact
from tfx.types.value_artifact import ValueArtifact


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


class Page(ValueArtifact):
    """One HTML page, a file, which the UI of Kubeflow Pipelines shows by its type's name."""

    TYPE_NAME = "system.HTML"

    def encode(self, value: str) -> bytes:
        """Returns the page as bytes."""
        return value.encode("utf-8")

    def decode(self, serialized_value: bytes) -> str:
        """Returns the page."""
        return serialized_value.decode("utf-8")


class Scalars(Artifact):
    """Numbers that the UI of Kubeflow Pipelines lists: its numeric custom properties."""

    TYPE_NAME = "system.Metrics"


class Classification(Artifact):
    """A ROC curve or confusion matrix that the UI draws: custom properties `confidenceMetrics`, `confusionMatrix`."""

    TYPE_NAME = "system.ClassificationMetrics"


UI_TYPES = (Page, Scalars, Classification)
"""Types that Kubeflow names, not this package: orchestrators do not find their classes by name alone."""

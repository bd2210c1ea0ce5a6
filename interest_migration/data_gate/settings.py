"""The data gates file: what data must look like before anything is learned from them.

Example of a file:

    volume:
      - {measure: users, at_least: 1000, shrinks_by_at_most: 0.2}
    drift:
      default: {jensen_shannon: 0.1}
      features: {event_price: {jensen_shannon: 0.05}}
      ignore: [tenure_days]

Every key is described in docs/data_gate.md. What the file does not name is not checked.
"""

from difflib import get_close_matches
from typing import Final, Literal, Self

from pydantic import Field, field_validator, model_validator

from interest_migration.errors import ConfigError
from interest_migration.ingestion.bounds import REASONS
from interest_migration.ingestion.profile import PROFILED
from interest_migration.settings import Settings
from interest_migration.sources.mapping import SourceMapping
from schemas.features import RAW_FEATURES, Role

FEATURES: Final = tuple(spec.name for spec in RAW_FEATURES if spec.role is not Role.KEY)
"""Features whose distributions can be compared."""

INPUT_FEATURES: Final = tuple(spec.name for spec in RAW_FEATURES if spec.role is Role.INPUT)
"""Those of them that a serving request holds."""

Split = Literal["train", "eval", "test"]
Measure = Literal[
    "rows_read",
    "rows_used",
    "users",
    "examples",
    "examples_train",
    "examples_eval",
    "examples_test",
    "newest_span_events",
    "newest_span_users",
]


class Limits(Settings):
    """How far two distributions may be apart.

    Attributes:
      jensen_shannon: Largest Jensen-Shannon divergence in bits, 0 (the same) to 1 (nothing in common).
      l_infinity: Largest change of the share of one value (of numbers: of one of about ten ranges).
    """

    jensen_shannon: float | None = Field(None, ge=0, le=1)
    l_infinity: float | None = Field(None, ge=0, le=1)


class Distances(Settings):
    """Limits of several features.

    Attributes:
      default: Of every feature that is not named.
      features: Of the features named.
      ignore: Features that are not compared.
    """

    default: Limits = Limits()
    features: dict[str, Limits] = Field(default_factory=dict)
    ignore: tuple[str, ...] = ()

    @field_validator("features", "ignore")
    @classmethod
    def _known(cls, value: dict[str, Limits] | tuple[str, ...]) -> dict[str, Limits] | tuple[str, ...]:
        check_names(value, FEATURES, "features")
        return value

    def limits(self, name: str) -> Limits:
        """Returns the limits of a feature; none if it is ignored."""
        return Limits() if name in self.ignore else self.features.get(name, self.default)


class Drift(Distances):
    """The examples of this run beside those of the run before it.

    Attributes:
      splits: Which splits are compared, each with the same one.
    """

    splits: tuple[Split, ...] = ("test",)


class Skew(Distances):
    """The splits of this run beside each other.

    Attributes:
      base: What the others are compared with.
      splits: The others.
    """

    base: Split = "train"
    splits: tuple[Split, ...] = ("eval", "test")


class Serving(Distances):
    """What clients sent to the model server beside what the model is evaluated on.

    Attributes:
      logs: Folder of TFRecord files of serialized `tf.Example`s, `*.tfrecord` or `*.tfrecord.gz`; relative to the
        project root, as all paths of a configuration.
      split: What they are compared with.
      min_examples: With fewer requests nothing is judged.
    """

    logs: str = Field(min_length=1)
    split: Split = "test"
    min_examples: int = Field(100, ge=1)

    @field_validator("features", "ignore")
    @classmethod
    def _inputs(cls, value: dict[str, Limits] | tuple[str, ...]) -> dict[str, Limits] | tuple[str, ...]:
        check_names(value, INPUT_FEATURES, "features of a request")
        return value


class Events(Settings):
    """The events of the newest span beside those of the spans before it; only of logs in dated partitions.

    Attributes:
      reference_spans: How many spans before the newest are put together as its reference.
      default: Limits of every field that is not named.
      fields: Limits of the fields named, see `interest_migration.ingestion.profile.PROFILED`.
      ignore: Fields that are not compared.
    """

    reference_spans: int = Field(4, ge=1, le=28)
    default: Limits = Limits()
    fields: dict[str, Limits] = Field(default_factory=dict)
    ignore: tuple[str, ...] = ()

    @field_validator("fields", "ignore")
    @classmethod
    def _known(cls, value: dict[str, Limits] | tuple[str, ...]) -> dict[str, Limits] | tuple[str, ...]:
        check_names(value, PROFILED, "fields")
        return value

    def limits(self, name: str) -> Limits:
        """Returns the limits of a field; none if it is ignored."""
        return Limits() if name in self.ignore else self.fields.get(name, self.default)


class Volume(Settings):
    """One bound on an amount.

    Attributes:
      measure: What is counted; `newest_span_*` are compared with the mean of the `events.reference_spans` before it,
        the others with the run before.
      at_least: Smallest amount that passes.
      at_most: Largest amount that passes.
      shrinks_by_at_most: Largest loss against the reference, as a share of it.
      grows_by_at_most: Largest gain against the reference, as a share of it.
    """

    measure: Measure
    at_least: float | None = Field(None, ge=0)
    at_most: float | None = Field(None, ge=0)
    shrinks_by_at_most: float | None = Field(None, ge=0, le=1)
    grows_by_at_most: float | None = Field(None, ge=0)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if all(getattr(self, name) is None for name in Volume.model_fields if name != "measure"):
            raise ValueError(
                "expected at_least, at_most, shrinks_by_at_most or grows_by_at_most, received none of them"
            )
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError("expected at_least <= at_most")
        return self


class Rejected(Settings):
    """Largest share of the rows read that may be set aside.

    Attributes:
      total: For all reasons together that say that data are bad, see `interest_migration.ingestion.bounds`.
      reasons: For single reasons of any kind, by name.
    """

    total: float | None = Field(None, ge=0, le=1)
    reasons: dict[str, float] = Field(default_factory=dict)

    def require_reasons(self, mapping: SourceMapping) -> None:
        """Checks that every bound is on a reason that a mapping can give.

        Raises:
          ConfigError: Naming those that it cannot, and those that it can.
        """
        filters = [condition.reason for stream in mapping.streams for condition in stream.filters]
        try:
            check_names(self.reasons, tuple(dict.fromkeys([*REASONS, *filters])), "reasons")
        except ValueError as error:
            raise ConfigError(f"rejected.reasons of the data gates: {error}") from error


class Freshness(Settings):
    """How old data may be.

    Attributes:
      newest_event_hours: Largest time from the newest used event to the end of the run's span.
      span_age_days: Largest time from the end of the run's span to the day of the run. The gate is then judged anew on
        every day.
    """

    newest_event_hours: float | None = Field(None, ge=0)
    span_age_days: int | None = Field(None, ge=0)


class Columns(Settings):
    """What a change of a file's columns from the span before means.

    Attributes:
      new: A column that was not there.
      gone: A column that is no longer there (one that the mapping names ends the run anyway).
      changed_type: A column of another type (Parquet).
    """

    new: Literal["note", "refuse"] = "note"
    gone: Literal["note", "refuse"] = "note"
    changed_type: Literal["note", "refuse"] = "refuse"


class DataGateSettings(Settings):
    """What is demanded of data.

    Attributes:
      anomalies: What anomalies against the curated schema mean.
      ignore_anomalies: Features whose anomalies are only noted.
      columns: Changes of columns between spans.
      volume: Bounds on amounts.
      rejected: Bounds on what is set aside.
      freshness: Bounds on age.
      events: Newest events beside those before.
      drift: Examples beside those of the run before.
      skew: Splits beside each other.
      serving: Requests beside examples.
      false_alarm: Probability that chance alone breaks a limit on a distance.
      min_size: Distributions with fewer independent observations are not judged.
    """

    anomalies: Literal["note", "refuse"] = "refuse"
    ignore_anomalies: tuple[str, ...] = ()
    columns: Columns = Columns()
    volume: tuple[Volume, ...] = ()
    rejected: Rejected = Rejected()
    freshness: Freshness = Freshness()
    events: Events | None = None
    drift: Drift | None = None
    skew: Skew | None = None
    serving: Serving | None = None
    false_alarm: float = Field(0.001, gt=0, lt=1)
    min_size: int = Field(30, ge=2)

    @field_validator("ignore_anomalies")
    @classmethod
    def _known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        check_names(value, [spec.name for spec in RAW_FEATURES], "features")
        return value


def check_names(names: object, known: tuple[str, ...] | list[str], what: str) -> None:
    """Raises ValueError with the known names, and the nearest, if one of `names` is not among them."""
    assert isinstance(names, dict | tuple)
    unknown = [name for name in names if name not in known]
    if unknown:
        near = [match for name in unknown for match in get_close_matches(name, known, 1)]
        hint = f" (did you mean {', '.join(near)}?)" if near else ""
        raise ValueError(f"expected {what} among {', '.join(known)}; not {', '.join(unknown)}{hint}")

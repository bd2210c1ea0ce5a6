import json
from pathlib import Path

import pytest

from interest_migration.errors import DataError
from pipeline.config import PipelineConfig
from pipeline.evaluation import evaluate_run, evaluation_settings, newest_artifacts


def finish_run(workspace: Path, run_id: str, **artifacts: str) -> None:
    folder = workspace / "runs" / run_id
    folder.mkdir(parents=True)
    (folder / "outcome.json").write_text(json.dumps({"artifacts": artifacts}))


@pytest.fixture
def config(tmp_path: Path) -> PipelineConfig:
    values = {
        "name": "shop",
        "workspace": tmp_path,
        "data": {"mapping": "mapping.yaml"},
        "gates": "gates.yaml",
        "examples": {"new_interest_days": 21},
        "comparison": {"resamples": 17, "confidence": 0.9},
    }
    return PipelineConfig.from_values(values, source="test")


def test_the_newest_finished_run_counts(tmp_path: Path) -> None:
    finish_run(tmp_path, "20260101-000000-000000", model="old")
    finish_run(tmp_path, "20260102-000000-000000", model="new")
    (tmp_path / "runs" / "20260103-000000-000000").mkdir()  # failed or under way
    assert newest_artifacts(tmp_path) == {"model": "new"}


def test_settings_of_the_comparison_come_from_the_configuration(config: PipelineConfig) -> None:
    settings = evaluation_settings(config)
    assert (settings.resamples, settings.confidence, settings.new_interest_days) == (17, 0.9, 21)


def test_a_folder_that_is_no_model_is_named(config: PipelineConfig, tmp_path: Path) -> None:
    finish_run(tmp_path, "20260101-000000-000000", model=str(tmp_path / "m"), transformed_examples=str(tmp_path / "t"))
    with pytest.raises(DataError, match=r"expected a SavedModel in .*other, found no saved_model\.pb"):
        evaluate_run(config, model=tmp_path / "other", examples=None)


def test_a_folder_that_holds_no_examples_is_named(config: PipelineConfig, tmp_path: Path) -> None:
    finish_run(tmp_path, "20260101-000000-000000", model=str(tmp_path / "m"), transformed_examples=str(tmp_path / "t"))
    (tmp_path / "m" / "Format-Serving").mkdir(parents=True)
    (tmp_path / "m" / "Format-Serving" / "saved_model.pb").touch()
    with pytest.raises(DataError, match=r"expected example splits in .*/t, found no Split-test"):
        evaluate_run(config, model=None, examples=None)

"""What the serving gate makes of what was measured, and of a process that does not answer."""

import math
from dataclasses import replace
from pathlib import Path

import pytest

from interest_migration.errors import ConfigError
from interest_migration.gates.decision import CheckVerdict
from interest_migration.serving import gate
from interest_migration.serving.gate import judge, judge_model, run_replay
from interest_migration.serving.gate_settings import ServingGateSettings
from interest_migration.serving.replay import Measured, Request

TIMES = {"cpu_p50": 4.0, "cpu_p99": 9.0, "wall_p50": 40.0, "wall_p99": 900.0}
GOOD = Measured(
    load_seconds=3.0,
    memory_megabytes=800.0,
    examples=20,
    warm_ups=5,
    differences={"predict and serving_default": 1e-6},
    name_differences={"predict and serving_default": 0.0},
    latency_ms={"serving_default": TIMES, "predict": TIMES},
)
SETTINGS = ServingGateSettings(p50_ms=5, p99_ms=10, memory_megabytes=1000, tolerance=1e-5, name_tolerance=0.01)


def broken(measured: Measured, settings: ServingGateSettings = SETTINGS) -> list[str]:
    return [check.reason for check in judge(measured, settings) if check.verdict is CheckVerdict.BROKEN]


def test_a_good_model_passes_however_busy_the_machine_is() -> None:
    checks = list(judge(GOOD, SETTINGS))
    assert {check.verdict for check in checks} == {CheckVerdict.PASSED}
    assert {check.rule for check in checks} == {"answers", "skew", "latency", "memory"}
    assert len([check for check in checks if check.rule == "latency"]) == 4


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"failures": {"explain": "InternalError: no op"}}, "not answered: explain: InternalError: no op"),
        ({"differences": {"embed and predict": 0.5}}, "embed and predict: largest difference 0.5, bound 1e-05"),
        ({"differences": {"embed and predict": math.nan}}, "largest difference nan"),
        ({"name_differences": {"next_item": 0.02}}, "share of names that differ 0.02"),
        ({"latency_ms": {"predict": TIMES | {"cpu_p50": 5.1}}}, "5.1 ms of CPU time at p50"),
        ({"latency_ms": {"predict": TIMES | {"cpu_p99": 11}}}, "11.0 ms of CPU time at p99"),
        ({"memory_megabytes": 1001.0}, "used 1001 MB of 1000"),
    ],
)
def test_each_bound_refuses_with_its_own_reason(changes: dict[str, object], told: str) -> None:
    (reason,) = broken(replace(GOOD, **changes))
    assert told in reason


def test_without_transformed_examples_the_comparison_is_skipped() -> None:
    skipped = [check for check in judge(GOOD, SETTINGS, has_transformed=False) if check.verdict is CheckVerdict.SKIPPED]
    assert [check.rule for check in skipped] == ["skew"]


def test_a_folder_that_holds_no_model_is_refused_without_loading_it(tmp_path: Path) -> None:
    decision = judge_model(tmp_path, ["none.gz"], [], SETTINGS)
    assert not decision.passed
    assert "saved_model.pb" in decision.reasons[0]


def test_a_process_that_dies_is_told_with_its_last_words() -> None:
    with pytest.raises(gate._ReplayError, match=r"ended with code 1.*nowhere"):
        run_replay(Request("/nowhere", [], [], 1, 10), timeout_seconds=120)


def test_a_process_that_hangs_is_told() -> None:
    with pytest.raises(gate._ReplayError, match=r"did not answer within 0\.01 seconds"):
        run_replay(Request("/nowhere", [], [], 1, 10), timeout_seconds=0.01)


def test_settings_are_checked() -> None:
    with pytest.raises(ConfigError, match="p50_ms"):
        ServingGateSettings.from_values({"p50_ms": 0}, source="test")

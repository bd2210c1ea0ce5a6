import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import pipeline.run
from interest_migration.errors import DataError, RefusedError
from interest_migration.evaluation.results import Comparison, EvaluationReport, MetricValue
from interest_migration.gates.decision import Check, CheckVerdict, Decision
from interest_migration.ingestion.summary import IngestSummary, TableCounts
from pipeline.cli import main
from pipeline.outcome import Outcome, Pushed
from pipeline.steps import StepFailedError

NAN = float("nan")
REASON = "found: expected more"
MAPPING = """
name: clicks
streams:
  - name: clicks
    files: clicks.csv
    fields:
      user: user
      time: {column: ts, format: unix_s}
      action: {column: event, values: {view: view, buy: purchase}}
      item: sku
      category_path: kind
"""
GATES = "rules: [{name: found, task: next_category, metric: hit_at_5, at_least: 0.1}]"
CONFIG = """
name: shop
workspace: work
data: {mapping: mapping.yaml}
gates: gates.yaml
"""


def invoke(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "mapping.yaml").write_text(MAPPING)
    (tmp_path / "gates.yaml").write_text(GATES)
    (tmp_path / "config.yaml").write_text(CONFIG)
    return tmp_path / "config.yaml"


def value(task: str, method: str, number: float, note: str = "") -> MetricValue:
    return MetricValue(method, task, "all", "auroc", number, number - 0.01, number + 0.01, 100, 20, note)


def make_check(verdict: CheckVerdict) -> Check:
    numbers = {"value": 0.5, "low": NAN, "high": NAN}
    return Check(
        "found", "hit_at_5", "all examples", **numbers, reference="", bound="more", verdict=verdict, reason=REASON
    )


def make_outcome(blessed: bool) -> Outcome:
    report = EvaluationReport(
        values=(
            value("churn_short", "model", 0.8421),
            value("churn_short", "rfm_logit", 0.8083),
            value("churn_long", "model", NAN, "no example has a known label"),
        ),
        comparisons=(Comparison("churn_short", "all", "auroc", "rfm_logit", 0.0338, -0.012, 0.0501),),
        examples=100,
        users=50,
        resamples=10,
        confidence=0.95,
        seed=0,
    )
    return Outcome(
        run_id="20260101-000000-000000",
        log=Path("/w/log.txt"),
        decision=Decision.of("model", [make_check(CheckVerdict.PASSED if blessed else CheckVerdict.BROKEN)]),
        review="",
        report=report,
        pushed=Pushed(3, Path("/w/served/interests/3"), is_new=True) if blessed else None,
        steps={"Trainer": (12.34, False), "Transform": (0.1, True)},
        artifacts={"model": "/w/model"},
        ingestion=IngestSummary(
            rows_read=2000,
            rows_used=1790,
            rejected={"bad_time": 10, "duplicate": 200},
            tables={"items": TableCounts(rows_read=50, rows_used=48, left_out=2), "users": TableCounts(3, 3, 0)},
        ),
    )


def replace_run(monkeypatch: pytest.MonkeyPatch, result: Outcome | Exception) -> None:
    def run(plan: Any) -> Outcome:
        if isinstance(result, Exception):
            raise result
        return result

    monkeypatch.setattr(pipeline.run, "run", run)


@pytest.mark.parametrize(
    "command",
    [
        [],
        ["run"],
        ["ingest"],
        ["evaluate"],
        ["benchmark", "labels"],
        ["runs"],
        ["report"],
        ["gate"],
        ["review"],
        ["spans"],
        ["trials"],
    ],
)
def test_help_is_quick_since_it_loads_no_framework(command: list[str]) -> None:
    program = (
        "import sys\nfrom pipeline.cli import main\n"
        f"main({[*command, '--help']!r}, standalone_mode=False)\n"
        "heavy = {'tensorflow', 'tfx', 'apache_beam', 'keras', 'pyarrow', 'numpy'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Usage:" in done.stdout


@pytest.mark.parametrize(
    "command", ["run", "ingest", "evaluate", "runs", "report", "gate", "review", "spans", "trials"]
)
def test_help_shows_examples(command: str) -> None:
    assert f"Examples:\n    interest-migration {command} " in invoke(command, "--help").output


def test_a_run_tells_how_many_rows_were_set_aside_and_why(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replace_run(monkeypatch, make_outcome(blessed=True))
    printed = invoke("run", "--config", config, "--input", config.parent).stdout.splitlines()
    rows = [line.strip() for line in printed if line.strip().endswith("%")]
    assert [re.split(r"  +", row) for row in rows] == [
        ["read", "2,000", "100.00 %"],
        ["used", "1,790", "89.50 %"],
        ["set aside: duplicate (by intent)", "200", "10.00 %"],
        ["set aside: bad_time", "10", "0.50 %"],
        ["left out of table items", "2", "4.00 %"],
    ]
    outcome = json.loads(invoke("run", "--config", config, "--input", config.parent, "--json").stdout)
    assert outcome["ingestion"]["rejected"] == {"bad_time": 10, "duplicate": 200}


def test_a_pushed_model(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replace_run(monkeypatch, make_outcome(blessed=True))
    result = invoke("run", "--config", config, "--input", config.parent)
    assert result.exit_code == 0
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["churn_short", "auroc", ".842", ".808", "rfm_logit", "+.034", "(-.012", "to", "+.050)"] in lines
    assert ["churn_long", "auroc", "undefined", *["no", "example", "has", "a", "known", "label"]] in lines
    assert "Verdict: blessed (1 passed)" in result.stdout
    assert "Pushed: version 3 in /w/served/interests/3" in result.stdout
    assert f"Next: interest-migration evaluate --config {config}" in result.stdout


def test_a_refused_model(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replace_run(monkeypatch, make_outcome(blessed=False))
    result = invoke("run", "--config", config, "--input", config.parent)
    assert result.exit_code == 3
    assert "Verdict: refused (1 broken)\n  - broken: found: expected more" in result.stdout
    assert "Pushed" not in result.stdout


def test_json_is_one_document(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replace_run(monkeypatch, make_outcome(blessed=True))
    result = invoke("run", "--config", config, "--input", config.parent, "--json")
    document = json.loads(result.stdout)
    assert result.exit_code == 0
    assert document["pushed"] == {"version": 3, "path": "/w/served/interests/3", "is_new": True}
    assert document["decision"]["passed"] is True
    assert document["steps"]["Transform"] == {"seconds": 0.1, "cached": True}
    assert document["summary"][0]["difference"] == 0.0338
    assert document["summary"][1]["model"] is None


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (DataError("expected rows"), 2),
        (RefusedError("no"), 3),
        (StepFailedError("Trainer", MemoryError("too large")), 1),
    ],
)
def test_errors_have_a_message_and_a_code(
    config: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, code: int
) -> None:
    replace_run(monkeypatch, error)
    result = invoke("run", "--config", config, "--input", config.parent)
    assert result.exit_code == code
    assert result.stderr == f"error: {error}\n"
    assert result.stdout == ""
    result = invoke("run", "--config", config, "--input", config.parent, "--json")
    assert result.exit_code == code
    assert json.loads(result.stdout) == {"error": str(error), "exit_code": code}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (("config.yaml", "name: shop"), "config.yaml: workspace: Field required"),
        (("gates.yaml", "rules: []"), "gates.yaml: rules: "),
        (("mapping.yaml", "name: clicks"), "mapping.yaml: streams: Field required"),
    ],
)
def test_bad_files_end_with_2_and_their_name(config: Path, changed: tuple[str, str], message: str) -> None:
    (config.parent / changed[0]).write_text(changed[1])
    result = invoke("run", "--config", config, "--input", config.parent, "--dry-run")
    assert result.exit_code == 2
    assert message in result.stderr


def test_a_run_needs_an_input(config: Path) -> None:
    result = invoke("run", "--config", config)
    assert result.exit_code == 2
    assert "data.input: expected a folder of logs, received none; give it with --input" in result.stderr


def test_wrong_use_ends_with_2() -> None:
    assert invoke("run").exit_code == 2
    assert invoke("train").exit_code == 2


def test_a_dry_run_tells_everything_and_makes_nothing(config: Path) -> None:
    result = invoke("run", "--config", config, "--input", config.parent, "--set", "training.epochs=3", "--dry-run")
    plan = json.loads(result.stdout)
    assert result.exit_code == 0
    assert plan["config"]["training"]["epochs"] == 3
    assert plan["mapping"]["name"] == "clicks"
    assert plan["gates"]["rules"][0]["name"] == "found"
    assert plan["served_state"] == "none-0"
    assert not (config.parent / "work").exists()


def test_evaluate_needs_a_finished_run(config: Path) -> None:
    result = invoke("evaluate", "--config", config)
    assert result.exit_code == 2
    assert f"expected a finished run in {config.parent / 'work'}, found none" in result.stderr


def write_clicks(path: Path, days: int, users: int) -> None:
    rows = ["ts,user,event,sku,kind"]
    for day in range(days):
        rows += [
            f"{1_600_000_000 + day * 86_400 + user},u{user},buy,i{day % 5},k{(day + user) % 3}" for user in range(users)
        ]
    path.write_text("\n".join([*rows, "yesterday,u1,buy,i1,k1"]) + "\n")


def test_ingest_counts(config: Path) -> None:
    folder = config.parent
    write_clicks(folder / "clicks.csv", days=100, users=4)
    result = invoke(
        *("ingest", "--mapping", folder / "mapping.yaml", "--input", folder, "--output", folder / "out"),
        *("--set", "horizons_days={short: 3, long: 7}", "--set", "cut_every_days=7", "--shards", "1", "--json"),
    )
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["rows_read"] == 401
    assert document["rows_used"] == 400
    assert sum(document["rejected"].values()) == 1
    assert document["users"] == 4
    assert document["examples"]["test"] == 12
    assert (folder / "out.key").is_file()
    files = sorted((folder / "out" / "examples" / "Split-test").iterdir())
    assert [file.name for file in files] == ["data-00000-of-00001.gz"]


def test_ingest_of_nothing_ends_with_2(config: Path) -> None:
    folder = config.parent
    result = invoke("ingest", "--mapping", folder / "mapping.yaml", "--input", folder, "--output", folder / "out")
    assert result.exit_code == 2
    assert "clicks.csv" in result.stderr


def test_trials_are_listed_best_first(tmp_path: Path) -> None:
    from interest_migration.search.trials import Search, Trial

    folder = tmp_path / "search" / "abc"
    search = Search("score")
    for trial in (
        Trial("0", {"model.width": 8}, 0.61, 2, 3.0),
        Trial("1", {"model.width": 16}, 0.72, 3, 4.0),
        Trial("2", {"model.width": 9}, reason="expected width to be a multiple of heads"),
    ):
        search = search.with_trial(trial)
    search.write(folder)
    arguments = ["trials", "--config", "configs/demo.yaml", "--set", f"workspace={tmp_path}"]
    shown = CliRunner().invoke(main, arguments)
    assert shown.exit_code == 0, shown.output
    assert shown.output.index("0.7200") < shown.output.index("0.6100") < shown.output.index("multiple of heads")
    assert str(folder / "best.yaml") in shown.output
    found = json.loads(CliRunner().invoke(main, [*arguments, "--json"]).stdout)
    assert [trial["score"] for trial in found["trials"]] == [0.61, 0.72, None]
    empty = CliRunner().invoke(main, [*arguments[:-1], f"workspace={tmp_path / 'other'}"])
    assert empty.exit_code == 2

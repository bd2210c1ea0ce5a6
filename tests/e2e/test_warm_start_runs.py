"""Runs that start from what is served, in the workspace of the first run, with a push directory of their own."""

import json
from pathlib import Path
from typing import Any

import pytest
from small_shop import Shop, call
from synthetic_log import CATEGORIES, write_log

pytestmark = pytest.mark.e2e


def run(shop: Shop, served: Path, *arguments: object) -> dict[str, Any]:
    settings = ("training.warm_start=true", "training.warm_epochs=1", f"push.directory={served}")
    options = [part for setting in settings for part in ("--set", setting)]
    result = call("run", "--config", shop.folder / "config.yaml", *options, *arguments, "--json")
    assert result.exit_code == 0, result.output
    outcome: dict[str, Any] = json.loads(result.stdout)
    return outcome


def started(outcome: dict[str, Any]) -> dict[str, Any]:
    model = Path(outcome["artifacts"]["model"])
    record = json.loads((model.parents[1] / "model_run" / model.name / "training.json").read_text())
    start: dict[str, Any] = record["start"] | {"epochs": record["epochs"]}
    return start


def done_anew(outcome: dict[str, Any]) -> set[str]:
    return {name for name, step in outcome["steps"].items() if not step["cached"]}


def test_a_new_log_starts_from_what_is_served_and_no_log_from_its_own_result(shop: Shop, tmp_path: Path) -> None:
    served, unless_served = tmp_path / "served", {"ServedModel", "ModelGate", "Pusher"}
    first = run(shop, served)
    assert (started(first)["note"], first["pushed"]["version"]) == ("nothing is served yet", 1)
    assert done_anew(run(shop, served)) <= unless_served

    (tmp_path / "later").mkdir()
    write_log(tmp_path / "later" / "log.csv", days=228)
    later = run(shop, served, "--input", tmp_path / "later")
    assert later["pushed"]["version"] == 2
    start = started(later)
    assert start["base"].startswith("1-")
    assert start["values"]["categories"] == {"kept": len(CATEGORIES), "new": 0, "dropped": 0}
    assert start["epochs"] == 1

    again = run(shop, served, "--input", tmp_path / "later")
    assert done_anew(again) <= unless_served
    assert started(again) == start
    assert sorted(path.name for path in (served / "interests").iterdir()) == ["1", "2"]

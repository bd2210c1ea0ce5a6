"""Whole runs through the command line, as a platform team makes them."""

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tensorflow as tf
from small_shop import RULE, Shop, call, write_yaml
from synthetic_log import CATEGORIES

pytestmark = pytest.mark.e2e


def measured(outcome: str) -> list[dict[str, object]]:
    """The measured figures of a run, without the seconds that fitting took."""
    (report,) = Path(json.loads(outcome)["artifacts"]["comparison"]).glob("*.json")
    figures: list[dict[str, object]] = json.loads(report.read_text())["values"]
    return figures


def test_a_first_run_pushes_version_1_and_says_so(shop: Shop):
    assert shop.first.exit_code == 0, shop.first.output
    outcome = json.loads(shop.first.stdout)
    assert outcome["decision"]["passed"] is True
    assert outcome["pushed"]["version"] == 1
    assert [path.name for path in shop.versions.iterdir()] == ["1"]


def test_the_pushed_model_answers_with_plain_tensorflow(shop: Shop):
    model = tf.saved_model.load(str(shop.versions / "1"))
    (examples,) = Path(json.loads(shop.first.stdout)["artifacts"]["examples"]).glob("Split-test/data-00000-*")
    requests = tf.stack(list(tf.data.TFRecordDataset(str(examples), compression_type="GZIP").take(8)))
    answer = model.signatures["serving_default"](examples=requests)
    names, chances = answer["next_category"].numpy(), answer["next_category_probability"].numpy()
    assert names.shape == chances.shape
    assert set(names.ravel()) - {b""} <= {category.encode() for category in CATEGORIES}
    assert np.all(np.diff(chances, axis=1) <= 1e-6)
    assert np.all((answer["churn_probability_short"].numpy() > 0) & (answer["churn_probability_short"].numpy() < 1))


def test_the_pushed_model_ranks_items_by_their_texts(shop: Shop):
    artifacts = json.loads(shop.first.stdout)["artifacts"]
    with np.load(Path(artifacts["transform_graph"]) / "text_vectors.npz") as vectors:
        items = vectors["items"].astype(np.float32)
    described = items[np.linalg.norm(items, axis=1) > 0]
    assert len(np.unique(described, axis=0)) == 3  # the tiny checkpoint knows shoes and lamps and no other category
    model = tf.saved_model.load(str(shop.versions / "1"))
    (examples,) = Path(artifacts["examples"]).glob("Split-test/data-00000-*")
    requests = tf.stack(list(tf.data.TFRecordDataset(str(examples), compression_type="GZIP").take(8)))
    unknown = tf.zeros([8, 0, items.shape[1]])
    answer = model.signatures["score_items"](examples=requests, event_vectors=unknown, item_vectors=described[:5])
    scores = answer["item_scores"].numpy()
    assert scores.shape == (8, 5)
    assert np.isfinite(scores).all()


def test_a_second_run_reuses_every_step_and_serves_nothing_twice(shop: Shop):
    again = call("run", "--config", shop.folder / "config.yaml", "--json")
    assert again.exit_code == 0, again.output
    steps = json.loads(again.stdout)["steps"]
    assert {name for name, step in steps.items() if not step["cached"]} <= {"ServedModel", "ModelGate", "Pusher"}
    assert [path.name for path in shop.versions.iterdir()] == ["1"]


def test_a_refused_model_ends_with_3_and_is_not_pushed(shop: Shop):
    impossible = RULE | {"name": "nobody is this good", "at_least": 0.9999}
    gates = write_yaml(shop.folder / "impossible.yaml", {"slices": [], "rules": [impossible]})
    refused = call("run", "--config", shop.folder / "config.yaml", "--set", f"gates={gates}", "--json")
    assert refused.exit_code == 3, refused.output
    outcome = json.loads(refused.stdout)
    assert outcome["pushed"] is None
    assert any("nobody is this good" in reason for reason in outcome["decision"]["reasons"])
    assert all(outcome["steps"][name]["cached"] for name in ("Trainer", "Comparison"))
    assert [path.name for path in shop.versions.iterdir()] == ["1"]


def test_a_model_that_cannot_be_served_ends_with_3_whatever_the_model_gate_says(shop: Shop):
    outcome = json.loads(shop.first.stdout)
    assert outcome["serving_decision"]["passed"] is True
    compared = [check["subject"] for check in outcome["serving_decision"]["checks"] if check["rule"] == "skew"]
    assert any("the path of training" in subject for subject in compared)
    impatient = ("--set", "serving_gate.timeout_seconds=0.01", "--json")
    refused = call("run", "--config", shop.folder / "config.yaml", *impatient)
    assert refused.exit_code == 3, refused.output
    outcome = json.loads(refused.stdout)
    assert outcome["decision"]["passed"] is True
    assert outcome["pushed"] is None
    assert outcome["serving_decision"]["reasons"] == ["the model did not answer within 0.01 seconds"]
    page = Path(outcome["report"]).read_text()
    assert "The serving gate refused the model" in page
    assert "did not answer within 0.01 seconds" in page


def test_users_of_a_log_are_scored_at_a_moment(shop: Shop, tmp_path: Path):
    scored = call(
        *("score", "--model", shop.versions / "1", "--config", shop.folder / "config.yaml"),
        *("--output", tmp_path / "scores", "--json"),
    )
    assert scored.exit_code == 0, scored.output
    counts = json.loads(scored.stdout)
    table = pa.concat_tables(pq.read_table(path) for path in (tmp_path / "scores").glob("data-*.parquet"))
    assert counts == {"shards": 2, "skipped": 0, "examples": len(table), "rejected": 0}
    summary = json.loads((Path(json.loads(shop.first.stdout)["artifacts"]["summary"]) / "summary.json").read_text())
    assert len(set(table["user"].to_pylist())) == len(table) == summary["users"]
    assert len(set(table["cut_time_s"].to_pylist())) == 1


def test_a_refused_model_can_be_judged_again_and_released_or_held(shop: Shop, tmp_path: Path):
    mild = write_yaml(tmp_path / "mild.yaml", {"slices": ["switched"], "rules": [RULE]})
    strict = write_yaml(tmp_path / "strict.yaml", {"rules": [RULE | {"at_least": 0.9999}]})
    run = Path(json.loads(shop.first.stdout)["log"]).parent
    model = json.loads(shop.first.stdout)["artifacts"]["model"]
    for place in (run, model):
        assert call("gate", "--evaluation", place, "--gates", mild).exit_code == 0
        again = call("gate", "--evaluation", place, "--gates", strict, "--json")
        assert again.exit_code == 3
        assert "to be at least 0.9999" in json.loads(again.stdout)["reasons"][0]
    other = ("--config", shop.folder / "config.yaml", "--set", f"push.directory={tmp_path / 'served'}")
    review = (*other, "--by", "Ada", "--reason", "known outage", "--json")
    rehearsed = json.loads(call("review", "--release", *review, "--dry-run").stdout)
    assert not rehearsed["recorded"]
    assert not (tmp_path / "served").exists()
    released = json.loads(call("review", "--release", *review).stdout)
    assert released["review"]["version"] == 1
    assert "known outage" in (run.parent / released["review"]["run"] / "report.html").read_text()
    refused = ("--set", f"gates={strict}", "--json")
    served = call("run", *other, *refused)
    assert served.exit_code == 0, served.output
    assert json.loads(served.stdout)["review"].endswith("known outage")
    held = json.loads(call("review", "--hold", *review).stdout)
    assert held["still_served"] == 1
    kept_back = call("run", *other, "--json")
    assert kept_back.exit_code == 3
    assert json.loads(kept_back.stdout)["decision"]["passed"] is True


def test_a_missing_column_ends_with_2_and_names_it(shop: Shop, tmp_path: Path):
    (tmp_path / "log.csv").write_text("user,ts,item,category,price\n1,2,3,4,5\n")
    wrong = call("run", "--config", shop.folder / "config.yaml", "--input", tmp_path)
    assert wrong.exit_code == 2
    assert "'action'" in wrong.output


def test_evaluate_repeats_the_figures_of_the_run(shop: Shop):
    result = call("evaluate", "--config", shop.folder / "config.yaml", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["values"] == measured(shop.first.stdout)


def test_ingest_alone_counts_every_row(shop: Shop, tmp_path: Path):
    shutil.copytree(shop.folder / "data", tmp_path / "data")
    with (tmp_path / "data" / "log.csv").open("a") as log:
        log.write("customer-00001,x,shoes,dance,1672531200,1\ncustomer-00001,x,shoes,buy,never,1\n")
    rows = len((tmp_path / "data" / "log.csv").read_text().splitlines()) - 1
    result = call(
        *(
            "ingest",
            "--mapping",
            shop.folder / "mapping.yaml",
            "--input",
            tmp_path / "data",
            "--output",
            tmp_path / "out",
        ),
        *("--set", "active_days=42", "--set", "eval_cuts=1", "--set", "test_cuts=1", "--json"),
    )
    assert result.exit_code == 0, result.output
    summary = json.loads(result.stdout)
    assert summary["rows_read"] == rows == summary["rows_used"] + sum(summary["rejected"].values())
    assert summary["rejected"]["unknown_action"] == 1
    assert summary["rejected"]["bad_time"] == 1

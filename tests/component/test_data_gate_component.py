"""The gate on statistics as TensorFlow Data Validation makes them."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_data_validation as tfdv
from synthetic_examples import encode_example
from tensorflow_metadata.proto.v0 import anomalies_pb2, statistics_pb2
from tfx.types import standard_artifacts
from tfx.types.artifact import Artifact

from components.artifacts import Decision, Summary
from components.data_gate import DataGate, digest_reference
from components.data_statistics import read_anomalies, read_statistics, to_features
from components.decisions import DECISION_FILE
from interest_migration.data_gate.distributions import MISSING, align
from interest_migration.data_gate.errors import DataRefusedError
from interest_migration.data_gate.evidence import Delivery, Reference
from interest_migration.data_gate.settings import DataGateSettings
from interest_migration.ingestion.summary import IngestSummary

RULES = {"drift": {"default": {"jensen_shannon": 0.05}}}
Statistics = statistics_pb2.DatasetFeatureStatisticsList


def write_examples(path: Path, seed: int, count: int = 300, price: float = 10.0, first: str = "shoes") -> Path:
    """Writes examples of `count` users, with one to nine categories and prices each; every fourth has no label."""
    random = np.random.default_rng(seed)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for user in range(count):
            size = random.integers(1, 10)
            values = {
                "user": [f"user-{user}"],
                "event_category": random.choice([first, "socks", "lamps"], size).tolist(),
                "event_price": random.lognormal(np.log(price), 0.5, size).tolist(),
                "churn_short": [int(random.random() < 0.3)] if user % 4 else [],
            }
            writer.write(encode_example({name: entries for name, entries in values.items() if entries}))
    return path


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Statistics]:
    """Statistics of two samples of one population, and of another one."""
    folder = tmp_path_factory.mktemp("examples")
    files = {
        "before": write_examples(folder / "a.tfrecord", 1),
        "same": write_examples(folder / "b.tfrecord", 2),
        "dear": write_examples(folder / "c.tfrecord", 3, price=20.0),
    }
    return {name: tfdv.generate_statistics_from_tfrecord(str(path)) for name, path in files.items()}


@dataclass
class Step:
    """What a run of the component works with."""

    folder: Path
    reference: str

    def artifact(self, kind: type[Artifact], name: str) -> Artifact:
        artifact = kind()
        artifact.uri = str(self.folder / name)
        return artifact

    def run(self, **rules: object) -> tuple[Path, Path]:
        """Returns the folders of the schema and of the decision."""
        inputs = {
            "statistics": standard_artifacts.ExampleStatistics,
            "anomalies": standard_artifacts.ExampleAnomalies,
            "summary": Summary,
            "schema": standard_artifacts.Schema,
        }
        outputs = {"approved_schema": standard_artifacts.Schema, "decision": Decision}
        properties = {
            "settings": DataGateSettings.from_values({**RULES, **rules}, source="test").model_dump_json(),
            "delivery": Delivery(name="span 8").model_dump_json(),
            "reference": self.reference,
            "requests": "",
            "code": "c0de",
        }
        artifacts = {name: [self.artifact(kind, name)] for name, kind in {**inputs, **outputs}.items()}
        channels = {name: channel for name, channel in artifacts.items() if name in inputs}
        executor = DataGate.EXECUTOR_SPEC.executor_class()  # type: ignore[attr-defined]
        executor.Do(channels, {name: artifacts[name] for name in outputs}, properties)
        return self.folder / "approved_schema", self.folder / "decision"


def lay_out(folder: Path, statistics: Statistics, reference: str = "") -> Step:
    for split in ("train", "eval", "test"):
        (folder / "statistics" / f"Split-{split}").mkdir(parents=True)
        (folder / "statistics" / f"Split-{split}" / "FeatureStats.pb").write_bytes(statistics.SerializeToString())
        (folder / "anomalies" / f"Split-{split}").mkdir(parents=True)
        (folder / "anomalies" / f"Split-{split}" / "SchemaDiff.pb").write_bytes(b"")
    for name, text in (("summary/summary.json", IngestSummary(users=300).to_json()), ("schema/schema.pbtxt", "x")):
        (folder / name).parent.mkdir()
        (folder / name).write_text(text)
    return Step(folder, reference)


def refer(step: Step) -> str:
    """A reference to the data of a step, as a later run gets it."""
    statistics, summary = str(step.folder / "statistics"), str(step.folder / "summary")
    digest = digest_reference(statistics, summary)
    return Reference(name="span 7", statistics=statistics, summary=summary, digest=digest).model_dump_json()


@pytest.fixture
def before(known: dict[str, Statistics], tmp_path: Path) -> Step:
    return lay_out(tmp_path / "before", known["before"])


def test_the_schema_goes_on_if_the_data_pass(known: dict[str, Statistics], before: Step, tmp_path: Path):
    schema, decision = lay_out(tmp_path / "now", known["same"], refer(before)).run()
    assert (schema / "schema.pbtxt").read_text() == "x"
    values = json.loads((decision / DECISION_FILE).read_text())
    assert values["passed"] is True
    judged = [check["subject"] for check in values["checks"] if check["rule"] == "drift"]
    assert judged == ["feature event_category", "feature event_price", "feature churn_short"]


def test_drift_stops_it_and_names_the_feature_and_no_schema_goes_on(
    known: dict[str, Statistics], before: Step, tmp_path: Path
):
    step = lay_out(tmp_path / "now", known["dear"], refer(before))
    with pytest.raises(DataRefusedError, match="drift: feature event_price, test split of span 8") as refused:
        step.run()
    assert [check.subject for check in refused.value.decision.checks if check.verdict == "broken"] == [
        "feature event_price"
    ]
    assert not (step.folder / "approved_schema").exists()
    assert json.loads((step.folder / "decision" / DECISION_FILE).read_text())["passed"] is False


def test_a_first_run_passes(known: dict[str, Statistics], tmp_path: Path):
    _, decision = lay_out(tmp_path, known["dear"]).run()
    assert "Compared with: no earlier run" in (decision / DECISION_FILE).read_text()


def test_changed_statistics_of_the_earlier_run_cannot_be_compared_with(
    known: dict[str, Statistics], before: Step, tmp_path: Path
):
    reference = refer(before)
    (before.folder / "statistics" / "Split-test" / "FeatureStats.pb").write_bytes(known["dear"].SerializeToString())
    with pytest.raises(DataRefusedError, match="could not be computed: expected the statistics of span 7 as they were"):
        lay_out(tmp_path / "now", known["same"], reference).run()


def test_damaged_statistics_refuse(known: dict[str, Statistics], tmp_path: Path):
    step = lay_out(tmp_path, known["same"])
    (tmp_path / "statistics" / "Split-eval" / "FeatureStats.pb").write_bytes(b"\xff\xff")
    with pytest.raises(DataRefusedError, match=r"could not be computed: expected statistics in .*Split-eval"):
        step.run()
    (tmp_path / "statistics" / "Split-eval" / "FeatureStats.pb").unlink()
    with pytest.raises(DataRefusedError, match=r"could not be computed: expected statistics in .*Split-eval"):
        step.run()


def test_anomalies_stop_it(known: dict[str, Statistics], tmp_path: Path):
    step = lay_out(tmp_path, known["same"])
    found = anomalies_pb2.Anomalies()
    found.anomaly_info["event_price"].description = "Examples contain values below 0"
    found.dataset_anomaly_info.description = "Too few examples"
    (tmp_path / "anomalies" / "Split-test" / "SchemaDiff.pb").write_bytes(found.SerializeToString())
    assert len(read_anomalies(str(tmp_path / "anomalies"), "test")) == 2
    with pytest.raises(DataRefusedError, match="feature event_price, test split: Examples contain values below 0"):
        step.run()


def test_logged_requests_are_compared(known: dict[str, Statistics], tmp_path: Path):
    step = lay_out(tmp_path, known["same"])
    (tmp_path / "requests").mkdir()
    write_examples(tmp_path / "requests" / "log.tfrecord", 5, first="tents")
    rules = {"logs": str(tmp_path / "requests"), "features": {"event_category": {"l_infinity": 0.1}}}
    with pytest.raises(DataRefusedError, match=r"serving: feature event_category.*(shoes|tents)"):
        step.run(serving=rules)
    write_examples(tmp_path / "requests" / "log.tfrecord", 6)
    step.run(serving=rules)


def test_a_missing_folder_of_requests_refuses(known: dict[str, Statistics], tmp_path: Path):
    with pytest.raises(DataRefusedError, match="expected a folder of logged requests"):
        lay_out(tmp_path, known["same"]).run(serving={"logs": str(tmp_path / "none")})


def test_statistics_become_distributions(known: dict[str, Statistics], tmp_path: Path):
    features = read_statistics(str(lay_out(tmp_path, known["before"]).folder / "statistics"), "train")
    assert set(features) == {"event_category", "event_price", "churn_short"}
    churn = features["churn_short"]
    assert churn.shares[MISSING] == pytest.approx(0.25)
    assert churn.shares["0"] + churn.shares["1"] == pytest.approx(0.75)
    assert churn.shares["1"] == pytest.approx(0.75 * 0.3, abs=0.06)
    category = features["event_category"]
    assert set(category.shares) == {"shoes", "socks", "lamps"}
    assert sum(category.shares.values()) == pytest.approx(1)
    price = features["event_price"].histogram
    assert price is not None
    assert price.mass.sum() == pytest.approx(1)
    assert price.below(np.array([10.0]), inclusive=True)[0] == pytest.approx(0.5, abs=0.05)


def test_uneven_users_count_for_fewer(known: dict[str, Statistics]):
    """One to nine values per user, evenly: E[n^2] / E[n]^2 = (95 / 3) / 25 = 1.27."""
    features = to_features(known["before"])
    assert features["churn_short"].size == pytest.approx(300, rel=0.01)
    assert features["event_category"].size == pytest.approx(300 / 1.27, rel=0.1)


def test_only_the_most_frequent_values_are_listed(tmp_path: Path):
    with tf.io.TFRecordWriter(str(tmp_path / "x.tfrecord")) as writer:
        for user in range(1500):
            values = {"user": [f"user-{user}"], "event_item": [f"item-{user}", "tea"]}
            writer.write(encode_example(values))
    item = to_features(tfdv.generate_statistics_from_tfrecord(str(tmp_path / "x.tfrecord")))["event_item"]
    assert item.shares["tea"] == pytest.approx(0.5)
    assert len(item.shares) == 1000
    assert item.rest == pytest.approx(501 / 3000)
    assert item.largest_rest == pytest.approx(1 / 3000)
    pair = align(item, item)
    assert pair.before.tolist() == pair.now.tolist()

"""From one log to the next: export, push, choice of the base, and a training that starts from it."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from synthetic_examples import DAY_SECONDS, make_example, write_records
from tfx.components.trainer.fn_args_utils import FnArgs
from tfx.types import standard_artifacts
from tfx.utils import path_utils
from transform_runner import transform_examples

from components.base_model import BaseModel
from components.trainer import run_fn
from interest_migration.errors import DataError
from interest_migration.model.manifest import MANIFEST_FILE, read_manifest
from interest_migration.model.variables import ROWS
from interest_migration.serving.versions import push_version
from interest_migration.training.base import Base, ColdStart, read_base
from interest_migration.transform.vocabularies import CATEGORIES, ITEMS
from schemas.features import CATEGORY_IDS, CUT_TIME, ITEM_IDS
from schemas.signatures import SERVE

CONFIG = {
    "model": {"width": 8, "layers": 1, "feedforward_width": 8, "max_steps": 8, "loss_steps": 4},
    "transform": {"items": {"min_count": 1}, "parents": {"min_count": 1}, "brands": {"min_count": 1}},
}
TRAINING = {"epochs": 1, "batch_size": 32, "learning_rate": 0.01}
CUT_S = 1_500_000_000
EVAL_CUT_S = CUT_S + 28 * DAY_SECONDS


class Log:
    """A log that went through the transform, and trainings on it."""

    def __init__(self, folder, name, seed, categories):
        self.folder, self.name = folder / name, name
        rng, raw = np.random.default_rng(seed), {}
        for split, count, cut_s in (("train", 96, CUT_S), ("eval", 24, EVAL_CUT_S)):
            made = [make_example(rng, categories=categories) | {CUT_TIME: [cut_s]} for _ in range(count)]
            raw[split] = [write_records(self.folder / f"Split-{split}" / "data.gz", made)]
        self.raw = raw
        self.graph, _ = transform_examples(self.folder, raw, CONFIG)

    def train(self, target, base=None, **training):
        """Trains into a folder; returns the export and the record."""
        arguments = FnArgs(
            train_files=[str(self.folder / "transformed" / "Split-train" / "*")],
            eval_files=[str(self.folder / "transformed" / "Split-eval" / "*")],
            transform_graph_path=self.graph,
            serving_model_dir=str(target / "Format-Serving"),
            model_run_dir=str(target / "logs"),
            base_model=base and str(base),
            custom_config=CONFIG | {"training": TRAINING | training, "origin": {"data": self.name, "key_id": "k"}},
        )
        run_fn(arguments)
        return Path(arguments.serving_model_dir), json.loads((target / "logs" / "training.json").read_text())


def choose_base(served, target, data):
    model = standard_artifacts.Model()
    model.uri = str(target)
    parameters = {"directory": str(served), "data": data, "run_token": ""}
    BaseModel(**parameters).executor_spec.executor_class().Do({}, {"model": [model]}, parameters)
    return Path(path_utils.serving_model_path(model.uri))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("warm")


@pytest.fixture(scope="module")
def first(folder):
    return Log(folder, "first", seed=1, categories=6)


@pytest.fixture(scope="module")
def export(folder, first):
    return first.train(folder / "cold")[0]


@pytest.fixture(scope="module")
def base(folder, export):
    push_version(export, folder / "served", keep=2)
    return choose_base(folder / "served", folder / "base", "second")


def answers(export, log):
    requests = tf.stack(list(tf.data.TFRecordDataset(log.raw["eval"], compression_type="GZIP")))
    return {n: v.numpy() for n, v in tf.saved_model.load(str(export)).signatures[SERVE](examples=requests).items()}


def test_an_export_tells_where_it_comes_from(export):
    path = export / MANIFEST_FILE
    provenance = read_manifest(path.read_text(), str(path)).provenance
    told = {"data": "first", "base": "", "labels_end_s": EVAL_CUT_S, "held_out": "", "language": ""}
    assert provenance.model_dump() == told
    names = {"warm_start.json", "serving.json", "files.json", "tf_serving_warmup_requests"}
    assert {file.name for file in (export / "assets.extra").iterdir()} == names
    assert path.stat().st_size < 10_000


def test_the_same_training_gives_the_same_manifest_and_weights(tmp_path, first, export):
    again, record = first.train(tmp_path, "a base that is not read", warm_start=False)
    assert record["start"]["note"] == "training.warm_start is off"
    assert (again / MANIFEST_FILE).read_bytes() == (export / MANIFEST_FILE).read_bytes()
    before, after = read_base(str(export)), read_base(str(again))
    assert before.weights.keys() == after.weights.keys()
    for name, value in before.weights.items():
        np.testing.assert_array_equal(after.weights[name], value, err_msg=name)


def test_weights_and_values_of_an_export_are_read_by_name(export):
    read = read_base(str(export))
    with_texts = {name for name in ROWS if name.startswith("neighbours/")}
    assert set(read.weights) >= {*ROWS, "activity/kernel", "fusion/1/kernel"} - with_texts
    assert sorted(read.vocabularies[CATEGORIES].to_pylist()) == [f"category-{n}".encode() for n in range(6)]
    assert read.weights["next_category/bias"].shape == (6,)


def test_without_a_step_the_answers_stay_the_same(tmp_path, first, export, base):
    warm, record = first.train(tmp_path, base, warm_start=True, warm_epochs=0)
    assert record["start"]["warm"] is True
    assert record["start"]["base"].startswith("1-")
    assert record["start"]["values"][CATEGORIES] == {"kept": 6, "new": 0, "dropped": 0}
    assert (record["epochs"], record["best_epoch"]) == (0, -1)
    assert record["best_validation"] == record["start"]["validation"]
    before, after = answers(export, first), answers(warm, first)
    for name, value in before.items():
        np.testing.assert_array_equal(after[name], value, err_msg=name)
    assert read_base(str(warm)).manifest.provenance.base == record["start"]["base"]


def test_a_base_that_does_not_fit_is_remembered(tmp_path, first, base):
    shutil.copytree(base, tmp_path / "base")
    path = tmp_path / "base" / MANIFEST_FILE
    path.write_text(json.dumps(json.loads(path.read_text()) | {"aggregates": ["something", "else"]}))
    export, record = first.train(tmp_path, tmp_path / "base", warm_start=True, warm_epochs=0)
    assert record["start"]["note"].endswith("reads other aggregates")
    assert record["epochs"] == 1
    assert read_base(str(export)).manifest.provenance.base == read_base(str(base)).name


def test_another_log_keeps_what_both_have(tmp_path, folder, export, base):
    second = Log(folder, "second", seed=2, categories=8)
    warm, record = second.train(tmp_path, base, warm_start=True, warm_epochs=0)
    before, after = read_base(str(export)), read_base(str(warm))
    for vocabulary, feature in ((CATEGORIES, CATEGORY_IDS), (ITEMS, ITEM_IDS)):
        name = f"trajectory/events/{feature}/embeddings"
        old, new = before.vocabularies[vocabulary].to_pylist(), after.vocabularies[vocabulary].to_pylist()
        kept = [value for value in new if value in old]
        counts = {"kept": len(kept), "new": len(new) - len(kept), "dropped": len(old) - len(kept)}
        assert record["start"]["values"][vocabulary] == counts
        rows = [1 + new.index(value) for value in kept]
        expected = before.weights[name][[1 + old.index(value) for value in kept]]
        np.testing.assert_array_equal(after.weights[name][rows], expected)
    assert record["start"]["values"][CATEGORIES] == {"kept": 6, "new": 2, "dropped": 0}
    assert np.isfinite(answers(warm, second)["next_category_probability"]).all()


def test_a_model_without_a_manifest_is_no_base(tmp_path, base):
    shutil.copytree(base, tmp_path / "base")
    (tmp_path / "base" / MANIFEST_FILE).unlink()
    cold = read_base(str(tmp_path / "base"))
    assert isinstance(cold, ColdStart)
    assert cold.note.endswith(f"was exported without {MANIFEST_FILE}")
    assert cold.name == read_base(str(base)).name  # so that the next run on this log chooses it again
    (tmp_path / "base" / "base.json").unlink()
    assert read_base(str(tmp_path / "base")) == ColdStart(f"base was exported without {MANIFEST_FILE}", "base")


def test_a_manifest_of_another_format_is_no_base(tmp_path, base):
    shutil.copytree(base, tmp_path / "base")
    (tmp_path / "base" / MANIFEST_FILE).write_text('{"format": 2}')
    assert "has a format that this code does not read" in read_base(str(tmp_path / "base")).note


def flip_bytes(path):
    content = bytearray(path.read_bytes())
    for place in range(0, len(content), 1_000):  # variables that are not trained are not read
        content[place] ^= 1
    path.write_bytes(content)


def cut_in_half(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def take_items_for_categories(path):
    text = path.read_text()
    path.write_text(text.replace("next_category/bias", "nothing").replace("next_item/bias", "next_category/bias"))


@pytest.mark.parametrize(
    ("name", "damage", "message"),
    [
        ("variables/variables.data-00000-of-00001", flip_bytes, "expected the weights of a model in"),
        ("variables/variables.data-00000-of-00001", Path.unlink, "expected the weights of a model in"),
        ("variables/variables.index", Path.unlink, "expected the weights of a model in"),
        ("assets/categories", flip_bytes, "expected the vocabulary with SHA-256"),
        ("assets/items", Path.unlink, "expected a file of an exported model"),
        (MANIFEST_FILE, cut_in_half, "received a damaged one"),
        (MANIFEST_FILE, take_items_for_categories, "expected 6 rows in next_category/bias"),
    ],
)
def test_a_damaged_model_is_refused(tmp_path, base, name, damage, message):
    shutil.copytree(base, tmp_path / "base")
    assert isinstance(read_base(str(tmp_path / "base")), Base)
    damage(tmp_path / "base" / name)
    with pytest.raises(DataError, match=message):
        read_base(str(tmp_path / "base"))

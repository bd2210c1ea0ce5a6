"""Scores of whole shards: what a client would get, once, and without what cannot be read."""

import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import tensorflow as tf

from components.scoring import score_shards
from interest_migration.errors import DataError
from interest_migration.serving.scoring import ScoreCounts, Scorer, plan_shards
from interest_migration.storage.tfrecords import write_tfrecords
from schemas.signatures import CHURN_PROBABILITY, NEXT_CATEGORY, SERVE

BEAM = ["--runner=FnApiRunner", "--direct_num_workers=1"]


@pytest.fixture(scope="module")
def shards_folder(exported_run, tmp_path_factory):
    """Two shards; the second holds two records that are no examples."""
    folder = tmp_path_factory.mktemp("examples")
    records = [record.numpy() for record in exported_run["test"]]
    write_tfrecords(folder / "data-00000-of-00002.gz", records[:20])
    mixed = [b"nonsense", *records[20:25], tf.train.Example().SerializeToString()]
    write_tfrecords(folder / "data-00001-of-00002.gz", mixed)
    return folder


def test_scores_are_answers_and_bad_records_are_set_aside(exported_run, shards_folder, tmp_path):
    model, output = Path(exported_run["arguments"].serving_model_dir), tmp_path / "scores"
    counts = score_shards(model, plan_shards(shards_folder.glob("*.gz"), output), output, BEAM)
    assert counts == ScoreCounts(shards=2, skipped=0, examples=25, rejected=2)
    table = pq.read_table(output / "data-00000-of-00002.parquet")
    served = exported_run["model"].signatures[SERVE](examples=exported_run["test"][:20])
    np.testing.assert_allclose(table[CHURN_PROBABILITY["short"]], served[CHURN_PROBABILITY["short"]], atol=1e-6)
    assert table[NEXT_CATEGORY].to_pylist()[3] == [name.decode() for name in served[NEXT_CATEGORY].numpy()[3]]
    assert table["user"].to_pylist()[0].startswith("user-")
    rejects = pq.read_table(output / "rejects" / "data-00001-of-00002.parquet").to_pylist()
    assert [row["record"] for row in rejects] == [0, 6]
    assert all(row["reason"] for row in rejects)
    again = score_shards(model, plan_shards(shards_folder.glob("*.gz"), output), output, BEAM)
    assert again == ScoreCounts(shards=0, skipped=2, examples=25, rejected=2)


def test_a_shard_is_scored_again_if_it_or_the_model_changed(exported_run, shards_folder, tmp_path):
    source = Path(shutil.copytree(shards_folder, tmp_path / "examples"))
    scorer = Scorer(Path(exported_run["arguments"].serving_model_dir))
    first, second = plan_shards(source.glob("*.gz"), tmp_path / "scores")
    assert [scorer.score_shard(shard).skipped for shard in (first, second)] == [0, 0]
    shutil.copy(first.source, second.source)
    assert scorer.score_shard(second) == ScoreCounts(shards=1, examples=20)
    assert not Path(second.rejects).exists()
    Path(first.target).write_bytes(Path(first.target).read_bytes()[:100])
    assert scorer.score_shard(first) == ScoreCounts(shards=1, examples=20)


def test_a_truncated_shard_is_told_and_leaves_no_scores(exported_run, shards_folder, tmp_path):
    source = tmp_path / "data.gz"
    source.write_bytes((shards_folder / "data-00000-of-00002.gz").read_bytes()[:-200])
    (shard,) = plan_shards([source], tmp_path / "scores")
    with pytest.raises(DataError, match=r"whole gzip TFRecord file .*data\.gz"):
        Scorer(Path(exported_run["arguments"].serving_model_dir)).score_shard(shard)
    assert not list((tmp_path / "scores").rglob("*"))


def test_files_are_needed():
    with pytest.raises(DataError, match="found none"):
        plan_shards([], Path("scores"))

"""Ingestion as on a cluster: job service and two workers in processes of their own, events in the shuffle."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import apache_beam as beam
import pandas as pd
import pytest
import tensorflow as tf
from apache_beam.options.pipeline_options import PipelineOptions
from small_shop import MAPPING
from synthetic_log import write_log

from benchmarks.rehearsal import rehearsing
from components.ingestion import NO_BOUNDS, SPLITS, Plan, run_ingestion
from interest_migration.examples.settings import ExampleSettings
from interest_migration.ingestion.summary import IngestSummary
from interest_migration.sources.mapping import SourceMapping
from pipeline.beam_settings import FlinkBeam, LocalBeam, beam_pipeline_args

FILES = 3


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    folder = tmp_path_factory.mktemp("log")
    for number in range(FILES):
        write_log(folder / f"log-{number}.csv", users=40, seed=number)
        with (folder / f"log-{number}.csv").open("a") as log:
            log.write("customer-00001,x,shoes,dance,1672531200,1\n")
    streams = [{**MAPPING["streams"][0], "files": "log-*.csv"}]  # type: ignore[index, dict-item]
    return Plan(
        mapping=SourceMapping.from_values({**MAPPING, "streams": streams}, source="test").model_dump_json(),
        settings=ExampleSettings(active_days=42, eval_cuts=1, test_cuts=1).model_dump_json(),
        input_root=str(folder),
        key=b"k" * 32,
        shards=4,
        examples="",
        rejects="",
        count_users=True,
    )


def run(plan: Plan, output: Path, args: tuple[str, ...], spill: str = "") -> IngestSummary:
    places = {"examples": str(output / "examples"), "rejects": str(output / "rejects"), "spill": spill}
    return run_ingestion(beam.Pipeline(options=PipelineOptions(list(args))), replace(plan, **places), NO_BOUNDS)


def read_examples(output: Path) -> dict[str, list[Any]]:
    """File -> its examples in order; the encoder's order of features in an example varies."""
    return {
        str(path.relative_to(output)): [
            tf.train.Example.FromString(record).SerializeToString(deterministic=True)
            for record in tf.data.TFRecordDataset(str(path), "GZIP").as_numpy_iterator()
        ]
        for split in SPLITS
        for path in sorted((output / "examples" / f"Split-{split}").iterdir())
    }


def read_tables(folder: Path) -> dict[str, pd.DataFrame]:
    return {str(path.relative_to(folder)): pd.read_parquet(path) for path in folder.rglob("*.parquet")}


def test_a_cluster_writes_what_one_process_writes(plan: Plan, tmp_path: Path) -> None:
    alone, cluster = tmp_path / "alone", tmp_path / "cluster"
    expected = run(plan, alone, beam_pipeline_args(LocalBeam()), spill=str(tmp_path / "spill"))
    with rehearsing(tmp_path / "logs", workers=2) as rehearsal:
        summary = run(plan, cluster, beam_pipeline_args(FlinkBeam.model_validate(rehearsal.section())))
    assert summary == expected
    assert summary.rejected == {"unknown_action": FILES}
    examples, written = read_examples(alone), read_examples(cluster)
    assert written == examples
    assert len(examples) == len(SPLITS) * plan.shards
    assert sum(map(len, examples.values())) == sum(summary.examples.values()) > 300
    tables, others = read_tables(alone), read_tables(cluster)
    assert tables.keys() == others.keys()
    for name, table in tables.items():
        pd.testing.assert_frame_equal(table, others[name], obj=name)
    started = (tmp_path / "logs" / "worker-pool.log").read_text().count("Starting worker with command")
    assert started == 2

"""Two thousand files as bad as they come: no traceback, no row lost, and clear errors."""

import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pyarrow as pa
import pytest
from dirty_files import FIELDS, DirtyFile, make_csv, make_jsonl, make_parquet
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from interest_migration.errors import DataError
from interest_migration.examples.settings import ExampleSettings
from interest_migration.examples.shard import prepare_shard
from interest_migration.ingestion.balance import PieceBalance
from interest_migration.ingestion.dead_letters import Sources
from interest_migration.privacy.pseudonyms import Pseudonymiser
from interest_migration.sources import csv_files, files, jsonl_files, parquet_files, raw
from interest_migration.sources.files import plan_pieces
from interest_migration.sources.line_ranges import split_lines
from interest_migration.sources.mapping import SourceMapping
from interest_migration.sources.reading import read_events

CHECKS = [
    HealthCheck.function_scoped_fixture,
    HealthCheck.too_slow,
    HealthCheck.data_too_large,
    HealthCheck.large_base_example,
]
MAPPINGS = {
    ",": SourceMapping.from_values({"name": "m", "streams": [{"name": "s", "fields": FIELDS}]}, source="test"),
    "\t": SourceMapping.from_values(
        {"name": "m", "streams": [{"name": "s", "csv": {"delimiter": "\t"}, "fields": FIELDS}]}, source="test"
    ),
}
SEEDS = st.integers(0, 2**63)
PSEUDONYMISER = Pseudonymiser(bytes(32))


def corpus(files: int):  # type: ignore[no-untyped-def]
    return settings(max_examples=files, deadline=None, derandomize=True, database=None, suppress_health_check=CHECKS)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where files are written; they are read in blocks, batches and parts that even small files have many of."""
    monkeypatch.setattr(csv_files, "BLOCK_BYTES", 4096)
    monkeypatch.setattr(jsonl_files, "BLOCK_BYTES", 1024)
    monkeypatch.setattr(raw, "MAX_BATCH_ROWS", 16)
    monkeypatch.setattr(parquet_files, "MAX_BATCH_ROWS", 16)
    monkeypatch.setattr(files, "PIECE_ROWS", 7)
    monkeypatch.setattr(files, "split_lines", partial(split_lines, range_bytes=300))
    yield tmp_path
    shutil.rmtree(tmp_path)


def read(folder: Path, file: DirtyFile) -> tuple[list[pa.RecordBatch], list[int]]:
    """Events, and the positions of all rows."""
    path = folder / file.name
    path.write_bytes(file.data)
    mapping = MAPPINGS["\t" if ".tsv" in file.name else ","]
    events, positions = [], []
    pieces = plan_pieces(mapping, str(path))
    rows = Sources.of(pieces, str(folder)).rows
    for index, piece in enumerate(pieces):
        balance = PieceBalance(piece, rows[index])
        for good, bad in read_events(piece, index, mapping, PSEUDONYMISER):
            good.validate(full=True)
            bad.validate(full=True)
            balance.add(good, bad)
            events.append(good)
            positions += [*good["source_row"].to_pylist(), *bad["source_row"].to_pylist()]
        balance.check()
    return events, positions


def faults(file: DirtyFile, positions: list[int], refusal: str) -> list[str]:
    """What is wrong with the way a file was read, or refused with a message."""
    if refusal:
        found = {
            "refused though it is sound": file.refused is False and bool(file.rows),
            "a message that does not name the file": file.name not in refusal,
            "a message that does not say what was expected": "expected" not in refusal,
        }
    else:
        found = {
            "a row lost or doubled in the middle": sorted(positions) != list(range(len(positions))),
            f"fewer than the {file.at_least} rows before the damage": len(positions) < file.at_least,
            f"not its {file.rows} rows": file.rows is not None and len(positions) != file.rows,
            "accepted though it must be refused": bool(file.refused),
        }
    return [fault for fault, is_so in found.items() if is_so]


def read_or_refuse(folder: Path, file: DirtyFile) -> tuple[list[pa.RecordBatch], list[int], str]:
    """Events, positions of all rows, and the message if the file was refused."""
    try:
        return *read(folder, file), ""
    except DataError as error:
        return [], [], str(error)


@corpus(800)
@given(SEEDS.map(make_csv))
def test_csv_and_tsv(folder: Path, file: DirtyFile) -> None:
    _, positions, refusal = read_or_refuse(folder, file)
    assert faults(file, positions, refusal) == []


@corpus(700)
@given(SEEDS.map(make_jsonl))
def test_jsonl(folder: Path, file: DirtyFile) -> None:
    _, positions, refusal = read_or_refuse(folder, file)
    assert faults(file, positions, refusal) == []


@corpus(600)
@given(SEEDS.map(make_parquet))
def test_parquet(folder: Path, file: DirtyFile) -> None:
    _, positions, refusal = read_or_refuse(folder, file)
    assert faults(file, positions, refusal) == []


@corpus(200)
@given(st.one_of(SEEDS.map(make_csv), SEEDS.map(make_jsonl), SEEDS.map(make_parquet)))
def test_examples_of_what_is_left(folder: Path, file: DirtyFile) -> None:
    events, _, _ = read_or_refuse(folder, file)
    shard, rejects = prepare_shard(events, ExampleSettings(max_events_per_user=20))
    assert len(shard.time_s) + rejects.num_rows == sum(map(len, events))

"""Ingestion on Beam: dead letters, balance, and steps that are run again."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from apache_beam.pvalue import TaggedOutput
from small_shop import MAPPING
from synthetic_log import write_log

from components import ingestion
from components.ingestion import HIDDEN_SUMMARY_FILE, Plan, ingest
from interest_migration.errors import DataError, RefusedError
from interest_migration.examples.settings import ExampleSettings
from interest_migration.ingestion.bounds import RejectBounds
from interest_migration.ingestion.dead_letters import Sources
from interest_migration.sources.files import plan_pieces
from interest_migration.sources.mapping import SourceMapping
from schemas.events import DEAD_LETTER_SCHEMA

TABLES = {
    "items": {"files": "items.csv", "id": "sku", "brand": "maker"},
    "users": {"files": "users.csv", "id": "user", "attributes": ["age"]},
}
SOURCE = SourceMapping.from_values({**MAPPING, **TABLES}, source="test")
SETTINGS = ExampleSettings(active_days=42, eval_cuts=1, test_cuts=1)
DIRT = {
    "unknown_action": "customer-00001,x,shoes,dance,1672531200,1",
    "bad_time": "customer-00001,x,shoes,buy,never,1",
    "missing_user": ",x,shoes,buy,1672531200,1",
    "number_out_of_range": "customer-00001,x,shoes,buy,1672531200,1e30",
    "broken_row": "customer-00001,x,shoes",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    data = tmp_path / "data"
    data.mkdir()
    write_log(data / "log.csv")
    with (data / "log.csv").open("a") as log:
        log.write("".join(f"{line}\n" for line in DIRT.values()))
    (data / "items.csv").write_text("sku,maker\nx,Acme\n,Acme\nx,Own\nbroken\n")
    (data / "users.csv").write_text("user,age\ncustomer-00001,30\n")
    return data


def run(folder: Path, **bounds: Any) -> Any:
    arguments = (SOURCE, str(folder), folder.parent / "out", SETTINGS, bytes(32), 2, ["--runner=FnApiRunner"])
    return ingest(*arguments, RejectBounds(**bounds))


def test_every_row_is_used_or_a_dead_letter(folder: Path) -> None:
    summary = run(folder)
    rows = len((folder / "log.csv").read_text().splitlines()) - 1
    assert summary.rows_read == rows == summary.rows_used + sum(summary.rejected.values())
    letters = pd.read_parquet(folder.parent / "out" / "rejects")
    assert list(letters.columns) == DEAD_LETTER_SCHEMA.names
    assert letters["reason"].value_counts().to_dict() == summary.rejected
    assert {reason: summary.rejected[reason] for reason in DIRT} == dict.fromkeys(DIRT, 1)
    assert set(letters["stream"]) == {"log"}
    assert set(letters["source_file"]) == {"log.csv"}
    found = letters[letters["reason"].isin(DIRT)].sort_values("source_row")
    assert found["source_row"].tolist() == list(range(rows - len(DIRT), rows))
    assert found["reason"].tolist() == list(DIRT)
    assert "customer-" not in letters.to_csv()
    assert summary.tables["items"].left_out == 3
    assert summary.tables["users"].rows_used == 1


def test_too_many_bad_rows_are_refused_and_the_dead_letters_stay(folder: Path) -> None:
    with pytest.raises(RefusedError, match=r"data refused: .*bad_time.*\nThe rows set aside: .*/out/rejects"):
        run(folder, max_share=0)
    assert set(DIRT) <= set(pd.read_parquet(folder.parent / "out" / "rejects")["reason"])


def test_a_row_that_the_shuffle_loses_fails_the_run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = ingestion.partition_by_user
    monkeypatch.setattr(ingestion, "partition_by_user", lambda events, shards: whole(events.slice(1), shards))
    with pytest.raises(DataError, match="rows do not balance: read"):
        run(folder)


def test_a_step_that_is_run_again_changes_nothing(folder: Path) -> None:
    out = folder.parent / "again"
    out.mkdir()
    plan = Plan(
        mapping=SOURCE.model_dump_json(),
        settings=SETTINGS.model_dump_json(),
        input_root=str(folder),
        key=bytes(32),
        shards=2,
        examples=str(out / "examples"),
        rejects=str(out / "rejects"),
        spill=str(out / "spill"),
    )
    pieces = plan_pieces(SOURCE, str(folder))
    step = ingestion._ReadPiece(plan, Sources.of(pieces, str(folder)))
    step.setup()
    abandoned = step.process((0, pieces[0]))
    assert next(abandoned) is not None
    abandoned.close()
    assert list(out.glob("rejects/*")) == []
    outputs = [list(step.process((0, pieces[0]))) for _ in range(2)]
    counts = [[part.value for part in output if isinstance(part, TaggedOutput)] for output in outputs]
    assert counts[0] == counts[1]
    assert [path.name for path in (out / "rejects").iterdir()] == ["piece-00000.parquet"]
    assert len(list((out / "spill").iterdir())) == 1


def test_a_log_without_a_bad_row_leaves_an_empty_dataset(folder: Path) -> None:
    lines = (folder / "log.csv").read_text().splitlines(keepends=True)
    distinct = dict.fromkeys(lines[: -len(DIRT)])
    (folder / "log.csv").write_text("".join(distinct))
    assert run(folder, max_share=0).rejected == {}
    rejects = folder.parent / "out" / "rejects"
    assert len(pd.read_parquet(rejects)) == 0
    assert sorted(path.name for path in rejects.iterdir()) == [HIDDEN_SUMMARY_FILE, "none.parquet"]


def test_optional_joins_and_versions_of_items_are_counted_where_they_are(folder: Path) -> None:
    (folder / "items.csv").write_text("sku,maker,since\nx,Acme,2023-01-01\nx,Own,2023-02-01\n,Own,2023-02-01\n")
    (folder / "names.csv").write_text("category,name\nshoes,Shoes\nshoes,Shoe\n")
    joins = [
        {"files": "absent.csv", "optional": True, "column": "category", "columns": ["colour"]},
        {"files": "names.csv", "column": "category", "columns": ["name"]},
    ]
    streams = [{**MAPPING["streams"][0], "joins": joins}]
    tables = {**TABLES, "items": {**TABLES["items"], "valid_from": "since"}}
    source = SourceMapping.from_values({"name": "shop", "streams": streams, **tables}, source="test")
    arguments = (str(folder), folder.parent / "out", SETTINGS, bytes(32), 2, ["--runner=FnApiRunner"])
    counts = {name: (table.rows_used, table.left_out) for name, table in ingest(source, *arguments).tables.items()}
    assert counts == {"items": (2, 1), "log, join 1": (1, 1), "users": (1, 0)}

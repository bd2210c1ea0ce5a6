"""The script that splits a log into dated partitions."""

import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml

from interest_migration.privacy.pseudonyms import Pseudonymiser
from interest_migration.sources.files import plan_pieces
from interest_migration.sources.mapping import SourceMapping
from interest_migration.sources.partition_settings import PartitionSettings
from interest_migration.sources.partitions import list_partitions
from interest_migration.sources.reading import read_events
from scripts.partition_log import main

DAY_S, FIRST_S = 86_400, 1_704_067_200
MAPPING = {
    "name": "shop",
    "not_before": "2024-01-01",
    "streams": [
        {
            "name": "orders",
            "files": "orders.csv",
            "fields": {
                "user": "user",
                "time": {"column": "ts", "format": "unix_s"},
                "action": {"constant": "purchase"},
                "item": "item",
                "price": "price",
            },
        },
        {
            "name": "mails",
            "files": "mails.csv",
            "joins": [{"files": "campaigns.csv", "column": "campaign", "columns": ["sent"]}],
            "fields": {
                "user": "user",
                "time": {"column": "sent", "format": "unix_s"},
                "action": {"constant": "message"},
            },
        },
    ],
    "items": {"files": "items.csv", "id": "item", "brand": "brand"},
}
FILES = {
    "orders.csv": [
        "user,ts,item,price",
        *(f"anna,{FIRST_S + n * DAY_S},tea,{n}.5" for n in range(20)),
        "anna,never,x,1",
    ],
    "mails.csv": ["user,campaign", "anna,a", "boris,b"],
    "campaigns.csv": ["campaign,sent", f"a,{FIRST_S}", f"b,{FIRST_S + 8 * DAY_S}"],
    "items.csv": ["item,brand", "tea,leaf"],
}


@pytest.fixture
def split(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Runs the script with further options; returns the folder it wrote."""
    (tmp_path / "log").mkdir()
    for name, lines in FILES.items():
        (tmp_path / "log" / name).write_text("\n".join(lines) + "\n")
    (tmp_path / "mapping.yaml").write_text(yaml.safe_dump(MAPPING))

    def run(*options: str) -> Path:
        places = {"mapping": "mapping.yaml", "input": "log", "output": "out"}
        named = [text for name, place in places.items() for text in (f"--{name}", str(tmp_path / place))]
        monkeypatch.setattr(sys, "argv", ["partition_log", *named, "--days", "7", *options])
        main()
        return tmp_path / "out"

    return run


def read(root: Path, settings: PartitionSettings | None = None) -> list[tuple[str, int, float | None]]:
    mapping = SourceMapping.from_values(MAPPING, source="test")
    selection = settings and settings.select(part.span for part in list_partitions(str(root), settings))
    found, set_aside = [], 0
    for number, piece in enumerate(plan_pieces(mapping, str(root), selection)):
        for events, rejects in read_events(piece, number, mapping, Pseudonymiser(b"k" * 32)):
            rows = events.to_pylist()
            found += [(row["action"], row["time_s"], row.get("price")) for row in rows]
            set_aside += rejects.num_rows
    assert set_aside == 1
    return sorted(found)


def test_the_same_mapping_reads_the_same_events_from_the_partitions(split, tmp_path: Path):
    settings = PartitionSettings(pattern="*/{YYYY}-{MM}-{DD}", days=7, tolerance_hours=0, max_late_days=0)
    assert read(split(), settings) == read(tmp_path / "log")


def test_partitions_have_the_days_that_their_names_say(split):
    out = split()
    folders = sorted(path.relative_to(out).as_posix() for path in out.rglob("*-*-*"))
    assert [name for name in folders if name.startswith("orders") and "part" not in name] == [
        "orders.csv/2024-01-01",
        "orders.csv/2024-01-08",
        "orders.csv/2024-01-15",
    ]
    assert (out / "mails.csv" / "2024-01-08" / "part-0.parquet").exists()
    assert (out / "items.csv").read_text() == "item,brand\ntea,leaf\n"
    assert (out / "campaigns.csv").exists()


def test_rows_can_be_left_out_from_a_day_on(split):
    out = split("--until", "2024-01-15")
    tables = [pq.read_table(path) for path in sorted(out.glob("orders.csv/*/*.parquet"))]
    assert [table.num_rows for table in tables] == [8, 7]


def test_a_drift_can_be_put_in(split):
    out = split("--scale", "price=10", "--scale-from", "2024-01-15")
    first, second, third = (pq.read_table(path)["price"] for path in sorted(out.glob("orders.csv/*/*.parquet")))
    assert first.to_pylist()[0] == "0.5"
    assert second.to_pylist()[0] == "7.5"
    assert third.to_pylist()[0] == 145.0

"""The mappings of public data sets, each on a small folder in the layout, and with the dirt, of the original."""

import gzip
import shutil
import zipfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from interest_migration.errors import DataError
from interest_migration.privacy.pseudonyms import Pseudonymiser
from interest_migration.sources.files import absent_files, plan_pieces
from interest_migration.sources.mapping import SourceMapping
from interest_migration.sources.reading import read_events
from interest_migration.sources.tables import load_items, load_users
from schemas.events import EVENT_SCHEMA

CONFIGS = Path(__file__).parents[3] / "configs" / "sources"
FIXTURES = Path(__file__).parent / "fixtures"


@dataclass(frozen=True)
class Found:
    """What ingestion sees of a folder: events with their items' columns, and reasons with their counts."""

    events: list[dict[str, Any]]
    reasons: dict[str, int]

    def values(self, *names: str) -> list[tuple[Any, ...]]:
        """Values of some columns, a tuple each event."""
        return [tuple(event.get(name) for name in names) for event in self.events]


@pytest.fixture
def ingest(pseudonymiser: Pseudonymiser) -> Callable[..., Found]:
    """Reads a folder or file with a shipped mapping and joins its items."""

    def read(name: str, root: Path) -> Found:
        mapping = SourceMapping.from_yaml(CONFIGS / f"{name}.yaml")
        items = load_items(mapping, str(root))
        events: list[dict[str, Any]] = []
        reasons: Counter[str] = Counter()
        for index, piece in enumerate(plan_pieces(mapping, str(root))):
            for good, bad in read_events(piece, index, mapping, pseudonymiser):
                table = pa.Table.from_batches([good])
                rows = (items.join(table) if items else table).to_pylist()
                events += [{name: row[name] for name in EVENT_SCHEMA.names if name in row} for row in rows]
                reasons.update(bad["reason"].to_pylist())
        return Found(events, dict(reasons))

    return read


Ingest = Callable[[str, Path], Found]


def _count_lines(path: Path) -> int:
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return len(data.splitlines())


def test_rees46(ingest: Ingest) -> None:
    found = ingest("rees46", FIXTURES / "rees46")
    assert found.values("time_s", "action", "item", "category_path", "brand", "price") == [
        (1572566400, "view", "1003461", "electronics > smartphone", "xiaomi", 489.07),
        (1569888000, "view", "44600062", "2103807459595387724", "shiseido", 35.79),
        (1569888000, "view", "3900821", "appliances > environment > water_heater", "aqua", 33.2),
        (1569888001, "view", "17200506", "furniture > living_room > sofa", None, 543.1),
        (1569888004, "cart", "1004237", "electronics > smartphone", "apple", 1081.98),
        (1569888009, "purchase", "1004237", "electronics > smartphone", "apple", 1081.98),
    ]
    assert [event["session"] is None for event in found.events] == [False] * 5 + [True]
    assert found.reasons == {
        "ignored_action": 1,
        "missing_user": 1,
        "unknown_action": 1,
        "bad_time": 1,
        "bad_number": 1,
        "broken_row": 1,
    }
    rows = _count_lines(FIXTURES / "rees46/2019-Oct.csv") + _count_lines(FIXTURES / "rees46/2019-Nov.csv.gz") - 2
    assert len(found.events) + sum(found.reasons.values()) == rows


def test_rees46_reads_one_compressed_file_and_no_file_twice(ingest: Ingest, tmp_path: Path) -> None:
    alone = ingest("rees46", FIXTURES / "rees46" / "2019-Nov.csv.gz")
    assert alone.values("item") == [("1003461",)]
    shutil.copytree(FIXTURES / "rees46", tmp_path, dirs_exist_ok=True)
    (tmp_path / "2019-Nov.csv").write_bytes(gzip.decompress((tmp_path / "2019-Nov.csv.gz").read_bytes()))
    assert len(ingest("rees46", tmp_path).events) == 6


def test_retailrocket_takes_the_category_that_held_at_the_event(ingest: Ingest) -> None:
    found = ingest("retailrocket", FIXTURES / "retailrocket")
    assert found.values("time_s", "action", "item", "category_path") == [
        (1433221332, "view", "355908", "105 > 1278 > 1338 > 1114"),
        (1433224214, "view", "248676", "140 > 213"),  # its first category is of a later day
        (1433221999, "cart", "318965", "999"),  # not in the tree
        (1433222276, "purchase", "318965", "999"),
        (1433223236, "view", "355908", "105 > 1278 > 1338 > 1114"),
        (1438969904, "view", "355908", "140 > 213"),  # after two changes
        (1433221955, "view", "253185", "7"),  # 7 and 8 are each other's parents
        (1433221955, "view", "1", None),
    ]
    assert found.reasons == {"unknown_action": 1, "missing_time": 1, "missing_user": 1}
    assert len(found.events) + 3 == _count_lines(FIXTURES / "retailrocket" / "events.csv") - 1


def test_retailrocket_with_one_part_and_without_tables(ingest: Ingest, tmp_path: Path) -> None:
    mapping = SourceMapping.from_yaml(CONFIGS / "retailrocket.yaml")
    for name in ("events.csv", "item_properties_part1.csv"):
        shutil.copy(FIXTURES / "retailrocket" / name, tmp_path)
    found = ingest("retailrocket", tmp_path / "events.csv")
    assert found.values("category_path")[:3] == [("1114",), ("213",), (None,)]
    assert absent_files(mapping, str(tmp_path)) == [
        f"category tree of items is optional and absent: nothing in {tmp_path} is named **/category_tree.csv"
    ]
    (tmp_path / "item_properties_part1.csv").unlink()
    assert len(ingest("retailrocket", tmp_path).events) == 8
    assert [note.partition(" is ")[0] for note in absent_files(mapping, str(tmp_path))] == [
        "items",
        "category tree of items",
    ]


def test_jdata(ingest: Ingest, pseudonymiser: Pseudonymiser) -> None:
    found = ingest("jdata", FIXTURES / "jdata")
    assert found.values("time_s", "action", "item", "category_path", "brand") == [
        (1454255942, "view", "138778", "8", "403"),
        (1454255943, "click", "138778", "8", "403"),
        (1454255947, "view", "61226", "8", "30"),
        (1454255948, "cart", "61226", "8", "30"),
        (1454255948, "purchase", "72348", "5", "159"),
        (1454255950, "favourite", "72348", "5", "159"),
        (1456761600, "click", "10", "8", "489"),
        (1456761601, "click", "11", "4", "30"),
    ]
    assert found.reasons == {"ignored_action": 1, "missing_user": 1, "bad_time": 1, "unknown_action": 1}
    users = load_users(SourceMapping.from_yaml(CONFIGS / "jdata.yaml"), str(FIXTURES / "jdata"), pseudonymiser)
    assert users is not None
    by_id = [found.events[2]["user"], found.events[0]["user"], found.events[4]["user"]]
    assert users.attributes(by_id).to_pylist() == [
        ["age=26-35岁", "sex=1", "user_lv_cd=5"],
        ["sex=2", "user_lv_cd=1"],
        ["age=56岁以上", "user_lv_cd=3"],
    ]


def test_amazon_2023(ingest: Ingest) -> None:
    found = ingest("amazon_reviews_2023", FIXTURES / "amazon_reviews_2023")
    assert found.values("time_s", "action", "item", "category_path", "brand", "price", "text") == [
        (
            1588687728,
            "review",
            "B00YQ6X8EO",
            "Beauty & Personal Care > Fragrance",
            "Howard LC",
            12.99,
            'Lasts,\nall "day".<br />Yes',
        ),
        (1588615855, "review", "B081TJ8YS0", "All Beauty", None, None, "Fine"),
        (1589665266, "review", "B07PNNCSP9", None, "Yes To", None, "No"),
    ]
    assert found.reasons == {"missing_user": 1, "broken_row": 1}


def test_amazon_2018(ingest: Ingest) -> None:
    found = ingest("amazon_reviews_2018", FIXTURES / "amazon_reviews_2018")
    assert found.values("time_s", "item", "category_path", "brand", "price", "text") == [
        (
            1472688000 + 86399,
            "B0000530HU",
            "Beauty & Personal Care > Shave > Aftershave",
            "Pinaud",
            1012.99,
            "As advertised.",
        ),
        (1384387200 + 86399, "B000FI4S1E", "All Beauty", None, None, "Only a summary"),
    ]
    assert found.reasons == {"missing_time": 1}


def test_amazon_2014_with_python_dictionaries_and_several_paths(ingest: Ingest) -> None:
    found = ingest("amazon_reviews_2014", FIXTURES / "amazon_reviews_2014")
    assert found.values("time_s", "item", "category_path", "brand", "price", "text") == [
        (1391040000 + 86399, "7806397051", "Beauty > Makeup > Face", "WAWO", 3.17, "Very oily"),
        (1397779200 + 86399, "9759091062", "Beauty > Hair Care", None, None, "OK Palette!"),
    ]
    assert found.reasons == {}


@pytest.mark.parametrize("year", ["2014", "2018", "2023"])
def test_amazon_reviews_without_metadata(year: str, ingest: Ingest, tmp_path: Path) -> None:
    folder = FIXTURES / f"amazon_reviews_{year}"
    for path in folder.iterdir():
        if not path.name.startswith("meta"):
            shutil.copy(path, tmp_path)
    found = ingest(f"amazon_reviews_{year}", tmp_path)
    assert len(found.events) == len(ingest(f"amazon_reviews_{year}", folder).events)
    assert set(found.values("category_path")) == {(None,)}


def test_uci_online_retail(ingest: Ingest) -> None:
    found = ingest("uci_online_retail", FIXTURES / "uci_online_retail")
    assert found.values("time_s", "action", "item", "category_path", "price", "quantity", "text", "platform") == [
        (
            1291191960,
            "purchase",
            "85123A",
            "85 > 851",
            2.55,
            6.0,
            "WHITE HANGING HEART T-LIGHT HOLDER",
            "United Kingdom",
        ),
        (1291191960, "purchase", "71053", "71 > 710", 3.39, 6.0, "WHITE, METAL LANTERN", "United Kingdom"),
        (1292228880, "purchase", "22633", "22 > 226", 1.85, 6.0, "HAND WARMER £1 UNION JACK", "United Kingdom"),
        (1302768000, "purchase", "DCGS0003", None, 2.51, 1.0, "BOXED GLASS ASHTRAY", "EIRE"),
    ]
    assert len({event["user"] for event in found.events}) == 2
    assert found.reasons == {"cancellation": 2, "not_a_product": 4, "missing_user": 2, "quantity_not_positive": 1}
    assert len(found.events) + 9 == _count_lines(FIXTURES / "uci_online_retail" / "online_retail.csv") - 1


def test_uci_online_retail_2(ingest: Ingest) -> None:
    found = ingest("uci_online_retail", FIXTURES / "uci_online_retail_2")
    assert found.values("time_s", "item", "category_path", "price", "text") == [
        (1259653500, "85048", "85 > 850", 6.95, "15CM CHRISTMAS GLASS BALL\r\n20 LIGHTS"),
        (1259658360, "22382", "22 > 223", 1.65, "LUNCH BAG £"),
    ]
    assert found.reasons == {"cancellation": 1}


def _write_workbook(path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return path


def test_a_workbook_ends_in_advice(ingest: Ingest, tmp_path: Path) -> None:
    book = _write_workbook(tmp_path / "Online Retail.xlsx")
    for place in (tmp_path, book):
        with pytest.raises(DataError, match=r"Online Retail\.xlsx.* a workbook; save its sheet as CSV"):
            ingest("uci_online_retail", place)
    disguised = _write_workbook(tmp_path / "online_retail.csv")
    with pytest.raises(DataError, match=r"online_retail\.csv.* a workbook; save its sheet as CSV"):
        ingest("uci_online_retail", disguised)


def test_an_archive_ends_in_advice(ingest: Ingest, tmp_path: Path) -> None:
    archive = tmp_path / "events.csv.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("events.csv", "timestamp,visitorid,event,itemid,transactionid\n")
    for place in (tmp_path, archive):
        with pytest.raises(DataError, match=r"events\.csv\.zip.* an archive; unpack it"):
            ingest("retailrocket", place)

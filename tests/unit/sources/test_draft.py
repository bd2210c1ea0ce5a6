"""Drafted mappings: the columns of public logs must be found, and what cannot be told must be said."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from interest_migration.errors import DataError
from interest_migration.sources.draft import Draft, draft_mapping
from interest_migration.sources.draft_check import check_draft
from interest_migration.sources.draft_columns import ColumnLook, determines
from interest_migration.sources.draft_roles import number_writing
from interest_migration.sources.draft_samples import SAMPLE_ROWS, read_sample
from interest_migration.sources.draft_words import name_weight
from interest_migration.sources.mapping import Fields

FIXTURES = Path(__file__).parent / "fixtures"


def _draft(*paths: Path | str) -> Draft:
    return draft_mapping([read_sample(str(FIXTURES / path)) for path in paths])


def _fields(draft: Draft) -> Fields:
    (stream,) = draft.mapping.streams
    return stream.fields


def _columns(draft: Draft) -> dict[str, Any]:
    """Column (or constant) of each field."""
    fields = _fields(draft)
    found = {
        name: getattr(fields, name) for name in ("user", "time", "action", "item", "brand", "price", "quantity", "text")
    }
    return {
        name: getattr(field, "column", None) or getattr(field, "constant", None)
        for name, field in found.items()
        if field
    }


def test_rees46() -> None:
    draft = _draft("rees46/2019-Oct.csv")
    assert _columns(draft) == {
        "user": "user_id",
        "time": "event_time",
        "action": "event_type",
        "item": "product_id",
        "brand": "brand",
        "price": "price",
    }
    fields = _fields(draft)
    assert fields.session is not None
    assert fields.session.column == "user_session"
    assert fields.category_path is not None
    assert fields.category_path.model_dump(exclude_defaults=True) == {
        "column": "category_code",
        "separator": ".",
        "fallback": ("category_id",),
    }
    assert fields.action.values == {"wishlist": "favourite"}
    assert fields.action.ignore == ("remove_from_cart",)
    check = check_draft(draft)
    assert (check.rows, check.used, check.with_category) == (11, 6, 6)
    assert check.set_aside["bad_time"] == 1
    assert any("have no user" in doubt for doubt in draft.doubts)


def test_retailrocket_with_its_tables() -> None:
    names = ("events", "item_properties_part1", "item_properties_part2", "category_tree")
    draft = _draft(*(f"retailrocket/{name}.csv" for name in names))
    assert _columns(draft) == {"user": "visitorid", "time": "timestamp", "action": "event", "item": "itemid"}
    assert _fields(draft).time.format == ("unix_ms",)
    assert _fields(draft).action.values == {"addtocart": "cart", "transaction": "purchase"}
    items = draft.mapping.items
    assert items is not None
    assert items.files == ("item_properties_part1.csv", "item_properties_part2.csv")
    assert items.valid_from is not None
    assert items.filters[0].keep == ("categoryid",)
    assert items.category_path is not None
    assert items.category_path.tree is not None
    assert (items.category_path.tree.id, items.category_path.tree.parent) == ("categoryid", "parentid")
    check = check_draft(draft)
    assert (check.used, check.in_items, check.with_category) == (8, 7, 7)
    assert not any("several folders" in doubt for doubt in draft.doubts)
    assert any("could not tell what 'swipe'" in doubt for doubt in draft.doubts)


def test_samples_from_several_folders_are_mentioned(tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text("itemid,brand,category\n355908,Own,Tea\n")
    draft = _draft("retailrocket/events.csv", tmp_path / "items.csv")
    assert any("several folders" in doubt for doubt in draft.doubts)


def test_jdata_with_its_tables() -> None:
    draft = _draft(
        *(f"jdata/JData_{name}.csv" for name in ("Action_201602", "Product", "User", "Comment", "Action_201603_extra"))
    )
    assert _columns(draft) == {"user": "user_id", "time": "time", "action": "type", "item": "sku_id", "brand": "brand"}
    fields = _fields(draft)
    assert fields.category_path is not None
    assert fields.category_path.column == "cate"
    assert fields.action.values == {"1": "view", "2": "cart", "4": "purchase", "5": "favourite", "6": "click"}
    assert fields.action.ignore == ("3",)
    assert draft.mapping.streams[0].files == ("JData_Action_201602.csv", "JData_Action_201603_extra.csv")
    assert draft.mapping.users is not None
    assert draft.mapping.users.attributes == ("age", "sex", "user_lv_cd")
    assert draft.mapping.users.csv.encoding == "gb18030"
    assert draft.mapping.items is not None
    assert draft.mapping.items.id == "sku_id"
    check = check_draft(draft)
    assert (check.rows, check.used, check.in_items) == (12, 8, 2)
    text = " ".join(draft.doubts)
    assert "taken from JData" in text
    assert "carry no zone" in text
    assert "JData_Comment.csv: not used" in text


def test_amazon_2023() -> None:
    draft = _draft("amazon_reviews_2023/All_Beauty.jsonl", "amazon_reviews_2023/meta_All_Beauty.jsonl.gz")
    assert _columns(draft) == {
        "user": "user_id",
        "time": "timestamp",
        "action": "review",
        "item": "parent_asin",
        "text": "text",
    }
    assert _fields(draft).time.format == ("unix_ms",)
    items = draft.mapping.items
    assert items is not None
    assert items.category_path is not None
    assert (items.id, items.category_path.column, items.category_path.fallback) == (
        "parent_asin",
        "categories",
        ("main_category",),
    )
    assert check_draft(draft).in_items == 3


@pytest.mark.parametrize(
    ("reviews", "meta", "category"),
    [
        ("amazon_reviews_2018/All_Beauty_5.json.gz", "amazon_reviews_2018/meta_All_Beauty.json.gz", "category"),
        ("amazon_reviews_2014/reviews_Beauty_5.json", "amazon_reviews_2014/meta_Beauty.json", "categories"),
    ],
)
def test_amazon_2018_and_2014(reviews: str, meta: str, category: str) -> None:
    draft = _draft(reviews, meta)
    columns = {"user": "reviewerID", "time": "unixReviewTime", "action": "review", "item": "asin", "text": "reviewText"}
    assert _columns(draft) == columns
    assert (_fields(draft).time.format, _fields(draft).time.shift_seconds) == (("unix_s",), 86399)
    items = draft.mapping.items
    assert items is not None
    assert items.category_path is not None
    assert (items.id, items.category_path.column, items.brand and items.brand.column) == ("asin", category, "brand")
    assert check_draft(draft).with_category == 2


@pytest.mark.parametrize(
    ("name", "columns", "formats"),
    [
        (
            "uci_online_retail/online_retail.csv",
            {"user": "CustomerID", "time": "InvoiceDate", "item": "StockCode", "price": "UnitPrice"},
            ("%m/%d/%Y %H:%M",),
        ),
        (
            "uci_online_retail_2/Year 2010-2011/online_retail_II.csv",
            {"user": "Customer ID", "time": "InvoiceDate", "item": "StockCode", "price": "Price"},
            ("iso8601",),
        ),
    ],
)
def test_uci_online_retail(name: str, columns: dict[str, str], formats: tuple[str, ...]) -> None:
    draft = _draft(name)
    assert _columns(draft) == {**columns, "action": "purchase", "quantity": "Quantity"}
    assert _fields(draft).time.format == formats
    assert _fields(draft).category_path is None
    assert any("no column looks like a category" in doubt for doubt in draft.doubts)
    assert "# category_path:" in draft.text
    check = check_draft(draft)
    assert check.used > 0
    assert check.set_aside["cancellation"] > 0


@pytest.mark.parametrize("header", [False, True])
def test_taobao_with_and_without_header(header: bool, tmp_path: Path) -> None:
    rows = [
        *("1,2268318,2520377,pv,1511544070", "1,2333346,2520771,buy,1511561733", "1,2576651,149192,fav,1511572885"),
        *(
            "100,3830808,4181361,cart,1511593493",
            "100,4365585,2520377,pv,1511596146",
            "100,2268318,2520377,pv,1511596147",
        ),
    ]
    head = ["user_id,item_id,category_id,behavior_type,timestamp"] if header else []
    (tmp_path / "UserBehavior.csv").write_text("\n".join([*head, *rows]) + "\n")
    draft = _draft(tmp_path / "UserBehavior.csv")
    places = (
        ["user_id", "item_id", "category_id", "behavior_type", "timestamp"]
        if header
        else [f"column_{number}" for number in range(1, 6)]
    )
    assert list(_columns(draft).values()) == [places[place] for place in (0, 4, 3, 1)]
    fields = _fields(draft)
    assert fields.category_path is not None
    assert fields.category_path.column == places[2]
    assert fields.action.values == {"pv": "view", "buy": "purchase", "fav": "favourite"}
    assert check_draft(draft).used == 6
    assert any("there is no header" in doubt for doubt in draft.doubts) is not header


def test_levels_of_a_hierarchy_and_totals(tmp_path: Path, write_parquet: Callable[..., Path]) -> None:
    size = 60
    write_parquet(
        "lines.parquet",
        {
            "household_id": [number % 7 for number in range(size)],
            "product_id": list(range(size)),
            "quantity": [2] * size,
            "sales_value": [3.5] * size,
            "transaction_timestamp": pa.array(
                [1_500_000_000 + 5_000 * number for number in range(size)], pa.timestamp("s")
            ),
        },
    )
    kinds = [number // 4 for number in range(size)]
    write_parquet(
        "products.parquet",
        {
            "product_id": list(range(size)),
            "department": [f"D{kind // 5}" for kind in kinds],
            "product_type": [f"T{number // 2}" for number in range(size)],
            "product_category": [f"C{kind}" for kind in kinds],
            "brand": ["Own"] * size,
        },
    )
    draft = _draft(tmp_path / "lines.parquet", tmp_path / "products.parquet")
    assert _columns(draft)["user"] == "household_id"
    assert _columns(draft)["action"] == "purchase"
    price = _fields(draft).price
    assert price is not None
    assert price.total_column == "sales_value"
    assert draft.mapping.items is not None
    assert draft.mapping.items.category_path is not None
    assert draft.mapping.items.category_path.columns == ("department", "product_category", "product_type")
    check = check_draft(draft)
    assert (check.used, check.with_category) == (size, size)


def test_a_shop_with_its_own_ways(tmp_path: Path) -> None:
    text = (
        "Kundennummer;Zeit;Ereignis;Artikel;Kategorie;Preis\n"
        "4711;13.02.2024 10:00:00;pv;A-1;Küche/Tee/Grün;1.234,50 €\n"
        "4711;13.02.2024 10:05:00;buy;A-1;Küche/Tee/Grün;1.234,50 €\n"
        "4712;14.02.2024 10:05:00;zapp;A-2;Küche/Kaffee;3,50 €\n"
    )
    (tmp_path / "klicks.txt").write_bytes(text.encode("cp1252"))
    draft = _draft(tmp_path / "klicks.txt")
    (stream,) = draft.mapping.streams
    assert (stream.csv.delimiter, stream.csv.encoding) == (";", "cp1252")
    assert stream.fields.time.format == ("%d.%m.%Y %H:%M:%S",)
    assert stream.fields.price is not None
    assert stream.fields.price.decimal == ","
    check = check_draft(draft)
    assert (check.used, check.set_aside) == (2, {"unknown_action": 1})
    assert any("'zapp'" in doubt for doubt in draft.doubts)


def test_days_and_months_that_could_be_either_are_named(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("user,date,action\n1,01/02/2024,view\n2,03/04/2024,buy\n1,05/06/2024,view\n")
    draft = _draft(tmp_path / "x.csv")
    assert any("which is day, which is month?" in doubt for doubt in draft.doubts)
    assert any("count as the end of the day" in doubt for doubt in draft.doubts)
    assert _fields(draft).time.shift_seconds == 86399


def test_no_identifiers_are_shown(tmp_path: Path) -> None:
    rows = [
        {
            "user_id": f"alice-{number}@example.com",
            "ts": 1_700_000_000 + number,
            "event": event,
            "sku": f"SECRET{number}",
        }
        for number, event in enumerate(["view", "buy", "alice-1@example.com", "call 0301234567", "odd"] * 5)
    ]
    (tmp_path / "x.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    draft = _draft(tmp_path / "x.jsonl")
    shown = draft.text + " ".join(draft.doubts) + repr(draft.findings)
    assert not re.search("alice|SECRET|0301234567", shown)
    assert "could not tell what 'odd' and 2 other words mean" in shown


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sku,price\na,1\nb,2\n", "no column that could be the user or the time among sku, price"),
        ("user,action\n1,view\n2,buy\n", "no column that could be the time"),
        ("1,2,x\n3,4,y\n", "expected a user and a time"),
        ("x\n1\n2\n", "received one column"),
        ("user,time\n", "expected rows to learn from"),
        ("", "received an empty file"),
    ],
)
def test_files_without_user_or_time_are_refused(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        _draft(tmp_path / "x.csv")


def test_a_first_row_that_is_perhaps_data_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("alice,shoes\nbob,hat\ncarol,scarf\n")
    with pytest.raises(DataError, match="no column that could be the user or the time") as caught:
        _draft(tmp_path / "x.csv")
    assert "alice" not in str(caught.value)


def test_a_folder_is_no_sample(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="received a folder; name some of its files"):
        _draft(tmp_path)


def test_ids_of_trackers_may_look_like_decimal_numbers(tmp_path: Path) -> None:
    rows = [
        {
            "user_pseudo_id": f"10{number % 9}.17{number % 9}",
            "event_timestamp": 1_700_000_000_000_000 + number,
            "event_name": name,
        }
        for number, name in enumerate(["view_item", "add_to_cart", "session_start"] * 9)
    ]
    (tmp_path / "ga.jsonl").write_text("".join(json.dumps({**row, "device": {"os": "x"}}) + "\n" for row in rows))
    draft = _draft(tmp_path / "ga.jsonl")
    assert _columns(draft)["user"] == "user_pseudo_id"
    assert _fields(draft).time.format == ("unix_us",)
    assert (_fields(draft).action.values, _fields(draft).action.ignore) == (
        {"view_item": "view", "add_to_cart": "cart"},
        ("session_start",),
    )


def test_a_sample_is_bounded(tmp_path: Path) -> None:
    rows = "".join(f"{number % 50},{1_700_000_000 + number},view,{number % 9}\n" for number in range(SAMPLE_ROWS + 500))
    (tmp_path / "x.csv").write_text("user,ts,action,item\n" + rows)
    assert read_sample(str(tmp_path / "x.csv")).rows == SAMPLE_ROWS


@pytest.mark.parametrize(
    ("role", "name", "least", "most"),
    [
        ("user", "Customer ID", 2, 3),
        ("user", "user_hash", 0.5, 1),
        ("user", "user_agent", 0, 0),
        ("user", "user_session", 0, 0),
        ("item", "product_category", 0, 0),
        ("time", "user_reg_time", 0, 0),
        ("price", "x", 0, 0),
    ],
)
def test_names_speak(role: str, name: str, least: float, most: float) -> None:
    assert least <= name_weight(role, name) <= most


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["1.5", "2"], (".", "")),
        (["$1,012.99", "$5"], (".", "$€£¥ ,")),
        (["1.234,50 €", "3,50 €"], (",", "$€£¥ .")),
        (["1,5", "2,25"], (",", "")),
    ],
)
def test_how_numbers_are_written(values: list[str], expected: tuple[str, str]) -> None:
    assert number_writing(ColumnLook("x", pa.array(values))) == expected


def test_a_level_determines_the_one_above() -> None:
    broad = ColumnLook("broad", pa.array(["A", "A", "B", "B", None]))
    narrow = ColumnLook("narrow", pa.array(["a", "b", "c", "c", "d"]))
    assert determines(narrow, broad)
    assert not determines(broad, narrow)


def test_names_of_columns_cannot_break_the_draft(tmp_path: Path) -> None:
    header = '"user_id","time","action","item\n# id: x","a: b, {c}","#brand","price"\n'
    (tmp_path / "x.csv").write_text(
        header + "1,2024-01-01 10:00:00,view,A,B,C,1.5\n2,2024-01-01 10:00:00,buy,A,B,C,2\n"
    )
    draft = _draft(tmp_path / "x.csv")
    assert _columns(draft)["user"] == "user_id"
    assert _columns(draft)["item"] == "item\n# id: x"
    assert check_draft(draft).used == 2


def test_attributes_of_users_leave_out_what_names_people(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(
        "user_id,time,event,item\n1,2024-01-01 10:00:00,view,A\n1,2024-01-01 11:00:00,buy,A\n"
    )
    (tmp_path / "users.csv").write_text("user_id,last_name,email,region\n1,Smith,a@b.c,north\n2,Miller,d@e.f,south\n")
    draft = _draft(tmp_path / "log.csv", tmp_path / "users.csv")
    assert draft.mapping.users is not None
    assert draft.mapping.users.attributes == ("region",)
    assert check_draft(draft).in_users == 2

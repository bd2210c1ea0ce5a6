"""Logs of some hundred users in the layouts of public data sets, over the time that those cover."""

import csv
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

USERS = 150
CATEGORIES = 6
ITEMS = 60
DAY_SECONDS = 86_400


def write_public_log(name: str, folder: Path) -> int:
    """Writes a log for the mapping of that name and returns its number of event rows."""
    return {
        "rees46": _write_rees46,
        "retailrocket": _write_retailrocket,
        "jdata": _write_jdata,
        "amazon_reviews_2023": _write_amazon_2023,
        "amazon_reviews_2018": _write_amazon_2018,
        "amazon_reviews_2014": _write_amazon_2014,
        "uci_online_retail": _write_uci,
    }[name](folder)


def _acts(start: str, days: int, each: int) -> Iterator[tuple[int, int, int, int]]:
    """Yields (second, user, item, act), in the order of time; items 0..9 are of category 0 and so on."""
    generator = np.random.default_rng(3)
    first = int(datetime.fromisoformat(start).replace(tzinfo=UTC).timestamp())
    rows = USERS * each
    seconds = np.sort(generator.integers(0, days * DAY_SECONDS, rows)) + first
    users = generator.integers(0, USERS, rows)
    items = generator.integers(0, ITEMS, rows)
    return zip(*(column.tolist() for column in (seconds, users, items, generator.integers(0, 4, rows))), strict=True)


def _category(item: int) -> int:
    return item * CATEGORIES // ITEMS


def _clock(second: int, pattern: str) -> str:
    return datetime.fromtimestamp(second, UTC).strftime(pattern)


def _write_csv(path: Path, header: str, rows: list[tuple[Any, ...]]) -> int:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header.split(","))
        writer.writerows(rows)
    return len(rows)


def _write_lines(path: Path, rows: list[dict[str, Any]]) -> int:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return len(rows)


def _write_rees46(folder: Path) -> int:
    words = ("view", "view", "cart", "purchase")
    header = "event_time,event_type,product_id,category_id,category_code,brand,price,user_id,user_session"
    rows = [
        (
            _clock(second, "%Y-%m-%d %H:%M:%S UTC"),
            words[act],
            1_000_000 + item,
            2_053_013_555_631_882_655 + _category(item),
            "" if _category(item) == 0 else f"home.kind{_category(item)}.sub{item % 2}",
            f"brand{item % 7}",
            item + 0.99,
            500_000_000 + user,
            f"{user}-{second // 3600}",
        )
        for second, user, item, act in _acts("2019-10-01", 31, 40)
    ]
    return _write_csv(folder / "2019-Oct.csv", header, rows)


def _write_retailrocket(folder: Path) -> int:
    words = ("view", "view", "addtocart", "transaction")
    rows = [
        (second * 1000 + 7, user, words[act], item, second if act == 3 else "")
        for second, user, item, act in _acts("2015-05-03", 137, 60)
    ]
    properties = [(1_431_226_800_000, item, "categoryid", 100 + _category(item)) for item in range(ITEMS)]
    _write_csv(folder / "item_properties_part1.csv", "timestamp,itemid,property,value", properties)
    tree = [(100 + category, category % 3) for category in range(CATEGORIES)] + [(root, "") for root in range(3)]
    _write_csv(folder / "category_tree.csv", "categoryid,parentid", tree)
    return _write_csv(folder / "events.csv", "timestamp,visitorid,event,itemid,transactionid", rows)


def _write_jdata(folder: Path) -> int:
    rows = [
        (f"{user}.0", item, _clock(second, "%Y-%m-%d %H:%M:%S"), "", (6, 1, 2, 4)[act], _category(item), item % 9)
        for second, user, item, act in _acts("2016-01-31", 76, 50)
    ]
    users = [(user, "26-35岁", user % 3, user % 5 + 1, "2014-01-01") for user in range(USERS)]
    _write_csv(folder / "JData_User.csv", "user_id,age,sex,user_lv_cd,user_reg_tm", users)
    return _write_csv(folder / "JData_Action_201602.csv", "user_id,sku_id,time,model_id,type,cate,brand", rows)


def _write_amazon_2023(folder: Path) -> int:
    rows = [
        {"user_id": f"A{user}", "parent_asin": f"B{item}", "asin": f"B{item}", "timestamp": second * 1000, "text": "ok"}
        for second, user, item, _ in _acts("2018-01-01", 1800, 30)
    ]
    items = [{"parent_asin": f"B{item}", "categories": ["All", f"C{_category(item)}"]} for item in range(ITEMS)]
    _write_lines(folder / "meta_Toys.jsonl", [{**item, "store": None, "price": None, "title": "t"} for item in items])
    return _write_lines(folder / "Toys.jsonl", rows)


def _write_amazon_2018(folder: Path) -> int:
    items = [{"asin": f"B{item}", "category": ["All", f"C{_category(item)}"]} for item in range(ITEMS)]
    _write_lines(folder / "meta_Toys.json", [{**item, "brand": "b", "price": "$1", "title": "t"} for item in items])
    return _write_lines(folder / "Toys.json", list(_reviews("2013-01-01")))


def _write_amazon_2014(folder: Path) -> int:
    items = [{"asin": f"B{item}", "categories": [["All", f"C{_category(item)}"]]} for item in range(ITEMS)]
    (folder / "meta_Toys.json").write_text("".join(f"{item}\n" for item in items))
    return _write_lines(folder / "reviews_Toys.json", list(_reviews("2009-06-01")))


def _reviews(start: str) -> Iterator[dict[str, Any]]:
    for second, user, item, _ in _acts(start, 1800, 30):
        day = second // DAY_SECONDS * DAY_SECONDS
        yield {"reviewerID": f"A{user}", "asin": f"B{item}", "unixReviewTime": day, "reviewText": "ok"}


def _write_uci(folder: Path) -> int:
    header = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"
    rows = [
        (
            f"{'C' if act == 0 and second % 9 == 0 else ''}{536_365 + number}",
            22_000 + 100 * _category(item) + item,
            f"ARTICLE {item}",
            act + 1,
            _clock(second, "%m/%d/%Y %H:%M"),
            1.25,
            12_000 + user,
            "United Kingdom",
        )
        for number, (second, user, item, act) in enumerate(_acts("2010-12-01", 373, 30))
    ]
    return _write_csv(folder / "online_retail.csv", header, rows)

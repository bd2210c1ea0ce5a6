from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from interest_migration.errors import ConfigError
from interest_migration.sources.mapping import SourceMapping

YAML = """
name: shop
description: Clicks of a shop.
not_before: 2017-01-01
streams:
  - name: clicks
    files: clicks/*.csv.gz
    csv: {delimiter: ";", encoding: cp1252}
    joins:
      - {files: campaigns.csv, column: campaign, key: id, columns: [channel]}
    filters:
      - {column: country, keep: [DE, AT]}
    fields:
      user: customer
      time: {column: ts, format: "%d/%b/%Y:%H:%M:%S", timezone: Europe/Vienna}
      action: {column: event, values: {pv: view, buy: purchase}, ignore: [ping]}
      item: sku
      category_path: {columns: [department, kind]}
      price: {total_column: total, decimal: ",", remove: "."}
      quantity: units
      platform: channel
      extras: [country, coupon]
items: {files: items.parquet, id: sku, category_path: {column: path, separator: "/"}, brand: maker}
users: {files: users.jsonl, id: customer, attributes: [age]}
"""


@pytest.fixture
def shop(tmp_path: Path) -> SourceMapping:
    (tmp_path / "shop.yaml").write_text(YAML)
    return SourceMapping.from_yaml(tmp_path / "shop.yaml")


def test_plain_names_are_columns(shop: SourceMapping) -> None:
    fields = shop.stream("clicks").fields
    assert fields.user.column == "customer"
    assert fields.item is not None
    assert fields.item.column == "sku"


def test_reads_only_what_it_needs_and_joined_columns_are_not_in_the_files(shop: SourceMapping) -> None:
    assert set(shop.stream("clicks").file_columns) == {
        *("customer", "ts", "event", "sku", "department", "kind", "total", "units", "country", "coupon", "campaign"),
    }


def test_dates_in_the_mapping_are_utc(shop: SourceMapping) -> None:
    assert shop.not_before == datetime(2017, 1, 1, tzinfo=UTC)
    assert shop.not_after is None


def test_travels_as_json(shop: SourceMapping) -> None:
    assert SourceMapping.model_validate_json(shop.model_dump_json()) == shop


def _values(**changes: Any) -> dict[str, Any]:
    fields = {"user": "u", "time": "t", "action": {"constant": "view"}, **changes.pop("fields", {})}
    return {"name": "x", "streams": [{"name": "s", "fields": fields, **changes.pop("stream", {})}], **changes}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (_values(nmae="y"), "nmae: Extra inputs are not permitted"),
        (_values(fields={"user": None}), "fields.user"),
        (_values(fields={"action": {"constant": "buy"}}), "expected an action of view, click, .* received 'buy'"),
        (_values(fields={"action": {"column": "a", "constant": "view"}}), "exactly one of column, constant"),
        (_values(fields={"action": {"column": "a", "values": {"PV": "view", "pv": "cart"}}}), "every word once"),
        (_values(fields={"action": {"column": "a", "values": {"x": "view"}, "ignore": ["X"]}}), "every word once"),
        (_values(fields={"item": {}}), "exactly one of column, constant, received none"),
        (_values(fields={"time": {"column": "t", "format": "seconds"}}), "expected iso8601, unix_s"),
        (_values(fields={"time": {"column": "t", "format": "%Y-%m-%d %f"}}), "strptime directives %f cannot be used"),
        (_values(fields={"time": {"column": "t", "timezone": "Mars/Olympus"}}), "expected an IANA time zone"),
        (_values(fields={"category_path": {"columns": ["a", "b"], "separator": "/"}}), "separator splits one column"),
        (_values(fields={"quantity": {"total_column": "q"}}), "quantity must be a column or a constant above zero"),
        (_values(fields={"price": {"constant": -1}}), "greater than or equal to 0"),
        (_values(stream={"files": []}), "at least 1 item"),
        (_values(stream={"files": "/etc/passwd"}), "expected paths below the input"),
        (_values(stream={"files": ["../x.csv"]}), "expected paths below the input"),
        (_values(stream={"format": "xml"}), "'csv', 'jsonl' or 'parquet'"),
        (_values(stream={"csv": {"header": False}}), "columns must name the columns"),
        (_values(stream={"csv": {"columns": ["a"]}}), "set header to false or auto"),
        (_values(stream={"csv": {"header": False, "columns": ["a", "a"]}}), "distinct names"),
        (_values(stream={"csv": {"encoding": "utf-99"}}), "name of a text encoding"),
        (_values(stream={"csv": {"delimiter": "\n"}}), "one ASCII character"),
        (_values(stream={"filters": [{"column": "c"}]}), "expected either keep or drop"),
        (_values(stream={"joins": [{"files": "j", "column": "c", "columns": ["c"]}]}), "column they join by"),
        (_values(stream={"joins": [{"files": "j", "column": "c", "columns": []}]}), "at least 1 item"),
        (
            _values(stream={"filters": [{"column": "c", "keep": ["a"], "drop_pattern": "b"}]}),
            "expected either keep or drop",
        ),
        (_values(stream={"filters": [{"column": "c", "keep_pattern": "("}]}), "expected a regular expression"),
        (_values(stream={"filters": [{"column": "c", "keep": "a", "reason": "No Way"}]}), "reason"),
        (_values(stream={"csv": {"fallback_encoding": "utf-99"}}), "name of a text encoding"),
        (_values(stream={"exclude": "../x"}), "expected paths below the input"),
        (_values(fields={"time": {"column": "t", "format": []}}), "at least 1 item"),
        (_values(fields={"time": {"column": "t", "format": ["iso8601", "seconds"]}}), "expected iso8601, unix_s"),
        (_values(fields={"item": {"constant": "a", "fallback": "b"}}), "a constant needs no fallback"),
        (_values(fields={"category_path": {"column": "a", "pattern": "["}}), "expected a regular expression"),
        (_values(fields={"category_path": {"column": "a", "pattern": "x", "separator": "/"}}), "at most one of"),
        (_values(fields={"category_path": {"columns": ["a", "b"], "pattern": "x"}}), "pattern splits one column"),
        (_values(fields={"category_path": {"column": "a", "tree": {"files": "t", "id": "i"}}}), "tree.parent"),
        (_values(items={"id": "i"}), "each must name its files"),
        (_values(items={"files": "i", "id": "i", "price": {"total_column": "x"}}), "prices, not totals"),
        (_values(not_before="yesterday"), "not_before"),
        ({"name": "x", "streams": []}, "at least 1 item"),
        ({"name": "x y", "streams": []}, "String should match pattern"),
        ([], "received"),
    ],
)
def test_says_what_is_wrong(values: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        SourceMapping.from_values(values, source="bad.yaml")


def test_streams_need_distinct_names_and_their_own_files() -> None:
    stream = _values()["streams"][0]
    with pytest.raises(ConfigError, match="distinct stream names"):
        SourceMapping.from_values({"name": "x", "streams": [stream, stream]}, source="bad.yaml")
    with pytest.raises(ConfigError, match="each must name its files"):
        SourceMapping.from_values({"name": "x", "streams": [stream, {**stream, "name": "b"}]}, source="bad.yaml")

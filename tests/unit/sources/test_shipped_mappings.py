"""The mappings in configs/sources, on data of the same form."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from interest_migration.privacy.pseudonyms import Pseudonymiser
from interest_migration.sources.mapping import SourceMapping
from interest_migration.sources.tables import load_items, load_users

Read = Callable[[SourceMapping, object], tuple[list[dict[str, Any]], list[dict[str, Any]]]]
CONFIGS = Path(__file__).parents[3] / "configs" / "sources"


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_is_valid_and_named_after_its_file(path: Path) -> None:
    mapping = SourceMapping.from_yaml(path)
    assert mapping.name == path.stem
    assert mapping.description
    assert SourceMapping.model_validate_json(mapping.model_dump_json()) == mapping


@pytest.mark.parametrize("header", ["", "user,item,category,action,ts\n"])
def test_taobao_with_and_without_header(header: str, tmp_path: Path, read: Read) -> None:
    (tmp_path / "any.csv").write_text(
        header
        + "1,2268318,2520377,pv,1511544070\n1,2333346,2520771,buy,1511561733\n1,2,3,fav,1\n1,2,3,cart,1511561734\n"
    )
    events, rejects = read(SourceMapping.from_yaml(CONFIGS / "taobao_user_behavior.yaml"), tmp_path / "any.csv")
    assert [(row["time_s"], row["action"], row["item"], row["category_path"]) for row in events] == [
        (1511544070, "view", "2268318", "2520377"),
        (1511561733, "purchase", "2333346", "2520771"),
        (1511561734, "cart", "2", "3"),
    ]
    assert [row["reason"] for row in rejects] == ["time_out_of_range"]


def _write_complete_journey(write: Callable[..., Path]) -> None:
    day = datetime(2017, 3, 1)
    write(
        "transactions.parquet",
        {
            "household_id": [900, 900, 900],
            "product_id": [10, 11, 12],
            "quantity": [2, 0, 10000],
            "sales_value": [3.0, 0.0, 0.0],
            "transaction_timestamp": [datetime(2017, 1, 1, 11, 53, 26)] * 3,
        },
    )
    write(
        "coupon_redemptions.parquet",
        {"household_id": [900], "coupon_upc": [51380041013], "campaign_id": [26], "redemption_date": [day]},
    )
    write("campaigns.parquet", {"campaign_id": [1, 2], "household_id": [900, 900]})
    write(
        "campaign_descriptions.parquet",
        {"campaign_id": [1, 2], "campaign_type": ["Type B", "Type A"], "start_date": [day, datetime(2016, 11, 14)]},
    )
    write(
        "products.parquet",
        {
            "product_id": [10],
            "department": ["GROCERY"],
            "product_category": ["BREAD"],
            "product_type": ["WHITE"],
            "brand": ["National"],
        },
    )
    declared = ("age", "income", "home_ownership", "marital_status", "household_size", "household_comp", "kids_count")
    write("demographics.parquet", {"household_id": [900], **{name: [f"{name}!"] for name in declared}})


def test_complete_journey(tmp_path: Path, write_parquet: Callable[..., Path], read: Read) -> None:
    _write_complete_journey(write_parquet)
    mapping = SourceMapping.from_yaml(CONFIGS / "complete_journey.yaml")
    events, rejects = read(mapping, tmp_path)
    names = ("time_s", "action", "platform", "item", "price", "quantity", "text", "extras")
    assert [tuple(row.get(name) for name in names) for row in events] == [
        (1483271606, "purchase", "store", "10", 1.5, 2.0, None, None),
        (1483271606, "purchase", "store", "12", 0.0, 10000.0, None, None),
        # The end of 1 March, and its start, in New York.
        (1488430799, "click", "coupon", None, None, None, None, '{"coupon_upc": 51380041013, "campaign_id": 26}'),
        (1488344400, "message", "campaign", None, None, None, "Type B", '{"campaign_id": 1}'),
    ]
    assert [row["reason"] for row in rejects] == ["quantity_not_positive", "time_out_of_range"]


def test_complete_journey_tables(
    tmp_path: Path, write_parquet: Callable[..., Path], pseudonymiser: Pseudonymiser
) -> None:
    _write_complete_journey(write_parquet)
    mapping = SourceMapping.from_yaml(CONFIGS / "complete_journey.yaml")
    items, users = load_items(mapping, str(tmp_path)), load_users(mapping, str(tmp_path), pseudonymiser)
    assert items is not None
    assert users is not None
    assert items.columns["category_path"].to_pylist() == ["GROCERY > BREAD > WHITE"]
    assert users.values.to_pylist()[0][:2] == ["age=age!", "income=income!"]

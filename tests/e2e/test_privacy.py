"""No raw user id in anything that commands write, and nothing about too few users in what they learn."""

import csv
import json
import shutil
from collections import defaultdict
from pathlib import Path

import pytest
from leaks import find_ids
from small_shop import RULE, Shop, call, write_yaml

pytestmark = pytest.mark.e2e

IDS = r"customer-\d{5}"
MIN_USERS = 3


def odd_rows() -> str:
    """Rows with the id where it does not belong."""
    user = "customer-00001"
    return "".join(
        f"{row}\n"
        for row in (
            f"{user},x,shoes,buy,1672531200,{user}",
            f"{user},x,shoes,buy,{user},1",
            f"{user},x,shoes,{user},1672531200,1",
            f"{user},x",
            f"{user},x,shoes,buy,1672531200,1,{user}",
        )
    )


def test_a_whole_run_and_a_refused_one_write_no_raw_user_id(shop: Shop) -> None:
    impossible = write_yaml(
        shop.folder / "impossible.yaml", {"slices": [], "rules": [RULE | {"name": "too good", "at_least": 0.9999}]}
    )
    refused = call("run", "--config", shop.folder / "config.yaml", "--set", f"gates={impossible}")
    assert refused.exit_code == 3, refused.output
    assert "customer-" not in refused.output + shop.first.output
    assert find_ids(shop.folder / "data", IDS)
    assert find_ids(shop.folder / "workspace", IDS) == []


def test_ingestion_of_a_damaged_log_writes_no_raw_user_id_and_leaves_erased_users_out(
    shop: Shop, tmp_path: Path
) -> None:
    shutil.copytree(shop.folder / "data", tmp_path / "data")
    with (tmp_path / "data" / "log.csv").open("a") as log:
        log.write(odd_rows())
    (tmp_path / "erased.csv").write_text("customer-00002\ncustomer-00003\nnobody\n")
    files = ("--mapping", shop.folder / "mapping.yaml", "--input", tmp_path / "data", "--output", tmp_path / "out")
    definition = ("--set", "active_days=42", "--set", "eval_cuts=1", "--set", "test_cuts=1", "--json")
    result = call("ingest", *files, "--erasure-list", tmp_path / "erased.csv", *definition)
    assert result.exit_code == 0, result.output
    summary = json.loads(result.stdout)
    assert summary["rows_read"] == summary["rows_used"] + sum(summary["rejected"].values())
    rows = (tmp_path / "data" / "log.csv").read_text().splitlines()
    erased = sum(row.startswith(("customer-00002", "customer-00003")) for row in rows)
    assert summary["rejected"]["erased_user"] == erased > 0
    assert summary["users"] == len({row.split(",")[0] for row in rows[1:]}) - 2
    assert "customer-" not in result.output
    assert find_ids(tmp_path / "out", IDS) == []


def test_runs_that_fail_write_and_show_no_raw_user_id(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("user,item,category,action,ts,price\n" + odd_rows())
    workspace = tmp_path / "workspace"
    arguments = ("run", "--config", shop.folder / "config.yaml", "--set", f"workspace={workspace}", "--input", tmp_path)
    failed = call(*arguments)
    assert failed.exit_code == 3, failed.output  # more bad rows than data.max_rejected_share
    (tmp_path / "log.csv").write_text("customer-00001,boots,shoes,buy,never,none\n")
    headless = call(*arguments)
    assert headless.exit_code == 2, headless.output
    assert "is it a header?" in headless.output
    assert "customer-" not in failed.output + headless.output
    assert find_ids(workspace, IDS) == []


def test_a_served_model_knows_no_item_of_too_few_users(shop: Shop) -> None:
    users = defaultdict(set)
    with (shop.folder / "data" / "log.csv").open() as log:
        for row in csv.DictReader(log):
            users[row["item"]].add(row["user"])
    rare = {item for item, who in users.items() if len(who) < MIN_USERS}
    assert rare
    assets = next(shop.versions.iterdir()) / "assets"
    known = {line for path in assets.iterdir() for line in path.read_text().splitlines()}
    assert known & users.keys()
    assert not known & rare

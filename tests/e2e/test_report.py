"""The report of a whole run, as its reader gets it."""

import json
import re
from pathlib import Path

import pytest
from pages import check_page, loads
from small_shop import Shop, call
from synthetic_log import FOLLOWS

from interest_migration.flows.results import Flows
from interest_migration.ragged import read_examples
from schemas.features import RAW_FEATURES, USER

pytestmark = pytest.mark.e2e


def test_a_run_leaves_a_whole_report(shop: Shop) -> None:
    outcome = json.loads(shop.first.stdout)
    page = Path(outcome["report"]).read_text()
    root = check_page(page)
    assert root.find("h2")[0].text == "The model was pushed as version 1"
    assert loads(root) == []
    assert "What could not be read" not in root.text
    assert len(root.find("figure")) == 12
    assert not re.search(r"customer-\d{5}", page)


def test_no_pseudonym_is_in_it(shop: Shop) -> None:
    outcome = json.loads(shop.first.stdout)
    page = Path(outcome["report"]).read_text()
    files = sorted(str(path) for path in Path(outcome["artifacts"]["examples"]).glob("Split-*/*"))
    users = read_examples(files, [spec for spec in RAW_FEATURES if spec.name == USER])[USER]
    assert not [user for user in {user.decode() for user in users} if user in page]


def test_the_flow_of_interests_is_that_of_the_log(shop: Shop) -> None:
    (file,) = (shop.folder / "workspace" / "artifacts" / "Flows").glob("flows/*/flows.json")
    flows = Flows.from_json(file.read_text())
    beyond = {(pair.source, pair.target) for pair in flows.following.pairs if pair.low > 1}
    assert beyond == set(FOLLOWS.items())


def test_runs_tells_of_the_first_run(shop: Shop) -> None:
    listed = json.loads(call("runs", "--config", shop.folder / "config.yaml", "--json").stdout)["runs"]
    first = listed[-1]
    assert (first["state"], first["version"]) == ("pushed", 1)
    assert Path(first["report"]).is_file()

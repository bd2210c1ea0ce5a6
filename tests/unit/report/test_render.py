import base64
import gzip
import json
from collections.abc import Callable
from dataclasses import replace

import plotly.graph_objects as go
import pytest
from pages import Element, check_page, loads
from reports import HARM, make_decision, make_record, make_report

from interest_migration.gates.decision import CheckVerdict
from interest_migration.report.inputs import RunReport
from interest_migration.report.record import State
from interest_migration.report.render import render


@pytest.fixture(scope="module")
def page() -> str:
    return render(make_report())


@pytest.fixture(scope="module")
def root(page: str) -> Element:
    return check_page(page)


def test_it_loads_nothing(root: Element) -> None:
    assert loads(root) == []


def test_the_verdict_comes_first(root: Element) -> None:
    first, *_ = root.find("h2")
    assert first.text == "The model was pushed as version 3"
    headings = [heading.attributes["id"] for heading in root.find("h2")]
    assert headings == ["verdict", "metrics", "checks", "slices", "curves", "data", "training", "flows", "run"]


def test_names_that_mean_harm_stay_text(page: str, root: Element) -> None:
    assert HARM in root.text
    assert {script.attributes.get("type", "") for script in root.find("script")} == {
        "application/json",
        "text/plain",
        "",
    }
    assert len(root.find("script")) == 3
    assert not [element for element in root.all() if any(name.startswith("on") for name in element.attributes)]
    assert [anchor.attributes["href"][:1] for anchor in root.find("a")] == ["#"] * len(root.find("a"))
    assert "<script>alert" not in page


def specs(root: Element) -> dict[str, dict[str, object]]:
    (script,) = [element for element in root.find("script") if element.attributes.get("id") == "specs"]
    found: dict[str, dict[str, object]] = json.loads(script.text)
    return found


def test_every_picture_has_its_place_and_is_one_that_plotly_draws(root: Element) -> None:
    places = {element.attributes["id"] for element in root.all() if element.attributes.get("class") == "plot"}
    assert {f"plot-{name}" for name in specs(root)} == places
    assert len(places) == 12
    for spec in specs(root).values():
        go.Figure(spec)  # raises for what it does not know


def test_pictures_hold_no_markup_of_names(root: Element) -> None:
    assert "harm.example" in json.dumps(specs(root))
    assert "<a href" not in json.dumps(specs(root))
    assert "<script" not in json.dumps(specs(root))


def test_plotly_is_inside_once(root: Element) -> None:
    (script,) = [element for element in root.find("script") if element.attributes.get("id") == "plotly"]
    code = gzip.decompress(base64.b64decode(script.text)).decode()
    assert "plotly.js v" in code[:200]


def test_the_same_run_gives_the_same_page(page: str) -> None:
    assert render(make_report()) == page


def test_what_few_users_are_behind_is_not_shown(root: Element) -> None:
    assert "rare" not in {cell.text for cell in root.find("th")}
    assert "with fewer examples or too few users: 1." in root.text


@pytest.mark.parametrize(
    ("report", "headline", "reason"),
    [
        (
            RunReport(make_record(State.FAILED, failed_step="Trainer", error="Trainer failed: no memory")),
            "The run failed at the step Trainer",
            "Trainer failed: no memory",
        ),
        (
            RunReport(
                make_record(State.DATA_REFUSED, failed_step="DataGate", error="x"),
                data_decision=make_decision("data", CheckVerdict.BROKEN),
            ),
            "The data gate refused the data; nothing was trained",
            "because",
        ),
        (RunReport(make_record(State.INTERRUPTED, ended="", error="")), "The run was interrupted", ""),
        (RunReport(make_record(State.RUNNING, ended="", steps=())), "The run has not ended", ""),
        (
            RunReport(make_record(State.MODEL_REFUSED), model_decision=make_decision("model", CheckVerdict.BROKEN)),
            "The model gate refused the model",
            "1 check: 1 broken",
        ),
    ],
)
def test_a_run_that_ended_early_has_a_page_too(report: RunReport, headline: str, reason: str) -> None:
    root = check_page(render(report))
    assert root.find("h2")[0].text == headline
    assert reason in root.find("section")[0].text
    assert not root.find("figure")


DROPS: list[Callable[[RunReport], RunReport]] = [
    lambda report: replace(report, evaluation=None),
    lambda report: replace(report, measures=None),
    lambda report: replace(report, slices={}),
    lambda report: replace(report, categories=()),
    lambda report: replace(report, summary=None),
    lambda report: replace(report, training=None),
    lambda report: replace(report, flows=None),
    lambda report: replace(report, model_decision=None, data_decision=None, reviews=(), problems=()),
]


@pytest.mark.parametrize("drop", DROPS)
def test_any_part_may_be_missing(drop: Callable[[RunReport], RunReport]) -> None:
    assert loads(check_page(render(drop(make_report())))) == []


def test_without_pictures_there_is_no_plotly() -> None:
    assert len(render(RunReport(make_record()))) < 30_000


def test_the_data_section_tells_what_was_left_out(root: Element) -> None:
    (data,) = [section for section in root.find("section") if section.attributes["aria-labelledby"] == "data"]
    rows = [[cell.text for cell in row.children] for row in data.find("tr")]
    assert ["bad time", "10", "1.000 %"] in rows
    assert ["items", "50", "48", "2"] in rows
    assert ["with churn short", "83.3 %", "90.0 %", "97.5 %"] in rows
    assert "coupons.csv is absent" in data.text
    assert "Late events7" in data.text.replace("\n", "")
    assert "25 h 0 min" in data.text


def test_a_summary_without_the_newer_counts_is_shown(root: Element) -> None:
    report = make_report()
    older = {name: value for name, value in (report.summary or {}).items() if name not in ("tables", "notes")}
    older = {name: value for name, value in older.items() if "late" not in name and "delay" not in name}
    page = check_page(render(replace(report, summary=older)))
    assert "Late events" in root.text
    assert "Late events" not in page.text


@pytest.mark.parametrize(
    ("start", "told"),
    [
        ({"warm": True, "base": "version 4", "note": ""}, "Warm start from version 4."),
        (
            {"warm": False, "base": None, "note": "training.warm_start is off"},
            "Cold start: training.warm_start is off.",
        ),
    ],
)
def test_how_training_started(start: dict[str, object], told: str) -> None:
    report = make_report()
    page = check_page(render(replace(report, training={**(report.training or {}), "start": start, "best_epoch": -1})))
    assert told in page.text
    assert "3, start" in page.text

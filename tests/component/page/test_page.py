"""The page over the local server: its addresses, and a person's way through it in headless Chromium."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from browser import Tab, find_chromium, new_tab
from served_models import copy_version, save_served_model

from interest_migration.page.mount import Page
from interest_migration.server.running import RunningServer, running
from interest_migration.server.settings import ServerSettings

CHROMIUM = find_chromium()
needs_chromium = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium: put one on the PATH, or name it in the variable CHROMIUM"
)
SETTLED = (
    "!document.getElementById('answers').classList.contains('stale') && !!document.querySelector('#paths li')"
    " && document.getElementById('task').options.length > 0"
)


@pytest.fixture(scope="module")
def server(exported_run: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    models = tmp_path_factory.mktemp("served")
    shutil.copytree(exported_run["arguments"].serving_model_dir, models / "interests" / "1")
    page = Page(Path(exported_run["raw"]["test"]))
    settings = ServerSettings(models=models, grpc_port=0, rest_port=0, timeout_s=300)
    with running(settings, mounts=(page.mount,)) as server:
        server.wait_for("interests", 1)
        yield server


def get(server: RunningServer, path: str) -> httpx.Response:
    return httpx.get(f"{server.rest_url}{path}", timeout=60)


def test_the_page_and_its_parts_are_served_and_may_load_nothing_from_elsewhere(server: RunningServer) -> None:
    for path, kind in (("/", "text/html"), ("/page/page.js", "text/javascript"), ("/page/page.css", "text/css")):
        found = get(server, path)
        assert (found.status_code, found.headers["Content-Type"].split(";")[0]) == (200, kind)
        assert "default-src 'none'; script-src 'self'" in found.headers["Content-Security-Policy"]
    assert get(server, "/page/absent.js").status_code == 404
    assert get(server, "/page/..%2fmount.py").status_code == 404


def test_the_users_are_those_of_the_run(server: RunningServer) -> None:
    users = get(server, "/page/users.json").json()["users"]
    assert 0 < len(users) <= 24
    assert all(event["time_s"] < user["cut_time_s"] for user in users for event in user["events"])


@pytest.mark.parametrize("query", ["", "?model=interests", "?model=..&version=1", "?model=interests&version=9"])
def test_names_of_models_that_are_not_served_are_refused(server: RunningServer, query: str) -> None:
    found = get(server, f"/page/vocabulary.json{query}")
    assert found.status_code == 404
    assert "expected" in found.json()["error"]


def test_the_names_of_a_served_version_are_given(server: RunningServer) -> None:
    names = get(server, "/page/vocabulary.json?model=interests&version=1").json()
    assert "category-0" in names["categories"]
    assert names["item_paths"][names["items"][0]] in names["categories"]


def visit(server: RunningServer, work: Callable[[Tab], Awaitable[None]], width: int = 1280) -> None:
    """Opens the page, waits for its first answer, does the work, and expects no complaint of the browser."""

    async def go() -> None:
        async with new_tab(CHROMIUM) as tab:
            await tab.open(f"{server.rest_url}/", width)
            await tab.wait_for(SETTLED, 240)
            await work(tab)
            assert tab.errors == []
            assert {url for url in tab.urls if not url.startswith((server.rest_url, "data:"))} == set()

    asyncio.run(go())


async def text(tab: Tab, selector: str) -> str:
    return str(await tab.evaluate(f"document.querySelector({selector!r}).innerText"))


async def fill(tab: Tab, element: str, value: str) -> None:
    await tab.evaluate(
        f"(() => {{ const one = document.getElementById({element!r}); one.value = {value!r};"
        "for (const name of ['input', 'change']) one.dispatchEvent(new Event(name, { bubbles: true })); })()"
    )


async def settle(tab: Tab, events: int) -> None:
    plural = "event" if events == 1 else "events"
    await tab.wait_for(f"document.getElementById('status').textContent.includes('for {events} {plural}.')")
    await tab.wait_for(SETTLED)


async def press_button(tab: Tab, selector: str) -> None:
    await tab.evaluate(f"document.querySelector({selector!r}).click()")


@needs_chromium
def test_from_a_cold_start_event_by_event(server: RunningServer) -> None:
    async def work(tab: Tab) -> None:
        assert "for 0 events" in await text(tab, "#status")
        assert await tab.evaluate("document.querySelectorAll('#next tbody tr').length") > 3
        assert await text(tab, "#current") == "No interest is known yet."
        cold = await text(tab, "#churn")
        await fill(tab, "category", "category-3")
        await press_button(tab, "#event .main")
        await settle(tab, 1)
        assert "Last interest: category-3" in await text(tab, "#current")
        assert await text(tab, "#churn") != cold
        assert "moved" in (await text(tab, "#churn")).lower()
        await fill(tab, "category", "a > category nobody knows")
        await fill(tab, "item", "an unknown item")
        assert await text(tab, "#name-hint") == (
            "This category is new to the model, or rare. This item is new to the model, or rare."
        )
        await press_button(tab, "#event .main")
        await settle(tab, 2)
        assert "category nobody knows" in await text(tab, "#events li")
        assert await tab.evaluate("document.querySelectorAll('#churn-chart circle').length") == 2 * 2  # lines, moments
        assert "category-3" in await text(tab, "#why")
        await press_button(tab, "#events li button")
        await settle(tab, 1)
        await press_button(tab, "#undo")
        await settle(tab, 2)
        await press_button(tab, "#clear")
        await settle(tab, 0)
        assert await text(tab, "#churn td.figure") in cold

    visit(server, work)


@needs_chromium
def test_a_user_of_the_run_on_a_narrow_screen(server: RunningServer) -> None:
    async def work(tab: Tab) -> None:
        user = get(server, "/page/users.json").json()["users"][-1]
        await fill(tab, "user", str(await tab.evaluate("document.getElementById('user').options.length - 2")))
        await settle(tab, len(user["events"]))
        assert await tab.evaluate("document.querySelectorAll('#events li').length") == len(user["events"])
        first = await text(tab, "#churn")
        await fill(tab, "ask-days", "40")
        await tab.wait_for(f"document.getElementById('churn').innerText !== {first!r}")
        await fill(tab, "task", "churn_short")
        assert "points" in await text(tab, "#why")
        assert await tab.evaluate("document.querySelectorAll('#events li.for, #events li.against').length") > 0
        await fill(tab, "kind", "steps")
        assert "→" in await text(tab, "#paths")
        assert await tab.evaluate("document.documentElement.scrollWidth <= innerWidth")

    visit(server, work, width=390)


@needs_chromium
def test_an_event_can_be_added_with_the_keyboard_alone(server: RunningServer) -> None:
    async def focus(tab: Tab, element: str) -> None:
        for _ in range(20):
            if await tab.evaluate("document.activeElement.id") == element:
                return
            await tab.press("Tab", 9)
        pytest.fail(f"the Tab key does not reach {element}")

    async def work(tab: Tab) -> None:
        await tab.press("Tab", 9)
        assert await text(tab, ":focus") == "Skip to the answers"
        await focus(tab, "category")
        await tab.type("category-5")
        await focus(tab, "item")
        await tab.press("Enter", 13, "\r")
        await settle(tab, 1)
        assert "category-5" in await text(tab, "#events")

    visit(server, work)


@needs_chromium
def test_every_control_has_a_name_for_screen_readers(server: RunningServer) -> None:
    async def work(tab: Tab) -> None:
        await fill(tab, "category", "category-1")
        await press_button(tab, "#event .main")
        await settle(tab, 1)
        nodes = (await tab.send("Accessibility.getFullAXTree"))["nodes"]
        controls = {"button", "textbox", "combobox", "spinbutton", "slider", "link", "image"}
        told = [(node["role"]["value"], node.get("name", {}).get("value")) for node in nodes if not node["ignored"]]
        found = [(role, name) for role, name in told if role in controls]
        assert len(found) > 12
        assert [role for role, name in found if not name] == []

    visit(server, work)


@needs_chromium
def test_what_goes_wrong_is_told_in_words(tmp_path: Path) -> None:
    copy_version(save_served_model(tmp_path / "saved"), tmp_path / "served", 1)

    async def go() -> None:
        async with new_tab(CHROMIUM) as tab:
            settings = ServerSettings(models=tmp_path / "served", grpc_port=0, rest_port=0)
            with running(settings, mounts=(Page().mount,)) as server:
                await tab.open(f"{server.rest_url}/")
                await tab.wait_for("!document.getElementById('error').hidden")
                assert "expected a vocabulary of the model in" in await text(tab, "#error")
            await fill(tab, "model", await tab.evaluate("document.getElementById('model').value"))
            await tab.wait_for("document.getElementById('error').innerText.includes('still running')")
            assert await text(tab, "#error") == "The server does not answer. Is it still running?"

    asyncio.run(go())

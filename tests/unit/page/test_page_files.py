"""What of the page needs no browser: its files, and the names and users it is given."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
import tensorflow as tf

from interest_migration.errors import DataError
from interest_migration.page.example_users import read_example_users
from interest_migration.page.mount import STATIC
from interest_migration.page.vocabulary import read_vocabulary
from schemas.events import ACTIONS
from schemas.signatures import COLUMNS

FILES = sorted(STATIC.iterdir())
VOID = {"meta", "link", "input"}


class Outline(HTMLParser):
    """Collects elements with their attributes, and checks that tags are closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def every(self, *tags: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.found if tag in tags]


@pytest.fixture(scope="module")
def outline() -> Outline:
    outline = Outline()
    outline.feed((STATIC / "index.html").read_text())
    assert outline.open == []
    return outline


def test_every_control_has_a_label(outline: Outline) -> None:
    labelled = {label["for"] for label in outline.every("label")}
    controls = outline.every("input", "select")
    assert len(controls) > 10
    assert [one["id"] for one in controls if one["id"] not in labelled and "aria-label" not in one] == []


def test_ids_are_unique_and_what_refers_to_them_finds_them(outline: Outline) -> None:
    ids = [attributes["id"] for _, attributes in outline.found if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in outline.found:
        for name in ("for", "list", "aria-labelledby", "aria-describedby"):
            assert set((attributes.get(name) or "").split()) <= set(ids)


def test_scripts_look_up_ids_that_exist(outline: Outline) -> None:
    ids = {attributes["id"] for _, attributes in outline.found if "id" in attributes}
    scripts = "".join(path.read_text() for path in FILES if path.suffix == ".js")
    used = set(re.findall(r'(?:byId|getElementById|fill)\(\s*"([a-z-]+)"', scripts))
    assert len(used) > 20
    assert used <= ids


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_nothing_comes_from_another_host(path: Path) -> None:
    text = path.read_text()
    assert not re.findall(r"""(?:src|href|url|from|import|fetch)\s*[=(]?\s*["'(](?:https?:)?//""", text)
    hosts = set(re.findall(r"https?://([^/\"'\s]+)", text))
    assert hosts <= {"www.w3.org"}  # the name of SVG's namespace


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_names_from_logs_never_become_html(path: Path) -> None:
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", path.read_text())


def test_the_page_sends_every_column_of_the_signatures() -> None:
    text = (STATIC / "server.js").read_text()
    sent = set(re.findall(r"(\w+): (?:0|\"\")", text)) | set(re.findall(r"inputs\.(\w+) =", text)) | {"cut_time_s"}
    assert {column.name for column in COLUMNS} <= sent


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_have_enough_contrast(scheme: str) -> None:
    light, dark = re.findall(r":root \{(.*?)\n\s*\}", (STATIC / "page.css").read_text(), re.DOTALL)
    colours = dict(re.findall(r"--([\w-]+): (#\w+)", light if scheme == "light" else dark))
    for name in ("ink", "soft", "accent", "up", "down"):
        for ground in ("card", "ground"):
            assert contrast(colours[name], colours[ground]) >= 4.5, (name, ground)
    assert contrast(colours["on-accent"], colours["accent"]) >= 4.5
    assert contrast(colours["bad"], colours["bad-ground"]) >= 4.5
    assert min(contrast(colours[f"series-{place}"], colours["card"]) for place in range(4)) >= 3


def contrast(first: str, second: str) -> float:
    """WCAG 2: (lighter + .05) / (darker + .05)."""
    lighter, darker = sorted((luminance(first), luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    shares = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    linear = [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
    return sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_the_names_are_those_of_the_model(tmp_path: Path) -> None:
    (tmp_path / "assets").mkdir()
    for name, lines in {"categories": "b\na > ä\n", "items": "i1\ni2\n", "brands": "", "platforms": "web\n"}.items():
        (tmp_path / "assets" / name).write_text(lines, encoding="utf-8")
    assert read_vocabulary(tmp_path, {"i2": "b", "rare": "b"}) == {
        "actions": list(ACTIONS),
        "categories": ["b", "a > ä"],
        "items": ["i1", "i2"],
        "brands": [],
        "platforms": ["web"],
        "item_paths": {"i2": "b"},
    }
    (tmp_path / "assets" / "items").unlink()
    with pytest.raises(DataError, match=r"expected a vocabulary of the model in .*items"):
        read_vocabulary(tmp_path, {})


def user(name: str, cut: int, ages: list[int]) -> tf.train.Example:
    count = len(ages)
    texts = {
        "user": [name],
        "event_action": ["view"] * count,
        "event_item": [f"i{age}" for age in ages],
        "event_category": ["a > b"] * count,
        "event_child_category": ["a > b > c", *[""] * (count - 1)],
        "event_brand": [""] * count,
        "event_platform": ["web"] * count,
    }
    feature = {
        key: tf.train.Feature(bytes_list=tf.train.BytesList(value=[value.encode() for value in values]))
        for key, values in texts.items()
    }
    feature["cut_time_s"] = tf.train.Feature(int64_list=tf.train.Int64List(value=[cut]))
    feature["event_age_seconds"] = tf.train.Feature(int64_list=tf.train.Int64List(value=ages))
    feature["event_price"] = tf.train.Feature(float_list=tf.train.FloatList(value=[0.5] * count))
    return tf.train.Example(features=tf.train.Features(feature=feature))


def test_example_users_are_the_newest_of_each_with_their_events(tmp_path: Path) -> None:
    with tf.io.TFRecordWriter(str(tmp_path / "part.gz"), "GZIP") as writer:
        for one in (
            user("ada", 200, [9, 5, 1]),
            user("ada", 100, [4, 3, 2]),
            user("bob", 100, [8, 6, 4, 2]),
            user("few", 100, [1]),
        ):
            writer.write(one.SerializeToString())
    found = read_example_users(tmp_path)
    assert [(one["user"], one["cut_time_s"], len(one["events"])) for one in found.users] == [
        ("ada", 200, 3),
        ("bob", 100, 4),
    ]
    assert found.users[0]["events"][0] == {
        "time_s": 191,
        "action": "view",
        "item": "i9",
        "category_path": "a > b > c",
        "brand": "",
        "platform": "web",
        "price": 0.5,
    }
    assert found.item_paths["i9"] == "a > b > c"
    assert found.item_paths["i5"] == "a > b"
    assert len(read_example_users(tmp_path, count=1).users) == 1
    with pytest.raises(DataError, match="received neither"):
        read_example_users(tmp_path / "absent")

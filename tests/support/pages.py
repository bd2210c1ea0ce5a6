"""What a page must be: well-formed, self-contained, and usable without seeing its pictures."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import pairwise

_VOID = {"meta", "link", "br", "hr", "img", "input"}
_HEADING = re.compile(r"h[1-6]")


@dataclass
class Element:
    """An element, its attributes, its children, and the text directly and indirectly in it."""

    tag: str
    attributes: dict[str, str]
    children: list["Element"] = field(default_factory=list)
    text: str = ""

    def find(self, *tags: str) -> list["Element"]:
        """Returns all elements below with one of the tags, in order."""
        found = []
        for child in self.children:
            found += [child] if child.tag in tags else []
            found += child.find(*tags)
        return found

    def all(self) -> list["Element"]:
        """Returns all elements below."""
        return [element for child in self.children for element in (child, *child.all())]


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = Element("", {})
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"an attribute of <{tag}> occurs twice: {attrs}"
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(element)
        if tag not in _VOID:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, f"</{tag}> at {self.getpos()} closes <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        for element in self.open:
            element.text += data


def parse(page: str) -> Element:
    """Parses a page; fails if tags are not balanced."""
    parser = _Parser()
    parser.feed(page)
    parser.close()
    assert parser.open == [parser.root], f"not closed: {[element.tag for element in parser.open]}"
    return parser.root


def check_page(page: str) -> Element:
    """Checks everything that holds for every report, and returns it parsed."""
    root = parse(page)
    elements = root.all()
    _check_references(elements)
    _check_headings(elements)
    _check_pictures(root)
    _check_tables(root)
    (html,) = root.find("html")
    assert html.attributes["lang"] == "en"
    assert root.find("title")[0].text.strip()
    assert len(root.find("main")) == len(root.find("h1")) == 1
    return root


def loads(root: Element) -> list[str]:
    """Returns everything that a page would load from elsewhere."""
    places = [
        element.attributes[name]
        for element in root.all()
        for name in ("src", "href", "srcset", "poster", "data", "action")
        if name in element.attributes and element.tag != "a"
    ]
    styles = "".join(element.text for element in root.find("style"))
    imports = re.findall(r"url\(|@import", styles + " ".join(e.attributes.get("style", "") for e in root.all()))
    return [place for place in places if not place.startswith("data:")] + imports


def _check_references(elements: list[Element]) -> None:
    ids = [element.attributes["id"] for element in elements if "id" in element.attributes]
    assert len(ids) == len(set(ids)), f"ids occur twice: {sorted(name for name in ids if ids.count(name) > 1)}"
    for element in elements:
        for name in ("aria-labelledby", "aria-describedby"):
            missing = set(element.attributes.get(name, "").split()) - set(ids)
            assert not missing, f"<{element.tag} {name}> names {missing}"
        target = element.attributes.get("href", "")
        assert not target.startswith("#") or target[1:] in ids, f"{target} leads nowhere"


def _check_headings(elements: list[Element]) -> None:
    levels = [int(element.tag[1]) for element in elements if _HEADING.fullmatch(element.tag)]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels)), levels


def _check_pictures(root: Element) -> None:
    assert not root.find("img")
    plots = [element for element in root.all() if element.attributes.get("class") == "plot"]
    figures = root.find("figure")
    assert len(plots) == len(figures)
    for figure in figures:
        (plot,) = figure.find("div")[:1]
        assert plot.attributes["role"] == "img"
        assert plot.attributes["aria-labelledby"]
        (caption,) = figure.find("figcaption")
        assert caption.text.strip()
        assert figure.find("details")[0].find("td"), f"no table of {figure.find('h3')[0].text}"


def _check_tables(root: Element) -> None:
    for table in root.find("table"):
        assert all(cell.attributes.get("scope") for cell in table.find("th"))
        assert all(cell.text.strip() for cell in table.find("th"))
        widths = {sum(int(cell.attributes.get("colspan", "1")) for cell in row.children) for row in table.find("tr")}
        assert len(widths) == 1, f"rows of different width: {widths}"
    for region in (element for element in root.all() if element.attributes.get("class") == "scroll"):
        assert region.attributes["tabindex"] == "0"
        assert region.attributes.get("aria-label") or region.attributes.get("aria-labelledby")

"""Pictures of a report: plotly figures, each with its title, what it shows in a sentence, and its values as a table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Final

import plotly.graph_objects as go

from interest_migration.evaluation.compare import MODEL
from interest_migration.evaluation.measures import SERVED
from schemas.events import PATH_SEPARATOR

MODEL_COLOUR: Final = "#2f7ed8"
SERVED_COLOUR: Final = "#8a63d2"
BASELINE_COLOURS: Final = ("#c8621b", "#2a9060", "#b0558f", "#8a7a1f")
QUIET_COLOUR: Final = "#7d8590"
"""All stand out at 3 : 1 from a white and from a dark page; lines also differ in their dashes."""

DASHES: Final = ("dash", "dot", "dashdot", "longdash")
PLACES: Final = 4
_LOOKS: Final[Mapping[int | str, Mapping[str, Any]]] = {
    MODEL: {"color": MODEL_COLOUR, "width": 3},
    SERVED: {"color": SERVED_COLOUR, "width": 2, "dash": "longdashdot"},
}


@dataclass(frozen=True)
class Table:
    """Values of a picture. Cells are text already."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Picture:
    """One picture.

    Attributes:
      name: Distinct within a report: letters, digits and dashes.
      title: What it shows.
      sentence: What there is to see, for those who cannot.
      spec: Plotly's `data` and `layout`.
      table: Its values.
      height: In pixels.
    """

    name: str
    title: str
    sentence: str
    spec: Mapping[str, Any]
    table: Table
    height: int


def make_picture(
    traces: Sequence[Any], layout: Mapping[str, Any], table: Table, *, name: str, title: str, sentence: str, height: int
) -> Picture:
    """Makes a picture from traces; fonts, colours of axes and background are the page's.

    Raises:
      ValueError: If plotly does not know a property.
    """
    base = {
        "template": {},
        "height": height,
        "margin": {"l": 8, "r": 12, "t": 8, "b": 8},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "legend": {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"},
        "hoverlabel": {"namelength": -1},
    }
    figure = go.Figure(data=list(traces), layout={**base, **layout})
    return Picture(name, title, sentence, figure.to_plotly_json(), table, height)


def axis(title: str, **extra: Any) -> dict[str, Any]:
    """Returns an axis with a title that makes room for itself."""
    return {"title": {"text": title, "standoff": 6}, "automargin": True, "zeroline": False, **extra}


def line(name: str, x: Sequence[Any], y: Sequence[Any], style: int | str, *, markers: bool = False) -> Any:
    """Returns a line.

    Args:
      name: For the legend.
      x: Places.
      y: Heights.
      style: `MODEL` or `SERVED`, or the number of another line.
      markers: Whether its points are marked.
    """
    look = _LOOKS.get(style) or {
        "color": BASELINE_COLOURS[int(style) % len(BASELINE_COLOURS)],
        "width": 1.75,
        "dash": DASHES[int(style) % len(DASHES)],
    }
    return go.Scatter(x=x, y=y, name=name, mode="lines+markers" if markers else "lines", line=look)


def reference_line(name: str, x: Sequence[float], y: Sequence[float]) -> Any:
    """Returns a thin dotted line: chance, or what would be ideal."""
    style = {"color": QUIET_COLOUR, "width": 1, "dash": "dot"}
    return go.Scatter(x=x, y=y, name=name, mode="lines", line=style, hoverinfo="skip")


def rounded(values: Any) -> list[float]:
    """Returns numbers with few digits: enough for a picture, and a smaller file."""
    return [round(float(value), PLACES) for value in values]


def plain(text: str) -> str:
    """Returns text so that plotly shows it as it is: it takes `<a href=...>`, `<br>` and entities for markup."""
    return escape(text, quote=False)


def shorten(text: str, length: int = 22) -> str:
    """Returns the last name of a category path, as `plain`.

    Example:
      GROCERY > FLUID MILK PRODUCTS, length 12 -> FLUID MILK …
    """
    last = text.rsplit(PATH_SEPARATOR, 1)[-1]
    return plain(last if len(last) <= length else f"{last[: length - 1]}…")

"""Pictures of the flow of interests: where it moves, who gains and loses, and the course over time."""

from collections.abc import Iterator

import plotly.graph_objects as go

from interest_migration.flows.results import CategoryFlow, Flows
from interest_migration.report.figures import (
    BASELINE_COLOURS,
    DASHES,
    MODEL_COLOUR,
    Picture,
    Table,
    axis,
    make_picture,
    plain,
    rounded,
    shorten,
)
from interest_migration.report.formats import count, day, percent, points

_MOST_LINKS = 40
_MOST_CHANGES = 10
_MOST_LINES = 5
_DIGITS = 3
_COLOURS = (MODEL_COLOUR, *BASELINE_COLOURS)


def draw_flows(flows: Flows) -> Iterator[Picture]:
    """Draws the movement between categories, gains and losses, and the course over time."""
    for picture in (_draw_movement(flows), _draw_changes(flows), _draw_course(flows)):
        if picture is not None:
            yield picture


def _draw_movement(flows: Flows) -> Picture | None:
    places = {category.name for category in flows.categories}
    links = [link for link in flows.links if link.source != link.target and {link.source, link.target} <= places]
    links = sorted(links, key=lambda link: -link.share)[:_MOST_LINKS]
    if not links:
        return None
    left = list(dict.fromkeys(link.source for link in links))
    right = list(dict.fromkeys(link.target for link in links))
    colours = {name: _COLOURS[place % len(_COLOURS)] for place, name in enumerate(dict.fromkeys([*left, *right]))}
    total = sum(link.share for link in links)
    trace = go.Sankey(
        node={
            "label": [shorten(name, 20) for name in (*left, *right)],
            "customdata": [plain(name) for name in (*left, *right)],
            "color": [colours[name] for name in (*left, *right)],
            "hovertemplate": "%{customdata}<extra></extra>",
            "pad": 10,
            "thickness": 12,
            "line": {"width": 0},
        },
        link={
            "source": [left.index(link.source) for link in links],
            "target": [len(left) + right.index(link.target) for link in links],
            "value": [round(100 * link.share, 4) for link in links],
            "color": [_fade(colours[link.source]) for link in links],
            "customdata": [link.users for link in links],
            "hovertemplate": "%{source.customdata} → %{target.customdata}<br>%{value:.2f} % of all interest, "
            "%{customdata:,} users<extra></extra>",
        },
    )
    top = links[0]
    sentence = (
        f"The {len(links)} largest movements between the most frequent categories; interest that stays is not drawn, "
        f"nor is what moves to or from other categories or ends. The largest: {top.source} to {top.target}, "
        f"{percent(top.share, 2)} of all interest. Together they are {percent(total)} of it."
    )
    table = Table(
        ["now", "next", "share of all interest", "share of what was there", "users"],
        [
            [link.source, link.target, percent(link.share, 2), percent(link.of_source), count(link.users)]
            for link in links
        ],
    )
    return make_picture(
        [trace],
        {},
        table,
        name="flow-movement",
        title="Where interest moves",
        sentence=sentence,
        height=max(420, 34 * max(len(left), len(right))),
    )


def _draw_changes(flows: Flows) -> Picture | None:
    clear = [category for category in flows.categories if category.low > 0 or category.high < 0]
    ranked = sorted(flows.categories, key=lambda category: (category not in clear, -abs(category.change)))
    chosen = ranked[:_MOST_CHANGES]
    chosen.sort(key=lambda category: -category.change)
    if not chosen:
        return None
    trace = go.Scatter(
        x=[round(100 * category.change, _DIGITS) for category in chosen],
        y=[shorten(category.name, 24) for category in chosen],
        customdata=[plain(category.name) for category in chosen],
        hovertemplate="%{customdata}: %{x:+.2f} points<extra></extra>",
        mode="markers",
        marker={"size": 9, "color": MODEL_COLOUR},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": rounded(100 * (category.high - category.change) for category in chosen),
            "arrayminus": rounded(100 * (category.change - category.low) for category in chosen),
            "thickness": 1.5,
            "color": MODEL_COLOUR,
        },
    )
    layout = {
        "xaxis": axis("percentage points of all interest", tickformat="+.2~f", tickangle=0, nticks=6),
        "yaxis": {"automargin": True, "autorange": "reversed"},
        "shapes": [{"type": "line", "x0": 0, "x1": 0, "yref": "paper", "y0": 0, "y1": 1, "line": {"width": 1}}],
        "showlegend": False,
    }
    return make_picture(
        [trace],
        layout,
        Table(["category", "change in points", "from", "to"], [_change_row(category) for category in chosen]),
        name="flow-changes",
        title="Which categories gain and lose",
        sentence=_tell_changes(clear, flows),
        height=110 + 30 * len(chosen),
    )


def _tell_changes(clear: list[CategoryFlow], flows: Flows) -> str:
    gaining = [category.name for category in clear if category.change > 0]
    losing = [category.name for category in clear if category.change < 0]
    if not clear:
        return (
            f"None of {len(flows.categories)} categories gains or loses more than chance explains; the largest changes "
            "are drawn with intervals that hold for all categories at once."
        )
    return (
        f"Of {len(flows.categories)} categories {len(gaining)} gain and {len(losing)} lose interest beyond chance; the "
        "intervals hold for all categories at once."
    )


def _change_row(category: CategoryFlow) -> list[str]:
    return [category.name, points(category.change), points(category.low), points(category.high)]


def _draw_course(flows: Flows) -> Picture | None:
    names = list(flows.periods[0].shares if len(flows.periods) > 1 else {})[:_MOST_LINES]
    if not names:
        return None
    days = [day(period.start_s) for period in flows.periods]
    traces = []
    for place, name in enumerate(names):
        shares = [period.shares[name] for period in flows.periods]
        style = {"color": _COLOURS[place % len(_COLOURS)], "width": 2, "dash": ("solid", *DASHES)[place % 5]}
        traces.append(
            go.Scatter(
                x=days,
                y=[None if share is None else round(100 * share, 2) for share in shares],
                name=shorten(name, 24),
                mode="lines+markers",
                line=style,
            )
        )
    first, last = (flows.periods[row].shares[names[0]] for row in (0, -1))
    shown = list(flows.periods[0].shares)
    table = Table(
        ["period from", "users", *shown],
        [
            [day(period.start_s), count(period.users), *(percent(period.shares[name]) for name in shown)]
            for period in flows.periods
        ],
    )
    return make_picture(
        traces,
        {"xaxis": axis(""), "yaxis": axis("% of next baskets", rangemode="tozero")},
        table,
        name="flow-course",
        title="How often categories are next, over time",
        sentence=(
            f"The most frequent categories in {len(days)} periods; {names[0]} went from {percent(first)} of the next "
            f"baskets to {percent(last)}."
        ),
        height=380,
    )


def _fade(colour: str) -> str:
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.35)"

"""Picture of the model against its rivals."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from interest_migration.evaluation.results import SWITCHED
from interest_migration.report.figures import (
    BASELINE_COLOURS,
    SERVED_COLOUR,
    Picture,
    Table,
    axis,
    make_picture,
    rounded,
)
from interest_migration.report.formats import signed
from interest_migration.report.headlines import Estimate, Headline
from interest_migration.report.words import metric_name, task_name


def draw_differences(headlines: Sequence[Headline]) -> Picture | None:
    """Draws the model minus its rivals, with intervals, one row per task."""
    rows = [headline for headline in headlines if headline.difference.is_known]
    if not rows:
        return None
    names = [_headline_name(row) for row in rows]
    traces = [
        _differences("minus the strongest baseline", names, [row.difference for row in rows], BASELINE_COLOURS[0])
    ]
    changes = [(name, row.change) for name, row in zip(names, rows, strict=True) if row.change is not None]
    if changes:
        traces.append(
            _differences(
                "minus the served model",
                [name for name, _ in changes],
                [change for _, change in changes if change is not None],
                SERVED_COLOUR,
                symbol="diamond",
            )
        )
    layout = {
        "xaxis": axis("model minus rival", tickformat="+.3~f", tickangle=0, nticks=6),
        "yaxis": {"automargin": True, "autorange": "reversed"},
        "shapes": [{"type": "line", "x0": 0, "x1": 0, "yref": "paper", "y0": 0, "y1": 1, "line": {"width": 1}}],
    }
    ahead = sum(row.standing == "ahead" for row in rows)
    behind = sum(row.standing == "behind" for row in rows)
    sentence = (
        f"Of {len(rows)} headline metrics the model is ahead of the strongest baseline in {ahead}, behind in {behind}, "
        f"and level with it in {len(rows) - ahead - behind}. Right of 0 the model is better."
    )
    body = [
        [name, signed(row.difference.value), *_bounds(row.difference)] for name, row in zip(names, rows, strict=True)
    ]
    table = Table(["task and metric", "model minus strongest baseline", "from", "to"], body)
    return make_picture(
        traces,
        layout,
        table,
        name="differences",
        title="The model against its rivals",
        sentence=sentence,
        height=80 + 34 * len(rows),
    )


def _differences(
    name: str, tasks: Sequence[str], values: Sequence[Estimate], colour: str, symbol: str = "circle"
) -> Any:
    return go.Scatter(
        x=rounded(value.value for value in values),
        y=tasks,
        name=name,
        mode="markers",
        marker={"size": 9, "color": colour, "symbol": symbol},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": rounded(np.nan_to_num(value.high - value.value) for value in values),
            "arrayminus": rounded(np.nan_to_num(value.value - value.low) for value in values),
            "thickness": 1.5,
            "color": colour,
        },
    )


def _headline_name(row: Headline) -> str:
    moved = ", interest moves" if row.subset == SWITCHED else ""
    return f"{task_name(row.task)}<br>{metric_name(row.metric)}{moved}"


def _bounds(value: Estimate) -> tuple[str, str]:
    return signed(value.low), signed(value.high)

"""The page of a label-efficiency curve."""

from typing import Final

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from interest_migration.label_curve.results import LabelCurve, Point
from interest_migration.report.figures import BASELINE_COLOURS, MODEL_COLOUR
from interest_migration.report.words import metric_name, task_name

_COLUMNS: Final = 2
_ROW_HEIGHT: Final = 320


def draw_label_curve(curve: LabelCurve) -> str:
    """Returns an HTML page that loads nothing: one plot per task, share of labels against its metric."""
    tasks = list(dict.fromkeys(point.task for point in curve.points))
    rows = -(-len(tasks) // _COLUMNS)
    titles = [f"{task_name(task)}: {metric_name(_of(curve, task)[0].metric)}" for task in tasks]
    figure = make_subplots(rows=max(rows, 1), cols=_COLUMNS, subplot_titles=titles)
    for number, task in enumerate(tasks):
        place = {"row": number // _COLUMNS + 1, "col": number % _COLUMNS + 1}
        points = _of(curve, task)
        figure.add_trace(_line("labels alone", [point.plain for point in points], points, number == 0), **place)
        figure.add_trace(_line("pretrained", [point.pretrained for point in points], points, number == 0), **place)
    figure.update_xaxes(type="log", title_text="share of users with labels")
    figure.update_layout(
        height=_ROW_HEIGHT * max(rows, 1),
        title=f"Label efficiency on {curve.test_examples:,} test examples of {curve.test_users:,} users",
    )
    return str(figure.to_html(include_plotlyjs=True, full_html=True))


def _of(curve: LabelCurve, task: str) -> list[Point]:
    return [point for point in curve.points if point.task == task]


def _line(name: str, values: list[float], points: list[Point], shown: bool) -> go.Scatter:
    pretrained = name == "pretrained"
    return go.Scatter(
        x=[point.share for point in points],
        y=values,
        name=name,
        legendgroup=name,
        showlegend=shown,
        mode="lines+markers",
        line={"color": MODEL_COLOUR if pretrained else BASELINE_COLOURS[0], "dash": "solid" if pretrained else "dash"},
        hovertext=[f"difference {point.difference:+.3f}" for point in points],
    )

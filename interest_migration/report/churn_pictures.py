"""Pictures of churn scores: ROC, precision and recall, calibration."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from interest_migration.evaluation.calibration import ReliabilityBin, reliability_curve
from interest_migration.evaluation.compare import MODEL
from interest_migration.evaluation.discrimination import auroc, average_precision
from interest_migration.evaluation.measures import LABEL, SERVED, Measures
from interest_migration.evaluation.spaces import Numbers
from interest_migration.evaluation.tasks import SCORE
from interest_migration.report.curves import Curve, precision_recall_curve, roc_curve
from interest_migration.report.figures import Picture, Table, axis, line, make_picture, reference_line, rounded
from interest_migration.report.formats import count, number, percent
from interest_migration.report.words import method_name, task_name
from schemas.signatures import CHURN_TASKS

_MOST_METHODS: Final = 5
_BINS: Final = 10
_STEPS: Final = 21
_HEIGHT: Final = 380


@dataclass(frozen=True)
class _Churn:
    """Scores of the examples of one task whose label is known, by method; the model first."""

    task: str
    scores: Mapping[str, Numbers]
    positives: npt.NDArray[np.bool_]
    users: npt.NDArray[np.int64]

    @property
    def name(self) -> str:
        return self.task.replace("_", "-")


def draw_churn(measures: Measures, minimum_users: int) -> Iterator[Picture]:
    """Draws the curves of every churn task that has both classes.

    Args:
      measures: Scores and labels of all methods.
      minimum_users: Points of the calibration that fewer different users are behind are left out.
    """
    for task in CHURN_TASKS:
        churn = _read(measures, task)
        if churn is not None and len(np.unique(churn.positives)) == 2 and churn.scores:
            yield _draw_roc(churn)
            yield _draw_precision_recall(churn)
            yield from _draw_calibration(churn, minimum_users)


def _read(measures: Measures, task: str) -> _Churn | None:
    label = measures.values.get(f"{task}/{LABEL}")
    if label is None:
        return None
    known, methods = ~np.isnan(label), measures.methods(task)
    order = sorted(methods, key=lambda method: (method != MODEL, method != SERVED, methods.index(method)))
    columns = {method: measures.find(task, method, SCORE) for method in order[:_MOST_METHODS]}
    scores = {method: column[known] for method, column in columns.items() if column is not None}
    whole = {method: values for method, values in scores.items() if not np.isnan(values).any()}
    return _Churn(task, whole, label[known] == 1, measures.users[known])


def _draw_roc(churn: _Churn) -> Picture:
    curves = {method: roc_curve(values, churn.positives) for method, values in churn.scores.items()}
    areas = {method: auroc(values, churn.positives) for method, values in churn.scores.items()}
    return make_picture(
        [*_lines(curves, areas), reference_line("guessing", [0, 1], [0, 1])],
        _square("stayers flagged by mistake", "leavers found"),
        _at_steps(curves, "stayers flagged"),
        name=f"roc-{churn.name}",
        title=f"{task_name(churn.task)}: ROC",
        sentence=f"Area under the curve: {_tell(areas)}. Guessing has 0.5.",
        height=_HEIGHT,
    )


def _draw_precision_recall(churn: _Churn) -> Picture:
    curves = {method: precision_recall_curve(values, churn.positives) for method, values in churn.scores.items()}
    areas = {method: average_precision(values, churn.positives) for method, values in churn.scores.items()}
    share = float(churn.positives.mean())
    return make_picture(
        [*_lines(curves, areas), reference_line("guessing", [0, 1], [share, share])],
        _square("recall: leavers found", "precision: flagged who leave"),
        _at_steps(curves, "recall"),
        name=f"pr-{churn.name}",
        title=f"{task_name(churn.task)}: precision, recall",
        sentence=f"Average precision: {_tell(areas)}. Guessing has {number(share)}, the share of leavers.",
        height=_HEIGHT,
    )


def _draw_calibration(churn: _Churn, minimum_users: int) -> Iterator[Picture]:
    bins = {
        method: _filled_bins(values, churn, minimum_users)
        for method, values in churn.scores.items()
        if values.min() >= 0 and values.max() <= 1
    }
    if not any(bins.values()):
        return
    traces = [reference_line("ideal", [0, 1], [0, 1])]
    for place, (method, found) in enumerate(bins.items()):
        said, left = rounded(entry.predicted for entry in found), rounded(entry.observed for entry in found)
        traces.append(line(method_name(method), said, left, _style(method, place), markers=True))
    rows = [_bin_row(method, entry) for method, found in bins.items() for entry in found]
    said, left = churn.scores[next(iter(churn.scores))].mean(), churn.positives.mean()
    yield make_picture(
        traces,
        _square("probability said", "share that left"),
        Table(["method", "probability said", "examples", "mean said", "share that left"], rows),
        name=f"calibration-{churn.name}",
        title=f"{task_name(churn.task)}: calibration",
        sentence=(
            f"On average the {method_name(next(iter(churn.scores)))} says {percent(float(said))}; "
            f"{percent(float(left))} left. On the dotted line, what is said is what happens."
        ),
        height=_HEIGHT,
    )


def _filled_bins(values: Numbers, churn: _Churn, minimum_users: int) -> list[ReliabilityBin]:
    """Returns the bins of a reliability curve that enough users are behind."""
    found = reliability_curve(values, churn.positives, _BINS)
    inside = [(values >= entry.low) & ((values < entry.high) | (entry.high == 1)) for entry in found]
    return [
        entry
        for entry, rows in zip(found, inside, strict=True)
        if entry.examples and len(np.unique(churn.users[rows])) >= minimum_users
    ]


def _bin_row(method: str, entry: ReliabilityBin) -> list[str]:
    bounds = f"{entry.low:.1f} to {entry.high:.1f}"
    return [method_name(method), bounds, count(entry.examples), number(entry.predicted), number(entry.observed)]


def _square(x: str, y: str) -> dict[str, Any]:
    bounds = {"range": [-0.01, 1.01], "dtick": 0.2}
    return {"xaxis": axis(x, **bounds), "yaxis": axis(y, **bounds)}


def _lines(curves: Mapping[str, Curve], areas: Mapping[str, float]) -> list[Any]:
    return [
        line(
            f"{method_name(method)} ({number(areas[method])})",
            rounded(curve.x),
            rounded(curve.y),
            _style(method, place),
        )
        for place, (method, curve) in enumerate(curves.items())
    ]


def _style(method: str, place: int) -> int | str:
    return method if method in (MODEL, SERVED) else place


def _at_steps(curves: Mapping[str, Curve], x: str) -> Table:
    """Returns the heights of all curves at equal steps."""
    steps = np.linspace(0, 1, _STEPS)
    heights = [np.interp(steps, curve.x, curve.y) for curve in curves.values()]
    rows = [[f"{step:.2f}", *(number(float(height[row])) for height in heights)] for row, step in enumerate(steps)]
    return Table([x, *(method_name(method) for method in curves)], rows)


def _tell(areas: Mapping[str, float]) -> str:
    return ", ".join(f"{method_name(method)} {number(area)}" for method, area in areas.items())

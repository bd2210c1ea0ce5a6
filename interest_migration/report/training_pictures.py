"""Pictures of a training: losses and validation metrics by epoch."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from interest_migration.evaluation.compare import MODEL
from interest_migration.report.figures import Picture, Table, axis, line, make_picture
from interest_migration.report.formats import number

_VALIDATION: Final = ("score", "next_category_hit_at_5", "churn_short_auc", "churn_long_auc")
_HEIGHT: Final = 340


def draw_training(training: Mapping[str, Any]) -> Iterator[Picture]:
    """Draws losses and validation metrics over the epochs; nothing where no epoch was recorded."""
    epochs = training.get("history") or []
    if epochs:
        best = training["best_epoch"] + 1
        losses = list(epochs[0]["losses"])
        validation = [name for name in _VALIDATION if name in epochs[0]["validation"]]
        yield _draw(epochs, ("losses", "Losses by epoch", "loss"), losses, best)
        yield _draw(epochs, ("validation", "Validation by epoch", "score"), validation, best)


def _draw(epochs: Sequence[Mapping[str, Any]], what: tuple[str, str, str], names: list[str], best: int) -> Picture:
    key, title, main = what
    names = sorted(names, key=lambda name: name != main)
    numbers = [epoch["epoch"] + 1 for epoch in epochs]
    series = {name: [epoch[key].get(name) for epoch in epochs] for name in names}
    traces = [
        line(_words(name), numbers, values, MODEL if name == main else place, markers=True)
        for place, (name, values) in enumerate(series.items())
    ]
    marker = {"type": "line", "x0": best, "x1": best, "yref": "paper", "y0": 0, "y1": 1, "line": {"dash": "dot"}}
    shapes = [marker] if best else []
    layout = {"xaxis": axis("epoch", dtick=max(1, len(numbers) // 10)), "yaxis": axis(main), "shapes": shapes}
    kept = f"the weights of epoch {best} (dotted line) were kept" if best else "the weights it started from were kept"
    rows = [[str(epoch), *(number(series[name][row], 4) for name in names)] for row, epoch in enumerate(numbers)]
    first, last = series[names[0]][0], series[names[0]][-1]
    return make_picture(
        traces,
        layout,
        Table(["epoch", *map(_words, names)], rows),
        name=f"training-{key}",
        title=title,
        sentence=(
            f"{_words(names[0]).capitalize()} went from {number(first, 4)} in the first to {number(last, 4)} in the "
            f"last of {len(numbers)} epochs; {kept}."
        ),
        height=_HEIGHT,
    )


def _words(name: str) -> str:
    return name.replace("_", " ")

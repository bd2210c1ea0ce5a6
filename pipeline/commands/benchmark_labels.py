"""`interest-migration benchmark labels`."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from pipeline.commands.ending import finish
from pipeline.commands.options import CONFIG, JSON, OVERRIDES

if TYPE_CHECKING:
    from interest_migration.label_curve.results import LabelCurve

SHARES: Final = (0.01, 0.05, 0.1, 0.25, 1.0)
EPILOG = """\b
Examples:
  interest-migration benchmark labels --config configs/demo.yaml --output curve.html
  interest-migration benchmark labels --config configs/demo.yaml --share 0.01 --share 0.1 --seeds 1
  interest-migration benchmark labels --config configs/demo.yaml --budget-seconds 1800 --json
  interest-migration benchmark labels --config configs/demo.yaml --set pretraining.weights.later=0
"""


@click.command(epilog=EPILOG)
@CONFIG
@OVERRIDES
@click.option(
    "--share",
    "shares",
    type=click.FloatRange(0, 1, min_open=True),
    multiple=True,
    default=SHARES,
    show_default=True,
    help="Share of users whose labels are used. Repeatable.",
)
@click.option("--seeds", type=click.IntRange(min=1), default=3, show_default=True, help="Number of seeds.")
@click.option("--budget-seconds", type=click.FloatRange(min=0), help="No training begins later than this  [no bound]")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Draws the curve to this HTML file.")
@JSON
def labels(
    config_file: Path,
    overrides: tuple[str, ...],
    shares: tuple[float, ...],
    seeds: int,
    budget_seconds: float | None,
    output: Path | None,
    as_json: bool,
) -> None:
    """Traces how good the model gets with few labels, with and without pretraining.

    For each share and seed, one model learns from the labels of that share of the users alone, another is pretrained
    on all trajectories first. Both are scored on the test split of the newest finished run. Pretraining has the
    settings of the configuration, two epochs if it has none.
    """

    def work() -> "LabelCurve":
        from interest_migration.storage.atomic import replacing
        from pipeline.config import load_config
        from pipeline.label_curve import trace_label_curve

        curve = trace_label_curve(load_config(config_file, overrides), shares, seeds, budget_seconds)
        if output:
            from interest_migration.report.label_curve_picture import draw_label_curve

            with replacing(output) as temporary:
                temporary.write_text(draw_label_curve(curve), encoding="utf-8")
        return curve

    finish(work, as_json=as_json, to_json=lambda curve: curve.to_json(), show=lambda curve: _show(curve, output))


def _show(curve: "LabelCurve", output: Path | None) -> None:
    from rich import box
    from rich.table import Table

    from pipeline.commands.tables import make_console

    title = f"Test split: {curve.test_examples:,} examples of {curve.test_users:,} users"
    table = Table(title=title, box=box.SIMPLE, title_justify="left")
    for name in ("labels", "seeds", "examples"):
        table.add_column(name, justify="right")
    for name in ("task", "metric"):
        table.add_column(name)
    for name in ("labels alone", "pretrained", f"difference ({curve.confidence:.0%} interval)"):
        table.add_column(name, justify="right")
    for point in curve.points:
        interval = "" if point.low is None else f" ({point.low:+.3f} to {point.high:+.3f})"
        table.add_row(
            f"{point.share:.4g}",
            str(point.seeds),
            f"{point.examples:,.0f}",
            point.task,
            point.metric,
            f"{point.plain:.3f}",
            f"{point.pretrained:.3f}",
            f"{point.difference:+.3f}{interval}",
        )
    console = make_console()
    console.print(table if curve.points else "No training fitted into the time.")
    for what in curve.left_out:
        console.print(f"Left out for lack of time: {what}")
    if output:
        console.print(f"Curve: {output}", soft_wrap=True)

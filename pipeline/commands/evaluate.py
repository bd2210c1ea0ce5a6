"""`interest-migration evaluate`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.commands.ending import finish
from pipeline.commands.options import CONFIG, JSON, OVERRIDES

if TYPE_CHECKING:
    from interest_migration.evaluation.results import EvaluationReport

EPILOG = """\b
Examples:
  interest-migration evaluate --config configs/demo.yaml
  interest-migration evaluate --config configs/demo.yaml --model workspace/demo/served/interests/1
  interest-migration evaluate --config configs/demo.yaml --set comparison.resamples=1000 --json
"""


@click.command(epilog=EPILOG)
@CONFIG
@OVERRIDES
@click.option("--model", type=click.Path(path_type=Path), help="SavedModel  [that of the newest run]")
@click.option("--examples", type=click.Path(path_type=Path), help="Transformed examples  [those of the newest run]")
@JSON
def evaluate(
    config_file: Path, overrides: tuple[str, ...], model: Path | None, examples: Path | None, as_json: bool
) -> None:
    """Scores a model beside the baselines on the test split, without training or pushing.

    Model and examples are those of the newest finished run in the configuration's workspace, unless they are given. A
    given model must have been trained with the same vocabularies. --json prints every metric, task and subset.
    """

    def work() -> "EvaluationReport":
        from pipeline.config import load_config
        from pipeline.evaluation import evaluate_run

        return evaluate_run(load_config(config_file, overrides), model, examples)

    finish(work, as_json=as_json, to_json=_plain, show=_show)


def _plain(report: "EvaluationReport") -> dict[str, Any]:
    values: dict[str, Any] = json.loads(report.to_json())
    return values


def _show(report: "EvaluationReport") -> None:
    from pipeline.commands.tables import make_console, print_report

    print_report(make_console(), report)

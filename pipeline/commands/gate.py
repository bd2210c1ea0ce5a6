"""`interest-migration gate`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.commands.ending import DONE, REFUSED, finish
from pipeline.commands.options import JSON

if TYPE_CHECKING:
    from interest_migration.gates.decision import Decision

EPILOG = """\b
Examples:
  interest-migration gate --evaluation workspace/demo/runs/20260102-030405-678901 --gates configs/gates.yaml
  interest-migration gate --evaluation workspace/demo/artifacts/Comparison/comparison/7 --gates stricter.yaml --json
"""


@click.command(epilog=EPILOG)
@click.option(
    "--evaluation",
    type=click.Path(path_type=Path),
    required=True,
    help="A run's folder, or the folder of its comparison or another of its artifacts.",
)
@click.option("--gates", type=click.Path(path_type=Path), required=True, help="Gates file, such as configs/gates.yaml.")
@JSON
def gate(evaluation: Path, gates: Path, as_json: bool) -> None:
    """Judges an existing evaluation by a gates file; nothing is trained, measured or pushed.

    Prints every reason against the model and ends with 0 if it passes and with 3 if it is refused. --json prints the
    whole decision: every rule, value, interval, bound, verdict and reason.
    """

    def work() -> "Decision":
        from pipeline.evaluation import judge_again

        return judge_again(evaluation, gates)

    finish(
        work,
        as_json=as_json,
        to_json=lambda decision: decision.to_json(),
        show=_show,
        exit_code=lambda decision: DONE if decision.passed else REFUSED,
    )


def _show(decision: "Decision") -> None:
    from pipeline.commands.tables import make_console, print_decision

    print_decision(make_console(), decision)

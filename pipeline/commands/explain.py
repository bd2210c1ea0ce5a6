"""`interest-migration explain`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.commands.ending import finish
from pipeline.commands.options import JSON

if TYPE_CHECKING:
    from interest_migration.serving.reasons import Explanation

EPILOG = """\b
Examples:
  interest-migration explain --model workspace/demo/served/interests/1 --config configs/demo.yaml --number 7
  interest-migration explain --model workspace/demo/served/interests/1 --examples one.gz --user 7f3a9c... --json
"""


@click.command(epilog=EPILOG)
@click.option("--model", type=click.Path(path_type=Path), required=True, help="Folder of the exported model.")
@click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Configuration whose newest finished run's test examples are meant, unless --examples is given.",
)
@click.option(
    "--examples", type=click.Path(path_type=Path), help="Gzip TFRecord file of raw examples, or their folder."
)
@click.option("--user", help="Pseudonym of the user; the newest example is taken  [that of --number]")
@click.option("--number", type=click.IntRange(min=0), default=0, show_default=True, help="Which example.")
@JSON
def explain(
    model: Path, config_file: Path | None, examples: Path | None, user: str | None, number: int, as_json: bool
) -> None:
    """Shows on which events, interests and numbers a model's answers about a user rest.

    A contribution is the answer less the answer without the event, without all events of the interest, or with the
    average of all users in place of the number.
    """

    def work() -> "Explanation":
        from interest_migration.errors import ConfigError
        from interest_migration.serving.reasons import explain_user

        folder = examples
        if folder is None and config_file is not None:
            folder = _test_examples(config_file)
        if folder is None:
            raise ConfigError("expected --examples or --config, received neither")
        return explain_user(model, folder, user, number)

    finish(work, as_json=as_json, to_json=lambda explanation: explanation.to_json(), show=_show)


def _test_examples(config_file: Path) -> Path:
    from pipeline.config import load_config
    from pipeline.evaluation import finished_run, read_artifacts

    run = finished_run(load_config(config_file, ()).workspace, None)
    return Path(read_artifacts(run)["examples"]) / "Split-test"


def _show(explanation: "Explanation") -> None:
    for line in explanation.lines():
        click.echo(line)

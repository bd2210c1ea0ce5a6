"""`interest-migration score`."""

from datetime import UTC, datetime
from glob import glob
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.beam_settings import LOCAL_ARGS
from pipeline.commands.ending import finish
from pipeline.commands.options import JSON

if TYPE_CHECKING:
    from interest_migration.serving.scoring import ScoreCounts

EPILOG = """\b
Examples:
  interest-migration score --model workspace/demo/served/interests/1 --output scores \\
      --examples 'workspace/demo/artifacts/BehaviorExampleGen/examples/1/Split-test/*.gz'
  interest-migration score --model workspace/demo/served/interests/1 --output scores --config configs/demo.yaml \\
      --input /data/logs --at 2017-12-31
"""


@click.command(epilog=EPILOG)
@click.option("--model", type=click.Path(path_type=Path), required=True, help="Folder of the exported model.")
@click.option("--output", type=click.Path(path_type=Path), required=True, help="Receives the scores; resumable.")
@click.option("--examples", help="Gzip TFRecord files of raw examples: a folder or a glob.")
@click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Configuration that tells how a log is read, in place of --examples.",
)
@click.option("--input", "input_root", help="The log  [that of the configuration]")
@click.option(
    "--at",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]),
    help="The moment that users of a log are scored at, UTC  [a second after its newest event]",
)
@click.option("--beam-arg", "beam_args", multiple=True, default=LOCAL_ARGS, show_default=True, help="Beam option.")
@JSON
def score(
    model: Path,
    output: Path,
    examples: str | None,
    config_file: Path | None,
    input_root: str | None,
    at: datetime | None,
    beam_args: tuple[str, ...],
    as_json: bool,
) -> None:
    """Scores whole user bases with an exported model: one Parquet file per shard.

    Of a log, every user with an event before the moment is scored. Shards that were scored by the same model before are
    skipped. Examples that the model cannot read go to OUTPUT/rejects, with a reason each.
    """
    if (examples is None) == (config_file is None):
        raise click.UsageError("expected either --examples or --config")

    def work() -> "ScoreCounts":
        from interest_migration.serving.model_directory import check_model_directory
        from pipeline.scoring import score_examples, score_log
        from pipeline.workspace import locked

        check_model_directory(model)
        with locked(output):
            if config_file is None:
                return score_examples(model, _files(examples or ""), output, list(beam_args))
            at_s = None if at is None else int(at.replace(tzinfo=UTC).timestamp())
            return score_log(model, config_file, input_root, at_s, output, list(beam_args))

    finish(work, as_json=as_json, to_json=lambda counts: counts.to_json(), show=_show)


def _files(examples: str) -> list[Path]:
    folder = Path(examples)
    return sorted(folder.glob("*.gz")) if folder.is_dir() else sorted(Path(name) for name in glob(examples))  # noqa: PTH207


def _show(counts: "ScoreCounts") -> None:
    for name, value in counts.to_json().items():
        click.echo(f"{name:<10}{value:>14,}")

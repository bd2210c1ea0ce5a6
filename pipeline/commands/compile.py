"""`interest-migration compile`."""

from pathlib import Path
from typing import Any

import click

from pipeline.commands.ending import finish
from pipeline.commands.options import CONFIG, JSON, OVERRIDES, SPAN

EPILOG = """\b
Examples:
  interest-migration compile --config configs/kubeflow.yaml --output pipeline.yaml
  interest-migration compile --config configs/kubeflow.yaml --dry-run
  interest-migration compile --config configs/kubeflow.yaml --without-data --output pipeline.yaml
"""


@click.command("compile", epilog=EPILOG)
@CONFIG
@click.option("--input", "input_root", help="Logs as the steps see them; replaces data.input.")
@SPAN
@OVERRIDES
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Receives the compiled pipeline.")
@click.option("--without-data", is_flag=True, help="Compile where the data cannot be read; ingestion is never cached.")
@click.option("--dry-run", is_flag=True, help="Compile and check everything, and write nothing.")
@JSON
def compile_command(
    config_file: Path,
    input_root: str | None,
    span: str | None,
    overrides: tuple[str, ...],
    output: Path | None,
    without_data: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Compiles the pipeline for Kubeflow Pipelines v2: two YAML documents in one file.

    Parameters of the pipeline have as defaults what is found now: the data's span and fingerprint, the gates, the push
    directory. The section `kubeflow` of the configuration says what each step gets of the cluster.
    """
    if (output is None) != dry_run:
        raise click.UsageError("expected --output FILE or --dry-run, received " + ("both" if dry_run else "neither"))
    finish(
        lambda: _compile(config_file, overrides, input_root, span, output, without_data=without_data),
        as_json=as_json,
        to_json=dict,
        show=_show,
    )


def _compile(
    config_file: Path,
    overrides: tuple[str, ...],
    input_root: str | None,
    span: str | None,
    output: Path | None,
    *,
    without_data: bool,
) -> dict[str, Any]:
    from pipeline.config import load_config
    from pipeline.kubeflow.lookup import look_up_run
    from pipeline.terminal import quiet

    plan, resolved = look_up_run(load_config(config_file, overrides, input_root), span, without_data=without_data)
    with quiet():
        from pipeline.kubeflow.compile import compile_pipeline

        compiled = compile_pipeline(plan, resolved)
    if output is not None:
        _write(compiled.to_yaml(), output)
    return {**compiled.describe(), "output": None if output is None else str(output)}


def _write(text: str, output: Path) -> None:
    from interest_migration.errors import ConfigError
    from interest_migration.storage.atomic import replacing

    try:
        with replacing(output) as temporary:
            temporary.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"--output: expected a file that can be written, received {output}: {error.strerror}"
        ) from error


def _show(found: dict[str, Any]) -> None:
    click.echo(f"{found['pipeline']}: {len(found['steps'])} steps")
    uncached = ", ".join(name for name, step in found["steps"].items() if not step["cached"])
    click.echo(f"  never cached: {uncached}")
    for name, value in found["parameters"].items():
        text = str(value)
        click.echo(f"  {name}: {text if len(text) <= 80 else text[:77] + '...'}")
    for note in found["notes"]:
        click.echo(f"note: {note}")
    if found["output"]:
        click.echo(f"Compiled: {found['output']}")

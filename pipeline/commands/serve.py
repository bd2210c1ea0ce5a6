"""`interest-migration serve`."""

import asyncio
import logging
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from pipeline.commands.ending import finish

if TYPE_CHECKING:
    from interest_migration.server.settings import ServerSettings

NOTICE: Final = (
    "This server is for development and CI. For production, point TensorFlow Serving at the same folder and "
    "models.config."
)
EPILOG = """\b
Examples:
  interest-migration serve --models workspace/demo/served
  interest-migration serve --models workspace/demo/served --config configs/demo.yaml   # users on the page
  interest-migration serve --models workspace/demo/served --port 0 --rest-port 0 --max-batch 1
  curl http://127.0.0.1:8501/v1/models/interests
"""


@click.command(epilog=EPILOG)
@click.option(
    "--models",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder that holds <model name>/<version>/.",
)
@click.option(
    "--model-config",
    "model_config_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="TensorFlow Serving's ModelServerConfig as text  [models.config in the folder; else every latest version]",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", "grpc_port", type=click.IntRange(0, 65535), default=8500, show_default=True, help="gRPC port.")
@click.option("--rest-port", type=click.IntRange(0, 65535), default=8501, show_default=True, help="REST port.")
@click.option("--poll-seconds", type=float, default=1.0, show_default=True, help="Time between looks at the folder.")
@click.option("--workers", type=click.IntRange(1), default=2, show_default=True, help="Calls of models at a time.")
@click.option(
    "--intra-op-parallelism",
    type=click.IntRange(0),
    default=1,
    show_default=True,
    help="Threads that share one operation; 0: one per core.",
)
@click.option(
    "--max-batch", type=click.IntRange(1), default=64, show_default=True, help="Rows of one call; 1: no batching."
)
@click.option(
    "--batch-timeout-ms", type=float, default=0.0, show_default=True, help="Wait for a batch that is not full."
)
@click.option("--max-rows", type=click.IntRange(1), default=1024, show_default=True, help="Rows of one request.")
@click.option("--max-message-mib", type=click.IntRange(1), default=32, show_default=True, help="Size of one request.")
@click.option("--max-in-flight", type=click.IntRange(1), default=256, show_default=True, help="Requests at a time.")
@click.option("--timeout-s", type=float, default=30.0, show_default=True, help="Longest time for one request.")
@click.option("--drain-s", type=float, default=20.0, show_default=True, help="Time for open requests at a stop.")
@click.option(
    "--examples",
    type=click.Path(path_type=Path),
    help="Raw examples, a gzip TFRecord file or a folder, whose users the page at / offers to begin with.",
)
@click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Configuration whose newest finished run's test examples are meant, in place of --examples.",
)
@click.option("--any-signatures", is_flag=True, help="Serve models that lack signatures of this release, too.")
def serve(
    max_message_mib: int,
    intra_op_parallelism: int,
    any_signatures: bool,
    examples: Path | None,
    config_file: Path | None,
    **options: Any,
) -> None:
    """Serves models over TensorFlow Serving's gRPC and REST protocols, for development and CI.

    New versions are loaded and removed ones unloaded while requests are answered. SIGTERM and Ctrl-C answer what is
    under way, then stop. The page at / of the REST port shows the answers to a past that you build event by event.
    """

    def work() -> "ServerSettings":
        from interest_migration.server.settings import MIB, ServerSettings

        values = {**options, "max_message_bytes": max_message_mib * MIB}
        settings = ServerSettings.from_values(values, source="options")
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
        # Operations are small here: threads that share one and wait for each other cost more than they save.
        os.environ["TF_NUM_INTRAOP_THREADS"] = str(intra_op_parallelism)  # read when TensorFlow starts
        asyncio.run(_serve(settings, _users(examples, config_file), any_signatures=any_signatures))
        return settings

    finish(work, as_json=False, to_json=lambda _: {}, show=lambda _: click.echo("Stopped."))


def _users(examples: Path | None, config_file: Path | None) -> Path | None:
    """Returns the examples that the page takes users from, if any."""
    if examples or not config_file:
        return examples
    from pipeline.config import load_config
    from pipeline.evaluation import newest_artifacts

    return Path(newest_artifacts(load_config(config_file).workspace)["examples"]) / "Split-test"


async def _serve(settings: "ServerSettings", examples: Path | None, *, any_signatures: bool) -> None:
    from interest_migration.page.mount import Page
    from interest_migration.server.checks import check_files, check_version
    from interest_migration.server.model_server import ModelServer, Mount

    mounts: tuple[Mount, ...] = (Page(examples).mount,)
    click.echo(NOTICE)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with ModelServer(settings, check_files if any_signatures else check_version, mounts) as server:
        click.echo(f"gRPC {server.grpc_address}  REST {server.rest_url}")
        click.echo(f"Page {server.rest_url}/")
        await stop.wait()
        click.echo("Stopping: open requests are answered first.")

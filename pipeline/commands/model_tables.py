"""What `interest-migration models` prints for a person."""

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from interest_migration.serving.rollouts import Changed


def show_list(found: dict[str, Any]) -> None:
    """Prints the versions of a model, the newest first."""
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    from interest_migration.report.formats import NONE, moment
    from pipeline.commands.tables import make_console

    table = Table(box=box.SIMPLE)
    table.add_column("version", justify="right")
    for name in ("state", "labels", "pushed", "run"):
        table.add_column(name, no_wrap=True)
    table.add_column("MB", justify="right")
    for version in found["versions"]:
        cells = (version["state"], ", ".join(version["labels"]), moment(version["pushed"]), version["run"] or NONE)
        table.add_row(str(version["version"]), *map(escape, cells), f"{version['bytes'] / 1e6:.1f}")
    console = make_console()
    console.print(table if found["versions"] else f"No version in {found['directory']} yet.")
    console.print(_policy(found), soft_wrap=True)
    _warn(found, found["unlabelled_requests"])


def show_log(entries: list[dict[str, Any]]) -> None:
    """Prints the audit log, a line per entry."""
    from interest_migration.report.formats import NONE, moment

    for entry in entries:
        before, after = (entry[when].get("serves") or NONE for when in ("before", "after"))
        version = "" if entry["version"] is None else f" of version {entry['version']}"
        run = f" by run {entry['run']}" if entry["run"] else ""
        served = f"served {before} -> {after}" if before != after else f"serves {after}"
        click.echo(
            f"{moment(entry['at'])}  {entry['action']}{version}{run}; {served}; {entry['by']}: {entry['reason']}"
        )
    if not entries:
        click.echo("Nothing was recorded yet.")


def show_change(changed: "Changed") -> None:
    """Prints what a change did, or would do."""
    from interest_migration.report.formats import NONE

    told = changed.to_json()
    verb = "Done" if changed.recorded else "Would be done"
    before, after = told["before"], told["after"]
    served = _or(after, NONE)
    if before["serves"] != after["serves"]:
        served = f"{_or(before, NONE)} -> {served}"
    click.echo(f"{verb}: {changed.action}; {changed.directory.name} serves {served}")
    click.echo(_policy(after))
    if changed.loaded_first:
        loaded = ", ".join(map(str, changed.loaded_first))
        click.echo(f"Version {loaded} had to be loaded first." if changed.recorded else f"Would load {loaded} first.")
    _warn(after, max(changed.after.loads(changed.present), default=None))


def _or(state: dict[str, Any], otherwise: str) -> str:
    return otherwise if state["serves"] is None else str(state["serves"])


def _policy(state: dict[str, Any]) -> str:
    ((name, value),) = state["policy"].items()
    text = {
        "latest": "The newest version is served." if value == 1 else f"The newest {value} versions are loaded.",
        "specific": f"Pinned: servers load {str(value).strip('[]')} and nothing else.",
        "all": "Every version is loaded.",
    }[name]
    labels = ", ".join(f"{label} = {version}" for label, version in state["labels"].items())
    return f"{text} Labels: {labels}." if labels else text


def _warn(state: dict[str, Any], unlabelled: int | None) -> None:
    if unlabelled is not None and state["serves"] not in (None, unlabelled):
        click.echo(
            f"Note: requests that name neither version nor label get version {unlabelled}, the highest that is "
            "loaded. Clients should name the label stable."
        )

"""Where the served versions of a model are, and what the workspace knows of them."""

import time
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from interest_migration.errors import ConfigError, DataError
from interest_migration.serving.audit import ROLLBACK, AuditEntry, read_audit, served_before
from interest_migration.serving.listing import Origin, list_model
from interest_migration.serving.model_config import Rollout, model_names
from interest_migration.serving.moves import MOVES
from interest_migration.serving.rollout_settings import RolloutSettings
from interest_migration.serving.rollouts import Author, Changed, Wait, change
from pipeline.config import load_config
from pipeline.loading import waiting_for
from pipeline.records import list_records


@dataclass(frozen=True)
class Place:
    """A model in a push directory.

    Attributes:
      directory: The model's folder.
      workspace: Of the configuration, if one was given.
      base_path: The folder as the server sees it, if the configuration says so.
      settings: Of rollouts.
    """

    directory: Path
    workspace: Path | None = None
    base_path: str = ""
    settings: RolloutSettings = field(default_factory=RolloutSettings)

    def listing(self) -> dict[str, Any]:
        """Returns what there is of the model, see `interest_migration.serving.listing`."""
        return list_model(self.directory, self._origins())

    def audit(self) -> list[AuditEntry]:
        """Returns the audit log of the model, oldest first."""
        return read_audit(self.directory.parent, self.directory.name)

    def change(self, action: str, arguments: Collection[Any], author: Author, wait: Wait, *, rehearse: bool) -> Changed:
        """Changes what is served, see `interest_migration.serving.rollouts`.

        Args:
          action: Name in `interest_migration.serving.moves.MOVES`.
          arguments: What it takes besides what is served and the versions; a rollback: none.
          author: Who, and why.
          wait: Returns when servers have loaded versions.
          rehearse: Whether to do nothing.

        Raises:
          DataError: If there is no such model.
        """
        if not self.directory.is_dir() and action != "init":
            raise DataError(f"expected versions of a model in {self.directory}, found no such folder")

        def move(now: Rollout, present: Collection[int]) -> Rollout:
            given = (served_before(self.audit(), now.serves(present)),) if action == ROLLBACK else arguments
            return MOVES[action](replace(now, base_path=self.base_path or now.base_path), present, *given)

        return change(self.directory, action, move, author, wait, rehearse=rehearse)

    def _origins(self) -> dict[int, Origin]:
        found: dict[int, Origin] = {}
        for record in list_records(self.workspace) if self.workspace else []:
            pushed = record.pushed
            if pushed and pushed.is_new and Path(pushed.path) == self.directory / str(pushed.version):
                found.setdefault(pushed.version, Origin(record.run, record.ended))
        return found


def locate(config_file: Path | None, overrides: tuple[str, ...], models: Path | None, model: str | None) -> Place:
    """Finds the model that a command is about.

    Args:
      config_file: Configuration whose push directory is meant; or
      overrides: its overrides;
      models: the push directory itself.
      model: Name of the model; by default the configured one, or the only one.

    Raises:
      ConfigError: If not exactly one of `config_file` and `models` is given, or the file does not fit.
      DataError: If there is no such push directory, or it holds several models and none is named.
    """
    if (config_file is None) == (models is None):
        raise ConfigError("expected --config FILE or --models FOLDER, received " + ("both" if models else "neither"))
    if overrides and config_file is None:
        raise ConfigError("--set: expected it together with --config, received it with --models")
    if config_file is not None:
        config = load_config(config_file, overrides)
        directory = config.served_directory.parent / (model or config.push.model_name)
        return Place(directory, config.workspace, config.push.base_path or "", config.rollout)
    if models is None or not models.is_dir():
        raise DataError(f"expected a folder with served models, received {models}: nothing there")
    return Place(models.resolve() / (model or _only_model(models)))


def wait_of(place: Place, address: str | None, seconds: float | None) -> Wait:
    """Returns a wait for servers: until the one at an address has the versions, or so long that all of them do."""
    longest = place.settings.wait_seconds if seconds is None else seconds
    if address:
        return waiting_for(place.directory.name, address, longest)
    return lambda versions: time.sleep(longest)


def _only_model(models: Path) -> str:
    names = model_names(models)
    if len(names) != 1:
        raise DataError(f"expected one model in {models}, found {', '.join(names) or 'none'}; name it with --model")
    return names[0]

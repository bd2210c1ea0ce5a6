"""Brings what is served in line with the configuration and the folders, again and again.

One round, for each model: load what is wanted and not there yet, newest first; move the labels; unload what is wanted
no more. A new version answers before the old one goes, so that no request finds neither. A version that cannot be
loaded is reported and set aside until its files change, and the one before it keeps answering.
"""

import asyncio
import gc
import logging
from contextlib import suppress

from interest_migration.errors import InterestMigrationError
from interest_migration.server.loading import Check, fingerprint, load_model
from interest_migration.server.model_config import ModelConfig, discover, read_config
from interest_migration.server.settings import ServerSettings
from interest_migration.server.versions import ServedModel, ServedVersion, State
from interest_migration.serving.model_config import CONFIG_FILE
from interest_migration.serving.versions import Version, list_versions

LOG = logging.getLogger(__name__)


class Watcher:
    """Keeps the served models as they are wanted.

    Attributes:
      models: Name -> model.
      config_error: What is wrong with the configuration file, if anything; the last good one stays in force.
      settled: Whether one whole round has ended.

    Args:
      settings: Of the server.
      check: Says no to models that must not be served.
    """

    def __init__(self, settings: ServerSettings, check: Check | None = None) -> None:
        self.models: dict[str, ServedModel] = {}
        self.config_error = ""
        self.settled = False
        self._settings, self._check = settings, check
        self._file = settings.model_config_file or settings.models / CONFIG_FILE
        self._text: bytes | None = None
        self._wanted: tuple[ModelConfig, ...] | None = None
        self._failed: dict[tuple[str, int], object] = {}
        self._one_round = asyncio.Lock()
        self._unloading: set[asyncio.Task[None]] = set()
        self._is_closed = False

    def close(self) -> None:
        """Lets a load under way end early: a stop waits for its thread."""
        self._is_closed = True

    async def watch(self) -> None:
        """Runs rounds until cancelled."""
        while True:
            try:
                await self.round()
            except Exception:  # the next round may do better; what is served stays
                LOG.exception("a look at the models failed")
            await asyncio.sleep(self._settings.poll_seconds)

    async def round(self) -> None:
        """Looks once at configuration and folders and acts on it."""
        async with self._one_round:
            self._read_config()
            configs = discover(self._settings.models) if self._wanted is None else self._wanted
            for config in configs:
                await self._update(config)
            for name in self.models.keys() - {config.name for config in configs}:
                self._remove(name)
            self.settled = True

    async def reload(self, configs: tuple[ModelConfig, ...]) -> list[str]:
        """Puts another configuration in force until the file changes; returns what of it could not be done."""
        self._wanted = configs
        self._failed.clear()
        await self.round()
        return [
            f"{config.name}: {failure}" for config in configs for failure in _failures(self.models[config.name], config)
        ]

    def _read_config(self) -> None:
        """Reads the file if its bytes have changed; a file that vanishes leaves the configuration as it is."""
        try:
            text = self._file.read_bytes()
        except FileNotFoundError:
            return
        except OSError as error:
            self._complain(f"expected a readable file {self._file}, received: {error.strerror}")
            return
        if text == self._text:
            return
        self._text = text
        try:
            self._wanted = read_config(text.decode("utf-8", "replace"), self._settings.models, str(self._file))
            self._failed.clear()
            self.config_error = ""
        except InterestMigrationError as error:
            self._complain(str(error))

    def _complain(self, error: str) -> None:
        if error != self.config_error:
            LOG.error("%s; the configuration before stays in force", error)
        self.config_error = error

    async def _update(self, config: ModelConfig) -> None:
        model = self.models.setdefault(config.name, ServedModel(config.name))
        if not config.folder.is_dir():
            LOG.warning("expected a folder of versions of %s in %s, found none", config.name, config.folder)
            return  # what is served stays: a share that is away must not take the model along
        wanted = await self._load_wanted(model, config)
        answering = wanted & set(model.available())
        if not answering and (wanted or config.policy.specific):
            return  # nothing of what is wanted is there or can be loaded: what answers stays
        self._move_labels(model, config)
        for number in set(model.available()) - wanted - set(model.labels.values()):
            self._unload(model, model.versions[number])

    async def _load_wanted(self, model: ServedModel, config: ModelConfig) -> set[int]:
        """Loads what is missing; returns what is wanted: of `latest n`, the newest n that can be loaded."""
        on_disk = {version.number: version for version in list_versions(config.folder)}
        wanted: set[int] = set()
        for number in config.policy.candidates(on_disk):
            if config.policy.latest is not None and len(wanted) == config.policy.latest:
                break
            if await self._is_there(model, on_disk[number]) or config.policy.latest is None:
                wanted.add(number)
        return wanted

    async def _is_there(self, model: ServedModel, version: Version) -> bool:
        """Loads a version unless it is there or failed before with the same files; says whether it answers."""
        served = model.versions.get(version.number)
        if served and served.state is State.AVAILABLE:
            return True
        if served and served.state is State.UNLOADING:
            return False
        files = fingerprint(version.path)
        if self._failed.get((model.name, version.number)) == files:
            return False
        return await self._load_version(model, version, files)

    async def _load_version(self, model: ServedModel, version: Version, files: object) -> bool:
        served = model.versions[version.number] = ServedVersion(version.number)
        served.state = State.LOADING
        LOG.info("loading %s version %d", model.name, version.number)
        try:
            loaded = await asyncio.to_thread(load_model, version.path, self._check, lambda: not self._is_closed)
        except InterestMigrationError as error:
            served.fail(str(error))
            self._failed[model.name, version.number] = files
            LOG.error("refused %s version %d: %s", model.name, version.number, error)  # noqa: TRY400 - it says enough
            return False
        self._failed.pop((model.name, version.number), None)
        served.become_available(loaded)
        LOG.info("%s version %d answers", model.name, version.number)
        return True

    def _move_labels(self, model: ServedModel, config: ModelConfig) -> None:
        """Labels follow to versions that answer; the others stay where they are."""
        available = set(model.available())
        stay = {label: number for label, number in model.labels.items() if label in config.labels}
        move = {label: number for label, number in config.labels.items() if number in available}
        model.labels = stay | move

    def _remove(self, name: str) -> None:
        model = self.models[name]
        model.labels = {}
        for number in model.available():
            self._unload(model, model.versions[number])
        if not any(version.state is State.UNLOADING for version in model.versions.values()):
            del self.models[name]

    def _unload(self, model: ServedModel, version: ServedVersion) -> None:
        async def unload() -> None:
            await version.unload()
            LOG.info("unloaded %s version %d", model.name, version.number)
            with suppress(RuntimeError):
                await asyncio.to_thread(gc.collect)  # a model's functions refer to each other in circles

        version.state = State.UNLOADING
        task = asyncio.create_task(unload())
        self._unloading.add(task)
        task.add_done_callback(self._unloading.discard)


def _failures(model: ServedModel, config: ModelConfig) -> list[str]:
    """Returns what keeps a model from being as it is wanted, in words."""
    refused = [version.error for version in model.versions.values() if version.error]
    if not refused and not model.available():
        refused = [f"no version of those wanted is in {config.folder}"]
    return refused + [
        f"label {label} cannot point to version {number}, which is not available"
        for label, number in config.labels.items()
        if model.labels.get(label) != number
    ]

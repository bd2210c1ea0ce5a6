"""Finds a checkpoint and says what it is, before any weight is read.

A checkpoint is a folder in the layout of Hugging Face: `config.json`, weights in `model.safetensors` (or shards that
`model.safetensors.index.json` names), and the files of a fast tokenizer. Folders made by sentence-transformers also
hold `modules.json` and `1_Pooling/config.json`, which say how token vectors become one vector.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal

from interest_migration.errors import InputError
from interest_migration.language.settings import LanguageSettings
from interest_migration.sources.paths import PACKAGE_PREFIX, package_folder

Pooling = Literal["mean", "cls", "max"]

ARCHITECTURES: Final = ("bert", "distilbert", "roberta", "xlm-roberta", "camembert")
"""Values of `model_type` that can be loaded."""

WEIGHTS: Final = "model.safetensors"
WEIGHTS_INDEX: Final = "model.safetensors.index.json"

_POOLINGS: Final[dict[str, Pooling]] = {
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
}
_MODULES: Final = ("Transformer", "Pooling", "Normalize")
_FILES: Final = ("*.json", "*.safetensors", "*.txt", "*.model", "1_Pooling/config.json")
_HUB_ID: Final = re.compile(r"[\w.-]+(/[\w.-]+)?")


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint on disk.

    Attributes:
      folder: Where it lies.
      config: What `config.json` holds.
      pooling: How token vectors become one vector.
    """

    folder: Path
    config: dict[str, Any]
    pooling: Pooling

    @property
    def architecture(self) -> str:
        """Its `model_type`, one of `ARCHITECTURES`."""
        return str(self.config["model_type"])

    def weight_files(self) -> list[Path]:
        """Returns the safetensors files that hold the weights."""
        index = self.folder / WEIGHTS_INDEX
        if not index.exists():
            return [self.folder / WEIGHTS]
        return [self.folder / name for name in sorted(set(_read_json(index)["weight_map"].values()))]

    @cached_property
    def digest(self) -> str:
        """SHA-256 of everything that a vector depends on: configuration, weights, tokenizer, pooling."""
        found = {path for pattern in _FILES if "safetensors" not in pattern for path in self.folder.glob(pattern)}
        total = hashlib.sha256()
        for path in sorted({*found, *self.weight_files()}):
            with path.open("rb") as file:
                content = hashlib.file_digest(file, "sha256").hexdigest()
            total.update(f"{path.relative_to(self.folder).as_posix()} {content}\n".encode())
        return total.hexdigest()


def find_checkpoint(settings: LanguageSettings) -> Checkpoint:
    """Finds the checkpoint of the settings; an id of the Hub is downloaded unless it was before.

    Raises:
      InputError: If there is none, or it is of a kind that cannot be loaded.
    """
    folder = _folder(settings)
    config = _config(folder)
    _check_modules(folder)
    checkpoint = Checkpoint(folder, config, _pooling(folder))
    missing = [path.name for path in checkpoint.weight_files() if not path.exists()]
    if missing:
        others = ", ".join(sorted(path.name for path in folder.glob("*.bin"))) or "none"
        raise InputError(
            f"expected weights {', '.join(missing)} in {folder}, received no such file (others: {others}); save the "
            "checkpoint as safetensors: model.save_pretrained(folder, safe_serialization=True)"
        )
    return checkpoint


def _folder(settings: LanguageSettings) -> Path:
    name = settings.checkpoint
    place = package_folder(name) if name.startswith(PACKAGE_PREFIX) else Path(name).expanduser()
    if place.is_dir():
        return place
    if name.startswith(PACKAGE_PREFIX) or not _HUB_ID.fullmatch(name):
        raise InputError(
            f"expected the folder of a checkpoint, received {name}: no folder {place}; correct `checkpoint`"
        )
    return _download(name, settings.revision)


def _download(name: str, revision: str | None) -> Path:
    import httpx
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError

    try:
        return Path(snapshot_download(name, revision=revision, allow_patterns=list(_FILES)))
    except (OSError, httpx.HTTPError, HFValidationError) as error:
        raise InputError(
            f"expected a folder or the id of a model on the Hugging Face Hub, received {name}: no such folder, and the "
            f"Hub does not give it ({type(error).__name__}: {str(error).splitlines()[0]}); correct `checkpoint`, or "
            "download it where there is a network and name its folder"
        ) from error


def _config(folder: Path) -> dict[str, Any]:
    config = _read_json(folder / "config.json")
    architecture = config.get("model_type")
    if architecture not in ARCHITECTURES:
        raise InputError(
            f"expected a checkpoint of {', '.join(ARCHITECTURES)}, received model_type {architecture!r} in "
            f"{folder / 'config.json'}; choose another checkpoint"
        )
    positions = config.get("position_embedding_type", "absolute")
    if positions != "absolute":
        raise InputError(f"expected absolute position embeddings, received {positions!r} in {folder / 'config.json'}")
    return config


def _check_modules(folder: Path) -> None:
    if not (folder / "modules.json").exists():
        return
    kinds = [module["type"].rpartition(".")[2] for module in _read_json(folder / "modules.json")]
    if unknown := [kind for kind in kinds if kind not in _MODULES]:
        raise InputError(
            f"expected modules {', '.join(_MODULES)} in {folder / 'modules.json'}, received {', '.join(unknown)}, "
            "which vectors would lack; choose a checkpoint without it"
        )


def _pooling(folder: Path) -> Pooling:
    path = folder / "1_Pooling" / "config.json"
    if not path.exists():
        return "mean"
    config = _read_json(path)
    chosen = [name for name, value in config.items() if name.startswith("pooling_mode_") and value is True]
    if len(chosen) != 1 or chosen[0] not in _POOLINGS:
        raise InputError(
            f"expected one of {', '.join(_POOLINGS)} in {path}, received {', '.join(chosen) or 'none'}; "
            "choose another checkpoint"
        )
    return _POOLINGS[chosen[0]]


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(
            f"expected {path.name} of a Hugging Face checkpoint in {path.parent}, received: {error.strerror}"
        ) from error
    except ValueError as error:
        raise InputError(f"expected JSON in {path}, received: {error}") from error

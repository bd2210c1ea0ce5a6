"""Reads the model that a training starts from."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import tensorflow as tf

from interest_migration.errors import DataError
from interest_migration.model.manifest import MANIFEST_FILE, Manifest, read_manifest
from interest_migration.model.variables import ACTION_NAMES, ROWS
from interest_migration.serving.bases import CHOICE_FILE, NO_BASE, BaseChoice

_CHECKPOINT = "variables/variables"
_VALUE = "_variables/{}/.ATTRIBUTES/VARIABLE_VALUE"


@dataclass(frozen=True)
class Base:
    """A trained model, taken apart.

    Attributes:
      name: Version and digest, see `BaseChoice`.
      manifest: Its account of itself.
      weights: Variable name -> values.
      vocabularies: Vocabulary name -> its values in the order of their ids.
    """

    name: str
    manifest: Manifest
    weights: Mapping[str, npt.NDArray[Any]]
    vocabularies: Mapping[str, pa.Array]


@dataclass(frozen=True)
class ColdStart:
    """No model to start from.

    Attributes:
      note: Why.
      name: Version and digest of the base that was chosen and cannot be used; empty if none was chosen.
    """

    note: str
    name: str = ""


def read_base(directory: str) -> Base | ColdStart:
    """Reads an exported model, with the note beside it of how it was chosen.

    Args:
      directory: Folder of the exported model.

    Returns:
      The model; or why there is none to start from: none was chosen, it was exported without a manifest or with one
      of another format.

    Raises:
      DataError: If files of the model are missing or damaged.
    """
    choice = _read_choice(directory)
    name = "" if choice.name == NO_BASE else choice.name
    path = f"{directory}/{MANIFEST_FILE}"
    if not tf.io.gfile.exists(path):
        return ColdStart(choice.note or f"{choice.name} was exported without {MANIFEST_FILE}", name)
    manifest = read_manifest(_read(path).decode("utf-8", "replace"), path)
    if manifest is None:
        return ColdStart(f"the {MANIFEST_FILE} of {choice.name} has a format that this code does not read", name)
    vocabularies = {name: _read_vocabulary(directory, name, digest) for name, digest in manifest.vocabularies.items()}
    vocabularies[ACTION_NAMES] = action_names(manifest.actions)
    weights = _read_weights(directory, manifest)
    for name, rows in ROWS.items():
        expected, found = len(vocabularies[rows.vocabulary]) + rows.none + rows.unknown, len(weights.get(name, ()))
        if name in weights and found != expected:
            raise DataError(f"expected {expected} rows in {name} of {directory}, received {found}. {_REPAIR}")
    return Base(choice.name, manifest, weights, vocabularies)


def vocabulary_values(content: bytes) -> pa.Array:
    """Returns the lines of a vocabulary file."""
    return pa.array(content.removesuffix(b"\n").split(b"\n"), pa.binary())


def action_names(actions: Sequence[str]) -> pa.Array:
    """Returns actions as values of a vocabulary."""
    return pa.array([action.encode() for action in actions], pa.binary())


def _read_choice(directory: str) -> BaseChoice:
    path = f"{directory}/{CHOICE_FILE}"
    if not tf.io.gfile.exists(path):
        return BaseChoice(name=PurePosixPath(directory).name)
    return BaseChoice.model_validate_json(_read(path))


def _read_vocabulary(directory: str, name: str, digest: str) -> pa.Array:
    path = f"{directory}/assets/{name}"
    content = _read(path)
    if hashlib.sha256(content).hexdigest() != digest:
        raise DataError(f"expected the vocabulary with SHA-256 {digest} in {path}, received another one. {_REPAIR}")
    return vocabulary_values(content)


def _read_weights(directory: str, manifest: Manifest) -> dict[str, npt.NDArray[Any]]:
    path = f"{directory}/{_CHECKPOINT}"
    try:
        checkpoint = tf.train.load_checkpoint(path)
        values = {
            name: np.asarray(checkpoint.get_tensor(_VALUE.format(place)))
            for place, name in enumerate(manifest.variables)
            if name
        }
    except (tf.errors.OpError, ValueError, KeyError, RuntimeError) as error:
        raise DataError(f"expected the weights of a model in {path}, received: {error}. {_REPAIR}") from error
    return values


def _read(path: str) -> bytes:
    try:
        with tf.io.gfile.GFile(path, "rb") as file:
            content: bytes = file.read()
    except tf.errors.OpError as error:
        raise DataError(f"expected a file of an exported model, {path}: {error.message}. {_REPAIR}") from error
    return content


_REPAIR = "Remove that version, or set training.warm_start to false"

"""From a folder to a model that answers: checked, loaded and warmed up."""

from collections.abc import Callable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from interest_migration.errors import DataError, InterestMigrationError
from interest_migration.server.calls import Array
from interest_migration.server.signature_specs import SignatureSpec, specs_of
from interest_migration.serving.warm_up import read_warm_ups
from schemas.signatures import SERVE

GRAPH_FILE: Final = "saved_model.pb"
_MAX_WARM_UPS: Final = 1000

Check = Callable[[Path], object]
"""Raises an InterestMigrationError if the model in a folder must not be served."""
IsWanted = Callable[[], bool]


class LoadedModel:
    """A SavedModel in memory.

    Attributes:
      signature_defs: Name -> SignatureDef message, as the metadata shows them.
      signatures: Name -> what it takes and returns.
    """

    def __init__(self, loaded: Any, signature_defs: Mapping[str, Any]) -> None:
        self.signature_defs = dict(signature_defs)
        self.signatures: dict[str, SignatureSpec] = {
            name: spec for name, spec in specs_of(signature_defs).items() if name in loaded.signatures
        }
        self._functions = {name: loaded.signatures[name] for name in self.signatures}
        self._loaded = loaded  # holds the variables, which functions refer to weakly

    def run(self, signature: str, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Calls a signature; all its inputs must be given.

        Raises:
          tf.errors.OpError: If the graph does not like the values.
        """
        tensors = {name: _tensor(value) for name, value in inputs.items()}
        try:
            return {name: value.numpy() for name, value in self._functions[signature](**tensors).items()}
        except UnicodeDecodeError as error:
            # The graph's message quotes values that are no text, and TensorFlow fails to pass it on.
            message = error.object.decode("utf-8", "replace")
            raise tf.errors.InvalidArgumentError(None, None, message) from error


def load_model(folder: Path, check: Check | None = None, is_wanted: IsWanted = lambda: True) -> LoadedModel:
    """Loads a version and answers its warm-up requests.

    Args:
      folder: The version's folder.
      check: Says no to models that must not be served.
      is_wanted: Once it says no, the rest of the warm-up requests are left out.

    Raises:
      DataError: If the folder holds no whole SavedModel, changes meanwhile, fails the check, has no
        `serving_default`, or cannot answer its own warm-up requests.
    """
    before = fingerprint(folder)
    try:
        definitions = _signature_defs(folder)
        if check:
            check(folder)
        model = LoadedModel(tf.saved_model.load(str(folder)), definitions)
    except InterestMigrationError as error:
        raise DataError(f"{folder.name}: {error}") from error
    except Exception as error:  # whatever a damaged graph makes TensorFlow raise
        reason = f"{type(error).__name__}: {_first_line(error)}"
        raise DataError(
            f"expected a whole SavedModel in {folder}, received one that does not load: {reason}"
        ) from error
    if fingerprint(folder) != before:
        raise DataError(f"expected a version that is complete, but files in {folder} changed while it was loaded")
    if SERVE not in model.signatures:
        raise DataError(f"expected the signature {SERVE} in {folder}, received {', '.join(model.signatures) or 'none'}")
    warm_up(model, folder, is_wanted)
    return model


def warm_up(model: LoadedModel, folder: Path, is_wanted: IsWanted = lambda: True) -> int:
    """Answers the requests in `assets.extra/tf_serving_warmup_requests`, if there are any; returns how many.

    Raises:
      DataError: If the file is damaged or a request fails.
    """
    count = 0
    try:
        for signature, inputs in islice(read_warm_ups(folder), _MAX_WARM_UPS):
            if not is_wanted():
                break
            name = signature or SERVE
            model.run(name, model.signatures[name].complete(inputs))
            count += 1
    except Exception as error:  # damaged record, unknown signature, values the graph refuses
        raise DataError(f"expected warm-up requests that {folder} answers, received: {_first_line(error)}") from error
    return count


def fingerprint(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Returns names, sizes and times of all files: it changes while a version is being copied."""
    found = []
    for path in sorted(folder.rglob("*")):
        try:
            if path.is_file():
                status = path.stat()
                found.append((path.relative_to(folder).as_posix(), status.st_size, status.st_mtime_ns))
        except FileNotFoundError:
            continue  # it went away meanwhile, which the next look will show
    return tuple(found)


def _signature_defs(folder: Path) -> dict[str, Any]:
    path = folder / GRAPH_FILE
    try:
        graphs = SavedModel.FromString(path.read_bytes()).meta_graphs
    except OSError as error:
        raise DataError(f"expected a SavedModel in {folder}, which has no readable {GRAPH_FILE}") from error
    except DecodeError as error:
        raise DataError(f"expected a SavedModel in {folder}, whose {GRAPH_FILE} is damaged or cut short") from error
    serving = [graph for graph in graphs if "serve" in graph.meta_info_def.tags]
    if not serving:
        raise DataError(f"expected a graph tagged 'serve' in {path}, received {len(graphs)} graphs without")
    return {name: type(found).FromString(found.SerializeToString()) for name, found in serving[0].signature_def.items()}


def _tensor(value: Array) -> Any:
    return tf.constant(value.tolist(), tf.string, value.shape) if value.dtype == np.object_ else tf.constant(value)


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]

"""Is a folder a whole model? Answered from its files alone, without loading the model.

    <model>/saved_model.pb                         graph and signatures
    <model>/variables/variables.index, .data-...   weights
    <model>/assets/...                             vocabularies
    <model>/assets.extra/files.json                size and SHA-256 of every file above, written last

A copy under way, a truncated file or a flipped bit differ from the list. Models without one, of older versions, are
held against what their own files say.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from interest_migration.errors import ModelFilesError
from schemas.signatures import COLUMN_SIGNATURES, COLUMNS, EXAMPLES, EXPLAIN, PATHS, SERVE

if TYPE_CHECKING:
    from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef

FILE_LIST: Final = "assets.extra/files.json"
"""Below the folder of the model."""

Signatures = Mapping[str, Mapping[str, str]]
"""Signature -> input -> dtype, such as `string`."""

SERVED_SIGNATURES: Final[Signatures] = {
    **{name: {EXAMPLES: "string"} for name in (SERVE, EXPLAIN, PATHS)},
    **{name: {column.name: column.dtype for column in COLUMNS} for name in COLUMN_SIGNATURES},
}
"""What clients may ask a model of this version for."""

_GRAPH, _VARIABLES = "saved_model.pb", "variables/variables"
_TAG: Final = "serve"
_CHUNK_BYTES: Final = 1 << 20


@dataclass(frozen=True)
class ModelFiles:
    """A whole model.

    Attributes:
      path: Its folder.
      signatures: Names of its signatures.
      bytes: Size of its files.
      listed: Whether every file was held against the list of the export.
    """

    path: Path
    signatures: tuple[str, ...]
    bytes: int
    listed: bool


def check_model_directory(path: Path, required: Signatures = SERVED_SIGNATURES) -> ModelFiles:
    """Checks that a folder holds a whole SavedModel with the signatures that clients rely on.

    Args:
      path: The folder with `saved_model.pb`.
      required: Signatures that it must have, with their inputs.

    Raises:
      ModelFilesError: If not; the message names the file or signature.
    """
    if not path.is_dir():
        raise ModelFilesError(f"expected the folder of a model, received {path}, which is none")
    listed = check_file_list(path)
    graph = _read_graph(path / _GRAPH)
    _check_variables(path)
    _check_assets(path, graph)
    _check_signatures(path, graph, required)
    size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    return ModelFiles(path, tuple(sorted(graph.signature_def)), size, listed)


def write_file_list(directory: str) -> None:
    """Lists the files of a model that has just been written, wherever TensorFlow can write."""
    import tensorflow as tf

    listed = {}
    for folder, _, names in tf.io.gfile.walk(directory):
        for name in names:
            file = f"{folder.rstrip('/')}/{name}"
            inside = file.removeprefix(f"{directory.rstrip('/')}/")
            with tf.io.gfile.GFile(file, "rb") as content:
                digest = _digest(content)
            listed[inside] = {"bytes": tf.io.gfile.stat(file).length, "sha256": digest}
    listed.pop(FILE_LIST, None)
    with tf.io.gfile.GFile(f"{directory}/{FILE_LIST}", "w") as content:
        content.write(json.dumps(listed, indent=1, sort_keys=True))


def check_file_list(path: Path) -> bool:
    """Checks that the files of a model are those that its export listed.

    Args:
      path: The folder with `saved_model.pb`.

    Returns:
      Whether it has such a list.

    Raises:
      ModelFilesError: If a file is missing or other than listed.
    """
    if not (path / FILE_LIST).exists():
        return False
    try:
        listed = json.loads((path / FILE_LIST).read_text(encoding="utf-8"))
        facts = {name: (int(fact["bytes"]), str(fact["sha256"])) for name, fact in listed.items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise _damaged(path / FILE_LIST, "a list of files", f"a damaged one ({error})") from error
    for name, (size, digest) in facts.items():
        file = path / name
        if not file.is_file():
            raise _damaged(file, f"a file of {size} bytes", "none")
        if file.stat().st_size != size:
            raise _damaged(file, f"{size} bytes", f"{file.stat().st_size}")
        with file.open("rb") as content:
            if _digest(content) != digest:
                raise _damaged(file, f"content with SHA-256 {digest}", "other content")
    return True


def _digest(content: Any) -> str:
    digest = hashlib.sha256()
    while chunk := content.read(_CHUNK_BYTES):
        digest.update(chunk)
    return digest.hexdigest()


def _read_graph(file: Path) -> "MetaGraphDef":
    from google.protobuf.message import DecodeError
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    if not file.is_file():
        raise _damaged(file, "a graph", "none")
    try:
        model = SavedModel.FromString(file.read_bytes())
    except DecodeError as error:
        raise _damaged(file, "a graph", f"{file.stat().st_size} bytes that cannot be read") from error
    tags = [set(graph.meta_info_def.tags) for graph in model.meta_graphs]
    if tags != [{_TAG}]:
        raise _damaged(
            file, f"one graph with the tag {_TAG!r}", f"graphs with the tags {[sorted(tag) for tag in tags]}"
        )
    return model.meta_graphs[0]


def _check_variables(path: Path) -> None:
    import tensorflow as tf

    prefix = path / _VARIABLES
    index = prefix.with_name(prefix.name + ".index")
    if not index.is_file():
        raise _damaged(index, "the index of the weights", "none")
    try:
        reader = tf.train.load_checkpoint(str(prefix))
        shapes, dtypes = reader.get_variable_to_shape_map(), reader.get_variable_to_dtype_map()
    except (tf.errors.OpError, ValueError, RuntimeError) as error:
        raise _damaged(index, "the index of the weights", "one that cannot be read") from error
    shards = sorted(prefix.parent.glob(f"{prefix.name}.data-*"))
    count = int(shards[0].name.rpartition("-of-")[2]) if shards else 1
    if len(shards) != count:
        raise _damaged(prefix.parent, f"{count} files of weights", f"{len(shards)}")
    least = sum(_bytes(shapes[name], dtypes[name]) for name in shapes)
    size = sum(shard.stat().st_size for shard in shards)
    if size < least:
        raise _damaged(shards[0], f"at least {least} bytes of weights", f"{size}")


def _bytes(shape: Any, dtype: Any) -> int:
    total = 1 if dtype.size is None else int(dtype.size)
    for width in shape:
        total *= width
    return total


def _check_assets(path: Path, graph: "MetaGraphDef") -> None:
    for asset in graph.asset_file_def:
        if not (path / "assets" / asset.filename).is_file():
            raise _damaged(path / "assets" / asset.filename, "a vocabulary", "none")


def _check_signatures(path: Path, graph: "MetaGraphDef", required: Signatures) -> None:
    import tensorflow as tf

    for name, inputs in required.items():
        if name not in graph.signature_def:
            had = ", ".join(sorted(graph.signature_def))
            raise ModelFilesError(f"expected a signature {name!r} in {path}, received a model with {had}")
        found = {key: tf.as_dtype(info.dtype).name for key, info in graph.signature_def[name].inputs.items()}
        if found != inputs:
            raise ModelFilesError(
                f"expected the inputs {dict(sorted(inputs.items()))} of the signature {name!r} in {path}, received "
                f"{dict(sorted(found.items()))}"
            )


def _damaged(file: Path, expected: str, received: str) -> ModelFilesError:
    return ModelFilesError(f"expected {expected} in {file}, received {received}. Copy or export the model again")

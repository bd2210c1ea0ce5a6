"""Where a pod has what lies in the object store: the launcher copies it to and from folders of the pod.

    minio://bucket/key  <->  /minio/bucket/key        s3://...  <->  /s3/...        gs://...  <->  /gcs/...

Neither TensorFlow nor Beam knows `minio://`, so executors work on the copies.
"""

import re
from collections.abc import Callable
from typing import Any, Final

_FOLDERS: Final = {"minio": "minio", "s3": "s3", "gs": "gcs"}
_SCHEMES: Final = {folder: scheme for scheme, folder in _FOLDERS.items()}
_REMOTE: Final = re.compile(rf"\b({'|'.join(_FOLDERS)})://")
_OUTPUT_FILE: Final = re.compile(rf"^(.*?)/(?:(?:{'|'.join(_SCHEMES)})/.*|tmp/kfp[^/]*/[^/]*\.json)$")


def find_root(output_file: str) -> str:
    """Returns the folder that holds the launcher's, without a slash at its end: empty in a container.

    Args:
      output_file: Where the launcher reads the executor's output; it lies among or beside its folders.

    Example:
      `/minio/bucket/.../output_metadata.json` -> empty; `/tmp/pod/minio/bucket/...` -> `/tmp/pod`.
    """
    found = _OUTPUT_FILE.match(output_file)
    return found.group(1) if found else ""


class LocalCopies:
    """Translates between addresses in the object store and paths of the pod, in whole texts.

    Args:
      root: Folder that holds the launcher's folders, see `find_root`.
    """

    def __init__(self, root: str = "") -> None:
        self._root = root
        self._local = re.compile(rf"(?<![\w./-]){re.escape(root)}/({'|'.join(_SCHEMES)})/")

    def to_local(self, text: str) -> str:
        """Replaces addresses by paths: `minio://b/k` -> `/minio/b/k`."""
        return _REMOTE.sub(lambda match: f"{self._root}/{_FOLDERS[match.group(1)]}/", text)

    def to_remote(self, text: str) -> str:
        """Replaces paths by addresses: `/minio/b/k` -> `minio://b/k`."""
        return self._local.sub(lambda match: f"{_SCHEMES[match.group(1)]}://", text)


def map_texts(value: Any, change: Callable[[str], str]) -> Any:
    """Returns plain values with every text in them changed."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [map_texts(entry, change) for entry in value]
    if isinstance(value, dict):
        return {name: map_texts(entry, change) for name, entry in value.items()}
    return value


def is_remote(uri: str) -> bool:
    """Returns whether an address is in an object store."""
    return _REMOTE.match(uri) is not None

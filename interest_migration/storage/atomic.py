"""Writing a file so that nobody ever sees half of it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4


@contextmanager
def replacing(path: Path, scratch: Path | None = None) -> Iterator[Path]:
    """Gives a temporary path to write to; on success it becomes `path`, on failure it is removed.

    Args:
      path: Final place; its folder is created.
      scratch: Folder of the temporary file, on the same file system. Default: beside `path`, as a hidden file.
    """
    folder = scratch or path.parent
    path.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".{path.name}.{uuid4().hex}"
    try:
        yield temporary
        os.replace(temporary, path)  # noqa: PTH105 - atomic also where the target exists
    finally:
        temporary.unlink(missing_ok=True)

"""Where the input is, and which of its files belong to what."""

import os
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path, PurePath
from typing import Final

from interest_migration.errors import DataError
from interest_migration.sources.byte_streams import COMPRESSION_SUFFIXES
from interest_migration.sources.fields import CategoryField
from interest_migration.sources.file_sources import FileFormat, FileSource
from interest_migration.sources.mapping import SourceMapping
from interest_migration.sources.partition_settings import Selection
from interest_migration.sources.workbooks import advice_for

PACKAGE_PREFIX: Final = "package:"

_HIDDEN: Final = (".", "__")

_FORMATS: Final[dict[str, FileFormat]] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
}


@dataclass(frozen=True)
class InputRoot:
    """What the user pointed at.

    Attributes:
      folder: Folder that the mapping's file names are relative to.
      chosen: The files themselves, where the user named a file or a glob.
      selection: Which dated partitions are read; none reads every file.
    """

    folder: str
    chosen: tuple[str, ...] = ()
    selection: Selection | None = None


def resolve_root(input_root: str, selection: Selection | None = None) -> InputRoot:
    """Finds a folder, a file, the files of a glob, or `package:NAME/FOLDER` inside an installed Python package.

    Raises:
      DataError: If there is nothing.
    """
    place = package_folder(input_root) if input_root.startswith(PACKAGE_PREFIX) else Path(input_root).expanduser()
    if place.is_dir():
        return InputRoot(str(place), selection=selection)
    files = [place] if place.is_file() else _matching_files(Path(place.anchor), str(place.relative_to(place.anchor)))
    if not files:
        raise DataError(f"expected a folder, a file or a glob of files as input, received {input_root}: nothing there")
    folder = os.path.commonpath([file.parent for file in files]) if len(files) > 1 else files[0].parent
    return InputRoot(str(folder), tuple(map(str, files)))


def stream_files(mapping: SourceMapping, name: str, root: InputRoot) -> list[str]:
    """Returns the files of a stream, sorted.

    Raises:
      DataError: If there are none, or files were chosen for a mapping with several streams.
    """
    if root.chosen and len(mapping.streams) > 1:
        raise DataError(
            f"expected a folder as input, since mapping {mapping.name!r} has several streams "
            f"({', '.join(stream.name for stream in mapping.streams)}), received {len(root.chosen)} file(s)"
        )
    return list(root.chosen) or source_files(mapping.stream(name), root, f"stream {name!r}")


def source_files(source: FileSource, root: InputRoot, role: str) -> list[str]:
    """Returns the files of a stream or table that its mapping names, sorted.

    A name stands for the compressed file of that name as well, where the plain one is not there; where nothing has the
    name, upper and lower case are one.

    Raises:
      DataError: If there are none, unless the source is optional.
    """
    folder = Path(root.folder)
    found = {path for pattern in source.files for path in _find(folder, pattern, source.format)}
    found -= {path for pattern in source.exclude for path in _find(folder, pattern, source.format)}
    selection = root.selection
    if selection:
        found = {path for path in found if selection.keeps(path.relative_to(folder).as_posix())}
    if not found and not source.optional:
        raise DataError(
            f"expected files {', '.join(source.files)} for {role} in {root.folder}, received "
            f"{_describe_folder(root.folder)}; {_remedy(root.folder)}"
        )
    return sorted(map(str, found))


def tree_files(field: CategoryField | None, root: InputRoot, role: str) -> list[str]:
    """Returns the files of a category field's tree; none if it has no tree."""
    return source_files(field.tree, root, f"the category tree of {role}") if field and field.tree else []


def _find(folder: Path, pattern: str, wanted: FileFormat | None) -> list[Path]:
    place = folder / pattern
    if place.is_dir():
        return _data_files(place, wanted)
    if place.is_file():
        return [place]
    found = _with_compressed(folder, pattern)
    return found or ([] if "[" in pattern else _with_compressed(folder, _any_case(pattern)))


def _with_compressed(folder: Path, pattern: str) -> list[Path]:
    plain = _visible_files(folder, pattern)
    if pattern.endswith("*"):
        return plain
    packed = [path for suffix in COMPRESSION_SUFFIXES for path in _visible_files(folder, pattern + suffix)]
    return plain + [path for path in packed if path.with_suffix("") not in plain]


def _visible_files(folder: Path, pattern: str) -> list[Path]:
    """Files of a glob; those that systems hide, such as `__MACOSX/._a.csv`, only where the glob itself names such."""
    found = _matching_files(folder, pattern)
    if any(part.startswith(_HIDDEN) for part in PurePath(pattern).parts):
        return found
    return [path for path in found if not any(part.startswith(_HIDDEN) for part in path.relative_to(folder).parts)]


def _any_case(pattern: str) -> str:
    """Returns a glob that takes upper for lower case: "a*.csv" -> "[aA]*.[cC][sS][vV]"."""
    return "".join(f"[{mark.lower()}{mark.upper()}]" if mark.isalpha() else mark for mark in pattern)


def file_format(source: FileSource, path: str) -> FileFormat:
    """Returns the format of a file: what the mapping says, else what the suffix says.

    Raises:
      DataError: If neither says it, or a Parquet file is compressed as a whole.
    """
    found = source.format or infer_format(path)
    if advice := advice_for(path):
        raise DataError(f"{path}: expected text or Parquet, received {advice}")
    if found is None:
        raise DataError(
            f"{path}: expected a name that ends in {', '.join(_FORMATS)} (and {', '.join(COMPRESSION_SUFFIXES)}); "
            "set `format` in the mapping"
        )
    if found == "parquet" and PurePath(path).suffix.lower() in COMPRESSION_SUFFIXES:
        raise DataError(f"{path}: expected a Parquet file, which compresses itself, not a compressed one; unpack it")
    return found


def infer_format(path: str) -> FileFormat | None:
    """Returns the format that the suffix names: `a.csv.gz` -> `csv`."""
    name = PurePath(path)
    if name.suffix.lower() in COMPRESSION_SUFFIXES:
        name = name.with_suffix("")
    return _FORMATS.get(name.suffix.lower())


def package_folder(text: str) -> Path:
    """Returns the place that `package:NAME/FOLDER` names inside an installed Python package.

    Raises:
      DataError: If no package has that name.
    """
    package, _, inside = text.removeprefix(PACKAGE_PREFIX).partition("/")
    spec = find_spec(package) if package.isidentifier() and package != "__main__" else None
    if spec is None or not spec.submodule_search_locations:
        raise DataError(
            f"expected the Python package {package!r} for input {text}, received none of that name; "
            f"install it: pip install {package.replace('_', '-')}"
        )
    return Path(spec.submodule_search_locations[0]) / inside


def _matching_files(folder: Path, pattern: str) -> list[Path]:
    try:
        return sorted(path for path in folder.glob(pattern) if path.is_file())
    except ValueError as error:
        raise DataError(f"expected a glob such as clicks/*.csv, received {pattern}: {error}") from error


def _data_files(folder: Path, wanted: FileFormat | None) -> list[Path]:
    """Data files below a folder; hidden ones and markers such as `_SUCCESS` are none."""
    found = []
    for path in folder.rglob("*"):
        known = infer_format(path.name)
        hidden = any(part.startswith((".", "_")) for part in path.relative_to(folder).parts)
        if known is not None and wanted in (None, known) and not hidden and path.is_file():
            found.append(path)
    return found


def _describe_folder(folder: str) -> str:
    names = sorted(entry.name for entry in Path(folder).iterdir())
    return ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "") or "an empty folder"


def _remedy(folder: str) -> str:
    advice = {entry.name: advice_for(entry.name) for entry in sorted(Path(folder).iterdir())}
    found = [f"{name} is {words}" for name, words in advice.items() if words]
    return found[0] if found else "correct the input or the mapping"

import gzip
import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from interest_migration.errors import DataError
from interest_migration.sources.mapping import SourceMapping
from interest_migration.sources.paths import file_format, infer_format, resolve_root, source_files, stream_files


def _touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.csv", "csv"),
        ("a.TSV.GZ", "csv"),
        ("a.b.jsonl.zst", "jsonl"),
        ("a.parquet", "parquet"),
        ("a.gz", None),
        ("README.md", None),
    ],
)
def test_suffix_tells_the_format(name: str, expected: str | None) -> None:
    assert infer_format(name) == expected


def test_folder_holds_every_data_file_but_no_hidden_ones(
    tmp_path: Path, mapping_of: Callable[..., SourceMapping]
) -> None:
    _touch(tmp_path, "b.csv", "day=1/a.jsonl", "_SUCCESS", ".hidden.csv", "_temporary/c.csv", "README.md")
    files = stream_files(mapping_of(), "log", resolve_root(str(tmp_path)))
    assert files == [str(tmp_path / "b.csv"), str(tmp_path / "day=1" / "a.jsonl")]


def test_patterns_and_folders_of_a_mapping(tmp_path: Path, mapping_of: Callable[..., SourceMapping]) -> None:
    _touch(tmp_path, "a1.csv", "a2.csv", "b.csv", "more/c.csv", "more/d.parquet")
    mapping = mapping_of(files=["a*.csv", "more"], format="csv")
    files = source_files(mapping.streams[0], resolve_root(str(tmp_path)), "stream 'log'")
    assert [Path(file).name for file in files] == ["a1.csv", "a2.csv", "c.csv"]


def test_one_file_is_the_stream_whatever_its_name(tmp_path: Path, mapping_of: Callable[..., SourceMapping]) -> None:
    _touch(tmp_path, "anything")
    root = resolve_root(str(tmp_path / "anything"))
    assert root.folder == str(tmp_path)
    assert stream_files(mapping_of(files="named.csv"), "log", root) == [str(tmp_path / "anything")]


def test_glob_as_input(tmp_path: Path, mapping_of: Callable[..., SourceMapping]) -> None:
    _touch(tmp_path, "a/1.csv", "b/2.csv", "b/3.txt")
    root = resolve_root(str(tmp_path / "*" / "*.csv"))
    assert stream_files(mapping_of(), "log", root) == [str(tmp_path / "a/1.csv"), str(tmp_path / "b/2.csv")]
    assert root.folder == str(tmp_path)


def test_relative_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _touch(tmp_path, "x.csv")
    monkeypatch.chdir(tmp_path)
    assert resolve_root("x.csv").chosen == ("x.csv",)
    assert resolve_root("*.csv").chosen == ("x.csv",)
    assert resolve_root(".").folder == "."


def test_folder_inside_a_package_is_found_without_importing_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _touch(tmp_path, "boxed_logs/data/x.csv")
    (tmp_path / "boxed_logs/__init__.py").write_text("raise RuntimeError('imported')")
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    assert resolve_root("package:boxed_logs/data").folder == str(tmp_path / "boxed_logs" / "data")
    assert "boxed_logs" not in sys.modules


@pytest.mark.parametrize("name", ["package:no_such_logs/data", "package:__main__/x", "package:", "package:a b/c"])
def test_missing_package_says_how_to_install_it(name: str) -> None:
    with pytest.raises(DataError, match="install it: pip install"):
        resolve_root(name)


@pytest.mark.parametrize("name", ["nothing.csv", "no/*.csv", "", "a**b"])
def test_missing_input_is_named(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    if name:
        with pytest.raises(DataError, match="received"):
            resolve_root(name)


def test_missing_files_list_what_is_there(tmp_path: Path, mapping_of: Callable[..., SourceMapping]) -> None:
    _touch(tmp_path, "y.csv")
    with pytest.raises(DataError, match=r"expected files x\.csv for stream 'log' in .*, received y\.csv"):
        stream_files(mapping_of(files="x.csv"), "log", resolve_root(str(tmp_path)))


def test_a_single_file_cannot_serve_several_streams(tmp_path: Path) -> None:
    _touch(tmp_path, "y.csv")
    fields: dict[str, Any] = {"user": "u", "time": "t", "action": "a"}
    streams = [{"name": name, "files": f"{name}.csv", "fields": fields} for name in ("views", "buys")]
    mapping = SourceMapping.from_values({"name": "two", "streams": streams}, source="test")
    with pytest.raises(DataError, match=r"several streams \(views, buys\)"):
        stream_files(mapping, "views", resolve_root(str(tmp_path / "y.csv")))


def test_unknown_suffix_needs_a_format(mapping_of: Callable[..., SourceMapping]) -> None:
    with pytest.raises(DataError, match="set `format` in the mapping"):
        file_format(mapping_of().streams[0], "x.log")
    assert file_format(mapping_of(format="csv").streams[0], "x.log") == "csv"


def test_compressed_parquet_is_refused(tmp_path: Path, mapping_of: Callable[..., SourceMapping]) -> None:
    (tmp_path / "x.parquet.gz").write_bytes(gzip.compress(b"PAR1"))
    with pytest.raises(DataError, match="unpack it"):
        file_format(mapping_of().streams[0], str(tmp_path / "x.parquet.gz"))

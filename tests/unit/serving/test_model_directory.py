"""A model folder that is not whole is told from one that is, by its files alone."""

import shutil
from pathlib import Path

import pytest
from tiny_saved_model import save_tiny_model

from interest_migration.errors import ModelFilesError
from interest_migration.serving.model_directory import FILE_LIST, check_model_directory, write_file_list
from schemas.signatures import SERVE

NEEDED = {SERVE: {"examples": "string"}}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = save_tiny_model(tmp_path_factory.mktemp("models") / "whole")
    (folder / "assets.extra").mkdir()
    write_file_list(str(folder))
    return folder


@pytest.fixture
def model(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "model"))


def unlist(model: Path) -> None:
    """As an older export left it."""
    (model / FILE_LIST).unlink()


def cut(file: Path, share: float) -> None:
    content = file.read_bytes()
    file.write_bytes(content[: int(len(content) * share)])


def data_file(model: Path) -> Path:
    return next((model / "variables").glob("*.data-*"))


def test_a_whole_model_passes(model: Path) -> None:
    found = check_model_directory(model, NEEDED)
    assert found.listed
    assert SERVE in found.signatures
    assert found.bytes > 1000
    unlist(model)
    assert not check_model_directory(model, NEEDED).listed


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda model: shutil.rmtree(model), "which is none"),
        (lambda model: (model / "saved_model.pb").unlink(), "saved_model.pb, received none"),
        (lambda model: cut(model / "saved_model.pb", 0.5), "saved_model.pb, received"),
        (lambda model: data_file(model).unlink(), "received none"),
        (lambda model: cut(data_file(model), 0.5), "bytes in"),
        (lambda model: cut(model / "variables" / "variables.index", 0.7), "variables.index, received"),
        (lambda model: (model / FILE_LIST).write_text("{"), "a damaged one"),
    ],
)
def test_a_damaged_listed_model_is_told(model: Path, damage, told: str) -> None:
    damage(model)
    with pytest.raises(ModelFilesError, match=told):
        check_model_directory(model, NEEDED)


@pytest.mark.parametrize("name", ["saved_model.pb", "variables/variables.index", "data"])
def test_a_flipped_bit_is_told(model: Path, name: str) -> None:
    file = data_file(model) if name == "data" else model / name
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(ModelFilesError, match="other content"):
        check_model_directory(model, NEEDED)


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda model: (model / "saved_model.pb").write_bytes(b"nonsense"), "cannot be read"),
        (lambda model: (model / "saved_model.pb").write_bytes(b""), "one graph with the tag"),
        (lambda model: (model / "variables" / "variables.index").unlink(), "index of the weights"),
        (lambda model: (model / "variables" / "variables.index").write_bytes(b"x" * 300), "cannot be read"),
        (lambda model: data_file(model).unlink(), "files of weights"),
        (lambda model: data_file(model).write_bytes(b""), "bytes of weights"),
    ],
)
def test_a_damaged_model_without_a_list_is_told_by_its_own_files(model: Path, damage, told: str) -> None:
    unlist(model)
    damage(model)
    with pytest.raises(ModelFilesError, match=told):
        check_model_directory(model, NEEDED)


@pytest.mark.parametrize(
    ("needed", "told"),
    [
        ({"predict": {"action": "string"}}, "expected a signature 'predict'"),
        ({SERVE: {"examples": "int64"}}, "expected the inputs {'examples': 'int64'}"),
        ({SERVE: {"examples": "string", "more": "string"}}, "received {'examples': 'string'}"),
    ],
)
def test_wrong_signatures_are_told(model: Path, needed, told: str) -> None:
    with pytest.raises(ModelFilesError, match=told):
        check_model_directory(model, needed)

import logging
import os
import stat
import tempfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from interest_migration.errors import ConfigError
from interest_migration.privacy.keys import load_key, replace_key

HEX_KEY = "00112233445566778899aabbccddeeff"


@pytest.fixture(autouse=True)
def _no_key_in_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("INTEREST_MIGRATION_KEY", raising=False)


def test_a_new_file_is_made_once_and_only_for_its_owner(tmp_path: Path) -> None:
    file = tmp_path / "keys" / "project.key"
    key = load_key(file)
    assert len(key) == 32
    assert load_key(file) == key
    assert file.read_text().strip() == key.hex()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert os.listdir(file.parent) == ["project.key"]  # noqa: PTH208


def test_environment_comes_before_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTEREST_MIGRATION_KEY", f" {HEX_KEY}\n")
    file = tmp_path / "project.key"
    assert load_key(file) == bytes.fromhex(HEX_KEY)
    assert not file.exists()


def test_another_variable_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_KEY", HEX_KEY)
    assert load_key(environment_variable="SHOP_KEY", file=tmp_path / "k") == bytes.fromhex(HEX_KEY)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected 32 hexadecimal digits or more, received 0"),
        ("0011", "expected 32 hexadecimal digits or more, received 4"),
        ("my secret pass phrase, quite long", "expected hexadecimal digits, received something else"),
    ],
)
def test_bad_keys_are_refused_and_not_shown(text: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "project.key"
    file.write_text(text)
    with pytest.raises(ConfigError, match=message) as caught:
        load_key(file)
    assert str(file) in str(caught.value)
    assert "pass phrase" not in str(caught.value)


def test_a_bad_key_in_the_environment_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTEREST_MIGRATION_KEY", "xyz")
    with pytest.raises(ConfigError, match="environment variable INTEREST_MIGRATION_KEY"):
        load_key(tmp_path / "k")


def test_unusable_places_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"key file that can be read or created at {tmp_path}"):
        load_key(tmp_path)


def test_binary_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "k").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="received: not text"):
        load_key(tmp_path / "k")


def test_processes_that_race_get_one_key(tmp_path: Path) -> None:
    with ProcessPoolExecutor(4, mp_context=get_context("fork")) as pool:
        keys = set(pool.map(load_key, [tmp_path / "k"] * 16))
    assert len(keys) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["k"]


def test_the_key_is_not_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        key = load_key(tmp_path / "k")
    assert key.hex() not in caplog.text


def test_a_replaced_key_is_another_one_that_its_owner_alone_can_read(tmp_path: Path) -> None:
    file = tmp_path / "pseudonym.key"
    old = load_key(file)
    replace_key(file)
    assert load_key(file) != old
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_an_old_key_stays_where_it_is_asked_to(tmp_path: Path) -> None:
    file, kept = tmp_path / "pseudonym.key", tmp_path / "old.key"
    old = load_key(file)
    replace_key(file, kept)
    assert load_key(kept) == old != load_key(file)


def test_another_key_is_never_overwritten(tmp_path: Path) -> None:
    file, kept = tmp_path / "pseudonym.key", tmp_path / "old.key"
    keys = load_key(file), load_key(kept)
    with pytest.raises(ConfigError, match=r"expected no other key in .*old.key"):
        replace_key(file, kept)
    assert (load_key(file), load_key(kept)) == keys


@pytest.mark.parametrize("step", ["mkstemp", "fsync", "link", "replace"])
def test_a_rotation_interrupted_anywhere_leaves_a_whole_key_and_can_be_done_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    file, kept = tmp_path / "pseudonym.key", tmp_path / "old.key"
    old = load_key(file)
    with monkeypatch.context() as patch:
        patch.setattr(tempfile if step == "mkstemp" else os, step, interrupt)
        with pytest.raises(KeyboardInterrupt):
            replace_key(file, kept)
    assert load_key(file) == old
    (tmp_path / ".pseudonym.key.killed").touch()
    replace_key(file, kept)
    assert load_key(kept) == old != load_key(file)
    assert sorted(tmp_path.iterdir()) == [kept, file]


def interrupt(*_: object, **__: object) -> None:
    raise KeyboardInterrupt

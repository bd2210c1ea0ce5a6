from pathlib import Path

import pyarrow as pa
import pytest

from interest_migration.errors import ConfigError
from interest_migration.privacy.erasure import erasure_digest, make_pseudonymiser
from interest_migration.privacy.pseudonyms import Pseudonymiser

KEY = bytes(range(32))
PLAIN = Pseudonymiser(KEY)


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def erased(file: Path, ids: list[object]) -> list[bool]:
    pseudonymiser = make_pseudonymiser(KEY, file)
    return pseudonymiser.is_erased(pseudonymiser.pseudonyms(pa.array(ids))).tolist()


def test_ids_are_found_in_any_spelling(tmp_path: Path) -> None:
    file = write(tmp_path / "erased.csv", '\ufeff4711\n\n"A 1",asked in March\n 900.0 \n')
    assert erased(file, ["4711", "A 1", "007", None]) == [True, True, False, False]
    assert erased(file, [900, 901]) == [True, False]
    assert erased(file, [900.0, None]) == [True, False]


def test_without_a_list_nobody_is_erased() -> None:
    assert PLAIN.is_erased(PLAIN.pseudonyms(pa.array(["a", None]))).tolist() == [False, False]
    assert erasure_digest(PLAIN) == ""


def test_the_digest_follows_the_users_and_not_the_spelling(tmp_path: Path) -> None:
    texts = {"one": "1\n2\n", "same": "2.0\n1\n1\n", "other": "1\n3\n", "empty": "\n"}
    digests = {
        name: erasure_digest(make_pseudonymiser(KEY, write(tmp_path / name, text))) for name, text in texts.items()
    }
    assert digests["one"] == digests["same"] != digests["other"]
    assert digests["empty"] == ""


def test_the_digest_cannot_be_tested_without_the_key(tmp_path: Path) -> None:
    file = write(tmp_path / "erased.csv", "4711\n")
    assert erasure_digest(make_pseudonymiser(KEY, file)) != erasure_digest(make_pseudonymiser(bytes(32), file))


@pytest.mark.parametrize("content", [b"customer-1\n\xff\n", None])
def test_an_unreadable_list_is_named_and_not_shown(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "erased.csv"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match=r"expected a readable erasure list .*erased.csv") as error:
        make_pseudonymiser(KEY, file)
    assert "customer-1" not in str(error.value)

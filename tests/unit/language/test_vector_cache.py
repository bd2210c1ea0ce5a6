"""Vectors kept on disk."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from interest_migration.language import vector_cache
from interest_migration.language.vector_cache import embed_cached


class Counting:
    """Stands for an encoder: the vector of a text is its length and its first letter."""

    width = 2

    def __init__(self, digest: str = "d", fail_after: int = 10_000) -> None:
        self.digest, self.fail_after, self.asked = digest, fail_after, []

    def embed(self, texts) -> np.ndarray:
        if len(self.asked) >= self.fail_after:
            raise KeyboardInterrupt
        self.asked += texts
        return np.array([(len(text), ord(text[:1] or " ")) for text in texts], np.float32)


_FILL = """
import sys; sys.path[:0] = [{folder!r}, "."]
from pathlib import Path
import numpy as np
from test_vector_cache import Counting, embed_cached, expected, vector_cache
vector_cache._TEXTS_PER_PART = 20
texts = [str(number) for number in range(300)]
np.testing.assert_array_equal(embed_cached(Counting(), texts, Path({cache!r})), expected(texts))
"""


def expected(texts) -> np.ndarray:
    return Counting().embed([(text or "").strip() for text in texts])


def test_only_missing_texts_are_computed(tmp_path) -> None:
    first, lines = Counting(), []
    texts = ["ab", "c", "ab", None]
    np.testing.assert_array_equal(embed_cached(first, texts, tmp_path, lines.append), expected(texts))
    assert first.asked == ["ab", "c", ""]
    assert lines == ["embedded 3 of 3 new texts (3 in all)"]
    second = Counting()
    more = pa.array(["def", "c", "ab"])
    np.testing.assert_array_equal(embed_cached(second, more, tmp_path), expected(more.to_pylist()))
    assert second.asked == ["def"]


def test_encoders_do_not_share_vectors(tmp_path) -> None:
    embed_cached(Counting("one"), ["a"], tmp_path)
    other = Counting("two")
    embed_cached(other, ["a"], tmp_path)
    assert other.asked == ["a"]


def test_a_kill_keeps_finished_parts(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(vector_cache, "_TEXTS_PER_PART", 2)
    texts = list("abcdef")
    with pytest.raises(KeyboardInterrupt):
        embed_cached(Counting(fail_after=4), texts, tmp_path)
    assert len(list(tmp_path.rglob("*.parquet"))) == 2
    again = Counting()
    np.testing.assert_array_equal(embed_cached(again, texts, tmp_path), expected(texts))
    assert again.asked == ["e", "f"]


def test_a_damaged_part_counts_as_absent(tmp_path) -> None:
    embed_cached(Counting(), ["a", "b"], tmp_path)
    (part,) = tmp_path.rglob("*.parquet")
    part.write_bytes(part.read_bytes()[:-20])
    lines = []
    np.testing.assert_array_equal(embed_cached(Counting(), ["a", "b"], tmp_path, lines.append), expected(["a", "b"]))
    assert "cannot be read" in lines[0]
    assert part.name in lines[0]
    again = Counting()
    embed_cached(again, ["b", "a"], tmp_path)
    assert again.asked == []


def test_two_processes_may_write_at_once(tmp_path) -> None:
    program = _FILL.format(folder=str(Path(__file__).parent), cache=str(tmp_path / "cache"))
    processes = [subprocess.Popen([sys.executable, "-c", program]) for _ in range(2)]
    assert [process.wait(60) for process in processes] == [0, 0]
    texts, again = [str(number) for number in range(300)], Counting()
    np.testing.assert_array_equal(embed_cached(again, texts, tmp_path / "cache"), expected(texts))
    assert again.asked == []
    assert {path.suffix for path in tmp_path.rglob("*") if path.is_file()} == {".parquet"}


def test_no_texts(tmp_path) -> None:
    assert embed_cached(Counting(), [], tmp_path).shape == (0, 2)

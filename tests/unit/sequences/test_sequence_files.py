import json

import numpy as np
import pytest

from interest_migration.errors import DataError
from interest_migration.sequences.files import read_attributes, read_sequences


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def test_items_are_numbered_by_frequency_in_the_training_part(tmp_path):
    file = read_sequences(write(tmp_path / "s.txt", "1 a b c d\n2 b c d\n\n3 b a d c\n4 b c\n"))
    # Training parts: a b, b, b a.
    assert file.names[:2] == ("b", "a")
    assert sorted(file.names[2:]) == ["c", "d"]
    assert file.items.lengths.tolist() == [4, 3, 4]
    assert [file.names[item - 1] for item in file.items[0]] == ["a", "b", "c", "d"]
    assert file.left_out == 1


def test_attributes_are_numbered_by_frequency_and_sorted(tmp_path):
    path = write(tmp_path / "a.json", json.dumps({"x": [7, 3], "y": [3], "elsewhere": [5]}))
    attributes = read_attributes(path, ("y", "z", "x"))
    assert attributes.lengths.tolist() == [1, 0, 2]
    assert attributes[0].tolist() == [1]
    assert attributes[2].tolist() == [1, 2]


@pytest.mark.parametrize("text", ["", "1 2\n", "1 2 3\n"])
def test_a_file_without_sequences_is_refused(tmp_path, text):
    with pytest.raises(DataError, match="at least three items"):
        read_sequences(write(tmp_path / "s.txt", text))


@pytest.mark.parametrize(
    ("text", "message"),
    [("{", "damaged"), ("[1]", "something else"), ('{"a": 1}', "something else"), ("{}", "none of")],
)
def test_broken_attributes_are_refused(tmp_path, text, message):
    with pytest.raises(DataError, match=message):
        read_attributes(write(tmp_path / "a.json", text), ("a",))


def test_missing_and_binary_files_are_named(tmp_path):
    with pytest.raises(DataError, match=r"absent\.txt"):
        read_sequences(tmp_path / "absent.txt")
    (tmp_path / "binary.txt").write_bytes(np.arange(128, 256, dtype=np.uint8).tobytes())
    with pytest.raises(DataError, match=r"binary\.txt"):
        read_sequences(tmp_path / "binary.txt")

import pyarrow as pa
import pytest

from interest_migration.language.distinct import distinct_texts


@pytest.mark.parametrize("kind", [list, pa.array, lambda texts: pa.chunked_array([texts[:1], texts[1:]], pa.string())])
def test_distinct_texts(kind) -> None:
    different, rows = distinct_texts(kind(["a", None, " a ", "b", ""]))
    assert different == ["a", "", "b"]
    assert rows.tolist() == [0, 1, 0, 2, 1]

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pytest

from interest_migration.errors import DataError
from interest_migration.ingestion.balance import PieceBalance
from interest_migration.ingestion.dead_letters import Sources, ensure_dataset, write_dead_letters
from interest_migration.sources.file_readers import Part
from interest_migration.sources.files import Piece
from schemas.events import DEAD_LETTER_SCHEMA, REJECT_SCHEMA

PIECES = [
    Piece("clicks", "/in/2024/a.csv", "csv"),
    Piece("clicks", "/in/2024/a.csv", "csv", Part(100, None, 50)),
    Piece("orders", "/elsewhere/b.jsonl", "jsonl"),
]
SOURCES = Sources.of(PIECES, "/in")


def rejects(*rows: tuple[int, int, str]) -> pa.RecordBatch:
    columns = [*zip(*rows, strict=True)] or [[], [], []]
    arrays = [pa.array(column, field.type) for column, field in zip(columns, REJECT_SCHEMA, strict=False)]
    return pa.RecordBatch.from_arrays([*arrays, pa.array(["why"] * len(rows), pa.string())], schema=REJECT_SCHEMA)


def holds(balance: PieceBalance) -> bool:
    try:
        balance.check()
    except DataError:
        return False
    return True


def test_every_row_tells_its_stream_and_its_file_below_the_input(tmp_path: Path):
    with write_dead_letters(tmp_path, "piece-00000", SOURCES) as add:
        add(rejects((1, 50, "bad_time")))
        add(rejects())
        add(rejects((2, 7, "broken_row"), (0, 3, "bad_time")))
    (tmp_path / "_summary.json").write_text("{}")
    expected = [
        ("clicks", "2024/a.csv", 1, 50, "bad_time", "why"),
        ("orders", "b.jsonl", 2, 7, "broken_row", "why"),
        ("clicks", "2024/a.csv", 0, 3, "bad_time", "why"),
    ]
    frame = pd.read_parquet(tmp_path)
    assert list(frame.columns) == DEAD_LETTER_SCHEMA.names
    assert list(frame.itertuples(index=False, name=None)) == expected
    assert ds.dataset(tmp_path).to_table().schema.equals(DEAD_LETTER_SCHEMA)


def test_what_is_cut_off_leaves_nothing_and_a_second_try_replaces_the_first(tmp_path: Path):
    with write_dead_letters(tmp_path, "piece", SOURCES) as add:
        add(rejects((0, 1, "bad_time")))
    with pytest.raises(IndexError), write_dead_letters(tmp_path, "piece", SOURCES) as add:
        [add(batch) for batch in (rejects((0, 2, "bad_time")), rejects((9, 2, "of no piece")))]
    assert pd.read_parquet(tmp_path)["source_row"].tolist() == [1]
    with write_dead_letters(tmp_path, "piece", SOURCES) as add:
        add(rejects((0, 3, "bad_time")))
    assert [path.name for path in tmp_path.iterdir()] == ["piece.parquet"]
    assert pd.read_parquet(tmp_path)["source_row"].tolist() == [3]


def test_without_rows_there_is_one_empty_file(tmp_path: Path):
    with write_dead_letters(tmp_path, "piece", SOURCES) as add:
        add(rejects())
    assert list(tmp_path.iterdir()) == []
    ensure_dataset(tmp_path)
    assert list(pd.read_parquet(tmp_path).columns) == DEAD_LETTER_SCHEMA.names
    assert len(pd.read_parquet(tmp_path)) == 0


@pytest.mark.parametrize("positions", [[50, 51, 53], [50, 51, 51, 52, 53, 54], [49, 50, 51]])
def test_a_row_that_is_lost_or_doubled_or_from_elsewhere_is_found(positions: list[int]):
    balance = PieceBalance(PIECES[1])
    balance.add(rejects(*[(1, position, "bad_time") for position in positions]))
    with pytest.raises(DataError, match=r"/in/2024/a.csv: rows do not balance"):
        balance.check()


def test_the_next_piece_of_a_file_tells_how_many_rows_there_are():
    assert SOURCES.rows == (50, None, None)
    balance = PieceBalance(PIECES[0], SOURCES.rows[0])
    balance.add(rejects(*[(0, position, "x") for position in range(49)]))
    with pytest.raises(DataError, match="expected 50 from position 0 on, received 49"):
        balance.check()
    balance.add(rejects((0, 49, "x")))
    balance.check()


def test_rows_may_come_in_any_order_and_batch_or_not_at_all():
    balance = PieceBalance(PIECES[1])
    assert holds(balance)
    balance.add(rejects((1, 52, "x")), rejects())
    assert not holds(balance)
    balance.add(rejects((1, 50, "x"), (1, 51, "x")))
    assert holds(balance)


def test_parquet_rows_are_counted_against_its_footer(tmp_path: Path):
    pd.DataFrame({"u": range(9)}).to_parquet(tmp_path / "x.parquet", row_group_size=3)
    balance = PieceBalance(Piece("s", str(tmp_path / "x.parquet"), "parquet", Part(1, 3, 3)))
    balance.add(rejects(*[(0, position, "x") for position in range(3, 8)]))
    with pytest.raises(DataError, match="expected 6 from position 3 on, received 5"):
        balance.check()
    balance.add(rejects((0, 8, "x")))
    balance.check()

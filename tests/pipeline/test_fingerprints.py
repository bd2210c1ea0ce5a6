import re
from pathlib import Path

import pytest

from pipeline import fingerprints
from pipeline.fingerprints import fingerprint_code


@pytest.mark.parametrize(
    "parts",
    [
        fingerprints.INGESTION,
        fingerprints.TRANSFORM,
        fingerprints.TRAINER,
        fingerprints.EVALUATOR,
        fingerprints.COMPARISON,
        fingerprints.FLOWS,
    ],
)
def test_every_part_exists_and_counts(parts: tuple[str, ...]) -> None:
    root = Path(__file__).parents[2]
    assert all((root / part).exists() for part in parts)
    whole = fingerprint_code(parts)
    assert re.fullmatch("[0-9a-f]{16}", whole)
    assert all(fingerprint_code(part for part in parts if part != left_out) != whole for left_out in parts)


def test_content_and_names_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(fingerprints._ROOTS, "components", tmp_path)
    source = tmp_path / "trainer.py"
    source.write_text("a = 1")
    first = fingerprint_code(["components"])
    source.write_text("a = 2")
    second = fingerprint_code(["components"])
    source.rename(tmp_path / "transform.py")
    third = fingerprint_code(["components"])
    (tmp_path / "notes.txt").write_text("not code")
    assert len({first, second, third}) == 3
    assert fingerprint_code(["components"]) == third

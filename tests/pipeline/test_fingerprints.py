import ast
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
        fingerprints.SERVING_GATE,
    ],
)
def test_every_part_exists_and_counts(parts: tuple[str, ...]) -> None:
    root = Path(__file__).parents[2]
    assert all((root / part).exists() for part in parts)
    whole = fingerprint_code(parts)
    assert re.fullmatch("[0-9a-f]{16}", whole)
    assert all(fingerprint_code(part for part in parts if part != left_out) != whole for left_out in parts)


ROOT = Path(__file__).parents[2]
PLUMBING = {"interest_migration/errors.py", "interest_migration/storage/atomic.py", "components/artifacts.py"}
"""What changes no result."""


def imported(path: Path) -> set[Path]:
    """The modules of this project that a module imports, lazily too, but for types."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing_only = [
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING"
        for inner in ast.walk(node)
    ]
    names = {
        name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module and node not in typing_only
        for name in (node.module, *(f"{node.module}.{alias.name}" for alias in node.names))
    }
    return {place for name in names if (place := ROOT / f"{name.replace('.', '/')}.py").is_file()}


@pytest.mark.parametrize(
    ("entry", "parts"),
    [
        ("components/example_gen.py", fingerprints.INGESTION),
        ("components/trainer.py", fingerprints.TRAINER),
        ("components/tuner.py", fingerprints.TUNER),
        ("components/evaluator.py", fingerprints.EVALUATOR),
        ("components/comparison.py", fingerprints.COMPARISON),
        ("components/flows.py", fingerprints.FLOWS),
        ("components/serving_gate.py", fingerprints.SERVING_GATE),
    ],
)
def test_all_that_a_step_imports_counts(entry: str, parts: tuple[str, ...]) -> None:
    found, todo = set(), {ROOT / entry}
    while todo:
        found |= todo
        todo = {other for path in todo for other in imported(path)} - found
    names = {path.relative_to(ROOT).as_posix() for path in found} - PLUMBING
    assert {name for name in names if not any(f"{name}/".startswith(f"{part}/") for part in parts)} == set()


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

"""What a gate writes: its decision, and the blessing that the Pusher asks for."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tfx.types import Artifact

from interest_migration.gates.decision import Decision

DECISION_FILE: Final = "decision.json"
"""In an artifact `Decision`: `interest_migration.gates.decision.Decision` as JSON."""


def write_decision(artifact: Artifact, decision: Decision) -> Path:
    """Writes a decision; returns the folder it lies in."""
    folder = Path(artifact.uri)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / DECISION_FILE).write_text(decision.to_text(), encoding="utf-8")
    return folder


def read_decision(folder: str | Path) -> Decision:
    """Reads what an artifact `Decision` holds."""
    return Decision.from_json(json.loads((Path(folder) / DECISION_FILE).read_text(encoding="utf-8")))


def bless(blessing: Artifact, passed: bool, mark: str, files: Mapping[bool, str]) -> None:
    """Marks a blessing as TFX's Pusher reads it.

    Args:
      blessing: The output.
      passed: What was decided.
      mark: The property that holds 1 or 0.
      files: The name of the empty file of either decision.
    """
    folder = Path(blessing.uri)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / files[passed]).touch()
    blessing.set_int_custom_property(mark, int(passed))

"""What an exported model tells those who serve and ask it, beside its graph.

<model>/assets.extra/serving.json   {"format": 1, "model_id": "6ed6...", "examples": {"max_events": 192, ...}}
"""

import json
from pathlib import Path
from typing import Final

from interest_migration.errors import ConfigError, ModelFilesError
from interest_migration.examples.settings import ExampleSettings
from interest_migration.settings import Settings

FACTS_FILE: Final = "assets.extra/serving.json"
"""Below the folder of the model."""

FORMAT: Final = 1


class ServingFacts(Settings):
    """What whoever serves or asks a model must know.

    Attributes:
      format: `FORMAT`.
      model_id: Digest of the model, as the signature `predict` returns it.
      examples: How features are made of events.
    """

    format: int = FORMAT
    model_id: str
    examples: ExampleSettings

    def to_json(self) -> str:
        """Returns the same text for the same values."""
        return json.dumps(self.model_dump(mode="json"), indent=1, sort_keys=True)


def read_facts(model: Path) -> ServingFacts:
    """Reads what a model says of itself.

    Raises:
      ModelFilesError: If it says nothing, or nothing that can be read.
    """
    try:
        values = json.loads((model / FACTS_FILE).read_text(encoding="utf-8"))
        return ServingFacts.from_values(values, source=str(model / FACTS_FILE))
    except (OSError, ValueError, ConfigError) as error:
        raise ModelFilesError(
            f"expected {FACTS_FILE} in {model}, found none that can be read ({error}). Export the model again"
        ) from error

"""What an exported model says of itself, so that a later training can start from it.

    <model>/variables/...                 the weights; place i of the manifest's `variables` names `_variables/<i>`
    <model>/assets/<vocabulary>           the vocabularies
    <model>/assets.extra/warm_start.json  the manifest

Model servers leave `assets.extra` alone.
"""

import json
from typing import Any, Final

from interest_migration.errors import ConfigError, DataError
from interest_migration.settings import Settings

MANIFEST_FILE: Final = "assets.extra/warm_start.json"
"""Below the folder of the exported model."""

FORMAT: Final = 1
"""Raised whenever an older manifest can no longer be read."""


class Provenance(Settings):
    """Where the training examples come from.

    Attributes:
      data: Digest of the log; empty if unknown.
      base: Name of the served version that was chosen to start from, such as `3-5f2ce5d0a1b2c3d4`, whether its weights
        did fit or not; empty if none was.
      labels_end_s: Unix time up to which the labels of the training examples look.
      language: Digest of the language model behind the vectors of texts; empty without one.
      held_out: Which users were kept from training, as text that differs whenever they may; empty if none were.
    """

    data: str = ""
    base: str = ""
    labels_end_s: int = 0
    held_out: str = ""
    language: str = ""


class Manifest(Settings):
    """An exported model's account of itself.

    Attributes:
      format: `FORMAT`.
      model: Values of `ModelSettings`.
      sizes: Values of `VocabularySizes`.
      variables: Names of the saved variables, in their order; empty for those that are not trained.
      vocabularies: Vocabulary name -> SHA-256 of its file.
      actions: Actions, in the order of their ids.
      aggregates: Inputs behind the columns of the aggregates.
      provenance: Where the training examples come from.
    """

    format: int = FORMAT
    model: dict[str, Any]
    sizes: dict[str, int]
    variables: tuple[str, ...]
    vocabularies: dict[str, str]
    actions: tuple[str, ...]
    aggregates: tuple[str, ...]
    provenance: Provenance

    def to_json(self) -> str:
        """Returns the same text for the same values."""
        return json.dumps(self.model_dump(mode="json"), indent=1, sort_keys=True)


def read_manifest(text: str, source: str) -> Manifest | None:
    """Returns the manifest, or None if it is of another format.

    Args:
      text: Content of the file.
      source: Its path, for errors.

    Raises:
      DataError: If the file is damaged.
    """
    try:
        values = json.loads(text)
        if values["format"] != FORMAT:
            return None
        return Manifest.from_values(values, source=source)
    except (ValueError, TypeError, KeyError, ConfigError) as error:
        raise DataError(
            f"expected the account of an exported model in {source}, received a damaged one ({error}). Remove that "
            "version, or set training.warm_start to false"
        ) from error

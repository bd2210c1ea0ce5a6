"""Where blessed models go."""

from pathlib import Path

from pydantic import Field

from interest_migration.settings import Settings


class PushSettings(Settings):
    """Where blessed models go.

    Attributes:
      directory: Folder that the model server watches; default: `served` in the workspace.
      model_name: Its subfolder, which holds the numbered versions.
      keep_versions: Number of newest versions that stay; those that are pinned, labelled or served always do.
      base_path: The model's folder as the server sees it, such as `/models/interests`; default: as it is here.
    """

    directory: Path | None = None
    model_name: str = Field("interests", pattern=r"^[A-Za-z0-9_-]+$")
    keep_versions: int = Field(5, ge=1)
    base_path: str | None = Field(None, pattern=r"^(/|[a-z][a-z0-9]*://)")

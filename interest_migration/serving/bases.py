"""Which served version a training starts from.

The one that is served (the newest, unless `models.config` says otherwise), with one exception. A version that was
trained on the very same log is no base for it: every further run would start from its own result and train on. Such a
log is trained from where it was trained the first time:

    served            log of the run   base
    (none)            A                none
    1 of A            A                none         as the first time, so that every step is answered from cache
    1 of A            B                1
    1 of A, 2 of B    B                1            as the first time
    1 of A, 2 of B    C                2, or 1 where it is pinned
"""

from pathlib import Path
from typing import Final

from interest_migration.model.manifest import MANIFEST_FILE, Manifest, read_manifest
from interest_migration.serving.versions import Version, digest_files, list_versions, served_version
from interest_migration.settings import Settings

NO_BASE: Final = "none"
CHOICE_FILE: Final = "base.json"
"""In the folder of a copied base: the choice as JSON, also where there is no base."""


class BaseChoice(Settings):
    """The base of a training.

    Attributes:
      name: Differs whenever the base differs: version and digest, such as `3-5f2ce5d0a1b2c3d4`, or `none`.
      note: Why there is none, if so.
      path: The version's folder; None if there is no base, or it is gone.
    """

    name: str = NO_BASE
    note: str = ""
    path: Path | None = None


def find_base(directory: Path, data: str) -> BaseChoice:
    """Chooses the base of a training.

    Args:
      directory: The served model's folder; its subfolders are version numbers.
      data: Digest of the log that is to be trained on; empty if unknown.

    Raises:
      DataError: If the manifest of a version, or `models.config`, is damaged.
    """
    versions, served = list_versions(directory), served_version(directory)
    if not served:
        return BaseChoice(note="nothing is served yet")
    for version in reversed(versions):
        manifest = _read_manifest(version)
        if manifest and data and manifest.provenance.data == data:
            return _same_as(version, manifest.provenance.base, versions)
    return BaseChoice(name=name_version(served), path=served.path)


def name_version(version: Version) -> str:
    """Returns number and digest of a version."""
    return f"{version.number}-{digest_files(version.path)[:16]}"


def _same_as(trained: Version, base: str, versions: list[Version]) -> BaseChoice:
    if not base:
        return BaseChoice(note=f"version {trained.number} was trained on the same log, without a base")
    for version in versions:
        if base == name_version(version):
            return BaseChoice(name=base, path=version.path)
    return BaseChoice(
        name=base, note=f"version {trained.number} was trained on the same log from {base}, which is served no longer"
    )


def _read_manifest(version: Version) -> Manifest | None:
    path = version.path / MANIFEST_FILE
    return read_manifest(path.read_text(encoding="utf-8"), str(path)) if path.is_file() else None

"""Which versions may be served, judged by their files before they are loaded."""

from pathlib import Path

from interest_migration.serving.model_directory import FILE_LIST, SERVED_SIGNATURES, check_model_directory
from schemas.signatures import EXAMPLES, SERVE


def check_version(folder: Path) -> None:
    """Checks that a version is whole and has the signatures of this release.

    Of exports before there was a list of files `serving_default` is asked for only, so that one can go back to them.

    Raises:
      ModelFilesError: If not; the message names the file or signature.
    """
    check_model_directory(folder, SERVED_SIGNATURES if (folder / FILE_LIST).exists() else {SERVE: {EXAMPLES: "string"}})


def check_files(folder: Path) -> None:
    """Checks that a version is whole, whatever its signatures.

    Raises:
      ModelFilesError: If not; the message names the file.
    """
    check_model_directory(folder, {})

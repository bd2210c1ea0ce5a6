"""Where the files of a split lie in an artifact of examples."""

from pathlib import Path


def split_files(examples: str, split: str) -> list[str]:
    """Returns the files of one split below a folder of examples."""
    return sorted(str(path) for path in Path(examples).glob(f"Split-{split}/*"))

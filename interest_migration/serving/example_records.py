"""Raw examples that a run left, one serialized `tf.Example` after the other."""

from collections.abc import Iterator
from pathlib import Path

from interest_migration.errors import DataError


def read_records(examples: Path) -> Iterator[bytes]:
    """Yields the records of a gzip TFRecord file, or of all in a folder.

    Raises:
      DataError: If there is neither.
    """
    import tensorflow as tf

    paths = sorted(examples.glob("*.gz")) if examples.is_dir() else [examples]
    if not paths or not all(path.is_file() for path in paths):
        raise DataError(f"expected a gzip TFRecord file or a folder of them at {examples}, received neither")
    yield from tf.data.TFRecordDataset([str(path) for path in paths], compression_type="GZIP").as_numpy_iterator()

"""Batches sized by bytes: the same input gives the same sums, on any machine.

By default TFX sizes the batches of TFT and TFMA by how fast they are worked off. Sums of floats are then grouped
differently in every run and differ in their last bits, which training amplifies.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from absl import flags
from tfx_bsl.coders import batch_util  # noqa: F401 - defines the flag

_FLAG = "tfxio_use_byte_size_batching"


@contextmanager
def batches_by_size() -> Iterator[None]:
    """Pipelines that are built in the context read their examples in batches of a fixed number of bytes."""
    before = flags.FLAGS[_FLAG].default
    flags.FLAGS.set_default(_FLAG, True)
    try:
        yield
    finally:
        flags.FLAGS.set_default(_FLAG, before)

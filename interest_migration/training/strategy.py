"""Where training runs: devices, precision, determinism."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from interest_migration.training.settings import TrainingSettings


def make_strategy(settings: TrainingSettings) -> Any:
    """Returns the `tf.distribute` strategy that the settings name."""
    if settings.strategy == "one_device":
        device = "/gpu:0" if tf.config.list_physical_devices("GPU") else "/cpu:0"
        return tf.distribute.OneDeviceStrategy(device)
    if settings.strategy == "mirrored":
        return tf.distribute.MirroredStrategy()
    if settings.strategy == "multi_worker":
        return tf.distribute.MultiWorkerMirroredStrategy()
    if settings.strategy == "tpu":
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver(settings.tpu)
        tf.config.experimental_connect_to_cluster(resolver)
        tf.tpu.experimental.initialize_tpu_system(resolver)
        return tf.distribute.TPUStrategy(resolver)
    return tf.distribute.get_strategy()


def is_chief(strategy: Any) -> bool:
    """Returns whether this process writes what all workers share; it is the only one without several workers."""
    resolver = strategy.cluster_resolver
    if resolver is None or not resolver.cluster_spec().as_dict():
        return True
    has_chief = "chief" in resolver.cluster_spec().jobs
    return resolver.task_type == ("chief" if has_chief else "worker") and resolver.task_id == 0


def worker_directory(strategy: Any, directory: Path) -> Path:
    """Returns the directory itself for the chief, and one in it for every further worker."""
    if is_chief(strategy):
        return directory
    resolver = strategy.cluster_resolver
    return directory / f"{resolver.task_type}-{resolver.task_id}"


@contextmanager
def numerics(settings: TrainingSettings) -> Iterator[None]:
    """Sets seeds, precision and determinism; precision is set back on exit.

    Keras counts the layers of a process in their names, and TensorFlow's order of additions follows names: without a
    new session, a second training of the same process differs from the first in the last bits.
    """
    before = keras.config.dtype_policy()
    keras.utils.clear_session()
    keras.utils.set_random_seed(settings.seed)
    if settings.deterministic:
        tf.config.experimental.enable_op_determinism()
    keras.config.set_dtype_policy(settings.precision)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)

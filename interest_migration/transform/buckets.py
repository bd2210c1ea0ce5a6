"""Buckets of times, and bounded numbers.

A logarithmic bucket halves an octave: its lower bounds are 1, 1.41, 2, 2.83, 4 ... seconds, up to 34 years. Example:

    seconds   0  1  2  3  4  86400
    bucket    1  2  4  5  6     34
"""

from typing import Final

import numpy as np
import tensorflow as tf

_OCTAVES: Final = 30
_BOUNDS: Final = np.unique(np.ceil(2.0 ** (np.arange(2 * _OCTAVES + 1) / 2) - 1e-9).astype(np.int64))

TIME_BUCKETS: Final = len(_BOUNDS) + 2
"""Number of different results of `time_buckets`, 0 included."""


def time_buckets(seconds: tf.Tensor) -> tf.Tensor:
    """Returns logarithmic buckets from 1 to `TIME_BUCKETS - 1`, and 0 for negative (absent) times.

    Args:
      seconds: `[V]` int64.

    Returns:
      `[V]` int64.
    """
    found = tf.searchsorted(tf.constant(_BOUNDS), seconds, side="right", out_type=tf.int64)
    return tf.where(seconds < 0, tf.zeros_like(found), found + 1)


def bounded_log(values: tf.Tensor) -> tf.Tensor:
    """Returns `sign(x) * log(1 + |x|)`, with 0 in place of values that are not finite.

    Args:
      values: Float32 of any shape.

    Returns:
      Finite float32 of the same shape; log1p for values from 0 on.
    """
    finite = tf.where(tf.math.is_finite(values), values, tf.zeros_like(values))
    return tf.sign(finite) * tf.math.log1p(tf.abs(finite))

"""Which training users are kept from fitting, so that probabilities can be calibrated on them."""

from dataclasses import dataclass
from typing import Any, Final

import tensorflow as tf

from schemas.features import USER

_BUCKETS: Final = 10_000
_SALT: Final = "calibration"
"""Makes the choice independent of other choices by pseudonym."""


@dataclass(frozen=True)
class UserRange:
    """The users whose place on a line from 0 to 1, given by a hash of their pseudonym, lies in `[low, high)`.

    The same user has the same place in every run.
    """

    low: float = 0.0
    high: float = 1.0

    def select(self, records: Any) -> tf.Tensor:
        """Returns `[B]` bool for `[B]` serialized examples."""
        keys = {USER: tf.io.FixedLenFeature([], tf.string, default_value="")}
        return self.holds(tf.io.parse_example(records, keys)[USER])

    def holds(self, users: Any) -> tf.Tensor:
        """Returns `[B]` bool for `[B]` pseudonyms."""
        buckets = tf.strings.to_hash_bucket_fast(tf.strings.join([_SALT, users]), _BUCKETS)
        return (buckets >= round(self.low * _BUCKETS)) & (buckets < round(self.high * _BUCKETS))


EVERYBODY: Final = UserRange()

"""What is known of an item that was never seen: how often items of similar texts are reached, and who wanted them."""

from typing import Any, Final

import keras
import tensorflow as tf

from interest_migration.model.repeat_encoder import RepeatEncoder
from interest_migration.model.scatter import sum_by_id
from interest_migration.model.text_inputs import TRUE_ITEM_IDS, align_events
from schemas.features import ITEM_IDS
from schemas.signatures import EVENT_VECTORS

_SHARPNESS: Final = 20.0
"""Of likeness: an item at a cosine of .97 counts half of one with the same text."""

_PRIOR: Final = 5.0
"""Average items that are counted among the neighbours of every text."""

_POPULARITY: Final = 0.7
"""First weight of popularity (and 1 of every event, however old): what fits the training part of Complete Journey."""


@keras.saving.register_keras_serializable("interest_migration")
class TextNeighbours(RepeatEncoder):
    """`weight * log(mean popularity of neighbours) + appetite(query) * log(1 + sum of weight(event) of neighbours)`.

    The neighbours of a text are the known items, each as much as its text is like it: `exp(20 (cosine - 1))` of vectors
    less their mean. The first term is a kernel regression of popularity (Nadaraya 1964) shrunk towards the average, the
    second is `RepeatEncoder` with what is alike in place of what is the same. All users begin with the same appetite.

    Args:
      size: V.
      width: D of the queries.
    """

    def __init__(self, size: int, width: int, **kwargs: Any) -> None:
        super().__init__(ITEM_IDS, autocast=False, **kwargs)
        self.size, self.width = size, width

    def build(self, input_shape: Any = None) -> None:
        """Makes the weights, and the popularity of items, which is 1 until `assign`."""
        super().build(None)
        self.ages.build(None)
        self.actions.build(None)
        self.appetite.build([None, self.width])
        self.appetite.kernel.assign(tf.zeros([self.width, 1]))
        self.weight = self.add_weight(name="weight", shape=[], initializer=keras.initializers.Constant(_POPULARITY))
        self.popularity = self.add_weight(name="popularity", shape=[self.size], initializer="ones", trainable=False)

    def assign(self, popularity: Any) -> None:
        """Takes `[V]`, how often each item is reached, relative to the average."""
        self.popularity.assign(popularity)

    def call(  # type: ignore[override]  # other candidates than the ids of histories
        self, inputs: dict[str, Any], query: Any, table: Any, vectors: Any, own: Any = None
    ) -> Any:
        """Scores items by vectors of their texts.

        Args:
          inputs: Feature name -> `[B, E]` int32; may hold EVENT_VECTORS.
          query: `[B, D]`.
          table: `[V, W]` float32 of the texts of known items.
          vectors: `[C, W]`.
          own: `[C]` ids of candidates that are known, but are to be scored as if they were not.

        Returns:
          `[B, C]` float32.
        """
        centre = _mean(table)
        alike = _likeness(vectors, table, centre)
        if own is not None:
            alike *= 1 - tf.one_hot(own - 1, self.size)
        reached = tf.linalg.matvec(alike, tf.cast(self.popularity.value, tf.float32)) + _PRIOR
        popular = tf.math.log(reached / (tf.reduce_sum(alike, axis=1) + _PRIOR))
        weights = self.event_weights(inputs)
        known = sum_by_id(weights, inputs.get(TRUE_ITEM_IDS, inputs[ITEM_IDS]) - 1, self.size)
        near = tf.matmul(known, alike, transpose_b=True)
        if EVENT_VECTORS in inputs:
            new = _likeness(align_events(inputs, inputs[EVENT_VECTORS]), vectors, centre)
            near += tf.einsum("be,bec->bc", weights, new)
        appetite = tf.cast(self.appetite(query), tf.float32)
        return tf.cast(self.weight, tf.float32) * popular + appetite * tf.math.log1p(near)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        config = super().get_config() | {"size": self.size, "width": self.width}
        return {name: value for name, value in config.items() if name not in ("feature", "decay")}


def _mean(vectors: Any) -> Any:
    """`[W]` mean of the rows that are not 0."""
    rows = tf.reduce_sum(tf.cast(_given(vectors), tf.float32))
    return tf.reduce_sum(vectors, axis=0) / tf.maximum(rows, 1.0)


def _given(vectors: Any) -> Any:
    return tf.reduce_any(vectors != 0, axis=-1)


def _likeness(left: Any, right: Any, centre: Any) -> Any:
    """`[..., R]` between `[..., W]` and `[R, W]` vectors; 0 where either is 0, which is no text."""
    given = tf.cast(_given(left), tf.float32)[..., tf.newaxis] * tf.cast(_given(right), tf.float32)
    cosines = tf.tensordot(_direction(left - centre), _direction(right - centre), [[-1], [-1]])
    return given * tf.exp(_SHARPNESS * (cosines - 1))


def _direction(vectors: Any) -> Any:
    return tf.math.l2_normalize(vectors, axis=-1)

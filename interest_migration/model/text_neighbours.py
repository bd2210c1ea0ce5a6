"""What is known of an item that was never seen: how often items of similar texts are reached, and who wanted them."""

from typing import Any, Final

import keras
import numpy as np
import tensorflow as tf

from interest_migration.model.repeat_encoder import RepeatEncoder
from interest_migration.model.scatter import sum_by_id
from interest_migration.model.text_inputs import TRUE_ITEM_IDS, align_events
from schemas.features import ITEM_IDS
from schemas.signatures import EVENT_VECTORS

_SHARPNESS: Final = (10.0, 80.0)
"""Of likeness: at a cosine of .93 an item counts half of one with the same text, or almost nothing."""

_PRIOR: Final = 5.0
"""Average items that are counted among the neighbours of every text."""

_CAUTION: Final = 0.3
"""Events that are added to what a user wanted and to what an average user would have."""

_SERVED_ODDS: Final = 0.85
"""Log-odds of popularity in served scores, .7: by likelihood it is .4, but then the first ten places miss staples."""

# First weights fit the training part of Complete Journey; rows are those of _SHARPNESS, columns events and items.
_POPULAR: Final = ((1.1, -1.2), (0.1, 0.2))
_PERSONAL: Final = ((1.2, -1.3), (-0.2, 0.0))
_APPETITE: Final = (1.1, 0.2)
_ODDS: Final = -0.5


@keras.saving.register_keras_serializable("interest_migration")
class TextNeighbours(RepeatEncoder):
    """`log(share * popular + (1 - share) * personal)`, two distributions over the candidates of a request.

    The neighbours of a text are the known items, each as much as its text is like it: `exp(s (cosine - 1))` of vectors
    less their mean, for two sharpnesses s. Both distributions are log-linear in the logarithms of how often neighbours
    are reached and of how many they are, so they hold the popularity of a kind of goods and that of an item of it
    (kernel regression, Nadaraya 1964). `personal` has the lift as well: what the user had of neighbours, over what an
    average user would have had. A mixture, since each is right where the other fails: a new staple is bought by
    those who never had its like.

    Args:
      size: V.
      width: D of the queries.
    """

    def __init__(self, size: int, width: int, **kwargs: Any) -> None:
        super().__init__(ITEM_IDS, appetites=len(_SHARPNESS), autocast=False, **kwargs)
        self.size, self.width = size, width

    def build(self, input_shape: Any = None) -> None:
        """Makes the weights, and the popularity of items, which is 1 until `assign`."""
        super().build(None)
        self.ages.build(None)
        self.actions.build(None)
        self.appetite.build([None, self.width])
        self.appetite.kernel.assign(tf.zeros(self.appetite.kernel.shape))
        self.appetite.bias.assign(np.log(np.expm1(_APPETITE)))
        self.popular = self._weight("popular", _POPULAR)
        self.personal = self._weight("personal", _PERSONAL)
        self.odds = self._weight("odds", _ODDS)
        self.popularity = self.add_weight(name="popularity", shape=[self.size], initializer="ones", trainable=False)

    def _weight(self, name: str, first: Any) -> Any:
        shape = np.shape(first)
        return self.add_weight(name=name, shape=shape, initializer=lambda shape, dtype: tf.constant(first, dtype))

    def assign(self, popularity: Any) -> None:
        """Takes `[V]`, how often each item is reached, relative to the average."""
        self.popularity.assign(popularity)

    def call(  # type: ignore[override]  # other candidates than the ids of histories
        self, inputs: dict[str, Any], query: Any, table: Any, vectors: Any, hidden: Any = None, training: bool = False
    ) -> Any:
        """Scores items by vectors of their texts.

        Args:
          inputs: Feature name -> `[B, E]` int32; may hold EVENT_VECTORS.
          query: `[B, D]`.
          table: `[V, W]` float32 of the texts of known items.
          vectors: `[C, W]`.
          hidden: `[n]` ids of known items that are no neighbours of any text.
          training: Whether the share is the learned one.

        Returns:
          `[B, C]` float32, logarithms of probabilities among the candidates.
        """
        centre = _mean(table)
        alike = _likeness(vectors, table, centre)
        popularity = tf.cast(self.popularity.value, tf.float32)
        if hidden is not None:
            visible = 1 - tf.reduce_max(tf.one_hot(hidden - 1, self.size), axis=0)
            alike, popularity = alike * visible, popularity * visible
        reached = tf.linalg.matvec(alike, popularity)
        kinds = tf.math.log(tf.stack([reached, tf.reduce_sum(alike, axis=2)], axis=1) + _PRIOR)
        popular, personal = (_combine(weight, kinds) for weight in (self.popular, self.personal))
        lifts = self._lifts(inputs, alike, tf.math.divide_no_nan(reached, tf.reduce_sum(popularity)), vectors, centre)
        appetite = tf.cast(self.appetite(query), tf.float32)
        personal += tf.einsum("bk,bkc->bc", appetite, lifts)
        odds = tf.cast(self.odds.value, tf.float32) if training else tf.constant(_SERVED_ODDS)
        return tf.reduce_logsumexp(
            [
                tf.zeros_like(personal) + tf.nn.log_softmax(popular) + tf.math.log_sigmoid(odds),
                tf.nn.log_softmax(personal) + tf.math.log_sigmoid(-odds),
            ],
            axis=0,
        )

    def _lifts(self, inputs: dict[str, Any], alike: Any, usual: Any, vectors: Any, centre: Any) -> Any:
        """Returns `[B, K, C]` logarithms of what histories hold of neighbours over what is `usual` `[K, C]`."""
        weights = self.event_weights(inputs)
        known = sum_by_id(weights, inputs.get(TRUE_ITEM_IDS, inputs[ITEM_IDS]) - 1, self.size)
        events = tf.reduce_sum(known, axis=1)
        near = tf.matmul(known, tf.reshape(alike, [-1, self.size]), transpose_b=True)
        near = tf.reshape(near, [-1, len(_SHARPNESS), tf.shape(alike)[1]])
        if EVENT_VECTORS in inputs:
            new = align_events(inputs, inputs[EVENT_VECTORS])
            near += tf.einsum("be,kbec->bkc", weights, _likeness(new, vectors, centre))
            events += tf.reduce_sum(weights * tf.cast(_given(new), tf.float32), axis=1)
        return tf.math.log((near + _CAUTION) / (events[:, tf.newaxis, tf.newaxis] * usual + _CAUTION))

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        base = keras.layers.Layer.get_config(self)
        return base | {"size": self.size, "width": self.width}


def _combine(weight: Any, kinds: Any) -> Any:
    """`[C]` from `[K, 2]` and `[K, 2, C]`."""
    return tf.einsum("kn,knc->c", tf.cast(weight.value, tf.float32), kinds)


def _mean(vectors: Any) -> Any:
    """`[W]` mean of the rows that are not 0."""
    rows = tf.reduce_sum(tf.cast(_given(vectors), tf.float32))
    return tf.reduce_sum(vectors, axis=0) / tf.maximum(rows, 1.0)


def _given(vectors: Any) -> Any:
    return tf.reduce_any(vectors != 0, axis=-1)


def _likeness(left: Any, right: Any, centre: Any) -> Any:
    """`[K, ..., R]` between `[..., W]` and `[R, W]` vectors; 0 where either is 0, which is no text."""
    given = tf.cast(_given(left), tf.float32)[..., tf.newaxis] * tf.cast(_given(right), tf.float32)
    cosines = tf.tensordot(_direction(left - centre), _direction(right - centre), [[-1], [-1]])
    return tf.stack([given * tf.exp(sharpness * (cosines - 1)) for sharpness in _SHARPNESS])


def _direction(vectors: Any) -> Any:
    return tf.math.l2_normalize(vectors, axis=-1)

"""The model under pretraining: the product's model, with heads that go when pretraining ends."""

from __future__ import annotations

from typing import Any, Final

import keras
import tensorflow as tf

from interest_migration.model.interest_model import InterestModel
from interest_migration.model.objectives import objectives
from interest_migration.pretraining.labels import USER_NUMBERS
from interest_migration.pretraining.losses import contrastive_loss, masked_category_loss, masked_item_loss
from interest_migration.pretraining.settings import PretrainingSettings, PretrainingWeights
from interest_migration.pretraining.views import crop_history, hide_events, thin_profile
from schemas.features import CATEGORY_IDS, ITEM_IDS, STEP_INDEX

OBJECTIVES: Final = tuple(PretrainingWeights.model_fields)
_SEQUENCE: Final = ("category_sequence", "item_sequence")
_THINNED: Final = 0.2


@keras.saving.register_keras_serializable("interest_migration")
class PretrainingModel(keras.Model):
    """Trains an `InterestModel` by what trajectories say themselves.

    Batches hold inputs, `USER_NUMBERS`, and in place of labels those of `trajectory_labels`.

    Args:
      interest: A built model.
      settings: Weights of the objectives, and how views are altered.
    """

    def __init__(self, interest: InterestModel, settings: PretrainingSettings, **kwargs: Any) -> None:
        super().__init__(autocast=False, **kwargs)
        self.interest, self.options = interest, settings
        width = interest.settings.width
        self.masked = [keras.layers.Dense(width, name=f"masked_{name}") for name in ("category", "item")]
        self.projection = keras.Sequential(
            [keras.layers.Dense(width, activation="gelu"), keras.layers.Dense(width)], name="projection"
        )
        for layer in (*self.masked, self.projection):
            layer.build([None, width])
        self.seeds = keras.random.SeedGenerator(name="views")
        self.trackers = {name: keras.metrics.Mean(name=name) for name in OBJECTIVES}
        self.built = True

    def call(self, inputs: dict[str, Any], training: bool = False) -> dict[str, Any]:
        """Scores one view of each history; in training also encodes a second one.

        Returns:
          `outputs`, what the model returns for the view; in training also `hidden` `[B, E]` bool and, for the
          contrastive objective, `other` `[B, D]`.
        """
        if not training:
            return {"outputs": self.interest(inputs, training=False)}
        view, hidden = hide_events(inputs, self.options.mask_share, self._seed())
        found = {"outputs": self.interest(view, training=True), "hidden": hidden}
        if self.options.weights.contrast:
            other, _ = hide_events(inputs, self.options.mask_share, self._seed())
            other = thin_profile(crop_history(other, self.options.crop_share, self._seed()), _THINNED, self._seed())
            found["other"] = self.interest(other, training=True)["user"]
        return found

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """Returns the weighted sum of the objectives of a batch `x`."""
        values = self.objectives(x, y_pred)
        for name, value in values.items():
            self.trackers[name].update_state(value)
        weighted = [value * getattr(self.options.weights, name) for name, value in values.items()]
        return tf.add_n(weighted) / tf.distribute.get_strategy().num_replicas_in_sync

    def objectives(self, batch: dict[str, Any], found: dict[str, Any]) -> dict[str, tf.Tensor]:
        """Returns the objectives of a batch and what `call` found for it; without views only the first two."""
        parts, weights = objectives(self.interest, batch, found["outputs"]), self.interest.settings.loss_weights
        weighted = {name: value * getattr(weights, name) for name, value in parts.items()}
        values = {
            "sequence": tf.add_n([weighted[name] for name in _SEQUENCE]),
            "later": tf.add_n([value for name, value in weighted.items() if name not in _SEQUENCE]),
        }
        if "hidden" in found:
            values["masked"] = self._masked(batch, found)
        if "other" in found:
            users, temperature = batch[USER_NUMBERS], self.options.temperature
            views = (self.projection(found["outputs"]["user"]), self.projection(found["other"]))
            values["contrast"] = contrastive_loss(*views, users, temperature)
        return values

    def _masked(self, batch: dict[str, Any], found: dict[str, Any]) -> tf.Tensor:
        """States are causal, so that a hidden event is told from the rest of its step and from what came before."""
        states = found["outputs"]["states"]
        place = tf.shape(states)[1] - 1 - batch[STEP_INDEX]
        chosen = found["hidden"] & (place >= 0)
        rows = tf.cast(tf.where(chosen), tf.int32)
        around = tf.gather_nd(states, tf.stack([rows[:, 0], tf.boolean_mask(place, chosen)], axis=1))
        categories, items = (tf.boolean_mask(batch[name], chosen) for name in (CATEGORY_IDS, ITEM_IDS))
        by_category, by_item = (head(around) for head in self.masked)
        logits = tf.matmul(by_category, self.interest.category_embeddings(), transpose_b=True)
        vectors = self.interest.next_item.vectors(items, self.interest.trajectory.events)
        rival_logits = tf.matmul(by_item, vectors, transpose_b=True)
        return masked_category_loss(tf.cast(logits, tf.float32), categories) + masked_item_loss(
            tf.cast(rival_logits, tf.float32), items, self.interest.sizes.items
        )

    def _seed(self) -> tf.Tensor:
        return tf.cast(self.seeds.next(), tf.int32)

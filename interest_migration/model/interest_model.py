"""The model: one user's history, profile and aggregates in, all tasks out."""

from collections.abc import Sequence
from typing import Any, Final

import keras
import tensorflow as tf

from interest_migration.model.binary_head import BinaryHead
from interest_migration.model.category_head import CategoryHead
from interest_migration.model.churn_trees import ChurnTrees
from interest_migration.model.gains import Gains, add_gains
from interest_migration.model.item_head import ItemHead
from interest_migration.model.new_interest_head import NewInterestHead
from interest_migration.model.new_items import NEW_ITEMS, draw_new_items, withhold
from interest_migration.model.objectives import OBJECTIVES, objectives, total
from interest_migration.model.pair_scorer import PairScorer
from interest_migration.model.probability_calibration import ProbabilityCalibration
from interest_migration.model.profile_encoder import ProfileEncoder
from interest_migration.model.profile_features import newest_categories, profile_numbers
from interest_migration.model.repeat_encoder import RepeatEncoder
from interest_migration.model.scatter import members
from interest_migration.model.settings import GraphSettings, ModelSettings, VocabularySizes
from interest_migration.model.text_inputs import SHOWN_ITEMS, hide_items
from interest_migration.model.text_neighbours import TextNeighbours
from interest_migration.model.trajectory_encoder import TrajectoryEncoder
from interest_migration.model.transition_graph import TransitionGraph
from schemas.features import (
    AGGREGATES,
    BRAND_IDS,
    CATEGORY_IDS,
    CHILD_IDS,
    HORIZONS,
    INTEREST_IDS,
    INTEREST_RECENCY,
    ITEM_IDS,
    NEXT_CATEGORIES,
    NEXT_ITEMS,
    PARENT_IDS,
    STEP_INDEX,
    label_name,
)

ITEM_ATTRIBUTES: Final = (CATEGORY_IDS, PARENT_IDS, CHILD_IDS, BRAND_IDS)


@keras.saving.register_keras_serializable("interest_migration")
class InterestModel(keras.Model):
    """Causal transformer over steps, fused at the cut with interest profile and aggregates.

    Args:
      settings: Values of `ModelSettings`.
      sizes: Values of `VocabularySizes`.
      new_interest_days: A category touched more recently than this is no new interest.
      static_shapes: Whether every batch has `max_steps` steps, as XLA needs.

    Example:
      `model(batch)["churn_short"]` is `[B]`, `model(batch)["propensity_long"]` is `[B, V]` with column j for id j + 1.
    """

    def __init__(
        self,
        settings: dict[str, Any],
        sizes: dict[str, int],
        new_interest_days: float,
        static_shapes: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(autocast=False, **kwargs)
        self.settings, self.sizes = ModelSettings(**settings), VocabularySizes(**sizes)
        self.new_interest_days, self.static_shapes = new_interest_days, static_shapes
        size, width, dropout = self.sizes.categories, self.settings.width, self.settings.dropout
        self.trajectory = TrajectoryEncoder(settings, sizes, static_shapes, name="trajectory")
        self.profile = ProfileEncoder(size, self.settings.profile_width, width, dropout, name="profile")
        self.activity = keras.layers.Dense(self.settings.aggregate_width, activation="gelu", name="activity")
        self.fusion = keras.Sequential(
            [
                keras.layers.LayerNormalization(),
                keras.layers.Dense(2 * width, activation="gelu"),
                keras.layers.Dropout(dropout),
                keras.layers.Dense(width),
                keras.layers.LayerNormalization(),
            ],
            name="fusion",
        )
        self.next_category = CategoryHead(size, width, name="next_category")
        self.next_category_user = keras.layers.Dense(width, use_bias=False, name="next_category_user")
        self.next_item = ItemHead(self.sizes.items, width, ITEM_ATTRIBUTES, name="next_item")
        self.next_item_user = keras.layers.Dense(width, use_bias=False, name="next_item_user")
        self.repeats = RepeatEncoder(ITEM_IDS, name="repeats")
        self.neighbours: Any = None
        if self.sizes.text_width:
            self.neighbours = TextNeighbours(self.sizes.items, width, name="neighbours")
            self.neighbours.build()
        self.category_repeats = RepeatEncoder(CATEGORY_IDS, decay=0.7, name="category_repeats")
        item_graphs = () if self.settings.text.only else self.settings.item_graphs
        self.item_graphs = _graphs("item_graph", self.sizes.items, item_graphs)
        self.category_graphs = _graphs("category_graph", size, self.settings.category_graphs)
        self.propensity = [
            CategoryHead(size, width, user_offset=True, name=f"propensity_{horizon}") for horizon in HORIZONS
        ]
        self.new_interest = NewInterestHead(size, name="new_interest")
        self.pairs = PairScorer(size, self.settings.pair_categories, self.settings.profile_width, dropout, name="pairs")
        self.churn = BinaryHead(len(HORIZONS), self.settings.aggregate_width, dropout, name="churn")
        self.churn_trees = ChurnTrees(len(HORIZONS), self.settings.churn_trees, name="churn_trees")
        self.churn_trees.build()
        self.switch = BinaryHead(1, self.settings.aggregate_width, dropout, name="switch")
        self.calibration = ProbabilityCalibration(name="calibration")
        self.calibration.build()
        self.newest_cut = self.add_weight(
            shape=[], dtype="int32", initializer="zeros", trainable=False, name="newest_cut"
        )
        self.seeds = keras.random.SeedGenerator(name="samples")
        self.trackers = {name: keras.metrics.Mean(name=name) for name in OBJECTIVES}

    def call(self, inputs: dict[str, Any], training: bool = False) -> dict[str, Any]:
        """Scores every task at the cut.

        Args:
          inputs: Padded features, see `interest_migration.model.inputs`.
          training: Whether to drop units, and to take each example's own transition, which its labels tell, out of
            the counted ones. Labels are read for nothing else, and otherwise not at all.

        Returns:
          `user` `[B, D]`; logits in float32, calibrated unless `training`: `next_category`, `propensity_<horizon>`,
          `new_interest_<horizon>` (of candidates, see `fresh`) `[B, V]`, `churn_<horizon>` and `switch` `[B]`; `states`
          `[B, S, D]`; `item_query` `[B, D]`, `item_gains`, `seen_items` `[B, E]` and, with hidden items, SHOWN_ITEMS
          `[V + 2]`, for `item_scores`; NEW_ITEMS.
        """
        size = self.sizes.categories
        new_items = draw_new_items(self, training)
        seen, shown = hide_items(self, withhold(self, inputs, new_items), training)
        shown = shown if self.settings.text.only else None  # a share is hidden in histories alone
        states, _ = self.trajectory(seen, training=training)
        current = newest_categories(inputs[CATEGORY_IDS], inputs[STEP_INDEX], size)
        aggregates = inputs[AGGREGATES]
        activity = self.activity(aggregates)
        wide, pooled = self.profile(profile_numbers(inputs, current), inputs[INTEREST_IDS], activity, training=training)
        user = self.fusion(tf.concat([states[:, -1], pooled, activity], axis=-1), training=training)
        logits = self._category_logits(states[:, -1], user, wide)
        gains = self._category_gains(inputs, user, training).dense(size)
        logits["next_category"] = tf.cast(logits["next_category"], tf.float32) + gains
        for horizon, scores in zip(HORIZONS, self.new_interest(inputs), strict=True):
            logits[f"new_interest_{horizon}"] = scores
        embeddings = tf.convert_to_tensor(self.profile.from_category.embeddings)[1:-1]
        for task, scores in self.pairs(inputs, embeddings, activity, training=training).items():
            logits[task] = tf.cast(logits[task], tf.float32) + scores
        churn = tf.cast(self.churn(user, aggregates, training=training), tf.float32)
        churn = churn if training else self.churn_trees.blend(churn, aggregates)
        for column, horizon in enumerate(HORIZONS):
            logits[f"churn_{horizon}"] = churn[:, column]
        logits["switch"] = self.switch(user, aggregates, training=training)[:, 0]
        logits = {name: tf.cast(value, tf.float32) for name, value in logits.items()}
        logits = logits if training else self.calibration(logits)
        outputs = {
            "user": tf.cast(user, tf.float32),
            "states": states,
            "item_query": self._item_query(states[:, -1], user),
            "item_gains": self._item_gains(inputs, user, training).of_shown(shown),
            "seen_items": inputs[ITEM_IDS],
            NEW_ITEMS: new_items,
        }
        return logits | outputs | ({} if shown is None else {SHOWN_ITEMS: shown})

    def _item_query(self, newest: Any, user: Any) -> Any:
        """`[B, D]`; what is known by text alone knows nothing of profiles, which name categories."""
        query = self.next_item(newest)
        return query if self.settings.text.only else query + self.next_item_user(user)

    def _category_gains(self, inputs: dict[str, Any], user: Any, training: bool) -> Gains:
        left_out = inputs[label_name(NEXT_CATEGORIES)] if training else None
        followers = [
            graph.read(inputs[CATEGORY_IDS], inputs[STEP_INDEX], user, left_out) for graph in self.category_graphs
        ]
        return add_gains([self.category_repeats(inputs, user), *followers])

    def _item_gains(self, inputs: dict[str, Any], user: Any, training: bool) -> Gains:
        left_out = inputs[label_name(NEXT_ITEMS)] if training else None
        followers = [graph.read(inputs[ITEM_IDS], inputs[STEP_INDEX], user, left_out) for graph in self.item_graphs]
        return add_gains([self.repeats(inputs, user), *followers] if self.settings.buy_again else followers)

    def _category_logits(self, newest: Any, user: Any, wide: Any) -> dict[str, Any]:
        embeddings = self.category_embeddings()
        shift = tf.matmul(self.next_category_user(user), embeddings, transpose_b=True)
        logits = {"next_category": self.next_category(newest, embeddings) + shift + wide[..., 0]}
        for column, (horizon, head) in enumerate(zip(HORIZONS, self.propensity, strict=True), start=1):
            logits[f"propensity_{horizon}"] = head(user, embeddings) + wide[..., column]
        return logits

    def category_embeddings(self) -> Any:
        """Returns the `[V, D]` embeddings of the categories, row j for id j + 1."""
        table = self.trajectory.events.tables[CATEGORY_IDS]
        return tf.cast(table.embeddings[1:-1], self.compute_dtype)

    def fresh(self, inputs: dict[str, Any]) -> Any:
        """Returns `[B, V]` bool: the candidates for a new interest, not touched in the last `new_interest_days`."""
        recent = inputs[INTEREST_RECENCY] <= self.new_interest_days
        return ~members(tf.where(recent, inputs[INTEREST_IDS], 0), self.sizes.categories)

    def item_scores(self, outputs: dict[str, Any], vectors: Any = None) -> Any:
        """Returns the `[B, V]` float32 logits of every item, from what `call` returned.

        Args:
          outputs: What `call` returned.
          vectors: What `item_vectors` returned, if it is at hand.
        """
        size = self.sizes.items
        scores = self.next_item.scores(outputs["item_query"], self.trajectory.events, outputs.get(SHOWN_ITEMS), vectors)
        scores += outputs["item_gains"].dense(size)
        return scores if self.settings.buy_again else tf.where(members(outputs["seen_items"], size), -1e9, scores)

    def item_vectors(self) -> Any:
        """Returns the `[V, D]` vectors of all items, which depend on weights alone."""
        return self.next_item.all_vectors(self.trajectory.events)

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """Returns the weighted sum of the objectives; the batch `x` holds the labels."""
        values = objectives(self, x, y_pred)
        for name, value in values.items():
            self.trackers[name].update_state(value)
        return total(values, self.settings.loss_weights) / tf.distribute.get_strategy().num_replicas_in_sync

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {
            "settings": self.settings.model_dump(),
            "sizes": self.sizes.model_dump(),
            "new_interest_days": self.new_interest_days,
            "static_shapes": self.static_shapes,
            "name": self.name,
        }


def _graphs(name: str, size: int, settings: Sequence[GraphSettings]) -> list[TransitionGraph]:
    return [
        TransitionGraph(size, chosen.model_dump(), name=f"{name}_{number}") for number, chosen in enumerate(settings)
    ]

"""The optimizer."""

from typing import Any

import keras
import tensorflow as tf

from interest_migration.training.settings import TrainingSettings


@keras.saving.register_keras_serializable("interest_migration")
class DenseAdamW(keras.optimizers.AdamW):
    """AdamW that sums the gradient rows of an embedding once.

    AdamW decays every row in every step, so nothing is gained from sparse gradients, while Keras would merge their rows
    anew in each operation: with 20,000 items, this takes about a fifth off a step.
    """

    def apply(self, grads: Any, trainable_variables: Any = None) -> Any:
        """Updates the variables by gradients, sparse ones among them; None, of what no loss depends on, counts as 0."""
        variables = self._trainable_variables if trainable_variables is None else trainable_variables
        pairs = zip(grads, variables, strict=True)
        dense = [tf.zeros(own.shape, own.dtype) if grad is None else tf.convert_to_tensor(grad) for grad, own in pairs]
        return super().apply(dense, trainable_variables)


def make_optimizer(settings: TrainingSettings, steps: int) -> keras.optimizers.Optimizer:
    """Returns AdamW with warm-up, cosine decay and clipping, and with loss scaling where float16 needs it.

    Args:
      settings: How to train.
      steps: Number of all steps.
    """
    optimizer = DenseAdamW(
        warmup_cosine(settings, steps), weight_decay=settings.weight_decay, global_clipnorm=settings.clip_norm
    )
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    return keras.optimizers.LossScaleOptimizer(optimizer) if settings.precision == "mixed_float16" else optimizer


def warmup_cosine(settings: TrainingSettings, steps: int) -> keras.optimizers.schedules.LearningRateSchedule:
    """Returns a learning rate that rises to its highest value in a line and then falls along a cosine.

    Args:
      settings: How to train.
      steps: Number of all steps.

    Example:
      highest rate 1, 100 steps, warm-up share .1, final share 0 -> 0 at step 0, 1 at 10, .5 at 55, 0 at 100.
    """
    warmup = max(1, int(steps * settings.warmup_share))
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0,
        decay_steps=max(1, steps - warmup),
        alpha=settings.final_rate_share,
        warmup_target=settings.learning_rate,
        warmup_steps=warmup,
    )

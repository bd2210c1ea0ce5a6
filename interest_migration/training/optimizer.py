"""The optimizer."""

from typing import Any

import keras
import tensorflow as tf

from interest_migration.training.settings import TrainingSettings


@keras.saving.register_keras_serializable("interest_migration")
class DenseAdamW(keras.optimizers.AdamW):
    """AdamW in a few operations per variable.

    AdamW decays every row of an embedding in every step, so nothing is gained from sparse gradients, while Keras would
    merge their rows anew in each operation: with 20,000 items, this takes about a fifth off a step. Keras also works
    out the schedule once per variable and an update in some twenty operations; here the schedule is worked out once,
    and TensorFlow's own kernel updates.
    """

    def apply(self, grads: Any, trainable_variables: Any = None) -> Any:
        """Updates the variables by gradients, sparse ones among them; None, of what no loss depends on, counts as 0."""
        variables = self._trainable_variables if trainable_variables is None else trainable_variables
        pairs = zip(grads, variables, strict=True)
        dense = [tf.zeros(own.shape, own.dtype) if grad is None else tf.convert_to_tensor(grad) for grad, own in pairs]
        return super().apply(dense, trainable_variables)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Decays a variable, then updates it."""
        place = self._get_variable_index(variable)
        step = tf.cast(self.iterations.value + 1, variable.dtype)
        rate = tf.cast(learning_rate, variable.dtype)
        if self._use_weight_decay(variable):
            variable.assign_sub(variable * (rate * self.weight_decay))
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[place].value.handle,
            v=self._velocities[place].value.handle,
            beta1_power=self.beta_1**step,
            beta2_power=self.beta_2**step,
            lr=rate,
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=gradient,
        )

    def _apply_weight_decay(self, variables: Any) -> None:
        """Nothing: `update_step` decays, with the rate that it is given."""


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

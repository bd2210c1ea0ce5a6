"""The learning rate over time."""

from typing import Any

import keras


def warmup_cosine(peak: float, steps: int, warmup_share: float, final_share: float) -> Any:
    """Returns a schedule that rises to `peak` in a line and then falls along a cosine.

    Args:
      peak: Highest rate.
      steps: Number of all steps.
      warmup_share: Share of them that rise.
      final_share: Share of `peak` at the end.

    Example:
      peak 1, 100 steps, warm-up .1, final 0 -> 0 at step 0, 1 at step 10, .5 at step 55, 0 at step 100.
    """
    warmup = max(1, int(steps * warmup_share))
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0,
        decay_steps=max(1, steps - warmup),
        alpha=final_share,
        warmup_target=peak,
        warmup_steps=warmup,
    )

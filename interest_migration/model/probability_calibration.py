"""Turns logits into logits whose probabilities mean what they say (Platt scaling, Platt 1999)."""

from collections.abc import Mapping
from typing import Any, Final

import keras

from schemas.features import HORIZONS

CALIBRATED: Final = (
    *(f"churn_{horizon}" for horizon in HORIZONS),
    *(f"propensity_{horizon}" for horizon in HORIZONS),
)
"""Outputs of the model that are calibrated; the two weights of each propensity hold for all categories."""


@keras.saving.register_keras_serializable("interest_migration")
class ProbabilityCalibration(keras.layers.Layer):
    """`slope * logit + bias` for every output of `CALIBRATED`; 1 and 0 until `assign`.

    The weights are not trained with the model. Slopes are positive, so that no order changes.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(autocast=False, **kwargs)  # logits stay as precise as they are

    def build(self, input_shape: Any = None) -> None:
        """Makes the weights."""
        shape = [len(CALIBRATED)]
        self.slope = self.add_weight(
            name="slope", shape=shape, dtype="float32", initializer="ones", trainable=False, autocast=False
        )
        self.bias = self.add_weight(
            name="bias", shape=shape, dtype="float32", initializer="zeros", trainable=False, autocast=False
        )
        self.built = True

    def call(self, logits: Mapping[str, Any]) -> dict[str, Any]:
        """Calibrates.

        Args:
          logits: Output -> float32 logits `[B]` or `[B, V]`, at least those of `CALIBRATED`.

        Returns:
          The same, those of `CALIBRATED` calibrated.
        """
        changed = {name: self.slope[place] * logits[name] + self.bias[place] for place, name in enumerate(CALIBRATED)}
        return {**logits, **changed}

    def assign(self, slopes: Mapping[str, float], biases: Mapping[str, float]) -> None:
        """Sets the weights of every output of `CALIBRATED`."""
        self.slope.assign([slopes[name] for name in CALIBRATED])
        self.bias.assign([biases[name] for name in CALIBRATED])

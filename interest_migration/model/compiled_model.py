"""The model as one function that a graph holds once, however many signatures call it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import keras
import tensorflow as tf

from interest_migration.model.inputs import INPUT_SPECS
from schemas.features import AGGREGATE_WIDTH, Shape

if TYPE_CHECKING:
    from interest_migration.model.interest_model import InterestModel

CONSTANT_WEIGHTS: Final = 2**15
"""Variables of at most so many numbers become constants."""


def padded_inputs() -> dict[str, tf.TensorSpec]:
    """Returns feature name -> spec of the padded inputs of a batch of any size."""
    return {
        spec.name: tf.TensorSpec(
            [None, AGGREGATE_WIDTH if spec.shape is Shape.AGGREGATES else None],
            tf.float32 if spec.dtype == "float32" else tf.int32,
            name=spec.name,
        )
        for spec in INPUT_SPECS
    }


def compile_model(model: InterestModel) -> Any:
    """Returns the function from padded inputs to what the model returns without training.

    Small weights are constants in it: an answer for one user costs as much as it has operations, and reading a variable
    is one. TensorFlow works out once what depends on them alone.

    Args:
      model: A model whose weights will not change any more.
    """
    small = [variable for variable in model.variables if variable.value.shape.num_elements() <= CONSTANT_WEIGHTS]
    values = [variable.numpy() for variable in small]

    def score(inputs: dict[str, tf.Tensor]) -> dict[str, Any]:
        with keras.StatelessScope(list(zip(small, map(tf.constant, values), strict=True))):
            found: dict[str, Any] = model(inputs, training=False)
            return found

    return tf.function(score, autograph=False).get_concrete_function(padded_inputs())

"""What is asked of a model and what comes back, whatever the protocol."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from schemas.signatures import SERVE

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class ModelChoice:
    """Which version of which model: the one named, the one a label points to, or else the highest that is available."""

    name: str
    version: int | None = None
    label: str | None = None

    def __str__(self) -> str:
        """Returns TensorFlow Serving's words: `Latest(interests)`, `Specific(interests, 3)`."""
        return f"Latest({self.name})" if self.version is None else f"Specific({self.name}, {self.version})"


@dataclass(frozen=True)
class Call:
    """One request.

    Attributes:
      model: Which version.
      signature: Name of the signature; empty: `serving_default`.
      inputs: Input name -> array; texts are object arrays of bytes.
      outputs: Names of the outputs wanted; empty: all.
    """

    model: ModelChoice
    signature: str = SERVE
    inputs: Mapping[str, Array] = field(default_factory=dict)
    outputs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answer:
    """What one version answered: its number, the signature that was called, and output name -> array."""

    version: int
    signature: str
    outputs: Mapping[str, Array]


def rows_of(inputs: Mapping[str, Array]) -> int:
    """Returns the size of the first axis, 1 where all inputs are scalars."""
    return max((np.shape(value)[0] if np.ndim(value) else 1 for value in inputs.values()), default=1)

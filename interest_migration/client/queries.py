"""What is asked, in the terms of TensorFlow Serving, and what comes back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy.typing as npt

from interest_migration.errors import ContractError

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Target:
    """Which version of which model: the one named, the one a label points to, or else the highest that is loaded.

    Raises:
      ContractError: If both a version and a label are given.
    """

    model: str
    version: int | None = None
    label: str | None = None

    def __post_init__(self) -> None:
        if self.version is not None and self.label is not None:
            raise ContractError(f"expected a version or a label, received {self.version} and {self.label!r}")


@dataclass(frozen=True)
class Query:
    """One call of a signature: input name -> array; texts may be str or bytes."""

    target: Target
    signature: str
    inputs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Outputs:
    """Output name -> array; texts are object arrays of bytes.

    Attributes:
      version: Which version answered; None where the server does not say, as TensorFlow Serving's REST API does not
        unless one was asked for.
      arrays: The outputs.
    """

    version: int | None
    arrays: Mapping[str, Array]

    def __getitem__(self, name: str) -> Array:
        return self.arrays[name]


@dataclass(frozen=True)
class VersionStatus:
    """State of one version, such as `AVAILABLE`, and why it could not be loaded, if so."""

    version: int
    state: str
    error: str = ""


@dataclass(frozen=True)
class TensorInfo:
    """TensorFlow's number of the type (0: one that the client does not know) and the shape; -1: any size."""

    dtype: int
    shape: tuple[int, ...]


INITIALIZER: Final = "__saved_model_init_op"
"""Stands among the signatures of a SavedModel and is none."""


@dataclass(frozen=True)
class SignatureInfo:
    """What a signature takes and returns."""

    inputs: Mapping[str, TensorInfo]
    outputs: Mapping[str, TensorInfo]

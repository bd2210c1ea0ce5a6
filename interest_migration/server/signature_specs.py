"""What a signature takes and returns, and whether a request fits."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from interest_migration.server.calls import Array
from interest_migration.server.serving_error import invalid
from interest_migration.tensor_protos import DTYPES, dtype_name, to_array

_INITIALIZER: Final = "__saved_model_init_op"


@dataclass(frozen=True)
class TensorSpec:
    """One tensor: TensorFlow's number of its type, and its shape (None: any rank; -1: any size)."""

    dtype: int
    shape: tuple[int, ...] | None

    @classmethod
    def of(cls, info: Any) -> "TensorSpec":
        """Reads a TensorInfo message."""
        shape = None if info.tensor_shape.unknown_rank else tuple(int(dim.size) for dim in info.tensor_shape.dim)
        return cls(int(info.dtype), shape)

    def accepts(self, shape: tuple[int, ...]) -> bool:
        """Says whether an array of this shape fits."""
        if self.shape is None:
            return True
        return len(shape) == len(self.shape) and all(
            wanted in (-1, size) for wanted, size in zip(self.shape, shape, strict=True)
        )


@dataclass(frozen=True)
class SignatureSpec:
    """Names and specs of the inputs and outputs of a signature, and the values of inputs that may be left out."""

    name: str
    inputs: Mapping[str, TensorSpec]
    outputs: Mapping[str, TensorSpec]
    defaults: Mapping[str, Array] = field(default_factory=dict)

    @property
    def has_rows(self) -> bool:
        """Whether the first axis of every input and output has any size, so that it can be that of rows."""
        specs = [*self.inputs.values(), *self.outputs.values()]
        return bool(self.inputs) and all(spec.shape and spec.shape[0] == -1 for spec in specs)

    def complete(self, inputs: Mapping[str, Array], outputs: tuple[str, ...] = ()) -> dict[str, Array]:
        """Checks a request's names, types and shapes.

        Returns:
          The inputs, with defaults for those that were left out.

        Raises:
          ServingError: INVALID_ARGUMENT, in TensorFlow Serving's words where it has any.
        """
        completed = {**self.defaults, **inputs}
        self._check_names(completed, inputs)
        for name, spec in self.inputs.items():
            _check_tensor(name, spec, completed[name])
        unknown = sorted(set(outputs) - set(self.outputs))
        if unknown:
            raise invalid(
                f"output tensor alias not found in signature: {unknown[0]} Outputs expected to be in the set "
                f"{{{','.join(sorted(self.outputs))}}}."
            )
        if len(set(outputs)) < len(outputs):
            raise invalid("duplicate output tensor alias: " + next(n for n in outputs if outputs.count(n) > 1))
        return completed

    def _check_names(self, completed: Mapping[str, Array], inputs: Mapping[str, Array]) -> None:
        if completed.keys() != self.inputs.keys():
            given, wanted = sorted(inputs), sorted(self.inputs)
            extra, missing = sorted(inputs.keys() - self.inputs.keys()), sorted(self.inputs.keys() - completed.keys())
            raise invalid(
                f"input size does not match signature: {len(given)}!={len(wanted)} len({{{','.join(given)}}}) != "
                f"len({{{','.join(wanted)}}}). Sent extra: {{{','.join(extra)}}}. "
                f"Missing but required: {{{','.join(missing)}}}."
            )


def specs_of(signature_defs: Mapping[str, Any]) -> dict[str, SignatureSpec]:
    """Returns the signatures of a SavedModel's SignatureDef messages that can be called."""
    return {
        name: SignatureSpec(
            name,
            {key: TensorSpec.of(info) for key, info in found.inputs.items()},
            {key: TensorSpec.of(info) for key, info in found.outputs.items()},
            {key: to_array(value) for key, value in found.defaults.items()},
        )
        for name, found in signature_defs.items()
        if name != _INITIALIZER
    }


def _check_tensor(name: str, spec: TensorSpec, value: Array) -> None:
    if value.dtype != DTYPES.get(spec.dtype):
        given = "string" if value.dtype == np.object_ else value.dtype.name
        raise invalid(f"Expects arg {name} to be {dtype_name(spec.dtype)} but {given} is provided")
    if not spec.accepts(np.shape(value)):
        shape = "[" + ",".join("?" if size < 0 else str(size) for size in spec.shape or ()) + "]"
        raise invalid(
            f"input {name}: expected a tensor of shape {shape}, received [{','.join(map(str, np.shape(value)))}]"
        )

"""Arrays in the JSON of TensorFlow Serving's REST API.

    format    several inputs or outputs                                             one
    row       {"instances": [{"age": 1, "name": "a"}, {"age": 2, "name": "b"}]}     {"instances": [1, 2]}
              {"predictions": [{"score": 0.1, "id": 7}, {"score": 0.2, "id": 8}]}   {"predictions": [0.1, 0.2]}
    columnar  {"inputs": {"age": [1, 2], "name": ["a", "b"]}}                       {"inputs": [1, 2]}
              {"outputs": {"score": [0.1, 0.2], "id": [7, 8]}}                      {"outputs": [0.1, 0.2]}

Bytes are `{"b64": "aGk="}`; texts may be plain strings. Outputs named `..._bytes` come back as base64, other texts as
strings.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any, Final

import numpy as np

from interest_migration.server.calls import Array
from interest_migration.server.serving_error import invalid
from interest_migration.server.signature_specs import SignatureSpec, TensorSpec
from interest_migration.tensor_protos import DTYPES, STRING, dtype_name

_BYTES_SUFFIX: Final = "_bytes"
_MAX_RANK: Final = 16
_SHOWN: Final = 100


def read_inputs(document: Any, spec: SignatureSpec) -> tuple[dict[str, Array], bool]:
    """Reads the tensors of a request.

    Args:
      document: The parsed body.
      spec: The signature; it says of which types the values are.

    Returns:
      Input name -> array; and whether the request is in row format.

    Raises:
      ServingError: INVALID_ARGUMENT.
    """
    has_rows, has_columns = "instances" in document, "inputs" in document
    if has_rows and has_columns:
        raise invalid("Not formatted correctly expecting only one of 'inputs' or 'instances' keys to exist")
    if has_rows:
        return _read_rows(document["instances"], spec), True
    if has_columns:
        return _read_columns(document["inputs"], spec), False
    raise invalid("Missing 'inputs' or 'instances' key")


def write_outputs(outputs: Mapping[str, Array], *, row_format: bool) -> dict[str, Any]:
    """Returns the JSON document of an answer.

    Raises:
      ServingError: INVALID_ARGUMENT if row format is asked for and outputs differ in their first axis.
    """
    plain = {name: _plain(value, name) for name, value in outputs.items()}
    alone = next(iter(plain.values())) if len(plain) == 1 else None
    if not row_format:
        return {"outputs": plain if alone is None else alone}
    sizes = {name: len(value) if np.ndim(value) else -1 for name, value in outputs.items()}
    expected = next(iter(sizes.values()), 0)
    for name, size in sizes.items():
        if size < 0:
            raise invalid(f"Tensor name: {name} has no shape information")
        if size != expected:
            raise invalid(f"Tensor name: {name} has inconsistent batch size: {size} expecting: {expected}")
    if alone is not None:
        return {"predictions": alone}
    return {"predictions": [dict(zip(plain, row, strict=True)) for row in zip(*plain.values(), strict=True)]}


def _read_rows(rows: Any, spec: SignatureSpec) -> dict[str, Array]:
    if not isinstance(rows, list):
        raise invalid("Expecting 'instances' to be an list/array")
    if not rows:
        raise invalid("No values in 'instances' array")
    names = sorted(spec.inputs)
    if not _is_object(rows[0]):
        if len(names) > 1:
            raise invalid(
                "instances is a plain list, but expecting list of objects as multiple input tensors required as per "
                "tensorinfo_map"
            )
        for place, row in enumerate(rows):
            if _is_object(row):
                raise invalid(f"Expecting value/list but got object at item {place} of input list")
        return {names[0]: _read(rows, spec.inputs[names[0]], names[0])}
    for place, row in enumerate(rows):
        if not _is_object(row):
            raise invalid(f"Expecting object but got list at item {place} of input list")
        if sorted(row) != names:
            raise invalid(
                f"Failed to process element: {place} of 'instances' list. JSON object: {_shown(row)} keys must be "
                f"equal to: {','.join(names)}"
            )
    return {name: _read([row[name] for row in rows], spec.inputs[name], name) for name in names}


def _read_columns(columns: Any, spec: SignatureSpec) -> dict[str, Array]:
    if not _is_object(columns):
        if len(spec.inputs) > 1:
            raise invalid(
                "inputs is a plain value/list, but expecting an object as multiple input tensors required as per "
                "tensorinfo_map"
            )
        name, wanted = next(iter(spec.inputs.items()))
        return {name: _read(columns, wanted, name)}
    for name in sorted(spec.inputs):
        if name not in columns:
            raise invalid(f"Missing named input: {name} in 'inputs' object.")
    return {name: _read(columns[name], wanted, name) for name, wanted in spec.inputs.items()}


def _read(value: Any, spec: TensorSpec, name: str) -> Array:
    """Reads one tensor: nested lists of the same lengths at each level, values of one type at the last."""
    shape: list[int] = []
    level: Sequence[Any] = [value]
    while any(isinstance(each, list) for each in level):
        size = len(level[0]) if isinstance(level[0], list) else -1
        for each in level:
            if not isinstance(each, list) or len(each) != size:
                raise invalid(
                    f"input {name}: Encountered list at unexpected size: "
                    f"{len(each) if isinstance(each, list) else 'a value'} at level: {len(shape)} expected size: {size}"
                )
        shape.append(size)
        if len(shape) > _MAX_RANK:
            raise invalid(f"input {name}: Encountered list at unexpected level: {len(shape)} expected < {_MAX_RANK}")
        level = list(chain.from_iterable(level))
    if not level and spec.shape and len(shape) < len(spec.shape):
        # Of empty lists the inner sizes cannot be read.
        shape += [max(size, 0) for size in spec.shape[len(shape) :]]
    return _values(level, spec.dtype, name).reshape(shape)


def _values(flat: Sequence[Any], dtype: int, name: str) -> Array:
    if dtype not in DTYPES:
        raise invalid(f"input {name}: Conversion of JSON Value to type: {dtype_name(dtype)} is not supported")
    kind = DTYPES[dtype]
    if dtype == STRING:
        texts = np.empty(len(flat), object)
        texts[:] = [_text(value, name) for value in flat]
        return texts
    allowed = {bool} if kind == np.bool_ else {int} if kind.kind in "iu" else {int, float}
    for value in flat:
        if type(value) not in allowed:
            raise invalid(
                f"input {name}: JSON Value: {_shown(value)} Type: {type(value).__name__} is not of expected type: "
                f"{dtype_name(dtype)}"
            )
    return _numbers(flat, kind, name)


def _numbers(flat: Sequence[Any], kind: "np.dtype[Any]", name: str) -> Array:
    if kind.kind in "iu" and flat:
        bounds = np.iinfo(kind)
        if min(flat) < bounds.min or max(flat) > bounds.max:
            raise invalid(f"input {name}: expected values from {bounds.min} to {bounds.max}, received one outside")
    try:
        with np.errstate(over="ignore"):
            values = np.array(flat, np.float64 if kind.kind == "f" else kind)
            cast = values.astype(kind)
    except OverflowError as error:
        raise invalid(f"input {name}: Cannot convert JSON value to {kind.name} without loss of precision.") from error
    if kind.kind == "f" and not np.array_equal(np.isfinite(values), np.isfinite(cast)):
        raise invalid(f"input {name}: Cannot convert JSON value to {kind.name} without loss of precision.")
    return cast


def _text(value: Any, name: str) -> bytes:
    try:
        if isinstance(value, str):
            return value.encode()
        if isinstance(value, dict) and list(value) == ["b64"] and isinstance(value["b64"], str):
            return base64.b64decode(value["b64"], validate=True)
    except UnicodeEncodeError as error:
        raise invalid(f"input {name}: expected Unicode text, received half a surrogate pair") from error
    except (binascii.Error, ValueError) as error:
        raise invalid(f"input {name}: Unable to base64 decode") from error
    raise invalid(
        f"input {name}: JSON Value: {_shown(value)} Type: {type(value).__name__} is not of expected type: string"
    )


def _plain(value: Array, name: str) -> Any:
    if value.dtype != np.object_:
        return value.tolist()
    if name.endswith(_BYTES_SUFFIX):
        flat: list[Any] = [{"b64": base64.b64encode(text).decode()} for text in value.ravel()]
    else:
        flat = [text.decode("utf-8", "replace") for text in value.ravel()]
    nested = np.empty(len(flat), object)
    nested[:] = flat
    return nested.reshape(value.shape).tolist()


def _is_object(value: Any) -> bool:
    return isinstance(value, dict) and list(value) != ["b64"]


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."

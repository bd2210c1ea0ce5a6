"""TensorProto messages <-> NumPy arrays, without TensorFlow.

Works on any message class with TensorProto's field names: TensorFlow's own on the server, and the client's.
A tensor's values lie either in `tensor_content` (little-endian bytes) or in the list of its type, where the last value
is repeated if there are fewer than the shape says.
"""

import math
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from interest_migration.errors import ContractError

Array = npt.NDArray[Any]

_TYPES: Final = {
    1: ("float", np.float32, "float_val"),
    2: ("double", np.float64, "double_val"),
    3: ("int32", np.int32, "int_val"),
    4: ("uint8", np.uint8, "int_val"),
    5: ("int16", np.int16, "int_val"),
    6: ("int8", np.int8, "int_val"),
    7: ("string", np.object_, "string_val"),
    9: ("int64", np.int64, "int64_val"),
    10: ("bool", np.bool_, "bool_val"),
    17: ("uint16", np.uint16, "int_val"),
    22: ("uint32", np.uint32, "uint32_val"),
    23: ("uint64", np.uint64, "uint64_val"),
}
STRING: Final = 7
DTYPES: Final[dict[int, np.dtype[Any]]] = {number: np.dtype(kind) for number, (_, kind, _) in _TYPES.items()}
"""TensorFlow's number of a type -> NumPy's type; strings are object arrays of bytes."""
_NUMBERS: Final = {dtype: number for number, dtype in DTYPES.items()}
MAX_ELEMENTS: Final = 1 << 24
_MAX_RANK: Final = 16


def dtype_name(number: int) -> str:
    """Returns TensorFlow's name of a type: 1 -> `float`, 7 -> `string`; `type 42` of one that is not supported."""
    return _TYPES[number][0] if number in _TYPES else f"type {number}"


def dtype_number(name: str) -> int:
    """Returns TensorFlow's number of a type by its name in JSON: `DT_FLOAT` -> 1; 0 of one that is not supported."""
    return next((number for number, (known, _, _) in _TYPES.items() if name == f"DT_{known.upper()}"), 0)


def to_array(proto: Any, max_elements: int = MAX_ELEMENTS) -> Array:
    """Reads a TensorProto.

    Args:
      proto: The message.
      max_elements: Larger tensors are refused, before any memory is taken for them.

    Raises:
      ContractError: If the type is not supported, the shape is unknown or too large, or the values do not fit it.

    Example:
      dtype DT_FLOAT, shape [2, 2], float_val [1, 2, 3, 4] -> [[1., 2.], [3., 4.]]
    """
    number = int(proto.dtype)
    if number not in _TYPES:
        raise ContractError(
            f"expected a tensor of type {', '.join(n for n, _, _ in _TYPES.values())}, received {number}"
        )
    shape = _shape(proto, max_elements)
    count, dtype = math.prod(shape), DTYPES[number]
    if proto.tensor_content and number != STRING:
        if len(proto.tensor_content) != count * dtype.itemsize:
            raise ContractError(
                f"expected {count * dtype.itemsize} bytes of tensor_content for shape {list(shape)}, received "
                f"{len(proto.tensor_content)}"
            )
        return np.frombuffer(proto.tensor_content, dtype).reshape(shape)
    return _from_list(getattr(proto, _TYPES[number][2]), dtype, shape, count)


def fill_proto(proto: Any, array: Any) -> None:
    """Writes an array into an empty TensorProto, into the list of its type as TensorFlow Serving does.

    Args:
      proto: The message.
      array: Numbers, booleans, or texts (bytes or str, which is sent as UTF-8).

    Raises:
      ContractError: If the type is not supported.
    """
    values = as_array(array)
    if values.dtype not in _NUMBERS:
        raise ContractError(f"expected an array of numbers, booleans or texts, received {values.dtype}")
    proto.dtype = number = _NUMBERS[values.dtype]
    for size in values.shape:
        proto.tensor_shape.dim.add().size = size
    flat = values.ravel().tolist()
    if number == STRING:
        flat = [_encoded(value) for value in flat]
    getattr(proto, _TYPES[number][2]).extend(flat)


def as_array(value: Any) -> Array:
    """Returns an array: of texts an object array, of Python's floats float32, of its integers int64.

    NumPy's own types for texts are avoided: they drop zero bytes at the end.
    """
    if isinstance(value, np.ndarray | np.generic):
        array = np.asarray(value)
        return array.astype(object) if array.dtype.kind in "US" else array
    array = np.array(value, object)
    if array.size and isinstance(array.flat[0], str | bytes):
        return array
    array = np.asarray(value)
    return array.astype(np.float32) if array.dtype == np.float64 else array


def _encoded(value: object) -> bytes:
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, bytes):
        return value
    raise ContractError(f"expected texts (str or bytes), received {type(value).__name__}")


def _shape(proto: Any, max_elements: int) -> tuple[int, ...]:
    if proto.tensor_shape.unknown_rank:
        raise ContractError("expected a tensor with a shape, received one of unknown rank")
    shape = tuple(int(dim.size) for dim in proto.tensor_shape.dim)
    if len(shape) > _MAX_RANK:
        raise ContractError(f"expected at most {_MAX_RANK} dimensions, received {len(shape)}")
    if min(shape, default=0) < 0:
        raise ContractError(f"expected a shape of sizes from 0, received {list(shape)}")
    if math.prod(shape) > max_elements or math.prod(size for size in shape if size) > max_elements:
        raise ContractError(f"expected at most {max_elements} values in a tensor, received shape {list(shape)}")
    return shape


def _from_list(listed: Any, dtype: "np.dtype[Any]", shape: tuple[int, ...], count: int) -> Array:
    if len(listed) > count or (count and not listed):
        raise ContractError(f"expected {count} values for shape {list(shape)}, received {len(listed)}")
    if dtype == np.object_:
        values = np.empty(count, dtype)
        values[: len(listed)] = list(listed)
    else:
        given = np.array(listed, dtype=np.int64 if dtype.kind in "iu" and dtype.itemsize < 4 else dtype)
        if given.dtype != dtype and given.size and not _fits(given, dtype):
            raise ContractError(f"expected values of {dtype.name}, received one outside its range")
        values = np.empty(count, dtype)
        values[: len(given)] = given
    if len(listed) < count:
        values[len(listed) :] = values[len(listed) - 1]
    return values.reshape(shape)


def _fits(values: Array, dtype: "np.dtype[Any]") -> bool:
    bounds = np.iinfo(dtype)
    return bool(bounds.min <= values.min() and values.max() <= bounds.max)

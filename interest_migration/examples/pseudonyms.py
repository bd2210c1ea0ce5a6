"""Numbers from pseudonyms, the same on every machine and in every run.

Python's `hash()` differs between processes; what decides a shard, a cut or a split must not. A pseudonym is 32
lower-case hex digits of an HMAC, so its leading digits are already uniform: the first 15 of them make a 60-bit number.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from interest_migration.errors import ContractError

PSEUDONYM_DIGITS: Final = 32
KEY_DIGITS: Final = 15

_NIBBLES: Final = np.full(256, 255, np.uint8)
_NIBBLES[np.frombuffer(b"0123456789abcdef", np.uint8)] = np.arange(16)


def number_pseudonyms(users: pa.Array) -> npt.NDArray[np.int64]:
    """Returns the first 15 hex digits of each pseudonym as a number.

    Args:
      users: `[U]` strings or bytes of 32 lower-case hex digits.

    Returns:
      `[U]` int64 in [0, 2**60).

    Raises:
      ContractError: If a value is no pseudonym; the value itself is not shown.

    Example:
      "00000000000001f" and any 17 digits -> 31.
    """
    lengths = pc.binary_length(users.cast(pa.large_binary()))
    if users.null_count or pc.any(pc.not_equal(lengths, PSEUDONYM_DIGITS)).as_py():
        raise ContractError(f"expected pseudonyms of {PSEUDONYM_DIGITS} hex digits, received {_describe(lengths)}")
    text = b"".join(users.cast(pa.large_binary()).to_pylist())
    digits = _NIBBLES[np.frombuffer(text, np.uint8)].reshape(-1, PSEUDONYM_DIGITS)[:, :KEY_DIGITS]
    if (digits == 255).any():
        raise ContractError(f"expected pseudonyms of {PSEUDONYM_DIGITS} hex digits 0-9a-f, received another character")
    return digits @ (np.int64(16) ** np.arange(KEY_DIGITS - 1, -1, -1))


def mix_numbers(*parts: npt.ArrayLike) -> npt.NDArray[np.uint64]:
    """Returns a hash of several numbers, uniform over 64 bits (SplitMix64, Steele et al. 2014, chained).

    Args:
      *parts: int64 arrays or ints that broadcast together.

    Example:
      mix_numbers(keys[:, None], cuts[None, :], seed) -> `[U, C]`, each entry a function of its three numbers only.
    """
    state = np.zeros(1, np.uint64)
    for part in parts:
        state = _scramble(state ^ np.atleast_1d(np.asarray(part, np.int64)).view(np.uint64))
    return state


def _scramble(state: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    state = state + np.uint64(0x9E3779B97F4A7C15)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))


def _describe(lengths: pa.Array) -> str:
    extent = pc.min_max(lengths).as_py()
    return f"lengths from {extent['min']} to {extent['max']} (nulls included)" if len(lengths) else "nothing"

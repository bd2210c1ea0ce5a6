"""User ids as keyed hashes: without the key nobody can compute or test them."""

import hashlib
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from interest_migration.errors import ContractError
from interest_migration.privacy.identifiers import canonical_ids

MINIMUM_KEY_BYTES = 16
_PSEUDONYM_DIGITS = 32
_BLOCK_BYTES = 64  # of SHA-256


@dataclass(frozen=True)
class Pseudonymiser:
    """HMAC-SHA256 of the id's canonical text, truncated to 128 bits, as 32 hexadecimal digits.

    Two different users share a pseudonym with probability below 1e-18 for ten billion users.

    Attributes:
      key: The secret; never shown.
      erased: Pseudonyms of users whose rows must not be used (`privacy.erasure`).

    Example:
      >>> Pseudonymiser(bytes(32)).pseudonyms(pa.array([900, 900])).to_pylist()
      ['e1857b5656d01a811639fd6b259908aa', 'e1857b5656d01a811639fd6b259908aa']
    """

    key: bytes = field(repr=False)
    erased: pa.StringArray = field(default_factory=lambda: pa.array([], pa.string()), repr=False, compare=False)

    def __post_init__(self) -> None:
        if len(self.key) < MINIMUM_KEY_BYTES:
            raise ContractError(f"expected a key of {MINIMUM_KEY_BYTES} bytes or more, received {len(self.key)} bytes")

    @property
    def key_id(self) -> str:
        """Twelve hexadecimal digits that name the key without telling it."""
        return hashlib.sha256(b"interest-migration key id\0" + self.key).hexdigest()[:12]

    def pseudonyms(self, ids: pa.Array) -> pa.DictionaryArray:
        """Replaces ids by pseudonyms; each distinct id is hashed once.

        Args:
          ids: `[N]` of any plain type; 900, 900.0, "900" and "900.0" are one id.

        Returns:
          `[N]` dictionary of strings; null stays null.
        """
        encoded = ids if pa.types.is_dictionary(ids.type) else ids.dictionary_encode()
        distinct = canonical_ids(encoded.dictionary).dictionary_encode()
        names = pa.array(self._hash(distinct.dictionary.to_pylist()), pa.string())
        return pa.DictionaryArray.from_arrays(distinct.indices.take(encoded.indices), names)

    def is_erased(self, pseudonyms: pa.DictionaryArray) -> npt.NDArray[np.bool_]:
        """Returns `[N]` whether a user is on the erasure list.

        Args:
          pseudonyms: `[N]` from `pseudonyms`; null is nobody.
        """
        if not len(self.erased):
            return np.zeros(len(pseudonyms), np.bool_)
        listed = pc.is_in(pseudonyms.dictionary, value_set=self.erased).take(pseudonyms.indices)
        return listed.fill_null(False).to_numpy(zero_copy_only=False)

    def _hash(self, names: list[str]) -> list[str]:
        """HMAC as RFC 2104 defines it, with the key's part computed once: less than half the time of `hmac.digest`."""
        key = (self.key if len(self.key) <= _BLOCK_BYTES else hashlib.sha256(self.key).digest()).ljust(
            _BLOCK_BYTES, b"\0"
        )
        inner, outer = (hashlib.sha256(bytes(byte ^ pad for byte in key)) for pad in (0x36, 0x5C))
        found = []
        for name in names:
            inside, outside = inner.copy(), outer.copy()
            inside.update(name.encode())
            outside.update(inside.digest())
            found.append(outside.hexdigest()[:_PSEUDONYM_DIGITS])
        return found

import hmac
import pickle

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interest_migration.errors import ContractError
from interest_migration.privacy.pseudonyms import Pseudonymiser

KEY = bytes(range(32))
# printf 900 | openssl dgst -sha256 -mac HMAC -macopt hexkey:000102...1f, first 32 digits
PSEUDONYM_OF_900 = "98607678a5eb183a748d1b36adefda60"


def test_is_the_truncated_hmac_of_the_canonical_text() -> None:
    assert Pseudonymiser(KEY).pseudonyms(pa.array(["900"])).to_pylist() == [PSEUDONYM_OF_900]


@pytest.mark.parametrize(
    "ids",
    [
        pa.array([900]),
        pa.array([900.0]),
        pa.array([" 900"]),
        pa.array(["900.0"]),
        pa.array(["900"]).dictionary_encode(),
    ],
)
def test_does_not_depend_on_the_type(ids: pa.Array) -> None:
    assert Pseudonymiser(KEY).pseudonyms(ids).to_pylist() == [PSEUDONYM_OF_900]


@settings(deadline=None, max_examples=50)
@given(st.binary(min_size=16, max_size=200), st.lists(st.text(alphabet="abcé7", min_size=1), min_size=1))
def test_agrees_with_the_library(key: bytes, names: list[str]) -> None:
    expected = [hmac.new(key, name.encode(), "sha256").hexdigest()[:32] for name in names]
    assert Pseudonymiser(key).pseudonyms(pa.array(names)).to_pylist() == expected


def test_keeps_rows_and_nulls_and_hashes_distinct_ids_once() -> None:
    result = Pseudonymiser(KEY).pseudonyms(pa.array(["900", None, "b", "900.0"]))
    first, missing, other, again = result.to_pylist()
    assert (first, missing, again) == (PSEUDONYM_OF_900, None, PSEUDONYM_OF_900)
    assert other not in (PSEUDONYM_OF_900, "b")
    assert len(result.dictionary) == 2


def test_another_key_gives_other_pseudonyms() -> None:
    other = Pseudonymiser(bytes(32))
    assert other.pseudonyms(pa.array([900])).to_pylist() != [PSEUDONYM_OF_900]
    assert other.key_id != Pseudonymiser(KEY).key_id


def test_key_id_is_short_and_stable() -> None:
    # sha256("interest-migration key id\0" + key), first 12 digits
    assert Pseudonymiser(KEY).key_id == "bbbaf97cf138"


def test_never_shows_its_key() -> None:
    assert repr(Pseudonymiser(KEY)) == "Pseudonymiser()"


def test_survives_pickling() -> None:
    assert pickle.loads(pickle.dumps(Pseudonymiser(KEY))) == Pseudonymiser(KEY)


def test_refuses_short_keys_without_showing_them() -> None:
    with pytest.raises(ContractError, match="expected a key of 16 bytes or more, received 15 bytes"):
        Pseudonymiser(bytes(15))

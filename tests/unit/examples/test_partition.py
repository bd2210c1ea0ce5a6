import pyarrow as pa
import pytest
from event_tables import event, pseudonym, to_batch, to_dictionaries
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from interest_migration.errors import ContractError
from interest_migration.examples.partition import partition_by_user
from interest_migration.examples.pseudonyms import mix_numbers, number_pseudonyms

SMALL = "00000000000001f" + "0" * 17  # 31 in its 15 leading digits
LARGE = "f" * 15 + "0" * 17  # 2**60 - 1


def test_number_of_a_pseudonym_is_its_15_leading_hex_digits() -> None:
    users = pa.array([SMALL, LARGE, "0" * 15 + "f" * 17])
    assert number_pseudonyms(users).tolist() == [31, 2**60 - 1, 0]


@pytest.mark.parametrize("user", ["short", "F" * 32, "g" * 32, None])
def test_what_is_no_pseudonym_is_refused_and_not_shown(user: str | None) -> None:
    with pytest.raises(ContractError, match="32 hex digits") as failure:
        number_pseudonyms(pa.array([SMALL, user], pa.string()))
    assert str(user) not in str(failure.value)


def test_mixed_numbers_are_fixed_for_ever() -> None:
    """A changed value would move users between splits of an existing project."""
    assert mix_numbers(0).tolist() == [0xE220A8397B1DCDAF]  # first output of the published SplitMix64 for seed 0
    assert mix_numbers(1, 2, 3).tolist() != mix_numbers(3, 2, 1).tolist()


def test_mixed_numbers_are_spread_evenly() -> None:
    tenths = mix_numbers(list(range(10_000)), 7) // ((2**64 - 1) // 10 + 1)
    counts = [int((tenths == tenth).sum()) for tenth in range(10)]
    assert min(counts) > 900
    assert max(counts) < 1100


def test_shard_is_the_number_modulo_the_shards() -> None:
    batch = to_batch([event(1, user=LARGE), event(2, user=SMALL), event(3, user=LARGE)])
    parts = {shard: part["time_s"].to_pylist() for shard, part in partition_by_user(batch, 4)}
    assert parts == {3: [1, 2, 3]}
    parts = {shard: part["time_s"].to_pylist() for shard, part in partition_by_user(batch, 7)}
    assert parts == {0: [1, 3], 3: [2]}  # 2**60 - 1 = 7 * 164703072086692425; 31 = 4 * 7 + 3


@hypothesis_settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 20)), st.integers(1, 9), st.booleans())
def test_partition_is_complete_and_keeps_users_together(users: list[int], shards: int, encoded: bool) -> None:
    batch = to_batch([event(row, user=pseudonym(user), session=f"s{row}") for row, user in enumerate(users)])
    parts = list(partition_by_user(to_dictionaries(batch) if encoded else batch, shards))
    numbers = [shard for shard, _ in parts]
    assert numbers == sorted(set(numbers))
    rows = [row for _, part in parts for row in part.to_pylist()]
    assert sorted(rows, key=lambda row: row["time_s"]) == batch.to_pylist()
    homes = [{(user, shard) for user in part["user"].to_pylist()} for shard, part in parts]
    assert len(set().union(*homes)) == len(set(users))


def test_parts_carry_only_the_dictionary_entries_they_use() -> None:
    batch = to_dictionaries(
        to_batch([event(1, "food", user=LARGE), event(2, "home", user=SMALL), event(3, user=SMALL)])
    )
    parts = dict(partition_by_user(batch, 7))
    assert parts[0]["category_path"].dictionary.to_pylist() == ["food"]
    assert parts[3]["category_path"].dictionary.to_pylist() == ["home"]
    assert parts[3]["category_path"].to_pylist() == ["home", None]


def test_empty_batch_has_no_parts() -> None:
    assert list(partition_by_user(to_batch([]), 3)) == []


def test_partition_needs_a_shard_and_users() -> None:
    with pytest.raises(ContractError, match="at least 1 shard, received 0"):
        list(partition_by_user(to_batch([event(1)]), 0))
    with pytest.raises(ContractError, match="received 1 without one"):
        list(partition_by_user(pa.record_batch({"user": pa.array([None], pa.string())}), 3))

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from interest_migration.privacy.minimum_users import add_counts, count_users, enough_users

EXAMPLES = st.lists(
    st.tuples(st.sampled_from("uvwxyz"), st.lists(st.sampled_from(["", "tea", "pie", "jam"]), max_size=4)), max_size=20
)


def table_of(examples: list[tuple[str, list[str]]], columns: int = 1) -> pa.Table:
    users = pa.array([user for user, _ in examples], pa.string())
    lists = [
        pa.array([values[place::columns] for _, values in examples], pa.large_list(pa.string()))
        for place in range(columns)
    ]
    return count_users(users, lists)


def as_dict(table: pa.Table) -> dict[bytes, int]:
    return dict(zip(table["value"].to_pylist(), table["users"].to_pylist(), strict=True))


def users_by_value(examples: list[tuple[str, list[str]]]) -> dict[bytes, int]:
    found: dict[bytes, set[str]] = {}
    for user, values in examples:
        for value in values:
            if value:
                found.setdefault(value.encode(), set()).add(user)
    return {value: len(users) for value, users in found.items()}


def test_a_value_that_one_user_has_often_has_one_user() -> None:
    table = table_of([("u", ["tea", "tea"]), ("u", ["tea", "pie", ""]), ("v", ["pie"])])
    assert as_dict(table) == {b"tea": 1, b"pie": 2}


@given(EXAMPLES, st.sampled_from([1, 2]))
def test_counts_are_those_of_sets(examples: list[tuple[str, list[str]]], columns: int) -> None:
    assert as_dict(table_of(examples, columns)) == users_by_value(examples)


@given(EXAMPLES)
def test_counts_of_disjoint_users_add_up(examples: list[tuple[str, list[str]]]) -> None:
    shards = [[one for one in examples if (one[0] in "uvw") is side] for side in (True, False)]
    assert as_dict(add_counts([table_of(shard) for shard in shards])) == users_by_value(examples)


@given(EXAMPLES, st.integers(1, 4))
def test_enough_users(examples: list[tuple[str, list[str]]], minimum: int) -> None:
    expected = {value for value, users in users_by_value(examples).items() if users >= minimum}
    assert set(enough_users(table_of(examples), minimum).to_pylist()) == expected

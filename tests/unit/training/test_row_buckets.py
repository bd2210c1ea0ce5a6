import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from interest_migration.training.buckets import bucket_rows


@given(st.lists(st.integers(0, 60), min_size=1, max_size=300), st.integers(1, 40), st.integers(0, 3))
def test_every_example_is_in_one_batch(lengths, batch_size, seed):
    batches = bucket_rows(np.array(lengths), batch_size, seed)
    assert sorted(np.concatenate(batches).tolist()) == list(range(len(lengths)))


def test_long_examples_come_in_smaller_batches_and_little_is_padded():
    lengths = np.random.default_rng(0).geometric(0.1, 5_000)
    batches = bucket_rows(lengths, 32, seed=0)
    padded = [len(rows) * lengths[rows].max() for rows in batches]
    assert lengths.sum() / sum(padded) > 0.9
    assert max(padded) <= 32 * (lengths.mean() + 1)
    assert max(map(len, batches)) <= 4 * 32


def test_the_seed_decides():
    lengths = np.arange(100) % 7
    first, again, other = (bucket_rows(lengths, 8, seed) for seed in (1, 1, 2))
    assert [rows.tolist() for rows in first] == [rows.tolist() for rows in again]
    assert [rows.tolist() for rows in first] != [rows.tolist() for rows in other]

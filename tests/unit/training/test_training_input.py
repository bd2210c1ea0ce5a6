import numpy as np
import pytest
from transformed_records import write_transformed

from interest_migration.errors import DataError
from interest_migration.training.input import ExampleSource
from interest_migration.training.settings import TrainingSettings
from schemas.features import AGGREGATES, STEP_INDEX


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return write_transformed(tmp_path_factory.mktemp("input") / "data.gz", 10, seed=1)


def firsts(dataset):
    """The first aggregate of every example, which identifies it."""
    return [float(value) for batch in dataset for value in batch[AGGREGATES][:, 0]]


def source(path, **options):
    return ExampleSource([path], TrainingSettings(batch_size=4, bucket_by_length=False, **options))


@pytest.mark.parametrize("memory", [0, 400])
def test_one_pass_in_file_order(path, memory):
    examples = source(path, memory_megabytes=memory)
    batches = list(examples.batches())
    assert [len(batch[AGGREGATES]) for batch in batches] == [4, 4, 2]
    assert examples.count == 10
    assert examples.steps() == 2
    assert all(batch[STEP_INDEX].dtype == "int32" for batch in batches)


def test_streamed_and_kept_examples_are_the_same(path):
    kept, streamed = source(path).batches(), source(path, memory_megabytes=0).batches()
    for left, right in zip(kept, streamed, strict=True):
        assert left.keys() == right.keys()
        for name in left:
            np.testing.assert_array_equal(left[name], right[name])


@pytest.mark.parametrize("memory", [0, 400])
def test_the_seed_decides_the_order(path, memory):
    examples = source(path, memory_megabytes=memory)
    first = firsts(examples.batches(epoch_seed=1))
    assert first == firsts(examples.batches(epoch_seed=1))
    assert first != firsts(examples.batches(epoch_seed=2))
    assert len(set(first)) == 8
    assert set(first) < set(firsts(examples.batches()))


def test_compiled_training_has_one_shape(path):
    examples = source(path, jit_compile=True, deterministic=False, max_events=7, max_interests=5, max_labels=3)
    shapes = {batch[STEP_INDEX].shape.as_list()[1] for batch in examples.batches(epoch_seed=0)}
    assert shapes == {7}


def test_fewer_examples_than_a_batch(tmp_path):
    few = ExampleSource(
        [write_transformed(tmp_path / "data.gz", 3, seed=1)], TrainingSettings(batch_size=4, bucket_by_length=False)
    )
    assert len(firsts(few.batches(epoch_seed=0))) == 3
    assert few.steps() == 1


def test_batches_by_length_hold_every_example_and_the_seed_decides(path):
    examples = ExampleSource([path], TrainingSettings(batch_size=4))
    first, again, other = (list(examples.batches(epoch_seed=seed)) for seed in (1, 1, 2))
    assert firsts(first) == firsts(again) != firsts(other)
    assert sorted(firsts(first)) == sorted(firsts(examples.batches()))
    assert len(first) == examples.steps()


@pytest.mark.parametrize("memory", [0, 400])
def test_at_most_so_many_examples_evenly_spread(path, memory):
    examples = source(path, memory_megabytes=memory)
    everything = firsts(examples.batches())
    assert firsts(examples.batches(most=5)) == everything[::2]
    assert firsts(examples.batches(most=4)) == everything[::3]
    assert firsts(examples.batches(most=50)) == everything


def test_no_files():
    with pytest.raises(DataError, match="expected files of transformed examples, received none"):
        ExampleSource([], TrainingSettings())


@pytest.mark.parametrize("memory", [0, 400])
def test_no_examples(tmp_path, memory):
    with pytest.raises(DataError, match=r"expected at least one example in .*empty.gz, received none"):
        source(write_transformed(tmp_path / "empty.gz", 0, seed=1), memory_megabytes=memory)

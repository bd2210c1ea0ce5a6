from tfx_bsl.coders.batch_util import GetBatchElementsKwargs

from components.batching import batches_by_size
from components.transform_step import RepeatableExecutor, Transform


def test_batches_are_sized_by_bytes_inside_the_context_only():
    with batches_by_size():
        inside = GetBatchElementsKwargs(None)
    assert "element_size_fn" in inside
    assert inside["min_batch_size"] == inside["max_batch_size"]
    assert "element_size_fn" not in GetBatchElementsKwargs(None)


def test_transform_runs_in_it():
    assert Transform.EXECUTOR_SPEC.executor_class is RepeatableExecutor

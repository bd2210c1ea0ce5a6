"""Transform: the stock component with repeatable results."""

from typing import Any

from tfx.components import Transform as StockTransform
from tfx.components.transform import executor
from tfx.dsl.components.base import executor_spec

from components.batching import batches_by_size


class RepeatableExecutor(executor.Executor):
    """The stock executor on batches that do not depend on how fast the machine is."""

    def Do(self, *arguments: Any) -> None:  # noqa: N802 - TFX's name
        """Analyses and transforms."""
        with batches_by_size():
            super().Do(*arguments)


class Transform(StockTransform):
    """`tfx.components.Transform` whose vocabularies, quantiles and scales are the same in every run."""

    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(RepeatableExecutor)

"""Transform: the stock component with repeatable results."""

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Final

from tfx import types
from tfx.components import Transform as StockTransform
from tfx.components.transform import executor
from tfx.dsl.components.base import executor_spec
from tfx.types import artifact_utils, standard_component_specs
from tfx.utils import json_utils

from components.batching import batches_by_size
from components.text_vectors import write_text_vectors
from components.vocabulary_filter import only_values, read_values

MIN_USERS: Final = "min_users"
"""Key in the Transform's `custom_config`: fewest distinct users behind a value of a vocabulary."""


class RepeatableExecutor(executor.Executor):
    """The stock executor on batches that do not depend on how fast the machine is, with a minimum of users."""

    def Do(  # noqa: N802 - TFX's name
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Analyses and transforms; then embeds texts."""
        with batches_by_size(), _enough_users(input_dict, exec_properties):
            super().Do(input_dict, output_dict, exec_properties)
        write_text_vectors(
            artifact_utils.get_single_uri(input_dict[standard_component_specs.EXAMPLES_KEY]),
            artifact_utils.get_single_uri(output_dict[standard_component_specs.TRANSFORMED_EXAMPLES_KEY]),
            artifact_utils.get_single_uri(output_dict[standard_component_specs.TRANSFORM_GRAPH_KEY]),
            _config(exec_properties),
        )


class Transform(StockTransform):
    """`tfx.components.Transform` whose vocabularies, quantiles and scales are the same in every run.

    With `min_users` above 1 in `custom_config`, vocabularies hold only values that so many users of the train split
    have; its input must then come from a `BehaviorExampleGen` with `count_users`. With `language`, the transform graph
    also holds vectors of texts (`components.text_vectors`).
    """

    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(RepeatableExecutor)


def _config(exec_properties: dict[str, Any]) -> dict[str, Any]:
    return dict(json_utils.loads(exec_properties[standard_component_specs.CUSTOM_CONFIG_KEY] or "{}"))


def _enough_users(
    input_dict: dict[str, list[types.Artifact]], exec_properties: dict[str, Any]
) -> AbstractContextManager[None]:
    min_users = int(_config(exec_properties).get(MIN_USERS, 1))
    if min_users == 1:
        return nullcontext()
    examples = artifact_utils.get_single_uri(input_dict[standard_component_specs.EXAMPLES_KEY])
    return only_values(read_values(Path(examples), min_users))

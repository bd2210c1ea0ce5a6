"""Executor for `tfx.components.Pusher`: numbered versions that appear whole, unless the gate or a person says no."""

from pathlib import Path
from typing import Any

from absl import logging
from google.protobuf import json_format
from tfx import types
from tfx.components.pusher import executor
from tfx.proto import pusher_pb2
from tfx.types import artifact_utils, standard_component_specs
from tfx.utils import json_utils

from interest_migration.errors import DataError
from interest_migration.serving.reviews import Action, standing_review
from interest_migration.serving.rollouts import Author, record_push
from interest_migration.serving.versions import Push, digest_files, push_version

_INFRA_BLESSING = standard_component_specs.INFRA_BLESSING_KEY

KEEP_VERSIONS = "keep_versions"
"""Key in the Pusher's `custom_config`: how many versions stay."""

SERVED_STATE = "served_state"
"""Another: differs whenever what is served, or what people decided about it, does; only part of the cache key."""


class VersionExecutor(executor.Executor):
    """Pushes a model with `interest_migration.serving.versions`; the rest is the stock executor."""

    def Do(  # noqa: N802 - TFX's name
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Pushes a model that is blessed and not held, or that a person released.

        `pushed`, `pushed_destination` and `pushed_version` on the output say what happened, `review` what a person
        decided.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        pushed_model = artifact_utils.get_single_instance(output_dict[standard_component_specs.PUSHED_MODEL_KEY])
        Path(pushed_model.uri).mkdir(parents=True, exist_ok=True)
        destination = json_format.Parse(
            exec_properties[standard_component_specs.PUSH_DESTINATION_KEY], pusher_pb2.PushDestination()
        )
        model, directory = Path(self.GetModelPath(input_dict)), Path(destination.filesystem.base_directory)
        review = standing_review(directory, digest_files(model))
        if review:
            pushed_model.set_string_custom_property("review", review.describe())
        # A person may release what the model gate refused, not what no server can answer with.
        servable = self.CheckBlessing({name: given for name, given in input_dict.items() if name == _INFRA_BLESSING})
        if not servable or (review.action is Action.HOLD if review else not self.CheckBlessing(input_dict)):
            self._MarkNotPushed(pushed_model)
            return
        config = json_utils.loads(exec_properties[standard_component_specs.CUSTOM_CONFIG_KEY])
        push = push_version(model, directory, keep=int(config[KEEP_VERSIONS]))
        self._record(push, review.describe() if review else "blessed by the gate")
        self._MarkPushed(
            pushed_model,
            pushed_destination=str(push.version.path),
            pushed_version=str(push.version.number),
        )
        pushed_model.set_int_custom_property("is_new", int(push.is_new))

    def _record(self, push: Push, reason: str) -> None:
        """A version that is there already is not taken back because nobody can write that down."""
        run = self._context.pipeline_run_id if self._context else None
        try:
            record_push(push, Author("pipeline", reason), run or "")
        except DataError as error:
            logging.warning("Pushed version %d, which the audit log does not tell: %s", push.version.number, error)

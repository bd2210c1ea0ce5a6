"""Runs the pipeline on this machine: TFX's local orchestrator with progress, SQLite metadata."""

import time

from tfx.dsl.compiler import constants
from tfx.orchestration import metadata
from tfx.orchestration.local import runner_utils
from tfx.orchestration.local.local_dag_runner import LocalDagRunner
from tfx.orchestration.portable import launcher, runtime_parameter_utils
from tfx.orchestration.portable.mlmd import execution_lib
from tfx.proto.orchestration import pipeline_pb2

from pipeline.steps import Step, StepFailedError
from pipeline.terminal import Progress


class ProgressRunner(LocalDagRunner):
    """The local runner, which also tells when steps start and end, and returns what they made.

    Args:
      run_id: Name of the run in the metadata store.
      progress: Told of every step.
    """

    def __init__(self, run_id: str, progress: Progress) -> None:
        super().__init__()
        self._run_id, self._progress = run_id, progress

    def run_with_ir(
        self, pipeline: pipeline_pb2.Pipeline, run_options: pipeline_pb2.RunOptions | None = None
    ) -> dict[str, Step]:
        """Runs all steps in order.

        Returns:
          Name -> step.

        Raises:
          StepFailedError: If one fails; the others are not started.
        """
        del run_options
        runtime_parameter_utils.substitute_runtime_parameter(
            pipeline, {constants.PIPELINE_RUN_ID_PARAMETER_NAME: self._run_id}
        )
        steps = {}
        for node in pipeline.nodes:
            step = self._run_step(pipeline, node.pipeline_node)
            self._progress.end(step)
            steps[step.name] = step
        return steps

    def _run_step(self, pipeline: pipeline_pb2.Pipeline, node: pipeline_pb2.PipelineNode) -> Step:
        name = node.node_info.id
        self._progress.start(name)
        start = time.monotonic()
        deployment = runner_utils.extract_local_deployment_config(pipeline)
        connection = deployment.metadata_connection_config
        store = metadata.Metadata(getattr(connection, connection.WhichOneof("connection_config")))
        try:
            execution = launcher.Launcher(
                pipeline_node=node,
                mlmd_connection=store,
                pipeline_info=pipeline.pipeline_info,
                pipeline_runtime_spec=pipeline.runtime_spec,
                executor_spec=runner_utils.extract_executor_spec(deployment, name),
                custom_driver_spec=runner_utils.extract_custom_driver_spec(deployment, name),
            ).launch()
        except Exception as error:
            self._progress.fail()
            raise StepFailedError(name, error) from error
        with store as handle:
            outputs = dict(execution_lib.get_output_artifacts(handle, execution.execution_id))
        return Step(name, time.monotonic() - start, not execution.execution_output_uri, outputs)

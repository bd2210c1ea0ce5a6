"""What every container of the compiled pipeline runs: `python -m pipeline.kubeflow.entrypoint`.

It stands before TFX's own entrypoint and repairs what the open-source backend does differently from Vertex: see
`executor_input` (types, addresses, parameters), makes the output folders, and registers the UI's artifact types.
If the step fails, it says why in the folder of the run, since nothing that a failed step writes is kept.
"""

import argparse
import json
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from interest_migration.data_gate.errors import find_decision
from interest_migration.report.ending import FAILURE_FILE, write_note
from interest_migration.report.record import State
from pipeline.commands.ending import code_of
from pipeline.kubeflow.executor_input import prepare_input, restore_output
from pipeline.kubeflow.local_copies import LocalCopies, find_root
from pipeline.kubeflow.variables import RUN_ID, RUNS


def main(arguments: Sequence[str]) -> int:
    """Runs one step.

    Args:
      arguments: What TFX's compiler and `pipeline.kubeflow.lifting` wrote; unknown ones are Beam's.

    Returns:
      The exit code: 0, or that of the command line for such an error.
    """
    known, beam_args = _parse(arguments)
    try:
        _run(known, beam_args)
    except Exception as error:
        traceback.print_exc()
        _note_failure(known.step, error)
        return code_of(error)
    return 0


def _parse(arguments: Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--step", default="")
    parser.add_argument("--executor_class_path", required=True)
    parser.add_argument("--json_serialized_invocation_args", type=json.loads, required=True)
    parser.add_argument("--json_serialized_inputs_spec_args", type=json.loads, default={})
    parser.add_argument("--overrides", type=json.loads, default={})
    return parser.parse_known_args(arguments)


def _run(known: argparse.Namespace, beam_args: list[str]) -> None:
    from tfx.orchestration.kubeflow.v2.container import kubeflow_v2_run_executor

    given = known.json_serialized_invocation_args
    inputs_spec = known.json_serialized_inputs_spec_args
    output_file = Path(given["outputs"]["outputFile"])
    copies = LocalCopies(find_root(str(output_file)))
    prepared = prepare_input(given, inputs_spec, known.overrides, copies)
    _register_types()
    _make_folders(prepared["outputs"])
    arguments = argparse.Namespace(
        executor_class_path=known.executor_class_path,
        json_serialized_invocation_args=json.dumps(prepared),
        json_serialized_inputs_spec_args=json.dumps(inputs_spec),
    )
    kubeflow_v2_run_executor.main((arguments, beam_args))
    answer = json.loads(output_file.read_text(encoding="utf-8"))
    output_file.write_text(json.dumps(restore_output(answer, given, copies)), encoding="utf-8")


def _register_types() -> None:
    """TFX finds the class of an artifact by the title of its type; those of the UI are no modules."""
    from tfx.orchestration.kubeflow.v2 import compiler_utils

    from components.artifacts import UI_TYPES

    compiler_utils.TITLE_TO_CLASS_PATH.update(
        {kind.TYPE_NAME: f"{kind.__module__}.{kind.__qualname__}" for kind in UI_TYPES}
    )


def _make_folders(outputs: dict[str, Any]) -> None:
    """The backend makes no more than the folders above the outputs; a value is a file, all else is a folder."""
    from google.protobuf import json_format
    from kfp.pipeline_spec import pipeline_spec_pb2
    from tfx.orchestration.kubeflow.v2.container import kubeflow_v2_entrypoint_utils
    from tfx.orchestration.portable import outputs_utils

    parsed = json_format.ParseDict({"outputs": outputs}, pipeline_spec_pb2.ExecutorInput(), ignore_unknown_fields=True)
    outputs_utils.make_output_dirs(kubeflow_v2_entrypoint_utils.parse_raw_artifact_dict(parsed.outputs.artifacts))


def _note_failure(step: str, error: BaseException) -> None:
    """Says why the step failed, if the container knows the folder of the run."""
    runs, run = os.environ.get(RUNS), os.environ.get(RUN_ID)
    if not runs or not run:
        return
    decision = find_decision(error)
    note = {
        "step": step,
        "error": f"{type(error).__name__}: {error}",
        "exit_code": code_of(error),
        "state": str(State.DATA_REFUSED if decision else State.FAILED),
        "reasons": list(decision.reasons) if decision else [],
    }
    try:
        write_note(Path(runs) / run / FAILURE_FILE, note)
    except OSError:
        traceback.print_exc()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

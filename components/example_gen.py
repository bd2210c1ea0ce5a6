"""ExampleGen for behaviour logs, in the form that local and Kubeflow orchestrators both run.

Span and fingerprint are parameters: the submitting command resolves them, since neither orchestrator can be relied on
to run a driver that would, and since parameters are what a cache key is made of.
"""

import shutil
from pathlib import Path
from typing import Any, ClassVar

from tfx import types
from tfx.components.util import examples_utils
from tfx.dsl.components.base import base_beam_component, base_beam_executor, executor_spec
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils, component_spec, standard_artifacts

from components.artifacts import Rejects, Summary
from components.ingestion import HIDDEN_PROFILE_FILE, NO_BOUNDS, SPLITS, SUMMARY_FILE, Plan, run_ingestion
from interest_migration.errors import DataError
from interest_migration.ingestion.bounds import RejectBounds
from interest_migration.ingestion.profile import PROFILE_FILE
from interest_migration.privacy.erasure import erasure_digest
from interest_migration.privacy.keys import load_key


class _Executor(base_beam_executor.BaseBeamExecutor):
    """Runs the ingestion and describes its output."""

    def Do(  # noqa: N802 - TFX's name
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        examples = artifact_utils.get_single_instance(output_dict["examples"])
        rejects = artifact_utils.get_single_instance(output_dict["rejects"])
        summary = artifact_utils.get_single_instance(output_dict["summary"])
        plan = Plan(
            mapping=exec_properties["mapping"],
            settings=exec_properties["settings"],
            input_root=exec_properties["input_root"],
            key=load_key(Path(exec_properties["key_file"])),
            shards=exec_properties["shards"],
            examples=examples.uri,
            rejects=rejects.uri,
            spill=f"{rejects.uri}/spill" if exec_properties["spill"] else "",
            erasure_list=exec_properties["erasure_list"],
            count_users=bool(exec_properties["count_users"]),
            partitions=exec_properties["partitions"],
        )
        _check_secrets(plan, exec_properties)
        bounds = RejectBounds.model_validate_json(exec_properties["bounds"])
        rejects_folder = Path(rejects.uri)
        refused = rejects_folder.parent.parent / "refused" / rejects_folder.name
        counts = run_ingestion(self._make_beam_pipeline(), plan, bounds, keep=refused)
        Path(summary.uri).mkdir(parents=True, exist_ok=True)
        (Path(summary.uri) / SUMMARY_FILE).write_text(counts.to_json(), encoding="utf-8")
        profile = Path(rejects.uri) / HIDDEN_PROFILE_FILE
        if profile.exists():
            shutil.move(profile, Path(summary.uri) / PROFILE_FILE)
        _describe(examples, exec_properties)


def _check_secrets(plan: Plan, exec_properties: dict[str, Any]) -> None:
    """Neither a new key nor a new list may hide behind a cache key made of the old one."""
    if not exec_properties["key_id"]:
        return  # Whoever submitted the run did not see the key.
    pseudonymiser = plan.pseudonymiser()
    for name, found in (("key_id", pseudonymiser.key_id), ("erasure_digest", erasure_digest(pseudonymiser))):
        if found != exec_properties[name]:
            raise DataError(
                f"expected the same {name.split('_')[0]} as at the start of the run, received another one: "
                "the file was replaced meanwhile. Run again"
            )


def _describe(examples: types.Artifact, exec_properties: dict[str, Any]) -> None:
    examples.split_names = artifact_utils.encode_split_names(list(SPLITS))
    examples.span = exec_properties["span"]
    examples_utils.set_payload_format(examples, example_gen_pb2.FORMAT_TF_EXAMPLE)
    examples_utils.set_file_format(examples, "tfrecords_gzip")
    examples.set_string_custom_property("input_fingerprint", exec_properties["fingerprint"])


class _Spec(component_spec.ComponentSpec):
    """Parameters and outputs of `BehaviorExampleGen`."""

    PARAMETERS = {  # noqa: RUF012 - TFX's form
        "mapping": component_spec.ExecutionParameter(type=str),
        "settings": component_spec.ExecutionParameter(type=str),
        "input_root": component_spec.ExecutionParameter(type=str),
        "span": component_spec.ExecutionParameter(type=int),
        "fingerprint": component_spec.ExecutionParameter(type=str),
        "code": component_spec.ExecutionParameter(type=str),
        "key_id": component_spec.ExecutionParameter(type=str),
        "key_file": component_spec.ExecutionParameter(type=str),
        "shards": component_spec.ExecutionParameter(type=int),
        "spill": component_spec.ExecutionParameter(type=int),
        "bounds": component_spec.ExecutionParameter(type=str),
        "erasure_list": component_spec.ExecutionParameter(type=str),
        "erasure_digest": component_spec.ExecutionParameter(type=str),
        "count_users": component_spec.ExecutionParameter(type=int),
        "partitions": component_spec.ExecutionParameter(type=str),
    }
    INPUTS: ClassVar[dict[str, component_spec.ChannelParameter]] = {}
    OUTPUTS = {  # noqa: RUF012
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "rejects": component_spec.ChannelParameter(type=Rejects),
        "summary": component_spec.ChannelParameter(type=Summary),
    }


class BehaviorExampleGen(base_beam_component.BaseBeamComponent):
    """Reads behaviour logs and writes examples: one user at one cut time.

    Outputs: `examples` with the splits train, eval and test; `rejects`, the rows set aside, as Parquet; `summary`, the
    counts as JSON, and, of a log in dated partitions, what its newest spans hold (`profile.arrow`).
    """

    SPEC_CLASS = _Spec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(_Executor)

    def __init__(
        self,
        *,
        mapping: str,
        settings: str,
        input_root: str,
        span: int,
        fingerprint: str,
        key_id: str,
        key_file: str,
        shards: int,
        spill: int = 1,
        bounds: str = NO_BOUNDS.model_dump_json(),
        erasure_list: str = "",
        erasure_digest: str = "",
        count_users: int = 0,
        partitions: str = "",
        code: str = "",
    ) -> None:
        """Makes the component.

        Args:
          mapping: `SourceMapping` as JSON.
          settings: `ExampleSettings` as JSON.
          input_root: Where the mapping's files are.
          span: Number of the batch of data, an increasing integer.
          fingerprint: Of the input files: changed data is a changed parameter, so no stale cache is used.
          key_id: Public id of the pseudonym key, for the same reason; empty if the submitter does not know the key.
          key_file: File with the key, unless the environment holds it; made on first use.
          shards: Number of user shards.
          spill: 1 to send events through files on the local disk (one machine), 0 through Beam's shuffle (a cluster).
          bounds: `RejectBounds` as JSON. If more rows are bad, the step fails, and the rows set aside are kept in
            `refused/<execution>` beside its outputs.
          erasure_list: File of the users whose rows are set aside; empty for none.
          erasure_digest: Of those users, so that a changed list is a changed parameter.
          count_users: 1 to count the distinct users of each value, which a minimum of users needs.
          partitions: `Selection` of dated partitions as JSON; empty where the log has none.
          code: Digest of the code that ingests; only part of the cache key.
        """
        super().__init__(
            _Spec(
                mapping=mapping,
                settings=settings,
                input_root=input_root,
                span=span,
                fingerprint=fingerprint,
                key_id=key_id,
                key_file=key_file,
                shards=shards,
                spill=spill,
                bounds=bounds,
                erasure_list=erasure_list,
                erasure_digest=erasure_digest,
                count_users=count_users,
                partitions=partitions,
                code=code,
                examples=types.Channel(type=standard_artifacts.Examples),
                rejects=types.Channel(type=Rejects),
                summary=types.Channel(type=Summary),
            )
        )

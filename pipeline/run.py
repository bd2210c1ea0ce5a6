"""A local run, from configuration to outcome."""

import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from interest_migration.data_gate.errors import find_decision
from interest_migration.data_gate.settings import DataGateSettings
from interest_migration.errors import ConfigError
from interest_migration.gates.settings import GateSettings
from interest_migration.privacy.erasure import erasure_digest, make_pseudonymiser
from interest_migration.privacy.keys import load_key
from interest_migration.serving.bases import NO_BASE, find_base, name_version
from interest_migration.serving.reviews import read_reviews
from interest_migration.serving.versions import newest_version, served_version
from interest_migration.sources.files import absent_files
from interest_migration.sources.mapping import SourceMapping
from interest_migration.storage.atomic import replacing
from pipeline.config import PipelineConfig, find_root
from pipeline.data_facts import DataFacts, find_facts, read_rules
from pipeline.holding import holding
from pipeline.records import Recorder, recorded
from pipeline.spans import SpanPlan, plan_spans
from pipeline.steps import Step, StepFailedError
from pipeline.terminal import Progress, divert_output
from pipeline.workspace import DATA_DECISION_FILE, LOG_FILE, OUTCOME_FILE, keep_schema, new_run_id

if TYPE_CHECKING:
    from pipeline.outcome import Outcome, Pushed


@dataclass(frozen=True)
class Plan:
    """A configuration with the files that it names, read and validated.

    Attributes:
      config: The configuration, with an input.
      mapping: Its source mapping.
      gates: Its gates.
      data_gates: Its data gates, if it has any.
      spans: Which dated partitions are read; None where the log has none.
    """

    config: PipelineConfig
    mapping: SourceMapping
    gates: GateSettings
    data_gates: DataGateSettings | None = None
    spans: SpanPlan | None = None

    def describe(self) -> dict[str, Any]:
        """Returns everything a run would use, as plain values."""
        return {
            "config": self.config.model_dump(mode="json"),
            "mapping": self.mapping.model_dump(mode="json", exclude_defaults=True),
            "gates": self.gates.model_dump(mode="json"),
            "data_gates": self.data_gates and self.data_gates.model_dump(mode="json", exclude_defaults=True),
            "partitions": self.spans and self.spans.describe(),
            "served_directory": str(self.config.served_directory),
            "served_state": served_state(self.config.served_directory),
        }


def read_plan(config: PipelineConfig, span: str | None = None) -> Plan:
    """Reads what the configuration names.

    Args:
      config: The configuration.
      span: Number or date of the span of a log in dated partitions; none is the newest complete one.

    Raises:
      ConfigError: If a file does not fit, or there is no input.
      DataError: If a partition is missing.
    """
    plan, spans = read_files(config), plan_spans(config, span)
    if spans is None:
        return plan
    data = config.data.model_copy(update={"span": spans.selection.newest})
    return replace(plan, config=config.model_copy(update={"data": data}), spans=spans)


def read_files(config: PipelineConfig) -> Plan:
    """Reads the files that the configuration names, but not its data.

    Raises:
      ConfigError: If a file does not fit, or there is no input.
    """
    if config.data.input is None:
        raise ConfigError("data.input: expected a folder of logs, received none; give it with --input")
    mapping = SourceMapping.from_yaml(config.data.mapping)
    config.data.bounds.require_reasons(mapping)
    rules = read_rules(config, find_root(config.data_gates)) if config.data_gates else None
    if rules:
        rules.rejected.require_reasons(mapping)
    return Plan(config, mapping, GateSettings.from_yaml(config.gates), rules)


def served_state(directory: Path) -> str:
    """Returns a text that differs whenever the newest or the served version does, or people reviewed a model."""
    newest, served = newest_version(directory), served_version(directory)
    name = name_version(newest) if newest else "none"
    serving = f"-serving-{name_version(served)}" if served and served != newest else ""
    return f"{name}{serving}-{len(read_reviews(directory))}"


def run(plan: Plan) -> "Outcome":
    """Runs the pipeline; progress goes to standard error, the libraries' messages to the run's log.

    Raises:
      InputError: If the input, the workspace or the push directory cannot be used.
      DiskFullError: If a disk was full.
      StepFailedError: If a step fails; the message names the log.
    """
    config = plan.config
    with holding(config):
        run_id = new_run_id()
        folder = config.workspace / "runs" / run_id
        log = folder / LOG_FILE
        with recorded(folder, config.name, plan.describe(), config.served_directory) as recorder:
            try:
                with divert_output(log) as terminal:
                    facts = _look_at_data(plan, run_id, terminal)
                    outcome = _read_outcome(run_id, log, _run_steps(plan, facts, run_id, terminal, recorder))
            except StepFailedError as error:
                decision = find_decision(error)
                if decision:
                    (folder / DATA_DECISION_FILE).write_text(decision.to_text(), encoding="utf-8")
                error.args = (f"{error}\nThe log: {log}",)
                raise
            if "data_decision" in outcome.artifacts:
                from components.decisions import DECISION_FILE

                shutil.copy(Path(outcome.artifacts["data_decision"]) / DECISION_FILE, folder / DATA_DECISION_FILE)
            facts.record(run_id, outcome.artifacts).write(folder)
            with replacing(folder / OUTCOME_FILE) as temporary:
                temporary.write_text(json.dumps(outcome.to_json(), indent=1), encoding="utf-8")
            recorder.finish(outcome)
    return outcome


def _look_at_data(plan: Plan, run_id: str, terminal: TextIO) -> DataFacts:
    """Finds out what is known of the data, and says it."""
    config, spans = plan.config, plan.spans
    terminal.write(f"{config.name}: run {run_id}, input {config.data.input}\n")
    absent = absent_files(plan.mapping, str(config.data.input), spans.selection if spans else None)
    terminal.writelines(f"note: {note}\n" for note in absent)
    facts = find_facts(config, plan.mapping, plan.data_gates, spans)
    if spans:
        size = sum(partition.size_bytes for partition in spans.chosen)
        terminal.write(f"{spans.name}: {len(spans.chosen)} partitions, {size:,} bytes\n")
        terminal.writelines(f"note: {note}\n" for note in facts.notes)
    return facts


def _run_steps(plan: Plan, facts: DataFacts, run_id: str, terminal: TextIO, recorder: Recorder) -> dict[str, Step]:
    from absl import logging

    from pipeline.graph import create_pipeline
    from pipeline.local import ProgressRunner
    from pipeline.metadata import metadata_config
    from pipeline.resolved import SCHEMA_FILE, Resolved

    logging.set_verbosity(logging.INFO)
    config = plan.config
    warm, data = config.training.warm_start, facts.fingerprints.whole
    pseudonymiser = make_pseudonymiser(load_key(config.key_file), config.data.erasure_list)
    resolved = Resolved(
        fingerprint=data,
        key_id=pseudonymiser.key_id,
        served_state=served_state(config.served_directory),
        schema_file=str(keep_schema(SCHEMA_FILE, config.workspace)),
        partitions=plan.spans.selection.model_dump_json() if plan.spans else "",
        delivery=facts.delivery.model_dump_json(),
        reference=facts.reference.model_dump_json() if facts.reference else "",
        requests=facts.requests,
        base=find_base(config.served_directory, data).name if warm else NO_BASE,
        erasure_digest=erasure_digest(pseudonymiser),
    )
    recorder.note(
        input=str(config.data.input),
        input_fingerprint=resolved.fingerprint,
        span=str(config.data.span),
        key_id=resolved.key_id,
        served_before=resolved.served_state,
    )
    pipeline = create_pipeline(
        config,
        plan.mapping,
        plan.gates,
        resolved,
        str(config.workspace / "artifacts"),
        metadata_config(config.workspace),
        plan.data_gates,
    )
    progress = Progress(terminal, len(pipeline.components), recorder.steps)
    try:
        steps: dict[str, Step] = ProgressRunner(run_id, progress).run(pipeline)
    finally:
        logging.set_verbosity(logging.WARNING)  # what follows is said on the terminal
    return steps


def _read_outcome(run_id: str, log: Path, steps: dict[str, Step]) -> "Outcome":
    from components.comparison import COMPARISON_FILE
    from components.decisions import read_decision
    from components.ingestion import SUMMARY_FILE
    from interest_migration.evaluation.results import EvaluationReport
    from interest_migration.ingestion.summary import IngestSummary
    from pipeline.outcome import Outcome

    comparison, judged = steps["Comparison"].output("comparison"), steps["ModelGate"].output("decision")
    serving = read_decision(steps["ServingGate"].output("decision").uri) if "ServingGate" in steps else None
    report = EvaluationReport.from_json((Path(comparison.uri) / COMPARISON_FILE).read_text(encoding="utf-8"))
    places = {
        "examples": ("BehaviorExampleGen", "examples"),
        "rejects": ("BehaviorExampleGen", "rejects"),
        "summary": ("BehaviorExampleGen", "summary"),
        "statistics": ("StatisticsGen", "statistics"),
        "transformed_examples": ("Transform", "transformed_examples"),
        "transform_graph": ("Transform", "transform_graph"),
        "model": ("Trainer", "model"),
        "evaluation": ("Evaluator", "evaluation"),
        "comparison": ("Comparison", "comparison"),
        "decision": ("ModelGate", "decision"),
    }
    if "ServingGate" in steps:
        places["serving_decision"] = ("ServingGate", "decision")
    if "DataGate" in steps:
        places["data_decision"] = ("DataGate", "decision")
    artifacts = {name: str(steps[step].output(key).uri) for name, (step, key) in places.items()}
    return Outcome(
        run_id=run_id,
        log=log,
        decision=read_decision(judged.uri),
        review=steps["Pusher"].output("pushed_model").get_string_custom_property("review"),
        report=report,
        pushed=_read_pushed(steps["Pusher"]),
        steps={name: (step.seconds, step.cached) for name, step in steps.items()},
        artifacts=artifacts,
        ingestion=IngestSummary.from_json((Path(artifacts["summary"]) / SUMMARY_FILE).read_text(encoding="utf-8")),
        serving=serving,
    )


def _read_pushed(step: Step) -> "Pushed | None":
    from pipeline.outcome import Pushed

    pushed = step.output("pushed_model")
    if not pushed.get_int_custom_property("pushed"):
        return None
    return Pushed(
        version=int(pushed.get_string_custom_property("pushed_version")),
        path=Path(pushed.get_string_custom_property("pushed_destination")),
        is_new=bool(pushed.get_int_custom_property("is_new")) and not step.cached,
    )

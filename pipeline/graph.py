"""The pipeline: the same components and wiring for every runner.

BehaviorExampleGen --+--> StatisticsGen --> ExampleValidator --> DataGate <-- ImportSchemaGen
                     |                                              |
                     |        +----- (the schema, if it passes) <---+
                     +--> Transform --> Trainer --+--> Evaluator
                     |        |                   |
                     +--------+--> Comparison <---+-------------> Pusher
                     |                 |          |                 ^ ^
                     |                 |          +--> ServingGate -+ |
                     +-----------------+--> ModelGate ----------------+
                                              ^
                                         ServedModel

Transform --> Flows, for the report; nothing waits for it.
With a `search`, `Tuner` reads what the Trainer reads and gives it the best hyperparameters.
With `training.warm_start`, `BaseModel` gives the Trainer the served version to start from.
"""

import json
from typing import Any, Final

import tensorflow_data_validation as tfdv
from ml_metadata.proto import metadata_store_pb2
from tfx.components import ExampleValidator, Pusher, StatisticsGen, Trainer, Tuner
from tfx.dsl.components.base.base_component import BaseComponent
from tfx.dsl.components.base.executor_spec import ExecutorClassSpec
from tfx.orchestration.pipeline import Pipeline
from tfx.proto import pusher_pb2, trainer_pb2, transform_pb2
from tfx.types import BaseChannel

from components.base_model import BaseModel
from components.comparison import Comparison
from components.curated_schema import ImportSchemaGen
from components.data_gate import DataGate
from components.evaluator import Evaluator
from components.example_gen import BehaviorExampleGen
from components.flows import Flows
from components.model_gate import ModelGate
from components.pusher import KEEP_VERSIONS, SERVED_STATE, VersionExecutor
from components.served_model import ServedModel
from components.serving_gate import ServingGate
from components.text_vectors import LANGUAGE, VECTOR_CACHE
from components.transform_step import MIN_USERS, Transform
from interest_migration.data_gate.settings import DataGateSettings
from interest_migration.gates.evaluation import build_eval_config
from interest_migration.gates.settings import GateSettings
from interest_migration.language.checkpoint import find_checkpoint
from interest_migration.sources.mapping import SourceMapping
from pipeline import fingerprints
from pipeline.config import PipelineConfig
from pipeline.evaluation import evaluation_settings
from pipeline.resolved import Resolved

PREPROCESSING_FN: Final = "components.transform.preprocessing_fn"
RUN_FN: Final = "components.trainer.run_fn"
TUNER_FN: Final = "components.tuner.tuner_fn"


def create_pipeline(
    config: PipelineConfig,
    mapping: SourceMapping,
    gates: GateSettings,
    resolved: Resolved,
    pipeline_root: str,
    metadata_connection_config: metadata_store_pb2.ConnectionConfig | None = None,
    data_gates: DataGateSettings | None = None,
) -> Pipeline:
    """Builds the pipeline.

    Args:
      config: The validated configuration, with an input.
      mapping: The source mapping that it names.
      gates: The gates that it names.
      resolved: Fingerprints and the served state.
      pipeline_root: Where artifacts go.
      metadata_connection_config: Metadata store of a local run.
      data_gates: The data gates that it names, if it does.
    """
    return Pipeline(
        pipeline_name=config.name,
        pipeline_root=pipeline_root,
        components=_components(config, mapping, gates, resolved, data_gates),
        enable_cache=config.cache,
        metadata_connection_config=metadata_connection_config,
        beam_pipeline_args=list(config.beam_pipeline_args),
    )


def _components(
    config: PipelineConfig,
    mapping: SourceMapping,
    gates: GateSettings,
    resolved: Resolved,
    data_gates: DataGateSettings | None,
) -> list[BaseComponent]:
    example_gen = _example_gen(config, mapping, resolved)
    examples = example_gen.outputs["examples"]
    statistics = StatisticsGen(
        examples=examples, stats_options=tfdv.StatsOptions(sample_rate=config.statistics.sample_rate)
    )
    schema_gen = ImportSchemaGen(schema_file=resolved.schema_file)
    schema = schema_gen.outputs["schema"]
    validator = ExampleValidator(statistics=statistics.outputs["statistics"], schema=schema)
    data_gate = _data_gate(data_gates, resolved, example_gen, statistics, validator, schema) if data_gates else None
    if data_gate:
        schema = data_gate.outputs["approved_schema"]
    transform = _transform(config, examples, schema)
    base = _base_model(config, resolved) if config.training.warm_start else None
    tuner = _tuner(config, transform, schema, resolved) if config.search.searches else None
    trainer = _trainer(config, transform, schema, base, resolved, tuner)
    model = trainer.outputs["model"]
    evaluator = Evaluator(
        examples=examples,
        model=model,
        schema=schema,
        eval_config=json.dumps(build_eval_config(gates)),
        code=fingerprints.fingerprint_code(fingerprints.EVALUATOR),
    )
    served = ServedModel(directory=str(config.served_directory), run_token=resolved.served_state)
    comparison = _comparison(config, example_gen, transform, trainer)
    gate = ModelGate(
        comparison=comparison.outputs["comparison"],
        raw_examples=examples,
        served_model=served.outputs["model"],
        gates=gates.model_dump_json(),
        code=fingerprints.fingerprint_code(fingerprints.MODEL_GATE),
    )
    serving_gate = _serving_gate(config, example_gen, transform, trainer) if config.serving_gate.enabled else None
    nodes = (
        example_gen,
        statistics,
        schema_gen,
        validator,
        data_gate,
        transform,
        base,
        tuner,
        trainer,
        _flows(config, transform),
        evaluator,
        comparison,
        served,
        gate,
        serving_gate,
        _pusher(config, trainer, gate, serving_gate, resolved.served_state),
    )
    return [node for node in nodes if node is not None]


def _transform(config: PipelineConfig, examples: BaseChannel, schema: BaseChannel) -> Transform:
    return Transform(
        examples=examples,
        schema=schema,
        preprocessing_fn=PREPROCESSING_FN,
        splits_config=transform_pb2.SplitsConfig(analyze=["train"], transform=["train", "eval", "test"]),
        custom_config={
            "transform": config.transform.model_dump(mode="json"),
            "code": fingerprints.fingerprint_code(fingerprints.TRANSFORM),
            MIN_USERS: config.privacy.min_users,
            **_language(config),
        },
        disable_statistics=not config.statistics.transformed,
    )


def _language(config: PipelineConfig) -> dict[str, object]:
    """The digest of the checkpoint, since a folder of the same name may hold another one later."""
    if config.language is None:
        return {}
    return {
        LANGUAGE: config.language.model_dump(mode="json"),
        VECTOR_CACHE: str(config.vector_cache),
        "checkpoint": find_checkpoint(config.language).digest,
    }


def _example_gen(config: PipelineConfig, mapping: SourceMapping, resolved: Resolved) -> BehaviorExampleGen:
    code = fingerprints.fingerprint_code(fingerprints.INGESTION)
    return BehaviorExampleGen(
        mapping=mapping.model_dump_json(),
        settings=config.examples.model_dump_json(),
        input_root=str(config.data.input),
        span=config.data.span,
        fingerprint=resolved.fingerprint,
        code=code,
        key_id=resolved.key_id,
        key_file=str(config.key_file),
        shards=config.data.shards,
        spill=int(config.exchanges_files),
        bounds=config.data.bounds.model_dump_json(),
        erasure_list=str(config.data.erasure_list or ""),
        erasure_digest=resolved.erasure_digest,
        count_users=int(config.privacy.min_users > 1),
        partitions=resolved.partitions,
    )


def _data_gate(
    rules: DataGateSettings,
    resolved: Resolved,
    example_gen: BehaviorExampleGen,
    statistics: StatisticsGen,
    validator: ExampleValidator,
    schema: BaseChannel,
) -> BaseComponent:
    return DataGate(
        settings=rules.model_dump_json(),
        delivery=resolved.delivery,
        reference=resolved.reference,
        requests=resolved.requests,
        code=fingerprints.fingerprint_code(fingerprints.DATA_GATE),
        statistics=statistics.outputs["statistics"],
        anomalies=validator.outputs["anomalies"],
        summary=example_gen.outputs["summary"],
        schema=schema,
    )


def _base_model(config: PipelineConfig, resolved: Resolved) -> BaseComponent:
    return BaseModel(directory=str(config.served_directory), data=resolved.fingerprint, run_token=resolved.base)


def _trainer(
    config: PipelineConfig,
    transform: Transform,
    schema: BaseChannel,
    base: BaseComponent | None,
    resolved: Resolved,
    tuner: Tuner | None,
) -> Trainer:
    return Trainer(
        run_fn=RUN_FN,
        base_model=base.outputs["model"] if base else None,
        hyperparameters=tuner.outputs["best_hyperparameters"] if tuner else None,
        **_learning(transform, schema),
        custom_config=_custom_config(config, resolved) | {"code": fingerprints.fingerprint_code(fingerprints.TRAINER)},
    )


def _tuner(config: PipelineConfig, transform: Transform, schema: BaseChannel, resolved: Resolved) -> Tuner:
    return Tuner(
        tuner_fn=TUNER_FN,
        **_learning(transform, schema),
        custom_config=_custom_config(config, resolved)
        | {
            "search": config.search.model_dump(mode="json"),
            "search_directory": str(config.search_directory),
            "code": fingerprints.fingerprint_code(fingerprints.TUNER),
        },
    )


def _learning(transform: Transform, schema: BaseChannel) -> dict[str, Any]:
    """What Trainer and Tuner learn from."""
    return {
        "examples": transform.outputs["transformed_examples"],
        "transform_graph": transform.outputs["transform_graph"],
        "schema": schema,
        "train_args": trainer_pb2.TrainArgs(splits=["train"]),
        "eval_args": trainer_pb2.EvalArgs(splits=["eval"]),
    }


def _custom_config(config: PipelineConfig, resolved: Resolved) -> dict[str, Any]:
    return {
        "model": config.model.model_dump(mode="json"),
        "training": config.training.model_dump(mode="json"),
        "pretraining": config.pretraining.model_dump(mode="json"),
        "examples": config.examples.model_dump(mode="json"),
        "transform": config.transform.model_dump(mode="json"),
        "origin": {
            "data": resolved.fingerprint,
            "key_id": resolved.key_id,
            "erasure_digest": resolved.erasure_digest,
        },
    }


def _comparison(
    config: PipelineConfig, example_gen: BehaviorExampleGen, transform: Transform, trainer: Trainer
) -> Comparison:
    return Comparison(
        examples=transform.outputs["transformed_examples"],
        raw_examples=example_gen.outputs["examples"],
        transform_graph=transform.outputs["transform_graph"],
        model=trainer.outputs["model"],
        baselines=config.baselines.model_dump_json(),
        evaluation=evaluation_settings(config).model_dump_json(),
        seed=config.seed,
        code=fingerprints.fingerprint_code(fingerprints.COMPARISON),
    )


def _flows(config: PipelineConfig, transform: Transform) -> Flows:
    return Flows(
        examples=transform.outputs["transformed_examples"],
        transform_graph=transform.outputs["transform_graph"],
        settings=config.flows.model_dump_json(),
        new_interest_days=float(config.examples.new_interest_days),
        seed=config.seed,
        code=fingerprints.fingerprint_code(fingerprints.FLOWS),
    )


def _serving_gate(
    config: PipelineConfig, example_gen: BehaviorExampleGen, transform: Transform, trainer: Trainer
) -> ServingGate:
    return ServingGate(
        model=trainer.outputs["model"],
        raw_examples=example_gen.outputs["examples"],
        transformed_examples=transform.outputs["transformed_examples"],
        settings=config.serving_gate.model_dump_json(),
        code=fingerprints.fingerprint_code(fingerprints.SERVING_GATE),
    )


def _pusher(
    config: PipelineConfig, trainer: Trainer, gate: ModelGate, serving_gate: ServingGate | None, served_state: str
) -> Pusher:
    destination = pusher_pb2.PushDestination.Filesystem(base_directory=str(config.served_directory))
    return Pusher(
        model=trainer.outputs["model"],
        model_blessing=gate.outputs["blessing"],
        infra_blessing=serving_gate.outputs["blessing"] if serving_gate else None,
        push_destination=pusher_pb2.PushDestination(filesystem=destination),
        custom_config={KEEP_VERSIONS: config.push.keep_versions, SERVED_STATE: served_state},
        custom_executor_spec=ExecutorClassSpec(VersionExecutor),
    )

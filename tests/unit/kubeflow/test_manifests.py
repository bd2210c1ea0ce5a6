"""What is deployed: it fits Kubernetes' own schemas, and it is as locked down as a security linter asks."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from google.protobuf import text_format
from kustomize import pods, render

MANIFESTS = Path(__file__).parents[3] / "kubeflow" / "manifests"
OVERLAYS = sorted(path.name for path in (MANIFESTS / "overlays").iterdir())
FOLDERS = ["base", "console", "submitter", *(f"overlays/{name}" for name in OVERLAYS)]
VERSIONS = ("1.30", "1.35")
CUSTOM = {"InferenceService"}
STORE = "interest-migration-models"


@cache
def rendered(folder: str) -> list[dict[str, Any]]:
    return render(MANIFESTS / folder)


def steps() -> dict[str, Any]:
    values: dict[str, Any] = yaml.safe_load(
        (MANIFESTS.parents[1] / "configs" / "kubeflow.yaml").read_text(encoding="utf-8")
    )
    return values


def of_kind(folder: str, kind: str) -> list[dict[str, Any]]:
    return [resource for resource in rendered(folder) if resource["kind"] == kind]


def all_pods() -> Iterator[tuple[str, dict[str, Any]]]:
    for folder in FOLDERS:
        for resource in rendered(folder):
            for pod in pods(resource):
                yield folder, pod


def server_pods() -> list[tuple[str, dict[str, Any]]]:
    return [(folder, pod) for folder, pod in all_pods() if "initContainers" in pod]


def all_containers() -> Iterator[tuple[str, dict[str, Any]]]:
    for folder, pod in all_pods():
        for container in [*pod.get("initContainers", []), *pod["containers"]]:
            yield f"{folder} {container['name']}", container


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("folder", FOLDERS)
def test_every_resource_fits_kubernetes_own_schema(folder, version):
    checked = [each for each in rendered(folder) if each["kind"] not in CUSTOM]

    assert checked
    for resource in checked:
        kubernetes_validate.validate(resource, version, strict=True)


def test_a_misspelt_field_would_be_found():
    broken = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": {"prots": []}}

    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(broken, VERSIONS[0], strict=True)


def test_the_inference_service_is_the_deployments_pod_with_kserves_fields():
    own = {"minReplicas", "maxReplicas", "scaleMetric", "scaleTarget", "labels"}
    (service,) = of_kind("overlays/kserve", "InferenceService")
    predictor = service["spec"]["predictor"]
    pod = {name: value for name, value in predictor.items() if name not in own}
    (expected,) = (pod for folder, pod in server_pods() if folder == "base")

    kubernetes_validate.validate(
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "predictor"}, "spec": pod}, VERSIONS[0], strict=True
    )
    assert service["apiVersion"] == "serving.kserve.io/v1beta1"
    assert service["metadata"]["annotations"]["serving.kserve.io/deploymentMode"] == "Standard"
    assert pod["initContainers"] == expected["initContainers"]
    (container,), (reference,) = pod["containers"], expected["containers"]
    assert container["name"] == "kserve-container"
    assert [port["name"] for port in container["ports"]] == ["http"]
    same = set(container) - {"name", "ports"}
    assert {name: container[name] for name in same} == {name: reference[name] for name in same}
    assert {name: pod[name] for name in set(pod) - {"containers"}} == {
        name: expected[name] for name in set(expected) - {"containers"}
    }
    assert not {"Deployment", "Service", "HorizontalPodAutoscaler"} & {
        each["kind"] for each in rendered("overlays/kserve")
    }


def test_every_container_runs_as_a_plain_user_on_a_read_only_root():
    for name, container in all_containers():
        security = container["securityContext"]
        assert security["runAsNonRoot"] is True, name
        assert security["runAsUser"] >= 10_000, name
        assert security["readOnlyRootFilesystem"] is True, name
        assert security["allowPrivilegeEscalation"] is False, name
        assert security["capabilities"] == {"drop": ["ALL"]}, name
        assert not security["privileged"], name


def test_every_pod_has_a_seccomp_profile_and_no_token():
    for folder, pod in all_pods():
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, folder
        assert pod["automountServiceAccountToken"] is False, folder
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod), folder
        assert not any("hostPath" in volume for volume in pod["volumes"]), folder


def test_every_container_has_requests_and_limits():
    for name, container in all_containers():
        for bound in ("requests", "limits"):
            assert {"cpu", "memory", "ephemeral-storage"} <= set(container["resources"][bound]), name


def test_every_image_has_a_version():
    images = {name: container["image"] for name, container in all_containers()}
    ours = images.pop("console console")
    for name, image in images.items():
        assert re.fullmatch(r"docker\.io/tensorflow/serving:\d+\.\d+\.\d+(-gpu)?", image), name
    assert ours == steps()["kubeflow"]["image"]
    assert images["overlays/gpu serving"].endswith("-gpu")


def test_every_server_has_three_probes_that_no_dead_model_passes():
    for folder, pod in server_pods():
        (server,) = pod["containers"]
        ports = {port["name"]: port["containerPort"] for port in server["ports"]}
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            assert ports[server[probe]["httpGet"]["port"]] == 8501, folder
        assert server["readinessProbe"]["httpGet"]["path"] == "/v1/models/interests/metadata", folder
        assert server["readinessProbe"] != server["livenessProbe"], folder


def test_mounted_files_are_those_that_the_server_is_told_to_read():
    for folder, pod in server_pods():
        (server,) = pod["containers"]
        (settings,) = (each for each in rendered(folder) if each["kind"] == "ConfigMap")
        mounts = {mount["name"]: mount for mount in server["volumeMounts"]}
        named = [arg.partition("=")[2] for arg in server["args"] if "/etc/interest-serving/" in arg]
        assert named, folder
        assert {Path(path).name for path in named} <= set(settings["data"]), folder
        assert mounts["models"] == {"name": "models", "mountPath": "/mnt/models", "readOnly": True}, folder
        (claim,) = (each["persistentVolumeClaim"] for each in pod["volumes"] if "persistentVolumeClaim" in each)
        assert claim["claimName"] == STORE
        assert {volume["name"] for volume in pod["volumes"]} == {mount["name"] for mount in server["volumeMounts"]}


def test_the_default_model_config_is_what_tf_serving_reads():
    config_pb2 = pytest.importorskip("tensorflow_serving.config.model_server_config_pb2")
    (settings,) = of_kind("base", "ConfigMap")

    parsed = text_format.Parse(settings["data"]["models.config"], config_pb2.ModelServerConfig())

    (model,) = parsed.model_config_list.config
    assert (model.name, model.base_path, model.model_platform) == ("interests", "/mnt/models/interests", "tensorflow")


def test_selectors_find_the_pods():
    for folder in ["base", *(f"overlays/{name}" for name in OVERLAYS)]:
        deployments = of_kind(folder, "Deployment")
        labels = (
            deployments[0]["spec"]["template"]["metadata"]["labels"]
            if deployments
            else of_kind(folder, "InferenceService")[0]["spec"]["predictor"]["labels"]
        )
        selectors = [each["spec"]["selector"] for each in of_kind(folder, "Service")]
        selectors += [each["spec"]["selector"]["matchLabels"] for each in of_kind(folder, "PodDisruptionBudget")]
        selectors += [policy(folder, "interest-serving")["podSelector"]["matchLabels"]]
        assert selectors
        assert all(selector and selector.items() <= labels.items() for selector in selectors), folder


def policy(folder: str, name: str) -> dict[str, Any]:
    (found,) = (each["spec"] for each in of_kind(folder, "NetworkPolicy") if each["metadata"]["name"] == name)
    return found


def test_strangers_reach_nothing_and_the_server_reaches_nobody():
    for name in ("interest-serving", "interest-migration-volumes"):
        rules = policy("base", name)
        assert rules["policyTypes"] == ["Ingress", "Egress"]
        assert rules["egress"] == []
        assert all(rule["from"] and rule["ports"] for rule in rules["ingress"])
    (job,) = of_kind("base", "Job")
    labels = job["spec"]["template"]["metadata"]["labels"]
    assert policy("base", "interest-migration-volumes")["podSelector"]["matchLabels"].items() <= labels.items()


def test_a_server_stays_up_while_nodes_are_drained():
    (budget,), (autoscaler,) = of_kind("base", "PodDisruptionBudget"), of_kind("base", "HorizontalPodAutoscaler")
    (deployment,) = of_kind("base", "Deployment")

    assert autoscaler["spec"]["minReplicas"] > budget["spec"]["maxUnavailable"] >= 1
    assert "replicas" not in deployment["spec"]  # else every apply would undo the autoscaler
    assert deployment["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0


def test_no_secret_lies_in_the_repository_and_scheduling_is_left_to_recurring_runs():
    for folder in FOLDERS:
        assert not {"Secret", "CronJob"} & {each["kind"] for each in rendered(folder)}, folder
    for name, container in all_containers():
        assert not [each for each in container.get("env", []) if re.search("(?i)key|token|password", each["name"])], (
            name
        )


def test_the_submitter_may_submit_and_nothing_else():
    (role,) = of_kind("submitter", "Role")
    (binding,), (account,) = of_kind("submitter", "RoleBinding"), of_kind("submitter", "ServiceAccount")

    assert {group for rule in role["rules"] for group in rule["apiGroups"]} == {"pipelines.kubeflow.org"}
    verbs = {verb for rule in role["rules"] for verb in rule["verbs"]}
    assert verbs == {"create", "delete", "get", "list", "readArtifact"}
    deleting = [rule["resources"] for rule in role["rules"] if "delete" in rule["verbs"]]
    assert deleting == [["jobs"]]
    assert binding["roleRef"]["name"] == role["metadata"]["name"]
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": account["metadata"]["name"]}]
    assert account["automountServiceAccountToken"] is False


def test_requests_are_batched_only_where_asked():
    def batches(folder: str) -> bool:
        (pod,) = (pod for name, pod in server_pods() if name == folder)
        return "--enable_batching=true" in pod["containers"][0]["args"]

    assert [batches(folder) for folder in ("base", "overlays/production", "overlays/laptop")] == [False, True, False]


def test_the_steps_mount_the_claims_where_the_server_reads():
    values = steps()
    mounts = {mount["claim"]: mount["path"] for mount in values["kubeflow"]["defaults"]["mounts"]}
    (pod,) = (pod for folder, pod in server_pods() if folder == "base")
    (place,) = (each["mountPath"] for each in pod["containers"][0]["volumeMounts"] if each["name"] == "models")

    assert set(mounts) == {each["metadata"]["name"] for each in of_kind("base", "PersistentVolumeClaim")}
    assert mounts[STORE] == values["push"]["directory"] == place
    (job,), (console,) = of_kind("base", "Job"), of_kind("console", "Pod")
    for container in (*pods(job)[0]["containers"], *pods(console)[0]["containers"]):
        assert set(mounts.values()) <= {each["mountPath"] for each in container["volumeMounts"]}
    (prepare,) = pods(job)[0]["containers"]
    assert all(path in prepare["args"][0] for path in mounts.values())

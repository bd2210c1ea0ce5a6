"""Renders Kustomize folders, as far as ours go: a stand-in for `kustomize build`, which no Python package is.

Understands resources, components, images, namespaces of nothing, strategic-merge and JSON patches, and generated config
maps without the hash in their names. An unknown field is an error, so that nothing goes unnoticed.
"""

from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml

KNOWN = {"apiVersion", "kind", "resources", "components", "patches", "images", "labels", "configMapGenerator"}
IGNORED = {"configurations"}  # tells where hashed names are used
MERGE_KEYS = {
    "containers": "name",
    "initContainers": "name",
    "volumes": "name",
    "env": "name",
    "volumeMounts": "mountPath",
    "ports": "containerPort",
}
PATCH, DELETE = "$patch", "delete"

Resource = dict[str, Any]


def render(folder: Path) -> list[Resource]:
    """Returns the resources that a folder with a `kustomization.yaml` stands for."""
    return _apply(folder, [])


def pods(resource: Resource) -> list[dict[str, Any]]:
    """Returns the pod specifications of a resource: one if it runs containers, else none."""
    if resource["kind"] == "Pod":
        return [resource["spec"]]
    if resource["kind"] in ("Deployment", "Job"):
        return [resource["spec"]["template"]["spec"]]
    return [resource["spec"]["predictor"]] if resource["kind"] == "InferenceService" else []


def merge(target: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """Merges as a strategic-merge patch does: maps by key, lists of named things by name, other lists whole."""
    merged = dict(target)
    for name, value in patch.items():
        if isinstance(value, dict) and isinstance(merged.get(name), dict):
            merged[name] = merge(merged[name], value)
        elif isinstance(value, list) and name in MERGE_KEYS and name in merged:
            merged[name] = _merge_named(merged[name], value, MERGE_KEYS[name])
        else:
            merged[name] = value
    return merged


def _apply(folder: Path, resources: list[Resource]) -> list[Resource]:
    settings = yaml.safe_load((folder / "kustomization.yaml").read_text(encoding="utf-8"))
    if unknown := set(settings) - KNOWN - IGNORED:
        raise ValueError(f"{folder}: expected fields that this stand-in knows, received {sorted(unknown)}")
    for name in settings.get("resources", []):
        path = folder / name
        resources = resources + (
            render(path) if path.is_dir() else list(yaml.safe_load_all(path.read_text(encoding="utf-8")))
        )
    for name in settings.get("components", []):
        resources = _apply(folder / name, resources)
    for generator in settings.get("configMapGenerator", []):
        resources = _generate(folder, generator, resources)
    for patch in settings.get("patches", []):
        resources = _patch(resources, patch)
    return [_with_images(resource, settings.get("images", [])) for resource in resources]


def _generate(folder: Path, generator: dict[str, Any], resources: list[Resource]) -> list[Resource]:
    data = {name: (folder / name).read_text(encoding="utf-8") for name in generator["files"]}
    made = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": generator["name"]}, "data": data}
    if generator.get("behavior") == "merge":
        return [merge(each, made) if _name(each) == _name(made) else each for each in resources]
    return [*resources, made]


def _patch(resources: list[Resource], patch: dict[str, Any]) -> list[Resource]:
    content = yaml.safe_load(patch["patch"])
    target = patch.get("target") or {"kind": content["kind"], "name": content["metadata"]["name"]}
    wanted = [
        name for name in map(_name, resources) if name[0] == target["kind"] and target.get("name", name[1]) == name[1]
    ]
    if not wanted:
        raise ValueError(f"expected a resource {target} to patch, received {[_name(each) for each in resources]}")
    if isinstance(content, list):
        return [_edit(each, content) if _name(each) in wanted else each for each in resources]
    if content.get(PATCH) == DELETE:
        return [each for each in resources if _name(each) not in wanted]
    change = {"spec": content["spec"]}  # names stay
    return [merge(each, change) if _name(each) in wanted else each for each in resources]


def _edit(resource: Resource, operations: list[dict[str, Any]]) -> Resource:
    """Appends to lists, the only JSON patch that is used."""
    edited = deepcopy(resource)
    for operation in operations:
        *path, last = operation["path"].strip("/").split("/")
        assert (operation["op"], last) == ("add", "-"), operation
        place: Any = edited
        for key in path:
            place = place[int(key)] if isinstance(place, list) else place[key]
        place.append(operation["value"])
    return edited


def _merge_named(target: list[Any], patch: list[Any], key: str) -> list[Any]:
    changes = {each[key]: each for each in patch}
    merged = [merge(each, changes.pop(each[key])) if each[key] in changes else each for each in target]
    return [*changes.values(), *merged]


def _with_images(resource: Resource, images: list[dict[str, str]]) -> Resource:
    changed = deepcopy(resource)
    for pod in pods(changed):
        for container in [*pod.get("initContainers", []), *pod["containers"]]:
            name = container["image"].partition("@")[0].rpartition(":")
            for image in images:
                if image["name"] in (name[0], container["image"]):
                    container["image"] = f"{image['name']}:{image['newTag']}"
    return changed


def _name(resource: Resource) -> tuple[str, str]:
    return resource["kind"], resource["metadata"]["name"]

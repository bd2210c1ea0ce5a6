"""Turns values of compiled steps into parameters of the pipeline, with those values as defaults.

    root.inputDefinitions.parameters.training_epochs   default 3
     `-> tfx-dag                                       (TFX hands parameters to no step inside it)
          `-> Trainer.training_epochs, and the argument --overrides '{"training_epochs": ["custom_config", ...]}'

A whole parameter of a step is bound to the pipeline's. A value inside JSON becomes one more parameter of the step,
which the container's entrypoint writes into the JSON; the compiled JSON does not hold it, so that the compiled pipeline
is the same whatever the defaults are.
"""

import json
from collections.abc import Iterator
from typing import Any, Final

from interest_migration.errors import ContractError
from pipeline.kubeflow.parameters import PARAMETERS, Place, Value, clear_place, read_place
from pipeline.kubeflow.repairs import DAG, Spec

OVERRIDES: Final = "--overrides"
STEP: Final = "--step"
INPUTS_SPEC: Final = "--json_serialized_inputs_spec_args"


def lift_parameters(spec: Spec) -> dict[str, Value]:
    """Makes the pipeline's parameters.

    Args:
      spec: The repaired pipeline spec; changed in place.

    Returns:
      Name -> default.

    Raises:
      ContractError: If two places of one parameter hold different values.
    """
    defaults = {}
    for name, places in PARAMETERS.items():
        present = [place for place in places if _holds(spec, place)]
        values = {_value_at(spec, place) for place in present}
        if len(values) > 1:
            raise ContractError(f"expected one value of {name} in all steps, received {sorted(map(str, values))}")
        if values:
            defaults[name] = values.pop()
            _declare(spec, name, defaults[name])
            for place in present:
                _bind(spec, name, place, defaults[name])
    for label, component in _container_components(spec):
        _tell_types(spec, label, component)
    return defaults


def _tasks(spec: Spec) -> dict[str, Any]:
    tasks: dict[str, Any] = spec["components"][DAG]["dag"]["tasks"]
    return tasks


def _constant(spec: Spec, place: Place) -> Any:
    parameters = _tasks(spec).get(place.step, {}).get("inputs", {}).get("parameters", {})
    return parameters.get(place.name, {}).get("runtimeValue", {}).get("constant")


def _holds(spec: Spec, place: Place) -> bool:
    return _constant(spec, place) is not None


def _value_at(spec: Spec, place: Place) -> Value:
    value: Value = read_place(_constant(spec, place), place.path)
    kind = spec["components"][place.step]["inputDefinitions"]["parameters"][place.name]["parameterType"]
    return int(value) if kind == "NUMBER_INTEGER" else value


def _declare(spec: Spec, name: str, default: Value) -> None:
    """In the root, and in the graph of the steps, which the root hands it to."""
    kind = _kind(default)
    root = spec["root"].setdefault("inputDefinitions", {}).setdefault("parameters", {})
    root[name] = {"parameterType": kind, "defaultValue": default, "isOptional": True}
    inner = spec["components"][DAG].setdefault("inputDefinitions", {}).setdefault("parameters", {})
    inner[name] = {"parameterType": kind}
    handed = spec["root"]["dag"]["tasks"][DAG].setdefault("inputs", {}).setdefault("parameters", {})
    handed[name] = {"componentInputParameter": name}


def _bind(spec: Spec, name: str, place: Place, default: Value) -> None:
    parameters = _tasks(spec)[place.step]["inputs"]["parameters"]
    if not place.path:
        parameters[place.name] = {"componentInputParameter": name}
        return
    parameters[name] = {"componentInputParameter": name}
    value = parameters[place.name]["runtimeValue"]
    value["constant"] = clear_place(value["constant"], place.path)
    definition = spec["components"][place.step]["inputDefinitions"]["parameters"]
    definition[name] = {"parameterType": _kind(default)}
    container = _container(spec, place.step)
    overrides = _take_argument(container, OVERRIDES, "{}")
    targets = {**json.loads(overrides), name: [place.name, *place.path]}
    container["args"] += [OVERRIDES, json.dumps(targets, sort_keys=True)]


def _tell_types(spec: Spec, step: str, component: Spec) -> None:
    """Tells the container its name and the types of its inputs: of artifacts, the backend does not."""
    container = _container(spec, step)
    _take_argument(container, INPUTS_SPEC, "")
    text = json.dumps(component.get("inputDefinitions", {}), sort_keys=True)
    container["args"] += [STEP, step, INPUTS_SPEC, text]


def _container_components(spec: Spec) -> Iterator[tuple[str, Spec]]:
    return ((name, component) for name, component in spec["components"].items() if "executorLabel" in component)


def _container(spec: Spec, step: str) -> Spec:
    label = spec["components"][step]["executorLabel"]
    container: Spec = spec["deploymentSpec"]["executors"][label]["container"]
    return container


def _take_argument(container: Spec, name: str, default: str) -> str:
    """Removes an argument and its value; returns the value."""
    arguments = container["args"]
    if name not in arguments:
        return default
    place = arguments.index(name)
    value: str = arguments[place + 1]
    del arguments[place : place + 2]
    return value


def _kind(value: Value) -> str:
    return {str: "STRING", int: "NUMBER_INTEGER", float: "NUMBER_DOUBLE"}[type(value)]

"""Parameters of a compiled pipeline: what may differ from run to run without compiling again.

A parameter stands for values inside the steps' own parameters, some of which are JSON:

    data_root         BehaviorExampleGen.input_root
    training_epochs   Trainer.custom_config -> training -> epochs
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pipeline.graph import Resolved
    from pipeline.run import Plan

Value = str | int | float


@dataclass(frozen=True)
class Place:
    """Where a value belongs.

    Attributes:
      step: Id of the step.
      name: Its parameter.
      path: Keys inside the parameter's JSON; empty if the value is the whole parameter.
    """

    step: str
    name: str
    path: tuple[str, ...] = ()


def _training(*path: str) -> tuple[Place, ...]:
    return tuple(Place(step, "custom_config", path) for step in ("Trainer", "Tuner"))


PARAMETERS: Final[Mapping[str, tuple[Place, ...]]] = {
    "data_root": (Place("BehaviorExampleGen", "input_root"),),
    "span": (Place("BehaviorExampleGen", "span"),),
    "partitions": (Place("BehaviorExampleGen", "partitions"),),
    "data_fingerprint": (
        Place("BehaviorExampleGen", "fingerprint"),
        Place("BaseModel", "data"),
        *_training("origin", "data"),
    ),
    "key_id": (Place("BehaviorExampleGen", "key_id"), *_training("origin", "key_id")),
    "erasure_digest": (Place("BehaviorExampleGen", "erasure_digest"), *_training("origin", "erasure_digest")),
    "delivery": (Place("DataGate", "delivery"),),
    "reference": (Place("DataGate", "reference"),),
    "requests": (Place("DataGate", "requests"),),
    "data_gates": (Place("DataGate", "settings"),),
    "data_record": (Place("Verdict", "data_record"),),
    "training_epochs": _training("training", "epochs"),
    "gates": (Place("ModelGate", "gates"),),
    "push_directory": (
        Place("ServedModel", "directory"),
        Place("BaseModel", "directory"),
        Place("Pusher", "push_destination", ("filesystem", "base_directory")),
        Place("RunReport", "served"),
    ),
}
"""Name -> every place that it fills."""


def runtime_parameters(plan: "Plan", resolved: "Resolved") -> dict[str, Value]:
    """Returns the values of a run's parameters.

    Args:
      plan: The run's configuration.
      resolved: What was looked up for it, see `pipeline.kubeflow.lookup`.

    Returns:
      Name -> value, exactly the parameters of the pipeline compiled from the same configuration.
    """
    config, rules = plan.config, plan.data_gates
    gate_of_data = {} if rules is None else {"data_gates": rules.model_dump_json(), **_data_facts(resolved)}
    return {
        "data_root": str(config.data.input),
        "span": config.data.span,
        "partitions": resolved.partitions,
        "data_fingerprint": resolved.fingerprint,
        "key_id": resolved.key_id,
        "erasure_digest": resolved.erasure_digest,
        **gate_of_data,
        "data_record": resolved.data_record,
        "training_epochs": config.training.epochs,
        "gates": plan.gates.model_dump_json(),
        "push_directory": str(config.served_directory),
    }


def _data_facts(resolved: "Resolved") -> dict[str, Value]:
    return {name: getattr(resolved, name) for name in ("delivery", "reference", "requests")}


def read_place(value: Any, path: tuple[str, ...]) -> Any:
    """Returns what stands at a path inside JSON; the value itself for an empty path.

    Raises:
      KeyError: If nothing does.

    Example:
      `{"training": {"epochs": 3}}` as text, path training, epochs -> 3.
    """
    if not path:
        return value
    found = json.loads(value)
    for key in path:
        found = found[key]
    return found


def write_place(value: Any, path: tuple[str, ...], new: Any) -> Any:
    """Returns JSON with another value at a path; the new value itself for an empty path."""
    if not path:
        return new
    document = json.loads(value)
    section = document
    for key in path[:-1]:
        section = section[key]
    section[path[-1]] = new
    return json.dumps(document, sort_keys=True)

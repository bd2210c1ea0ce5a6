"""Parameters of a compiled pipeline: what may differ from run to run without compiling again.

A parameter stands for values inside the steps' own parameters, some of which are JSON:

    data_root         BehaviorExampleGen.input_root
    training_epochs   Trainer.custom_config -> training -> epochs
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

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


def _told(*path: str) -> Place:
    """In the settings that the report shows."""
    return Place("RunReport", "settings", ("config", *path))


PARAMETERS: Final[Mapping[str, tuple[Place, ...]]] = {
    "data_root": (Place("BehaviorExampleGen", "input_root"), _told("data", "input")),
    "span": (Place("BehaviorExampleGen", "span"), _told("data", "span")),
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
    "training_epochs": (*_training("training", "epochs"), _told("training", "epochs")),
    "gates": (Place("ModelGate", "gates"),),
    "push_directory": (
        Place("ServedModel", "directory"),
        Place("BaseModel", "directory"),
        Place("Pusher", "push_destination", ("filesystem", "base_directory")),
        Place("RunReport", "served"),
    ),
}
"""Name -> every place that it fills."""


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
    _section(document, path)[path[-1]] = new
    return json.dumps(document)


def clear_place(value: str, path: tuple[str, ...]) -> str:
    """Returns JSON without what stood at a path, which `write_place` fills again.

    Example:
      `{"training": {"epochs": 3, "seed": 7}}`, path training, epochs -> `{"training": {"seed": 7}}`.
    """
    document = json.loads(value)
    del _section(document, path)[path[-1]]
    return json.dumps(document)


def _section(document: Any, path: tuple[str, ...]) -> Any:
    for key in path[:-1]:
        document = document[key]
    return document

"""Starts a model from the weights of another, whose vocabularies may differ.

What a row of a table stands for is known by name, so a category keeps its vector when its id changes. Every other
variable is copied. Variables that are not trained (rates, attributes of items, the newest cut) come from the new
training examples alone, as in a cold start.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from interest_migration.model.manifest import Provenance
from interest_migration.model.variables import ACTION_NAMES, ROWS, trained_variables
from interest_migration.training.base import Base, ColdStart, action_names
from interest_migration.training.rows import carry_rows, match_rows, match_values
from interest_migration.transform.vocabularies import COUNTED
from schemas.events import ACTIONS
from schemas.features import AGGREGATE_INPUTS

if TYPE_CHECKING:
    from interest_migration.model.interest_model import InterestModel

Counts = dict[str, dict[str, int]]
_AGREE = "settings agree, so another release exported it"


@dataclass(frozen=True)
class Start:
    """How a training began.

    Attributes:
      base: Name of the version whose weights it took over; empty for a cold start.
      note: Why it started cold, if so.
      values: Vocabulary name -> how many values were `kept`, are `new` and were `dropped`.
    """

    base: str = ""
    note: str = ""
    values: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    @property
    def warm(self) -> bool:
        """Whether weights were taken over."""
        return bool(self.base)

    def describe(self) -> str:
        """Returns one line for a log."""
        if not self.warm:
            return f"cold start: {self.note}"
        counts = (f"{name} " + " ".join(f"{n} {what}" for what, n in row.items()) for name, row in self.values.items())
        return f"warm start from {self.base}: {'; '.join(counts)}"

    def record(self) -> dict[str, Any]:
        """Returns what `training.json` holds of it."""
        return {"warm": self.warm, "base": self.base, "note": self.note, "values": self.values}


def start_from(
    model: InterestModel,
    base: Base | ColdStart,
    vocabularies: Mapping[str, pa.Array],
    provenance: Provenance,
    first_held_out_s: int,
) -> Start:
    """Gives a model the weights of a base where that is sound, and says what it did.

    Args:
      model: A built model whose biases are initialised from its training examples.
      base: The base, if there is one.
      vocabularies: Vocabulary name -> the model's values in the order of their ids.
      provenance: Of the training examples.
      first_held_out_s: Unix time of the first cut of the eval split. A base whose labels look beyond it would have
        learned from what it is measured on.
    """
    if isinstance(base, ColdStart):
        return Start(note=base.note)
    seen = base.manifest.provenance
    if seen.labels_end_s > first_held_out_s:
        return Start(
            note=f"{base.name} has learned from what happened until {_day(seen.labels_end_s)}, and the eval split "
            f"begins on {_day(first_held_out_s)}: it would be measured on what it knows"
        )
    if provenance.held_out and provenance.held_out != seen.held_out:
        return Start(note=f"{base.name} may have learned from users who are held out now")
    if provenance.language and provenance.language != seen.language:
        return Start(note=f"{base.name} reads no texts, or vectors of another language model")
    counts = warm_start(model, base, vocabularies)
    return Start(note=counts.note) if isinstance(counts, ColdStart) else Start(base.name, values=counts)


def warm_start(model: InterestModel, base: Base, vocabularies: Mapping[str, pa.Array]) -> Counts | ColdStart:
    """Gives a model the weights of a base; all of them, or none.

    Args:
      model: A built model whose biases are initialised from its training examples.
      base: The base.
      vocabularies: Vocabulary name -> the model's values in the order of their ids.

    Returns:
      Vocabulary name -> how many values were `kept`, are `new` and were `dropped`; or why the weights do not fit.
    """
    variables = trained_variables(model)
    obstacle = _find_obstacle(model, base, variables)
    if obstacle:
        return ColdStart(obstacle)
    vocabularies = {**vocabularies, ACTION_NAMES: action_names(ACTIONS)}
    known = {name: base.vocabularies.get(name, pa.array([], pa.binary())) for name in vocabularies}
    places = {name: match_values(values, known[name]) for name, values in vocabularies.items()}
    values = {name: variable.numpy() for name, variable in variables.items()}
    for name, fresh in values.items():
        values[name] = base.weights[name]
        if rows := ROWS.get(name):
            taken = match_rows(rows, places[rows.vocabulary], len(base.vocabularies[rows.vocabulary]))
            values[name] = carry_rows(base.weights[name], fresh, taken)
    for name, variable in variables.items():
        variable.assign(values[name])
    return {name: _count(found, len(known[name])) for name, found in places.items()}


def _find_obstacle(model: InterestModel, base: Base, variables: Mapping[str, Any]) -> str:
    """Returns why the weights of a base do not fit; empty if they do."""
    if base.manifest.aggregates != AGGREGATE_INPUTS:
        return f"{base.name} reads other aggregates"
    here = {name: _shape(name, variable.shape) for name, variable in variables.items()}
    there = {name: _shape(name, weight.shape) for name, weight in base.weights.items()}
    differing = sorted(name for name in here.keys() | there.keys() if here.get(name) != there.get(name))
    if not differing:
        return ""
    before, now = base.manifest.model | base.manifest.sizes, model.settings.model_dump() | model.sizes.model_dump()
    changed = [name for name in now if before.get(name) != now[name] and name not in COUNTED]
    changes = "; ".join(f"{name} was {before.get(name)} and is {now[name]}" for name in changed) or _AGREE
    return f"{len(differing)} variables of {base.name} do not fit, {differing[0]} among them: {changes}"


def _shape(name: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Returns the part of a shape that does not depend on vocabularies."""
    return tuple(shape)[1:] if name in ROWS else tuple(shape)


def _count(places: np.ndarray, old_size: int) -> dict[str, int]:
    kept = int(np.count_nonzero(places >= 0))
    return {"kept": kept, "new": len(places) - kept, "dropped": old_size - kept}


def _day(time_s: int) -> str:
    return datetime.fromtimestamp(time_s, UTC).date().isoformat()

"""Names of the model's variables that stay the same from one export to the next, and what their rows stand for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from interest_migration.transform.vocabularies import BRANDS, CATEGORIES, CHILDREN, ITEMS, PARENTS, PLATFORMS
from schemas.features import (
    ACTION_IDS,
    BRAND_IDS,
    CATEGORY_IDS,
    CHILD_IDS,
    HORIZONS,
    ITEM_IDS,
    PARENT_IDS,
    PLATFORM_IDS,
)

if TYPE_CHECKING:
    from interest_migration.model.interest_model import InterestModel

ACTION_NAMES: Final = "actions"
"""Name under which the actions of `schemas.events` count as a vocabulary."""


@dataclass(frozen=True)
class Rows:
    """What the rows of a variable stand for.

    Attributes:
      vocabulary: Name of the vocabulary whose values have a row each, in its order.
      none: Whether a row for "none" comes first.
      unknown: Whether a row for "out of vocabulary" comes last.
    """

    vocabulary: str
    none: bool = True
    unknown: bool = True


ROWS: Final = {
    f"trajectory/events/{ITEM_IDS}/embeddings": Rows(ITEMS),
    f"trajectory/events/{CATEGORY_IDS}/embeddings": Rows(CATEGORIES),
    f"trajectory/events/{PARENT_IDS}/embeddings": Rows(PARENTS),
    f"trajectory/events/{CHILD_IDS}/embeddings": Rows(CHILDREN),
    f"trajectory/events/{BRAND_IDS}/embeddings": Rows(BRANDS),
    f"trajectory/events/{PLATFORM_IDS}/embeddings": Rows(PLATFORMS),
    f"trajectory/events/{ACTION_IDS}/embeddings": Rows(ACTION_NAMES, unknown=False),
    "repeats/actions/embeddings": Rows(ACTION_NAMES, unknown=False),
    "neighbours/actions/embeddings": Rows(ACTION_NAMES, unknown=False),
    "category_repeats/actions/embeddings": Rows(ACTION_NAMES, unknown=False),
    "profile/from_category/embeddings": Rows(CATEGORIES),
    "profile/values/embeddings": Rows(CATEGORIES),
    "profile/offsets/embeddings": Rows(CATEGORIES),
    "next_category/bias": Rows(CATEGORIES, none=False, unknown=False),
    **{f"propensity_{horizon}/bias": Rows(CATEGORIES, none=False, unknown=False) for horizon in HORIZONS},
    "next_item/bias": Rows(ITEMS),
}
"""Variables with one row per value of a vocabulary; all others mean the same under any vocabulary."""


def variable_names(model: InterestModel) -> list[str]:
    """Returns the name of each of `model.variables`, in their order; empty for those that are not trained.

    Keras numbers layers without a name over the whole model, so that a new layer would rename those behind it; here,
    tables of events are named by their feature, and layers of the fusion by their place.
    """
    aliases = {table.path: f"trajectory/events/{name}" for name, table in model.trajectory.events.tables.items()}
    aliases |= {layer.path: f"fusion/{place}" for place, layer in enumerate(model.fusion.layers)}
    return [_name(variable, aliases, model.name) if variable.trainable else "" for variable in model.variables]


def trained_variables(model: InterestModel) -> dict[str, Any]:
    """Returns name -> trained variable."""
    return {name: variable for name, variable in zip(variable_names(model), model.variables, strict=True) if name}


def _name(variable: Any, aliases: dict[str, str], model: str) -> str:
    owner, _, own = variable.path.rpartition("/")
    return f"{aliases.get(owner, owner.removeprefix(f'{model}/'))}/{own}"

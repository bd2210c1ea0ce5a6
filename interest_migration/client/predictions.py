"""What a client gets about users: interests, migration, churn, items."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from interest_migration.client.errors import AnswerError
from interest_migration.client.queries import Outputs
from schemas.features import HORIZONS
from schemas.signatures import (
    CHURN_PROBABILITY,
    CURRENT_CATEGORY,
    INTEREST,
    INTEREST_PROBABILITY,
    MIGRATION_FROM,
    MIGRATION_PROBABILITY,
    MIGRATION_TO,
    MODEL_ID,
    NEW_INTEREST,
    NEW_INTEREST_SHARE,
    NEXT_CATEGORY,
    NEXT_CATEGORY_PROBABILITY,
    NEXT_ITEM,
    NEXT_ITEM_SCORE,
    SWITCH_PROBABILITY,
    USER_EMBEDDING,
)

_NEEDED: Final = (CURRENT_CATEGORY, NEXT_CATEGORY, NEXT_ITEM, MIGRATION_FROM, MODEL_ID, USER_EMBEDDING)


@dataclass(frozen=True)
class Ranked:
    """A name with its probability, share or score."""

    name: str
    value: float


@dataclass(frozen=True)
class Prediction:
    """What the model says of one user. Lists are ranked, best first.

    Attributes:
      user: The caller's name of the user.
      version: Version of the model; None where the server does not say.
      model_id: Digest of the model.
      current_category: Where the user is; empty without history.
      next_categories: Categories of the next step, with probabilities.
      switch_probability: That the next step leaves the current category.
      migration_from: Where the user would come from.
      migration: Where to, with probabilities.
      interests: Horizon (`short`, `long`) -> categories with the probability that they are touched within it.
      new_interests: Horizon -> categories not touched of late, with their share among such.
      churn: Horizon -> probability that the user stops.
      items: Items, with scores that compare within one user.
      embedding: The user's vector.
    """

    user: str
    version: int | None
    model_id: str
    current_category: str
    next_categories: tuple[Ranked, ...]
    switch_probability: float
    migration_from: str
    migration: tuple[Ranked, ...]
    interests: Mapping[str, tuple[Ranked, ...]]
    new_interests: Mapping[str, tuple[Ranked, ...]]
    churn: Mapping[str, float]
    items: tuple[Ranked, ...]
    embedding: tuple[float, ...]

    def to_json(self) -> dict[str, Any]:
        """Returns plain values."""
        return asdict(self)


def predictions_of(outputs: Outputs, names: list[str]) -> list[Prediction]:
    """Returns one prediction per user.

    Args:
      outputs: Of the signature `predict`.
      names: The caller's names of the users.

    Raises:
      AnswerError: If an output is missing or has another number of rows.
    """
    try:
        for name in _NEEDED:
            if len(outputs[name]) != len(names):
                raise AnswerError(f"expected {len(names)} rows of {name}, received {len(outputs[name])}")
        return [_prediction(outputs, row, name) for row, name in enumerate(names)]
    except KeyError as error:
        raise AnswerError(f"expected the outputs of the signature predict, received none of {error}") from error


def _prediction(outputs: Outputs, row: int, user: str) -> Prediction:
    return Prediction(
        user=user,
        version=outputs.version,
        model_id=_text(outputs[MODEL_ID][row]),
        current_category=_text(outputs[CURRENT_CATEGORY][row]),
        next_categories=_ranked(outputs, NEXT_CATEGORY, NEXT_CATEGORY_PROBABILITY, row),
        switch_probability=float(outputs[SWITCH_PROBABILITY][row]),
        migration_from=_text(outputs[MIGRATION_FROM][row]),
        migration=_ranked(outputs, MIGRATION_TO, MIGRATION_PROBABILITY, row),
        interests={h: _ranked(outputs, INTEREST[h], INTEREST_PROBABILITY[h], row) for h in HORIZONS},
        new_interests={h: _ranked(outputs, NEW_INTEREST[h], NEW_INTEREST_SHARE[h], row) for h in HORIZONS},
        churn={h: float(outputs[CHURN_PROBABILITY[h]][row]) for h in HORIZONS},
        items=_ranked(outputs, NEXT_ITEM, NEXT_ITEM_SCORE, row),
        embedding=tuple(outputs[USER_EMBEDDING][row].tolist()),
    )


def _ranked(outputs: Outputs, names: str, values: str, row: int) -> tuple[Ranked, ...]:
    """Pairs names with values; empty names stand for places that were not filled."""
    pairs = zip(outputs[names][row].tolist(), outputs[values][row].tolist(), strict=True)
    return tuple(Ranked(_text(name), value) for name, value in pairs if name)


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")

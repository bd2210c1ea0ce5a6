"""Trained on one platform with texts alone, asked on another: nothing of that platform was seen in training.

The users of the target whose next step holds items with texts ask for them among all items of the target with texts:

    text               the model of the source, by `score_items`: histories and candidates are vectors of texts
    own texts          how often the user met the candidate's very text; needs no training either
    popularity, user's most frequent items, transitions between items     counted on the target's own training part
    chance             all tied
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from interest_migration.across_platforms.platform import Platform, as_foreign
from interest_migration.baselines.next_item import BlockScorer, FrequentItems, ItemPopularity, ItemTransitions
from interest_migration.baselines.settings import BaselineSettings
from interest_migration.cold_items.scoring import Method, Ranked, by_text, compare_methods, constant
from interest_migration.cold_items.training_data import from_scratch, with_texts, write_splits
from interest_migration.errors import ConfigError, DataError
from interest_migration.evaluation.bootstrap import Resamples
from interest_migration.evaluation.spaces import (
    IdSpaces,
    Numbers,
    dense_column,
    ragged_column,
    select,
    take_examples,
    take_rows,
)
from interest_migration.model.interest_model import InterestModel
from interest_migration.model.settings import ModelSettings, TextSettings
from interest_migration.ragged import Examples, Ragged
from interest_migration.training.settings import TrainingSettings
from interest_migration.training.train import train
from schemas.features import ITEM_IDS, NEXT_ITEMS, TEXT_IDS, USER, label_name

TEXT: Final = "text"
"""The method that the others are compared with."""


@dataclass(frozen=True)
class Transfer:
    """What the experiment needs.

    Attributes:
      source: The platform to train on.
      target: The platform whose users are asked for.
      model: Settings of the model; it will know items by their texts alone whatever they say.
      training: How it is trained.
      baselines: Settings of the counting methods.
      seed: Of the resamples.
      resamples: Bootstrap resamples behind the intervals.
    """

    source: Platform
    target: Platform
    model: ModelSettings
    training: TrainingSettings
    baselines: BaselineSettings
    seed: int = 0
    resamples: int = 200


@dataclass(frozen=True)
class TransferResult(Ranked):
    """What came out; candidates are the items of the target that have texts.

    Attributes:
      trained_on: Number of training examples of the source.
    """

    trained_on: int


def run_transfer(transfer: Transfer, directory: Path, report: Callable[[str], None] = print) -> TransferResult:
    """Trains on the source and ranks the items of the target for its users.

    Args:
      transfer: What to do.
      directory: Scratch space.
      report: Receives lines on progress.

    Raises:
      ConfigError: If the texts of the two platforms were read by different language models.
      DataError: If no test example of the target asks for an item with a text.
    """
    source, target = transfer.source, transfer.target
    if source.vectors.digest != target.vectors.digest:
        raise ConfigError(
            "expected one section `language` for source and target, received two: vectors of different language models "
            "have nothing to do with each other"
        )
    known = np.any(target.vectors.items[1:-1] != 0, axis=1)
    asked, right = _asking(target.splits["test"], known)
    report(f"{known.sum():,} items of the target have texts; {len(right):,} examples ask for them")
    model = _train(transfer, directory, report)
    methods = {
        TEXT: by_text(model, as_foreign(asked, source.sizes), target.vectors.items[1:-1][known], _read(asked, target)),
        "own texts": _own_texts(asked, target, known),
        **_counted(transfer, asked, known),
        "chance": constant(np.zeros(int(known.sum()))),
    }
    users = dense_column(asked, USER)
    values, differences = compare_methods(
        methods, right, TEXT, Resamples.draw(users, transfer.resamples, transfer.seed)
    )
    trained_on = len(source.splits["train"][USER])
    return TransferResult(int(known.sum()), len(users), len(np.unique(users)), values, differences, trained_on)


def _asking(test: Examples, known: Numbers) -> tuple[Examples, Ragged]:
    """Returns the examples that ask for a known item, and which of the known ones, counted from 0, are right."""
    labels = ragged_column(test, label_name(NEXT_ITEMS))
    numbers = np.pad(np.where(known, np.cumsum(known) - 1, -1), 1, constant_values=-1)[labels.values]
    right = select(Ragged(numbers, labels.offsets), numbers >= 0)
    rows = np.flatnonzero(right.lengths > 0)
    if not len(rows):
        raise DataError("expected test examples of the target whose next step holds an item with a text, received none")
    return take_examples(test, rows), take_rows(right, rows)


def _train(transfer: Transfer, directory: Path, report: Callable[[str], None]) -> InterestModel:
    source, text = transfer.source, TextSettings(**{**transfer.model.text.model_dump(), "only": True})
    data = write_splits(source.splits, source.sizes, source.new_interest_days, directory)
    model = transfer.model.model_copy(update={"text": text})
    return train(with_texts(data, source.vectors), model, from_scratch(transfer.training), directory, report).model


def _read(asked: Examples, target: Platform) -> Numbers:
    """Returns `[E, W]` the vectors of the texts of all events: of the item, and of what was typed."""
    items = target.vectors.items[ragged_column(asked, ITEM_IDS).values]
    typed = ragged_column(asked, TEXT_IDS).values
    return items if not typed.any() else items + target.vectors.texts[typed]


def _own_texts(asked: Examples, target: Platform, known: Numbers) -> Method:
    _, texts = np.unique(target.vectors.items, axis=0, return_inverse=True)
    history, size = ragged_column(asked, ITEM_IDS), int(texts.max()) + 1
    candidates = texts[1:-1][known]

    def method(start: int, stop: int) -> Numbers:
        rows = take_rows(history, np.arange(start, stop))
        places = rows.row_ids * size + texts[rows.values]
        return np.bincount(places, minlength=(stop - start) * size).reshape(stop - start, size)[:, candidates]

    return method


def _counted(transfer: Transfer, asked: Examples, known: Numbers) -> dict[str, Method]:
    spaces = IdSpaces(transfer.target.sizes.categories, transfer.target.sizes.items)
    found: dict[str, Method] = {}
    for method in (ItemPopularity(spaces), FrequentItems(spaces), ItemTransitions(spaces, transfer.baselines)):
        method.fit(transfer.target.splits["train"])
        found[f"target {method.name}"] = _among(method.score(asked), known)
    return found


def _among(scorer: BlockScorer, known: Numbers) -> Method:
    return lambda start, stop: scorer(start, stop)[:, known]

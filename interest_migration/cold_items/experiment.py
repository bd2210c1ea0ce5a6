"""Items that were never seen: a share of the items is held out entirely and ranked afterwards.

No event and no label of a cold item is in what training and histories show, and no vocabulary holds it: test examples
stand at the moment before it is first offered. Those whose next step holds cold items ask for them among all of these:

    text              the model with texts, by `score_items`
    attributes        the model without texts, by the vectors of the cold item's category, parent, child and brand
    ids               the same model by item ids alone: it has none for these items, so all are tied, which is chance
    others            see `simple_methods`
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from interest_migration.cold_items.held_out_items import without_items
from interest_migration.cold_items.scoring import (
    Method,
    Ranked,
    by_query,
    by_text,
    compare_methods,
    constant,
    rows_of,
)
from interest_migration.cold_items.simple_methods import Ids, count_scores, describe_items, own_popularity
from interest_migration.cold_items.training_data import from_scratch, with_texts, write_splits
from interest_migration.errors import DataError
from interest_migration.evaluation.bootstrap import Resamples
from interest_migration.evaluation.spaces import dense_column, ragged_column, select, take_examples
from interest_migration.language.text_vectors import TextVectors
from interest_migration.model.interest_model import ITEM_ATTRIBUTES, InterestModel
from interest_migration.model.settings import ModelSettings, VocabularySizes
from interest_migration.ragged import Examples, Ragged, read_examples
from interest_migration.training.label_share import choose_users
from interest_migration.training.settings import TrainingSettings
from interest_migration.training.train import TrainingData, before_training, train
from schemas.features import ITEM_IDS, NEXT_ITEMS, TRANSFORMED_FEATURES, USER, label_name

TEXT: Final = "text"
"""The method that the others are compared with."""


@dataclass(frozen=True)
class Trial:
    """What the experiment needs of a finished run.

    Attributes:
      paths: Split name -> gzip TFRecord files of transformed examples.
      sizes: Vocabulary sizes, without texts.
      vectors: Vectors of texts by id.
      new_interest_days: As in training.
      model: Settings of both models.
      training: How both are trained.
      share: Share of the items that are held out.
      sample: Share of the users whose training examples are used.
      seed: Of the choice of items and users.
      resamples: Bootstrap resamples behind the intervals.
      trained: Whether to train; else texts are read with first weights, and no model without texts is made.
    """

    paths: Mapping[str, Sequence[str]]
    sizes: VocabularySizes
    vectors: TextVectors
    new_interest_days: float
    model: ModelSettings
    training: TrainingSettings
    share: float = 0.1
    sample: float = 1.0
    seed: int = 0
    resamples: int = 200
    trained: bool = True


def run_trial(trial: Trial, directory: Path, report: Callable[[str], None] = print) -> Ranked:
    """Trains with and without texts and ranks the cold items.

    Args:
      trial: What to do.
      directory: Scratch space.
      report: Receives lines on progress.

    Raises:
      DataError: If no test example asks for a cold item.
    """
    cold = choose_cold(trial.sizes.items, trial.share, trial.seed)
    splits = {name: _sample(_read(paths), trial, name) for name, paths in trial.paths.items()}
    asking = _asking(splits["test"], cold)
    catalogue = describe_items(list(splits.values()), trial.sizes.items)
    kept = {name: without_items(splits[name], cold) for name in ("train", "eval")}
    sizes = trial.sizes.model_copy(update={"items": int((~cold).sum()) - 2})
    data = write_splits(kept, sizes, trial.new_interest_days, directory)
    known = TextVectors(trial.vectors.items[~cold], trial.vectors.texts, trial.vectors.digest)
    asked = without_items(asking, cold)
    report(f"{cold.sum():,} of {trial.sizes.items:,} items are held out; {len(asked[USER]):,} examples ask for them")
    methods = {name: rows_of(found) for name, found in count_scores(kept["train"], asked, cold, catalogue).items()}
    methods["own popularity"] = constant(own_popularity(splits["train"], cold))
    for model in _models(trial, data, known, directory, report):
        if model.sizes.text_width:
            methods[TEXT] = by_text(model, asked, trial.vectors.items[cold])
        else:
            methods |= _attributes(model, asked, catalogue[cold])
    users = dense_column(asked, USER)
    resamples = Resamples.draw(users, trial.resamples, trial.seed)
    values, differences = compare_methods(methods, _right(asking, cold), TEXT, resamples)
    return Ranked(int(cold.sum()), len(users), len(np.unique(users)), values, differences)


def _models(
    trial: Trial, data: TrainingData, known: TextVectors, directory: Path, report: Callable[[str], None]
) -> Iterator[InterestModel]:
    settings, read = from_scratch(trial.training), with_texts(data, known)
    if not trial.trained:
        yield before_training(read, trial.model, settings)
        return
    for name, given in (("with", read), ("without", data)):
        report(f"training {name} texts")
        yield train(given, trial.model, settings, directory / name, report).model


def choose_cold(size: int, share: float, seed: int) -> npt.NDArray[np.bool_]:
    """Returns `[V + 2]` which items are held out, drawn at random whatever their frequency."""
    drawn = np.random.default_rng(seed).random(size) < share
    return np.pad(drawn, 1)


def _read(paths: Sequence[str]) -> Examples:
    return read_examples(sorted(paths), TRANSFORMED_FEATURES)


def _sample(examples: Examples, trial: Trial, split: str) -> Examples:
    if trial.sample >= 1 or split == "test":
        return examples
    chosen = choose_users(dense_column(examples, USER), trial.sample, trial.seed)
    return take_examples(examples, np.flatnonzero(chosen))


def _asking(test: Examples, cold: npt.NDArray[np.bool_]) -> Any:
    labels = ragged_column(test, label_name(NEXT_ITEMS))
    rows = np.unique(labels.row_ids[cold[labels.values]])
    if not len(rows):
        raise DataError(f"expected test examples whose next step holds one of {cold.sum()} cold items, received none")
    return take_examples(test, rows)


def _right(asked: Examples, cold: npt.NDArray[np.bool_]) -> Ragged:
    """Returns for each example which of the cold items, counted from 0, are right."""
    labels = ragged_column(asked, label_name(NEXT_ITEMS))
    wanted = select(labels, cold[labels.values])
    return Ragged((np.cumsum(cold) - 1)[wanted.values], wanted.offsets)


def _attributes(model: InterestModel, asked: Examples, catalogue: Ids) -> dict[str, Method]:
    tables = model.trajectory.events.tables
    unknown = tables[ITEM_IDS](tf.constant([model.sizes.items + 1]))
    attributes = tf.constant(catalogue, tf.int32)
    vectors = sum((tables[name](attributes[:, column]) for column, name in enumerate(ITEM_ATTRIBUTES)), unknown)

    @tf.function(reduce_retracing=True, autograph=False)
    def score(batch: dict[str, Any]) -> tf.Tensor:
        return tf.matmul(model(batch, training=False)["item_query"], vectors, transpose_b=True)

    return {"attributes": by_query(score, asked), "ids": constant(np.zeros(len(catalogue)))}

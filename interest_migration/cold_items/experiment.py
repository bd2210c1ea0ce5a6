"""Items that were never seen: a share of the items is held out of training entirely and ranked afterwards.

Training sees no event and no label of a cold item, and its vocabulary does not hold it. Test examples whose next step
holds cold items then ask for them among all cold items:

    text              the model with texts, by `score_items`: the cold item's text, and those of cold items in histories
    attributes        the model without texts, by the vectors of the cold item's category, parent, child and brand
    ids               the same model by item ids alone: it has none for these items, so all are tied, which is chance
    popularity        how often the item's narrowest category was met in training
    own categories    the same, those of the user's history first
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from interest_migration.cold_items.held_out_items import renumber, without_items
from interest_migration.errors import DataError
from interest_migration.evaluation.bootstrap import Estimate, Resamples, estimate_mean
from interest_migration.evaluation.ranking import hit_at, ndcg_at, rank_labels
from interest_migration.evaluation.spaces import dense_column, ragged_column, select, take_examples
from interest_migration.examples.encode import write_examples
from interest_migration.language.text_vectors import TextVectors
from interest_migration.model.inputs import INPUT_SPECS, pad
from interest_migration.model.interest_model import ITEM_ATTRIBUTES, InterestModel
from interest_migration.model.settings import ModelSettings, VocabularySizes
from interest_migration.model.text_inputs import score_by_text
from interest_migration.ragged import Examples, Ragged, read_examples
from interest_migration.training.settings import TrainingSettings
from interest_migration.training.train import TrainingData, train
from schemas.features import CHILD_IDS, ITEM_IDS, NEXT_ITEMS, TRANSFORMED_FEATURES, USER, label_name

_BATCH: Final = 256
Ids = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float64]


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


@dataclass(frozen=True)
class ColdResult:
    """What came out: per method HR@10 and NDCG@10 among `candidates` cold items, over `examples` of `users` users."""

    candidates: int
    examples: int
    users: int
    methods: Mapping[str, Mapping[str, Estimate]]


def run_trial(trial: Trial, directory: Path, report: Callable[[str], None] = print) -> ColdResult:
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
    asked = _asking(splits["test"], cold)
    catalogue = describe_items(list(splits.values()), trial.sizes.items)
    directory.mkdir(parents=True, exist_ok=True)
    paths = {name: directory / f"{name}.gz" for name in ("train", "eval")}
    for name, path in paths.items():
        write_examples(without_items(splits[name], cold), path)
    report(f"{cold.sum():,} of {trial.sizes.items:,} items are held out; {len(asked[USER]):,} examples ask for them")
    scores = _count_scores(splits["train"], asked, cold, catalogue)
    for texts in (True, False):
        report(f"training {'with' if texts else 'without'} texts")
        model = _train(trial, cold, paths, texts, directory / f"texts-{texts}", report)
        scores |= _model_scores(model, trial, asked, cold, catalogue, texts)
    users = dense_column(asked, USER)
    right, resamples = _right(asked, cold), Resamples.draw(users, trial.resamples, trial.seed)
    methods = {name: _measure(values, right, resamples) for name, values in scores.items()}
    return ColdResult(int(cold.sum()), len(users), len(np.unique(users)), methods)


def _measure(scores: Scores, right: Ragged, resamples: Resamples) -> dict[str, Estimate]:
    ranks = rank_labels(scores, right, depth=10)
    return {
        "hr_at_10": estimate_mean(hit_at(ranks, 10), resamples),
        "ndcg_at_10": estimate_mean(ndcg_at(ranks, 10), resamples),
    }


def choose_cold(size: int, share: float, seed: int) -> npt.NDArray[np.bool_]:
    """Returns `[V + 2]` which items are held out, drawn at random whatever their frequency."""
    drawn = np.random.default_rng(seed).random(size) < share
    return np.pad(drawn, 1)


def describe_items(splits: Sequence[Examples], size: int) -> Ids:
    """Returns `[V + 2, A]` the attributes of every item, as a shop knows them of its whole catalogue."""
    attributes = np.zeros((size + 2, len(ITEM_ATTRIBUTES)), np.int64)
    for examples in splits:
        for column, name in enumerate(ITEM_ATTRIBUTES):
            attributes[ragged_column(examples, ITEM_IDS).values, column] = ragged_column(examples, name).values
    attributes[[0, -1]] = 0
    return attributes


def _read(paths: Sequence[str]) -> Examples:
    return read_examples(sorted(paths), TRANSFORMED_FEATURES)


def _sample(examples: Examples, trial: Trial, split: str) -> Examples:
    if trial.sample >= 1 or split == "test":
        return examples
    users, codes = np.unique(np.asarray(examples[USER]), return_inverse=True)
    chosen = np.random.default_rng(trial.seed).random(len(users)) < trial.sample
    return take_examples(examples, np.flatnonzero(chosen[codes]))


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


def _count_scores(
    train_split: Examples, asked: Examples, cold: npt.NDArray[np.bool_], catalogue: Ids
) -> dict[str, Any]:
    """Popularity of the narrowest category, of events that training sees; and the user's own categories first."""
    child = ITEM_ATTRIBUTES.index(CHILD_IDS)
    items = ragged_column(train_split, ITEM_IDS).values
    kinds = int(catalogue[:, child].max()) + 1
    popular = np.bincount(catalogue[items[~cold[items]], child], minlength=kinds).astype(np.float64)
    popular[0] = 0
    wanted = catalogue[cold, child]
    history = ragged_column(asked, ITEM_IDS)
    own = np.zeros((len(history), kinds))
    np.add.at(own, (history.row_ids, catalogue[history.values, child]), 1)
    own[:, 0] = 0
    share = popular / max(popular.sum(), 1)
    ranked = np.broadcast_to(popular[wanted], (len(history), len(wanted)))
    return {"popularity": ranked, "own categories": own[:, wanted] + share[wanted]}


def _train(
    trial: Trial,
    cold: npt.NDArray[np.bool_],
    paths: Mapping[str, Path],
    texts: bool,
    directory: Path,
    report: Callable[[str], None],
) -> InterestModel:
    kept = TextVectors(trial.vectors.items[~cold], trial.vectors.texts, trial.vectors.digest)
    sizes = {"items": int((~cold).sum()) - 2, "text_width": kept.width if texts else 0}
    data = TrainingData(
        [str(paths["train"])],
        [str(paths["eval"])],
        trial.sizes.model_copy(update=sizes),
        trial.new_interest_days,
        texts=kept if texts else None,
    )
    settings = trial.training.model_copy(update={"warm_start": False, "checkpoint_directory": None})
    return train(data, trial.model, settings, directory, report).model


def _model_scores(
    model: InterestModel, trial: Trial, asked: Examples, cold: npt.NDArray[np.bool_], catalogue: Ids, texts: bool
) -> dict[str, Scores]:
    table = tf.constant(trial.vectors.items, tf.float32)
    candidates = tf.gather(table, np.flatnonzero(cold))
    attributes = tf.constant(catalogue[cold], tf.int32)
    ids = renumber(cold)
    parts: list[Scores] = []
    for start in range(0, len(asked[USER]), _BATCH):
        rows = np.arange(start, min(start + _BATCH, len(asked[USER])))
        batch = _batch(take_examples(asked, rows))
        given = batch[ITEM_IDS].numpy()
        batch[ITEM_IDS] = tf.constant(ids[given], tf.int32)
        if texts:
            events = tf.where(cold[given][..., np.newaxis], tf.gather(table, given), 0.0)
            parts.append(score_by_text(model, batch, events, candidates).numpy())
        else:
            parts.append(_attribute_scores(model, batch, attributes))
    scores = np.concatenate(parts).astype(np.float64)
    return {"text": scores} if texts else {"attributes": scores, "ids": np.zeros_like(scores)}


def _attribute_scores(model: InterestModel, batch: dict[str, Any], attributes: tf.Tensor) -> Scores:
    tables = model.trajectory.events.tables
    unknown = tables[ITEM_IDS](tf.constant([model.sizes.items + 1]))
    vectors = sum((tables[name](attributes[:, column]) for column, name in enumerate(ITEM_ATTRIBUTES)), unknown)
    query = model(batch, training=False)["item_query"]
    return tf.matmul(query, vectors, transpose_b=True).numpy()


def _batch(examples: Examples) -> dict[str, Any]:
    columns = {spec.name: _tensor(examples[spec.name]) for spec in INPUT_SPECS}
    return pad(columns, INPUT_SPECS)


def _tensor(column: Any) -> Any:
    if isinstance(column, Ragged):
        return tf.RaggedTensor.from_row_splits(column.values, column.offsets)
    return tf.constant(column)

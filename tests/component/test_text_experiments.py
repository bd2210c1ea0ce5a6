"""Both experiments with texts on tiny shops in which users keep to a kind of goods, and only texts tell the kind."""

from dataclasses import replace

import numpy as np
import pytest
from transformed_examples import transformed
from transformed_records import SMALL_MODEL

from interest_migration.across_platforms.experiment import Transfer, run_transfer
from interest_migration.across_platforms.platform import Platform
from interest_migration.baselines.settings import BaselineSettings
from interest_migration.cold_items import experiment
from interest_migration.cold_items.experiment import Trial, run_trial
from interest_migration.errors import ConfigError
from interest_migration.examples.encode import write_examples
from interest_migration.language.text_vectors import TextVectors
from interest_migration.model.manifest import Provenance
from interest_migration.model.settings import LossWeights, ModelSettings, VocabularySizes
from interest_migration.training.settings import TrainingSettings
from interest_migration.training.train import TrainedModel, before_training
from schemas.features import (
    ACTION_IDS,
    AGE_BUCKETS,
    CUT_TIME,
    ITEM_IDS,
    NEXT_ITEMS,
    STEP_INDEX,
    TRANSFORMED_FEATURES,
    USER,
    Shape,
    label_name,
)

KINDS, ITEMS, STEPS = 6, 120, 4
SIZES = VocabularySizes(
    categories=1, items=ITEMS, parents=1, children=1, brands=1, platforms=1, price_buckets=4, sessions=4
)
NONE = dict.fromkeys(LossWeights.model_fields, 0)
MODEL = ModelSettings(**SMALL_MODEL, loss_weights=NONE | {"next_item": 0.1, "new_item": 1})
TRAINING = TrainingSettings(epochs=2, batch_size=32, learning_rate=0.01, calibration_share=0)


def shop(seed):
    """Item i is of kind i % 6, whatever the shop; texts of a kind are near each other."""
    rng = np.random.default_rng(seed)
    kinds = np.eye(KINDS, 8)[np.arange(ITEMS) % KINDS] + rng.normal(scale=0.1, size=(ITEMS, 8))
    vectors = TextVectors(np.pad(kinds, [(1, 1), (0, 0)]).astype(np.float16), np.zeros((3, 8), np.float16), "same")
    splits = {name: _examples(rng, count, name) for name, count in (("train", 256), ("eval", 32), ("test", 96))}
    return Platform(splits, SIZES, vectors, 56.0)


def _examples(rng, count, name):
    kind = rng.integers(KINDS, size=(count, 1))
    items = 1 + kind + KINDS * rng.integers(ITEMS // KINDS, size=(count, STEPS + 1))
    events = {spec.name: np.ones((count, STEPS), int) for spec in TRANSFORMED_FEATURES if spec.shape is Shape.EVENTS}
    events |= {ITEM_IDS: items[:, :STEPS], STEP_INDEX: np.tile(np.arange(STEPS)[::-1], (count, 1))}
    events |= {ACTION_IDS: events[ACTION_IDS], AGE_BUCKETS: 10 + 2 * events[STEP_INDEX]}
    labels = {label_name(NEXT_ITEMS): items[:, STEPS:], USER: [f"{name} {row}".encode() for row in range(count)]}
    return transformed(count, **events, **labels, **{CUT_TIME: [86_400 * 10] * count})


@pytest.fixture(scope="module")
def shops():
    return shop(1), shop(2)


def test_a_model_of_texts_serves_a_platform_that_it_never_saw(shops, tmp_path):
    transfer = Transfer(*shops, MODEL, TRAINING, BaselineSettings(), resamples=20)
    result = run_transfer(transfer, tmp_path, lambda _: None)
    assert (result.trained_on, result.candidates, result.examples, result.users) == (256, ITEMS, 96, 96)
    hits = {name: measures["hr_at_10"].value for name, measures in result.methods.items()}
    assert hits["chance"] == pytest.approx(10 / ITEMS)
    assert hits["text"] > 0.35  # 20 items are of the user's kind
    assert set(result.methods) - set(result.differences) == {"text"}
    assert result.differences["target popularity"]["hr_at_10"].low > 0


def test_vectors_of_two_language_models_are_refused(shops, tmp_path):
    source, target = shops
    other = TextVectors(target.vectors.items, target.vectors.texts, "another")
    foreign = Platform(target.splits, target.sizes, other, 56.0)
    with pytest.raises(ConfigError, match="language"):
        run_transfer(Transfer(source, foreign, MODEL, TRAINING, BaselineSettings()), tmp_path)


def test_new_items_are_ranked_by_their_texts_and_not_without(shops, tmp_path, monkeypatch):
    monkeypatch.setattr(experiment, "train", build)
    source, _ = shops
    paths = {name: [str(tmp_path / f"{name}.gz")] for name in source.splits}
    for name, examples in source.splits.items():
        write_examples(examples, tmp_path / f"{name}.gz")
    trial = Trial(paths, SIZES, source.vectors, 56.0, MODEL, TRAINING, share=0.4, resamples=20)
    counted = run_trial(replace(trial, trained=False), tmp_path / "counted", lambda _: None)
    result = run_trial(trial, tmp_path / "trial", lambda _: None)
    found = {name: measures["hr_at_10"].value for name, measures in result.methods.items()}
    chance = 10 / result.candidates
    assert found["ids"] == pytest.approx(chance)
    assert found["text"] > 2 * chance
    assert found["popularity"] == pytest.approx(chance)  # one category for all
    assert result.differences["ids"]["hr_at_10"].low > 0
    assert set(result.methods) - set(counted.methods) == {"ids", "attributes"}
    assert counted.methods["text"]["hr_at_10"].value > 2 * chance


def build(data, model, settings, directory, report):
    """A model before its first step: its neighbours know already who wants what; training takes a minute."""
    return TrainedModel(before_training(data, model, settings), {}, True, Provenance())

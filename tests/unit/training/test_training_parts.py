"""Base rates, validation score, strategies."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf
from transformed_records import SIZES, SMALL_MODEL, make_batch, make_transformed

from interest_migration.model.interest_model import ITEM_ATTRIBUTES, InterestModel
from interest_migration.model.pair_numbers import COUNTS
from interest_migration.model.settings import ModelSettings
from interest_migration.training.priors import initialise
from interest_migration.training.settings import TrainingSettings
from interest_migration.training.strategy import is_chief, make_strategy, numerics, worker_directory
from interest_migration.training.validation import Validation
from schemas.features import (
    CUT_TIME,
    FUTURE_CATEGORIES,
    HORIZON_OBSERVED,
    INTEREST_IDS,
    INTEREST_RECENCY,
    ITEM_IDS,
    NEW_CATEGORIES,
    NEXT_CATEGORIES,
    label_name,
)


@pytest.fixture(scope="module")
def batch():
    rng = np.random.default_rng(0)
    return make_batch([make_transformed(rng, steps=2, known=number < 3) for number in range(4)])


@pytest.fixture(scope="module")
def model(batch):
    model = InterestModel(ModelSettings(**SMALL_MODEL).model_dump(), SIZES, 56.0)
    model(batch)
    return model


def test_biases_start_at_base_rates(model, batch):
    changed = batch | {
        label_name(NEXT_CATEGORIES): tf.constant([[1], [1], [2], [0]]),
        label_name(FUTURE_CATEGORIES["short"]): tf.constant([[1, 2], [1, 0], [0, 7], [3, 0]]),
        label_name(HORIZON_OBSERVED["short"]): tf.constant([1, 1, 1, 0]),
        label_name(NEW_CATEGORIES["short"]): tf.constant([[2], [0], [0], [3]]),
        INTEREST_IDS: tf.constant([[1, 3], [2, 0], [1, 0], [3, 0]]),
        **dict.fromkeys((INTEREST_RECENCY, *COUNTS), tf.ones([4, 2])),
    }
    initialise(model, [changed])
    outside = np.exp(model.propensity[0].bias.numpy())
    inside = outside * np.exp(model.profile.offsets.embeddings.numpy()[1:-1, 1])
    # Three examples are observed. Category 1: outside one profile and followed there; in two, followed in one.
    # Category 2: outside two, followed in one; in one, not followed. Category 3: in one, outside two, never followed.
    np.testing.assert_allclose(outside, [1.5 / 0.5, 1.5 / 1.5, 0.5 / 2.5, *[0.5 / 3.5] * 3], rtol=1e-5)
    np.testing.assert_allclose(inside, [1.5 / 1.5, 0.5 / 1.5, 0.5 / 1.5, *[0.5 / 0.5] * 3], rtol=1e-5)
    assert model.newest_cut.numpy() == batch[CUT_TIME].numpy().max()
    # What a profile holds was touched a day ago, so it is no candidate; the last example is not observed.
    rates = np.log([0.5 / 1.5, 1.5 / 1.5, 0.5 / 2.5, *[0.5 / 3.5] * 3])
    np.testing.assert_allclose(model.new_interest.rates.numpy()[0], rates - rates.mean(), rtol=1e-5)
    np.testing.assert_allclose(model.new_interest.bias.numpy()[0], np.log(1.5 / 13.5), rtol=1e-5)
    shares = np.exp(model.next_category.bias.numpy())
    np.testing.assert_allclose(shares, np.array([2.5, 1.5, 0.5, 0.5, 0.5, 0.5]), rtol=1e-5)


def test_pairs_know_what_is_usual_and_what_goes_together(model, batch):
    changed = batch | {INTEREST_IDS: tf.constant([[1, 3], [2, 0], [1, 0], [3, 0]]), INTEREST_RECENCY: tf.ones([4, 2])}
    changed |= {name: tf.constant([[4.0, 4], [4, 0], [4, 0], [4, 0]]) for name in COUNTS}
    initialise(model, [changed])
    np.testing.assert_allclose(model.pairs.usual.numpy()[:, 0], [2, 1, 2, 0, 0, 0])
    together = model.pairs.co_interest.numpy()
    assert together[0, 2] > 0
    assert together[2, 0] > 0
    assert np.count_nonzero(together) == 2


def test_attributes_of_items_come_from_their_events(model, batch):
    initialise(model, [batch])
    table = model.next_item.attribute_ids.numpy()
    items = batch[ITEM_IDS].numpy()
    for item in (1, 2):
        seen = {
            tuple(batch[name].numpy()[row, column] for name in ITEM_ATTRIBUTES)
            for row, column in zip(*np.nonzero(items == item), strict=True)
        }
        assert tuple(table[item]) in seen
    assert not table[[0, 5, -1]].any()


def test_validation_leaves_out_what_is_unknown(model, batch):
    unknown = make_batch([make_transformed(np.random.default_rng(0), steps=1, known=False)] * 2)
    metrics = Validation(model, tf.data.Dataset.from_tensors(unknown)).run()
    assert metrics == {"score": 0.0}


def test_validation_score_is_the_mean_over_tasks(model, batch):
    metrics = Validation(model, tf.data.Dataset.from_tensors(batch)).run()
    churn = [metrics[name] for name in ("churn_short_auc", "churn_long_auc") if name in metrics]
    propensity = (metrics["propensity_short_user_auc"] + metrics["propensity_long_user_auc"]) / 2
    new = [metrics[name] for name in ("new_interest_short_user_auc", "new_interest_long_user_auc") if name in metrics]
    tasks = [sum(values) / len(values) for values in (churn, new) if values]
    tasks += [propensity, metrics["next_category_hit_at_5"]]
    assert metrics["score"] == pytest.approx(sum(tasks) / len(tasks))


def test_precision_is_set_back():
    with numerics(TrainingSettings(precision="mixed_bfloat16", deterministic=False)):
        assert keras.layers.Dense(1).compute_dtype == "bfloat16"
    assert keras.layers.Dense(1).compute_dtype == "float32"


def test_strategies_of_one_machine():
    assert isinstance(make_strategy(TrainingSettings(strategy="one_device")), tf.distribute.OneDeviceStrategy)
    assert isinstance(make_strategy(TrainingSettings(strategy="mirrored")), tf.distribute.MirroredStrategy)
    default = make_strategy(TrainingSettings())
    assert default.num_replicas_in_sync == 1
    assert is_chief(default)


@pytest.mark.parametrize(
    ("jobs", "task", "chief"),
    [
        ({"worker": ["a:1", "b:1"]}, ("worker", 0), True),
        ({"worker": ["a:1", "b:1"]}, ("worker", 1), False),
        ({"chief": ["a:1"], "worker": ["b:1"]}, ("worker", 0), False),
        ({"chief": ["a:1"], "worker": ["b:1"]}, ("chief", 0), True),
    ],
)
def test_one_worker_is_chief_and_the_others_write_elsewhere(tmp_path, jobs, task, chief):
    cluster = tf.train.ClusterSpec(jobs)
    resolver = SimpleNamespace(task_type=task[0], task_id=task[1], cluster_spec=lambda: cluster)
    strategy = SimpleNamespace(cluster_resolver=resolver)
    assert is_chief(strategy) is chief
    assert worker_directory(strategy, tmp_path) == (tmp_path if chief else tmp_path / f"{task[0]}-{task[1]}")

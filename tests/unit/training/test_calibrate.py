"""Held-out users, and a model calibrated on them."""

import numpy as np
import pytest
from transformed_records import SIZES, SMALL_MODEL, make_batch, make_transformed, write_records

from interest_migration.evaluation.discrimination import auroc
from interest_migration.model.interest_model import InterestModel
from interest_migration.model.probability_calibration import CALIBRATED
from interest_migration.training.calibrate import calibrate, hold_out
from interest_migration.training.churn_trees import fit_churn_trees
from interest_migration.training.input import ExampleSource
from interest_migration.training.priors import initialise
from interest_migration.training.settings import TrainingSettings
from schemas.features import AGGREGATES, USER

SETTINGS = TrainingSettings(calibration_share=0.5)


@pytest.fixture(scope="module")
def examples():
    rng = np.random.default_rng(3)
    return [make_transformed(rng) | {USER: [f"user {place % 200}".encode()]} for place in range(1000)]


@pytest.fixture(scope="module")
def path(tmp_path_factory, examples):
    return write_records(tmp_path_factory.mktemp("held_out") / "data.gz", examples)


@pytest.fixture(scope="module")
def model(path, examples):
    """Knows the base rates, and then says too much."""
    model = InterestModel(SMALL_MODEL, SIZES, 56.0)
    model(make_batch(examples[:2]))
    initialise(model, ExampleSource([path], SETTINGS).batches())
    for head in model.propensity:
        head.bias.assign(head.bias + 1.0)
    return model


def keys(source):
    return {float(value) for batch in source.batches() for value in batch[AGGREGATES][:, 0]}


def test_every_example_is_on_one_side_and_users_stay_together(path, examples):
    held_out = hold_out([path], SETTINGS)
    parts = [keys(ExampleSource([path], SETTINGS, held_out.fitted)), *map(keys, held_out.halves)]
    assert sum(map(len, parts)) == len(set().union(*parts)) == len(examples)
    assert 350 < len(parts[0]) < 650
    users = [{e[USER][0] for e in examples if np.float32(e[AGGREGATES][0]) in part} for part in parts]
    assert sum(map(len, users)) == 200


def test_streamed_examples_are_held_out_alike(path):
    streamed = SETTINGS.model_copy(update={"memory_megabytes": 0})
    assert list(map(keys, hold_out([path], streamed).halves)) == list(map(keys, hold_out([path], SETTINGS).halves))


@pytest.mark.parametrize(
    ("share", "note"), [(0.0, "calibration_share is 0"), (0.002, "expected at least 200 examples of held-out users")]
)
def test_nobody_is_held_out(path, model, share, note):
    settings = SETTINGS.model_copy(update={"calibration_share": share})
    held_out = hold_out([path], settings)
    assert ExampleSource([path], settings, held_out.fitted).count == 1000
    assert note in calibrate(model, held_out, settings)["note"]


def test_probabilities_improve_and_ranks_stay(path, model, examples):
    held_out, batch = hold_out([path], SETTINGS), make_batch(examples[:300])
    before = {name: value.numpy() for name, value in model(batch).items() if name in CALIBRATED}
    record = calibrate(model, held_out, SETTINGS)
    after = {name: value.numpy() for name, value in model(batch).items() if name in CALIBRATED}
    training = model(batch, training=True)
    for place, name in enumerate(CALIBRATED):
        found = record["outputs"][name]
        assert model.calibration.slope.numpy()[place] == pytest.approx(found["slope"])
        np.testing.assert_allclose(after[name], found["slope"] * before[name] + found["bias"], atol=1e-5)
    moved = [name for name in CALIBRATED if not record["outputs"][name]["note"]]
    assert {"propensity_short", "propensity_long"} <= set(moved)
    for name in ("propensity_short", "propensity_long"):
        found = record["outputs"][name]
        assert found["error_after"] < found["error_before"]
    churn, labels = "churn_long", np.arange(300) % 3 == 0
    assert auroc(after[churn], labels) == auroc(before[churn], labels)
    assert not np.allclose(training["propensity_long"], after["propensity_long"], atol=1e-2)
    model.calibration.assign(dict.fromkeys(CALIBRATED, 1.0), dict.fromkeys(CALIBRATED, 0.0))


def test_trees_that_know_more_take_their_share(path, model, examples):
    held_out, batch = hold_out([path], SETTINGS), make_batch(examples[:300])
    trees = fit_churn_trees(ExampleSource([path], SETTINGS, held_out.fitted), model.settings.churn_trees, seed=1)
    model.churn_trees.assign(trees)
    left = batch["label_churn_long"].numpy() == 1
    alone = model(batch)["churn_long"].numpy()
    record = calibrate(model, held_out, SETTINGS)["outputs"]["churn_long"]
    assert record["share_of_trees"] > 0.5  # the network has not been trained
    assert auroc(model(batch)["churn_long"].numpy(), left) > 0.99 > auroc(alone, left)
    assert auroc(model(batch, training=True)["churn_long"].numpy(), left) < 0.9  # the network learns for itself
    model.churn_trees.share.assign([0.0, 0.0])
    model.calibration.assign(dict.fromkeys(CALIBRATED, 1.0), dict.fromkeys(CALIBRATED, 0.0))


def test_too_few_users_of_a_kind_grow_no_trees(path, model, examples):
    held_out = hold_out([path], SETTINGS)
    few = ExampleSource([path], SETTINGS, held_out.halves[0].users).select(np.arange(held_out.halves[0].count) < 60)
    assert fit_churn_trees(few, 5, seed=1) == [None, None]

import keras
import numpy as np
import pytest
import tensorflow as tf
from transformed_records import SIZES, SMALL_MODEL, make_batch, make_transformed

from interest_migration.errors import ConfigError
from interest_migration.model.gains import Gains
from interest_migration.model.inputs import INPUT_SPECS
from interest_migration.model.interest_model import InterestModel
from interest_migration.model.objectives import OBJECTIVES, objectives, total
from interest_migration.model.scatter import members
from interest_migration.model.settings import LossWeights, ModelSettings
from interest_migration.training.settings import TrainingSettings
from interest_migration.training.strategy import numerics
from schemas.features import AGGREGATES, CUT_TIME, INTEREST_COUNT, INTEREST_IDS, INTEREST_RECENCY, ITEM_IDS, Shape

CATEGORY_LOGITS = ("next_category", "propensity_short", "propensity_long", "new_interest_short", "new_interest_long")
USER_LOGITS = ("churn_short", "churn_long", "switch")
LOGITS = (*CATEGORY_LOGITS, *USER_LOGITS)


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(1)
    model = InterestModel(ModelSettings(**SMALL_MODEL).model_dump(), SIZES, 56.0)
    model(make_batch([make_transformed(np.random.default_rng(0))] * 2))
    return model


def examples(count=8, **options):
    rng = np.random.default_rng(3)
    return [make_transformed(rng, **options) for _ in range(count)]


def shuffled_within_steps(example, rng):
    """Reorders the events of every step, all event features alike."""
    names = [spec.name for spec in INPUT_SPECS if spec.shape is Shape.EVENTS]
    steps = np.array(example["step_index"])
    order = np.lexsort((rng.random(len(steps)), -steps))
    return example | {name: [example[name][position] for position in order] for name in names}


def test_shapes(model):
    outputs = model(make_batch(examples()))
    assert {tuple(outputs[name].shape) for name in CATEGORY_LOGITS} == {(8, 6)}
    assert {tuple(outputs[name].shape) for name in USER_LOGITS} == {(8,)}
    assert model.item_scores(outputs).shape == [8, 10]


def test_candidates_for_new_interests_were_not_touched_recently(model):
    batch = make_batch(examples(1)) | {
        INTEREST_IDS: tf.constant([[2, 5, 7, 0]]),
        INTEREST_RECENCY: tf.constant([[56.0, 56.1, 1.0, 0.0]]),
    }
    assert model.fresh(batch).numpy().tolist() == [[True, False, True, True, True, True]]


def test_items_of_the_history_gain_by_appetite(model):
    batch = make_batch(examples())
    outputs = model(batch)
    gains = outputs["item_gains"]
    plain = outputs | {"item_gains": Gains(gains.ids, tf.zeros_like(gains.scores))}
    gain = (model.item_scores(outputs) - model.item_scores(plain)).numpy()
    touched = members(batch[ITEM_IDS], 10).numpy()
    assert np.all(gain[touched] > 0)
    assert not gain[~touched].any()


def test_vectors_of_items_at_hand_change_no_score(model):
    outputs = model(make_batch(examples()))
    kept = tf.constant(model.item_vectors())
    np.testing.assert_array_equal(model.item_scores(outputs, kept), model.item_scores(outputs))
    assert np.abs(model.item_scores(outputs, 2 * kept) - model.item_scores(outputs)).max() > 1e-3


def test_order_within_a_step_does_not_matter(model):
    rng = np.random.default_rng(5)
    made = examples(16)
    mixed = [shuffled_within_steps(example, rng) for example in made]
    assert mixed != made
    before, after = model(make_batch(made)), model(make_batch(mixed))
    for name in (*LOGITS, "item_query"):
        np.testing.assert_allclose(after[name], before[name], atol=1e-5)
    np.testing.assert_allclose(model.item_scores(after), model.item_scores(before), atol=1e-5)


def test_order_of_steps_matters(model):
    example = make_transformed(np.random.default_rng(2), steps=4)
    turned = example | {"category_ids": example["category_ids"][::-1]}
    before, after = model(make_batch([example])), model(make_batch([turned]))
    assert np.abs(before["user"] - after["user"]).max() > 1e-4


def test_every_group_of_inputs_matters(model):
    batch = make_batch(examples())
    before = model(batch)
    for name in (AGGREGATES, INTEREST_COUNT):
        after = model(batch | {name: batch[name] + 3.0})
        assert np.abs(before["churn_short"] - after["churn_short"]).max() > 1e-4
        assert np.abs(before["propensity_long"] - after["propensity_long"]).max() > 1e-4


def test_labels_are_not_read(model):
    batch = make_batch(examples())
    inputs = {spec.name: batch[spec.name] for spec in INPUT_SPECS}
    np.testing.assert_array_equal(model(inputs)["churn_long"], model(batch)["churn_long"])


def test_empty_histories_have_finite_answers(model):
    outputs = model(make_batch(examples(2, steps=0)))
    assert all(np.isfinite(outputs[name]).all() for name in LOGITS)


def test_objectives_without_any_label_are_zero(model):
    batch = make_batch(examples(known=False, steps=1))
    values = objectives(model, batch, model(batch))
    assert {name: float(value) for name, value in values.items()} == dict.fromkeys(OBJECTIVES, 0.0)


def test_every_objective_has_finite_gradients_that_reach_its_head(model):
    batch = make_batch([example | {"label_new_categories_long": [6]} for example in examples()])
    heads = {
        "next_category": model.next_category,
        "next_item": model.next_item,
        "propensity": model.propensity[0],
        "new_interest": model.new_interest,
        "churn": model.churn,
        "switch": model.switch,
    }
    for name, head in heads.items():
        variables = [variable.value for variable in head.trainable_variables + model.trajectory.trainable_variables]
        with tf.GradientTape() as tape:
            value = objectives(model, batch, model(batch, training=True))[name]
        gradients = [tf.convert_to_tensor(g) for g in tape.gradient(value, variables) if g is not None]
        assert float(value) > 0
        assert all(np.isfinite(gradient).all() for gradient in gradients)
        assert sum(float(tf.reduce_sum(tf.abs(gradient))) for gradient in gradients) > 0


def test_old_cuts_hardly_count_for_new_interests():
    model = InterestModel(ModelSettings(**SMALL_MODEL).model_dump(), SIZES, 56.0)
    recent, old = (
        {**example, CUT_TIME: [day * 86_400], "label_new_categories_short": [category]}
        for example, day, category in zip(examples(2, steps=0), (1_000, 10), (6, 5), strict=True)
    )
    model(make_batch([recent]))
    model.newest_cut.assign(1_000 * 86_400)
    model.new_interest.rates.assign(np.arange(12.0).reshape(2, 6))

    def loss(*chosen):
        batch = make_batch(chosen)
        return float(objectives(model, batch, model(batch))["new_interest"])

    assert loss(old) != pytest.approx(loss(recent), rel=0.01)
    assert loss(recent, old) == pytest.approx(loss(recent), rel=1e-5)


def test_sampled_softmax_above_the_threshold(model):
    batch = make_batch(examples())
    sampled = InterestModel(
        ModelSettings(**SMALL_MODEL, full_softmax_items=5, sampled_items=400).model_dump(), SIZES, 56.0
    )
    sampled(batch)
    sampled.set_weights(model.get_weights())
    full = objectives(model, batch, model(batch))["next_item"]
    assert float(objectives(sampled, batch, sampled(batch))["next_item"]) == pytest.approx(float(full), rel=0.05)


def test_total_is_the_weighted_sum():
    values = {name: tf.constant(1.0) for name in OBJECTIVES}
    weights = LossWeights(
        next_category=1,
        category_sequence=2,
        next_item=3,
        item_sequence=4,
        propensity=5,
        new_interest=7,
        churn=6,
        switch=0,
        new_item=0,
    )
    assert float(total(values, weights)) == 28


def test_configuration_round_trip(model):
    batch = make_batch(examples())
    copy = InterestModel.from_config(model.get_config())
    copy(batch)
    copy.set_weights(model.get_weights())
    np.testing.assert_allclose(copy(batch)["next_category"], model(batch)["next_category"], atol=1e-6)


def test_heads_must_divide_width():
    with pytest.raises(ConfigError, match="expected width to be a multiple of heads, received 64 and 7"):
        ModelSettings.from_values({"heads": 7}, source="model")


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
@pytest.mark.parametrize("full_softmax_items", [0, 100])
def test_it_trains_in_mixed_precision(precision, full_softmax_items):
    batch = make_batch(examples())
    with numerics(TrainingSettings(precision=precision, deterministic=False)):
        settings = ModelSettings(**SMALL_MODEL, full_softmax_items=full_softmax_items)
        mixed = InterestModel(settings.model_dump(), SIZES, 56.0)
        mixed(batch)
        losses = objectives(mixed, batch, mixed(batch, training=True))
    assert all(np.isfinite(value) for value in losses.values())
    assert losses["next_item"] > 0

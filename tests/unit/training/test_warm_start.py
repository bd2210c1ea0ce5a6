"""A model of one vocabulary takes over the weights of a model of another."""

import dataclasses

import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose, assert_array_equal
from transformed_records import SIZES, SMALL_MODEL, make_batch, make_transformed

from interest_migration.model.interest_model import ITEM_ATTRIBUTES, InterestModel
from interest_migration.model.manifest import Manifest, Provenance
from interest_migration.model.settings import ModelSettings
from interest_migration.model.variables import ACTION_NAMES, trained_variables, variable_names
from interest_migration.training.base import Base, ColdStart, action_names
from interest_migration.training.priors import initialise
from interest_migration.training.warm_start import start_from
from interest_migration.transform.vocabularies import BRANDS, CATEGORIES, CHILDREN, ITEMS, PARENTS, PLATFORMS
from schemas.events import ACTIONS
from schemas.features import (
    AGGREGATE_INPUTS,
    BRAND_IDS,
    CATEGORY_IDS,
    CHILD_IDS,
    FUTURE_CATEGORIES,
    INTEREST_IDS,
    ITEM_IDS,
    NEW_CATEGORIES,
    NEXT_CATEGORIES,
    NEXT_ITEMS,
    PARENT_IDS,
    PLATFORM_IDS,
    label_name,
)

IDS = {
    CATEGORIES: (
        CATEGORY_IDS,
        INTEREST_IDS,
        *(label_name(name) for name in (NEXT_CATEGORIES, *FUTURE_CATEGORIES.values(), *NEW_CATEGORIES.values())),
    ),
    ITEMS: (ITEM_IDS, label_name(NEXT_ITEMS)),
    PARENTS: (PARENT_IDS,),
    CHILDREN: (CHILD_IDS,),
    BRANDS: (BRAND_IDS,),
    PLATFORMS: (PLATFORM_IDS,),
}
"""Vocabulary -> features that hold its ids."""

VOCABULARIES = {name: [f"{name}-{number}" for number in range(SIZES[name])] for name in IDS}
PERMUTED = {name: list(np.random.default_rng(5).permutation(values)) for name, values in VOCABULARIES.items()}


def as_arrays(vocabularies):
    return {name: pa.array([value.encode() for value in values]) for name, values in vocabularies.items()}


def translate(batch):
    """The batch of the same examples under the permuted vocabularies."""
    changed = dict(batch)
    for name, features in IDS.items():
        size = SIZES[name]
        new_id = np.array([0, *(1 + PERMUTED[name].index(value) for value in VOCABULARIES[name]), size + 1], np.int32)
        changed |= {feature: tf.constant(new_id[batch[feature].numpy()]) for feature in features}
    return changed


def make_model(batch, **changes):
    model = InterestModel(ModelSettings(**(SMALL_MODEL | changes)).model_dump(), SIZES, 56.0)
    model(batch)
    initialise(model, [batch])
    return model


def make_base(model, **provenance):
    """A base as it is read from an export."""
    manifest = Manifest(
        model=model.settings.model_dump(),
        sizes=model.sizes.model_dump(),
        variables=tuple(variable_names(model)),
        vocabularies={},
        actions=ACTIONS,
        aggregates=AGGREGATE_INPUTS,
        provenance=Provenance(**provenance),
    )
    weights = {name: variable.numpy() for name, variable in trained_variables(model).items()}
    return Base("3-cafe", manifest, weights, as_arrays(VOCABULARIES) | {ACTION_NAMES: action_names(ACTIONS)})


@pytest.fixture(scope="module")
def batch():
    rng = np.random.default_rng(0)
    return make_batch([make_transformed(rng, steps=number % 5) for number in range(24)])


@pytest.fixture(scope="module")
def learned(batch):
    """A model whose every trained weight differs from what it was initialised to."""
    model, rng = make_model(batch), np.random.default_rng(1)
    for variable in trained_variables(model).values():
        variable.assign_add(rng.normal(scale=0.3, size=variable.shape))
    return model


def values_of(model):
    return {name: variable.numpy() for name, variable in trained_variables(model).items()}


def test_equal_vocabularies_give_equal_weights(batch, learned):
    model = make_model(batch)
    start = start_from(model, make_base(learned), as_arrays(VOCABULARIES), Provenance(), 1)
    assert start.base == "3-cafe"
    assert start.values[ITEMS] == {"kept": 10, "new": 0, "dropped": 0}
    for name, value in values_of(learned).items():
        assert_array_equal(values_of(model)[name], value, err_msg=name)


def test_permuted_vocabularies_give_the_same_answers_by_name(batch, learned):
    assert all(PERMUTED[name] != VOCABULARIES[name] for name in (CATEGORIES, ITEMS))
    permuted = translate(batch)
    model = make_model(permuted)
    start_from(model, make_base(learned), as_arrays(PERMUTED), Provenance(), 1)
    before, after = learned(batch), model(permuted)
    for name in ("next_category", "propensity_short", "propensity_long", "new_interest_short", "new_interest_long"):
        order = [VOCABULARIES[CATEGORIES].index(value) for value in PERMUTED[CATEGORIES]]
        assert_allclose(after[name].numpy(), before[name].numpy()[:, order], atol=1e-5, err_msg=name)
    for name in ("churn_short", "churn_long", "switch", "user"):
        assert_allclose(after[name], before[name], atol=1e-5, err_msg=name)
    order = [VOCABULARIES[ITEMS].index(value) for value in PERMUTED[ITEMS]]
    assert_allclose(
        model.item_scores(after).numpy(), learned.item_scores(before).numpy()[:, order], atol=1e-4, err_msg="items"
    )


def test_values_come_and_go(batch, learned):
    others = VOCABULARIES | {CATEGORIES: ["categories-3", "garden", "categories-0", "pets", "toys", "categories-5"]}
    model = make_model(batch)
    fresh = values_of(model)
    start = start_from(model, make_base(learned), as_arrays(others), Provenance(), 1)
    assert start.values[CATEGORIES] == {"kept": 3, "new": 3, "dropped": 3}
    assert "categories 3 kept 3 new 3 dropped" in start.describe()
    table, before = values_of(model)["profile/values/embeddings"], values_of(learned)["profile/values/embeddings"]
    assert_array_equal(table[[0, 1, 3, 6, 7]], before[[0, 4, 1, 6, 7]])
    assert_array_equal(table[[2, 4, 5]], fresh["profile/values/embeddings"][[2, 4, 5]])
    # The base rate of a new value is that of the new examples.
    assert_array_equal(
        values_of(model)["propensity_short/bias"], np.where([0, 1, 0, 1, 1, 0], *rates_of(fresh, learned))
    )


def rates_of(fresh, learned):
    """Base rates of the new values, and learned ones of those that are kept, by their new ids."""
    name = "propensity_short/bias"
    return fresh[name], values_of(learned)[name][[3, 0, 0, 0, 0, 5]]


def test_what_is_counted_comes_from_the_new_examples(batch, learned):
    model = make_model(batch)
    counted = [model.new_interest.rates, model.next_item.attribute_ids, model.newest_cut]
    expected = [variable.numpy() for variable in counted]
    learned.new_interest.rates.assign_add(np.ones(learned.new_interest.rates.shape))
    start_from(model, make_base(learned), as_arrays(VOCABULARIES), Provenance(), 1)
    for variable, value in zip(counted, expected, strict=True):
        assert_array_equal(variable, value)
    assert expected[1].shape == (12, len(ITEM_ATTRIBUTES))


def assert_cold(model, base, note, provenance=None, first_held_out_s=1_000_000):
    before = values_of(model)
    start = start_from(model, base, as_arrays(VOCABULARIES), provenance or Provenance(), first_held_out_s)
    assert not start.warm
    assert note in start.note
    assert start.describe() == f"cold start: {start.note}"
    for name, value in before.items():
        assert_array_equal(values_of(model)[name], value)


def test_other_settings_start_cold_and_are_named(batch, learned):
    wider = make_model(batch, width=12, dropout=0.4)
    assert_cold(wider, make_base(learned), "dropout was 0.2 and is 0.4")
    assert_cold(wider, make_base(learned), "width was 8 and is 12")
    assert_cold(make_model(batch, layers=2), make_base(learned), "layers was 1 and is 2")


def test_settings_that_change_no_weight_do_not_matter(batch, learned):
    model = make_model(batch, dropout=0.5, loss_steps=1)
    assert start_from(model, make_base(learned), as_arrays(VOCABULARIES), Provenance(), 1).warm


def test_a_base_without_a_variable_starts_cold(batch, learned):
    base = make_base(learned)
    weights = {name: value for name, value in base.weights.items() if name != "activity/bias"}
    assert_cold(make_model(batch), dataclasses.replace(base, weights=weights), "1 variables of 3-cafe do not fit")


def test_a_base_of_texts_from_before_there_were_neighbours_starts_cold(batch):
    def make():
        model = InterestModel(ModelSettings(**SMALL_MODEL).model_dump(), SIZES | {"text_width": 5}, 56.0)
        model(batch)
        return model

    base, ours = make_base(make(), language="words"), Provenance(language="words")
    older = {name: value for name, value in base.weights.items() if not name.startswith("neighbours/")}
    note = (
        f"{len(base.weights) - len(older)} variables of 3-cafe do not fit, neighbours/actions/embeddings among them: "
    )
    assert_cold(make(), dataclasses.replace(base, weights=older), note + "settings agree, so another release", ours)
    assert start_from(make(), base, as_arrays(VOCABULARIES), ours, 1).warm


def test_other_aggregates_start_cold(batch, learned):
    base = make_base(learned)
    manifest = base.manifest.model_copy(update={"aggregates": AGGREGATE_INPUTS[::-1]})
    assert_cold(make_model(batch), dataclasses.replace(base, manifest=manifest), "3-cafe reads other aggregates")


def test_a_base_that_has_seen_the_eval_split_starts_cold(batch, learned):
    base = make_base(learned, labels_end_s=1_000_001)
    note = "has learned from what happened until 1970-01-12, and the eval split begins on 1970-01-12"
    assert_cold(make_model(batch), base, note)
    assert start_from(make_model(batch), base, as_arrays(VOCABULARIES), Provenance(), 1_000_001).warm


def test_a_base_that_may_have_seen_held_out_users_starts_cold(batch, learned):
    ours = Provenance(held_out="0.1 7 key")
    for theirs in ("", "0.1 8 key"):
        base = make_base(learned, held_out=theirs)
        assert_cold(make_model(batch), base, "may have learned from users who are held out now", ours)
    same = make_base(learned, held_out="0.1 7 key")
    assert start_from(make_model(batch), same, as_arrays(VOCABULARIES), ours, 1).warm


def test_without_a_base_the_reason_is_kept(batch):
    assert_cold(make_model(batch), ColdStart("nothing is served yet"), "nothing is served yet")

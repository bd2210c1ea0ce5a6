import keras
import numpy as np
import pytest
from transformed_records import SIZES, SMALL_MODEL, make_batch, make_transformed

from interest_migration.model.interest_model import InterestModel
from interest_migration.model.settings import ModelSettings
from interest_migration.model.variables import ROWS, trained_variables, variable_names
from interest_migration.transform.vocabularies import COUNTED
from schemas.events import ACTIONS


def make_model():
    model = InterestModel(ModelSettings(**SMALL_MODEL).model_dump(), SIZES, 56.0)
    model(make_batch([make_transformed(np.random.default_rng(0), steps=2)]))
    return model


@pytest.fixture(scope="module")
def model():
    return make_model()


def test_every_trained_variable_has_a_name_of_its_own(model):
    names = variable_names(model)
    assert [bool(name) for name in names] == [variable.trainable for variable in model.variables]
    assert len(trained_variables(model)) == len(model.trainable_variables)
    assert {"activity/kernel", "fusion/1/kernel", "trajectory/block_0/self_attention/query/kernel"} <= set(names)


def test_names_do_not_depend_on_what_was_built_before(model):
    keras.layers.Embedding(3, 2)
    keras.layers.Dense(1)
    assert variable_names(make_model()) == variable_names(model)


def test_rows_are_as_many_as_their_vocabulary_says(model):
    variables = trained_variables(model)
    sizes = SIZES | {"actions": len(ACTIONS)}
    assert all(name.startswith("neighbours/") for name in ROWS.keys() - variables.keys())  # of models with texts
    for name, rows in ((name, rows) for name, rows in ROWS.items() if name in variables):
        assert variables[name].shape[0] == sizes[rows.vocabulary] + rows.none + rows.unknown, name


def test_no_other_variable_grows_with_a_vocabulary(model):
    larger = {name: size + (name in COUNTED) for name, size in SIZES.items()}
    other = InterestModel(ModelSettings(**SMALL_MODEL).model_dump(), larger, 56.0)
    other(make_batch([make_transformed(np.random.default_rng(0), steps=2)]))
    before, after = trained_variables(model), trained_variables(other)
    grown = {name for name in before if before[name].shape != after[name].shape}
    assert grown == {name for name, rows in ROWS.items() if rows.vocabulary != "actions"}

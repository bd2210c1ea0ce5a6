"""The model as a function of a graph."""

import keras
import numpy as np
import pytest
from transformed_records import SIZES, SMALL_MODEL, make_batch, make_transformed

from interest_migration.model import compiled_model
from interest_migration.model.compiled_model import compile_model, padded_inputs
from interest_migration.model.interest_model import InterestModel
from interest_migration.model.settings import ModelSettings


@pytest.fixture(scope="module")
def batch():
    rng = np.random.default_rng(0)
    made = make_batch([make_transformed(rng) for _ in range(4)])
    return {name: made[name] for name in padded_inputs()}


@pytest.fixture(scope="module")
def model(batch):
    keras.utils.set_random_seed(1)
    model = InterestModel(ModelSettings(**SMALL_MODEL).model_dump(), SIZES, 56.0)
    model(batch)
    return model


@pytest.mark.parametrize("most", [0, 100, 2**15])
def test_small_weights_are_constants_and_answers_stay(model, batch, most, monkeypatch):
    monkeypatch.setattr(compiled_model, "CONSTANT_WEIGHTS", most)
    compiled = compile_model(model)
    read = {value.handle.ref() for value in compiled.graph.variables}
    large = {variable.value.handle.ref() for variable in model.variables if np.prod(variable.shape) > most}
    assert read <= large
    assert bool(read) == (most < 2**15)
    expected, found = model(batch, training=False), compiled(batch)
    for name in ("user", "next_category", "propensity_long", "new_interest_short", "churn_short", "item_query"):
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-5, atol=1e-5)

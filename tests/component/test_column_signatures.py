"""What `predict` and its like answer for events sent as columns."""

import numpy as np
import pytest
import tensorflow as tf
from event_columns import to_columns
from event_tables import DAY_S, to_batch
from random_logs import make_log

from interest_migration.examples.build import build_features
from interest_migration.examples.settings import ExampleSettings
from schemas.features import RAW_FEATURES, Role
from schemas.signatures import (
    EXAMPLES,
    PREDICT,
    SERVE,
)

INPUTS = [spec for spec in RAW_FEATURES if spec.role is Role.INPUT]
CUT_S = 30 * DAY_S


def ask(run, signature, **inputs):
    found = run["model"].signatures[signature](**{name: tf.constant(value) for name, value in inputs.items()})
    return {name: value.numpy() for name, value in found.items()}


def same_facts(seed):
    """Events in categories and of items that the model knows, as examples and as columns, by user."""
    known = {"tea": "item-1-1", "milk": "item-2-0", "bread": "item-9-9"}
    log = [
        {**event, "item": known.get(event["item"], event["item"]), "category_path": f"category-{event['time_s'] % 14}"}
        for event in make_log(seed, 60)
    ]
    log = list({tuple(event.items()): event for event in log}.values())
    settings = ExampleSettings(conflicting_fields=(), bot_limits=())
    features = build_features(to_batch(log), CUT_S, settings).to_pylist()
    users = [row["user"][0].decode() for row in features]
    columns = to_columns([[event for event in log if event["user"] == user] for user in users], [CUT_S] * len(users))
    return [encode(row) for row in features], columns


def encode(row):
    message = tf.train.Example()
    for spec in INPUTS:
        kind = {"string": "bytes_list", "int64": "int64_list", "float32": "float_list"}[spec.dtype]
        getattr(message.features.feature[spec.name], kind).value.extend(row[spec.name])
    return message.SerializeToString()


def check_same(got, expected):
    for name, value in expected.items():
        if value.dtype == object:
            assert np.mean(got[name] == value) > 0.99, name  # names whose scores are equal may change places
        else:
            np.testing.assert_allclose(got[name], value, rtol=1e-4, atol=1e-5, err_msg=name)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_predict_answers_as_serving_default_does(exported_run, seed):
    examples, columns = same_facts(seed)
    check_same(ask(exported_run, PREDICT, **columns), ask(exported_run, SERVE, **{EXAMPLES: examples}))

import numpy as np
import pytest
import tensorflow as tf

from interest_migration.errors import ConfigError
from interest_migration.transform.buckets import TIME_BUCKETS, bounded_log, time_buckets
from interest_migration.transform.settings import TransformSettings
from interest_migration.transform.vocabularies import COUNTED, LOOKED_UP
from schemas.features import ACTION_IDS, TRANSFORMED_FEATURES


def test_time_buckets_by_hand():
    seconds = tf.constant([-1, 0, 1, 2, 3, 4, 5, 6, 7], tf.int64)
    assert time_buckets(seconds).numpy().tolist() == [0, 1, 2, 3, 4, 5, 5, 6, 6]


def test_time_buckets_rise_and_end():
    found = time_buckets(tf.constant([10**power for power in range(18)], tf.int64)).numpy()
    assert (np.diff(found[:9]) > 0).all()
    assert found.max() == TIME_BUCKETS - 1


def test_bounded_log_is_finite_for_any_input():
    values = tf.constant([0.0, np.e - 1, -(np.e - 1), np.inf, -np.inf, np.nan, 3e38])
    found = bounded_log(values).numpy()
    assert found[:6] == pytest.approx([0, 1, -1, 0, 0, 0])
    assert np.isfinite(found).all()


def test_every_id_feature_is_looked_up_in_a_counted_vocabulary():
    ids = {spec.name for spec in TRANSFORMED_FEATURES if spec.name.endswith("_ids")} - {ACTION_IDS}
    assert ids < set(LOOKED_UP)
    assert {vocabulary for _, vocabulary in LOOKED_UP.values()} == set(COUNTED)
    assert set(COUNTED) < set(TransformSettings.model_fields)


def test_settings_refuse_unknown_keys():
    with pytest.raises(ConfigError, match=r"custom_config transform: item: .*not permitted"):
        TransformSettings.from_values({"item": {}}, source="custom_config transform")

import numpy as np
import tensorflow as tf
from transformed_records import make_batch, make_transformed

from interest_migration.pretraining.views import crop_history, hide_events, thin_profile
from schemas.features import AGE_BUCKETS, CATEGORY_IDS, INTEREST_COUNT, INTEREST_IDS, STEP_INDEX

SEED = tf.constant([1, 2])


def batch_of(count=40, steps=4):
    rng = np.random.default_rng(0)
    return make_batch([make_transformed(rng, steps=steps) for _ in range(count)])


def test_hidden_events_keep_when_and_lose_what():
    batch = batch_of()
    view, hidden = hide_events(batch, 0.5, SEED)
    hidden = hidden.numpy()
    assert 0.3 < hidden[batch[STEP_INDEX] >= 0].mean() < 0.7
    assert not hidden[batch[STEP_INDEX] < 0].any()
    assert not view[CATEGORY_IDS].numpy()[hidden].any()
    np.testing.assert_array_equal(view[CATEGORY_IDS].numpy()[~hidden], batch[CATEGORY_IDS].numpy()[~hidden])
    assert view[AGE_BUCKETS] is batch[AGE_BUCKETS]


def test_the_newest_steps_stay():
    index = crop_history(batch_of(), 0.5, SEED)[STEP_INDEX].numpy()
    kept = index.max(axis=1) + 1
    assert set(kept) == {3, 4}  # at least half of four steps, rounded up
    for row, count in zip(index, kept, strict=True):
        assert set(row[row >= 0]) == set(range(count))


def test_an_empty_history_stays_empty():
    assert (crop_history(batch_of(2, steps=0), 0.5, SEED)[STEP_INDEX].numpy() == -1).all()


def test_rows_of_the_profile_go_whole():
    batch = batch_of()
    view = thin_profile(batch, 0.5, SEED)
    gone = (view[INTEREST_IDS].numpy() == 0) & (batch[INTEREST_IDS].numpy() > 0)
    assert 0.3 < gone.sum() / (batch[INTEREST_IDS].numpy() > 0).sum() < 0.7
    assert not view[INTEREST_COUNT].numpy()[gone].any()

import tensorflow as tf

from interest_migration.model.answers import best
from interest_migration.model.inputs import INPUT_SPECS, LABEL_SPECS, FixedLengths, pad
from interest_migration.model.names import Names
from interest_migration.model.profile_features import in_newest_step, newest_categories
from schemas.features import INTEREST_IDS, ITEM_IDS, STEP_INDEX, TRANSFORMED_FEATURES, Role


def test_best_is_padded_to_ten():
    ids, scores = best(tf.constant([[0.1, 0.7, 0.2]]))
    assert ids.numpy().tolist() == [[2, 3, 1, 0, 0, 0, 0, 0, 0, 0]]
    assert scores.shape == [1, 10]


def test_names_of_ids(tmp_path):
    path = tmp_path / "vocabulary"
    path.write_text("tea\nmilk\n")
    assert Names(str(path))(tf.constant([[2, 0, 3, 1]])).numpy().tolist() == [[b"milk", b"", b"", b"tea"]]


def test_newest_step_is_the_newest_with_a_category():
    categories = tf.constant([[3, 2, 1, 0], [0, 0, 0, 0]])
    steps = tf.constant([[2, 1, 1, 0], [0, -1, -1, -1]])
    assert in_newest_step(categories, steps).numpy().tolist() == [[False, True, True, False], [False] * 4]
    assert newest_categories(categories, steps, 3).numpy().tolist() == [[True, True, False], [False] * 3]


def test_newest_step_of_no_events():
    nothing = tf.zeros([2, 0], tf.int32)
    assert newest_categories(nothing, nothing, 2).numpy().tolist() == [[False, False]] * 2


def test_padding_marks_absent_events():
    specs = [spec for spec in INPUT_SPECS if spec.name in (STEP_INDEX, ITEM_IDS)]
    ragged = tf.ragged.constant([[1, 0], [0]], dtype=tf.int64)
    for features in ({STEP_INDEX: ragged, ITEM_IDS: ragged}, {STEP_INDEX: ragged.to_sparse(), ITEM_IDS: ragged}):
        found = pad(features, specs)
        assert found[STEP_INDEX].numpy().tolist() == [[1, 0], [0, -1]]
        assert found[ITEM_IDS].numpy().tolist() == [[1, 0], [0, 0]]
        assert found[ITEM_IDS].dtype == tf.int32


def test_fixed_lengths_keep_the_newest_events_and_the_strongest_interests():
    specs = [spec for spec in INPUT_SPECS if spec.name in (STEP_INDEX, INTEREST_IDS)]
    rows = tf.ragged.constant([[3, 2, 0], [1]], dtype=tf.int64)
    found = pad({STEP_INDEX: rows, INTEREST_IDS: rows}, specs, FixedLengths(events=2, interests=2, labels=1))
    assert found[STEP_INDEX].numpy().tolist() == [[2, 0], [1, -1]]
    assert found[INTEREST_IDS].numpy().tolist() == [[3, 2], [1, 0]]


def test_inputs_and_labels_are_all_that_models_read():
    read = {spec.name for spec in (*INPUT_SPECS, *LABEL_SPECS)}
    assert read == {spec.name for spec in TRANSFORMED_FEATURES if spec.role in (Role.INPUT, Role.LABEL)}

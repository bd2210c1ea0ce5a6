import pytest
import tensorflow as tf

from interest_migration.model.targets import next_step_targets, trim


def collect(targets):
    """Row -> {(position, id): weight}."""
    columns = zip(targets.position.numpy(), targets.ids.numpy(), targets.weight.numpy(), strict=True)
    return [{(int(p), int(i)): pytest.approx(float(w)) for p, i, w in zip(*row, strict=True) if i} for row in columns]


def test_targets_are_the_set_of_the_next_step():
    targets = next_step_targets(
        tf.constant([[5, 5, 2, 7]]), tf.constant([[1, 1, 0, 0]]), tf.constant([[3, 0]]), positions=4, size=9
    )
    assert collect(targets) == [{(0, 3): 1.0, (1, 2): 0.5, (1, 7): 0.5}]
    assert float(tf.reduce_sum(targets.weight)) == pytest.approx(2)


def test_repeated_ids_count_once():
    targets = next_step_targets(
        tf.constant([[1, 2, 2, 4]]), tf.constant([[1, 0, 0, 0]]), tf.constant([[6, 6, 5]]), positions=2, size=9
    )
    assert collect(targets) == [{(0, 5): 0.5, (0, 6): 0.5, (1, 2): 0.5, (1, 4): 0.5}]


def test_the_oldest_step_is_no_target_and_none_padding_and_unknown_ids_are_none():
    targets = next_step_targets(
        tf.constant([[1, 0, 10, 0], [4, 0, 0, 0]]),
        tf.constant([[1, 0, 0, -1], [0, -1, -1, -1]]),
        tf.constant([[0], [8]]),
        positions=2,
        size=9,
    )
    assert collect(targets) == [{}, {(0, 8): 1.0}]


def test_only_the_newest_positions_count():
    targets = next_step_targets(
        tf.constant([[1, 2, 3]]), tf.constant([[2, 1, 0]]), tf.constant([[4]]), positions=2, size=9
    )
    assert collect(targets) == [{(0, 4): 1.0, (1, 3): 1.0}]


def test_a_label_without_a_history_is_a_target():
    targets = next_step_targets(tf.zeros([1, 0], tf.int32), tf.zeros([1, 0], tf.int32), tf.constant([[4]]), 2, 9)
    assert collect(targets) == [{(0, 4): 1.0}]


def test_trim_keeps_all_targets_and_no_empty_column():
    targets = next_step_targets(
        tf.constant([[1, 2, 2, 4], [1, 1, 1, 1]]),
        tf.constant([[1, 0, 0, 0], [0, 0, 0, 0]]),
        tf.constant([[6], [0]]),
        positions=2,
        size=9,
    )
    trimmed = trim(targets)
    assert collect(trimmed) == collect(targets)
    assert trimmed.ids.shape == [2, 3]

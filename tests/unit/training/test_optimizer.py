import keras
import numpy as np
import pytest
import tensorflow as tf

from interest_migration.training.optimizer import DenseAdamW, make_optimizer, warmup_cosine
from interest_migration.training.settings import TrainingSettings


def test_learning_rate_rises_in_a_line_and_falls_along_a_cosine():
    rate = warmup_cosine(TrainingSettings(learning_rate=1, warmup_share=0.1, final_rate_share=0), 100)
    assert [float(rate(step)) for step in (0, 5, 10, 55, 100)] == pytest.approx([0, 0.5, 1, 0.5, 0], abs=1e-6)


def test_learning_rate_ends_at_its_share():
    rate = warmup_cosine(TrainingSettings(learning_rate=2, warmup_share=0.1, final_rate_share=0.25), 100)
    assert float(rate(100)) == pytest.approx(0.5)


def test_sparse_gradients_act_like_dense_ones():
    def trained(gradient):
        variable = keras.Variable(np.ones([3, 2], np.float32))
        optimizer = make_optimizer(TrainingSettings(), 10)
        for _ in range(3):
            optimizer.apply([gradient], [variable])
        return variable.numpy()

    rows = tf.constant([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    sparse = tf.IndexedSlices(rows, tf.constant([2, 0, 2]), tf.constant([3, 2]))
    dense = tf.constant([[3.0, 4.0], [0.0, 0.0], [6.0, 8.0]])
    np.testing.assert_allclose(trained(sparse), trained(dense), rtol=1e-6)


def test_updates_are_those_of_adamw():
    def trained(optimizer_type):
        variables = [
            keras.Variable(np.arange(6, dtype=np.float32).reshape(2, 3), name=name) for name in ("kernel", "bias")
        ]
        rate = warmup_cosine(TrainingSettings(learning_rate=0.1), 10)
        optimizer = optimizer_type(rate, weight_decay=0.1, global_clipnorm=1.0)
        optimizer.exclude_from_weight_decay(var_names=["bias"])
        for step in range(10):
            optimizer.apply([tf.sin(variable + step) for variable in variables], variables)
        return [variable.numpy() for variable in variables]

    ours, theirs = trained(DenseAdamW), trained(keras.optimizers.AdamW)
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)
    assert not np.allclose(ours[0], ours[1])


def test_float16_scales_the_loss():
    optimizer = make_optimizer(TrainingSettings(precision="mixed_float16"), 10)
    assert isinstance(optimizer, keras.optimizers.LossScaleOptimizer)


def test_what_no_loss_depends_on_stays_but_for_its_decay():
    used, unused = (keras.Variable(np.ones(3, np.float32)) for _ in range(2))
    optimizer = make_optimizer(TrainingSettings(weight_decay=0.0), 10)
    optimizer.build([used, unused])
    for _ in range(2):
        optimizer.apply_gradients([(tf.ones(3), used), (None, unused)])
    assert (used.numpy() < 1).all()
    assert unused.numpy().tolist() == [1, 1, 1]

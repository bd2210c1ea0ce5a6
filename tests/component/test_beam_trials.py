"""What the comparison of a cluster with a local run calls a difference."""

from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

from benchmarks.beam_steps import compare_metrics, compare_rows, read_rows

KEY = (b"ada", 7)


def rows(**features: list[Any]) -> dict[tuple[bytes, int], tf.train.Example]:
    example = tf.train.Example()
    for name, values in features.items():
        feature = example.features.feature[name]
        kind = feature.float_list if any(isinstance(value, float) for value in values) else feature.int64_list
        kind.value.extend(values)
    return {KEY: example}


@pytest.mark.parametrize(
    ("one", "other", "exact", "expected"),
    [
        (rows(price=[1.0]), rows(price=[1.00001]), False, []),
        (rows(price=[1.0]), rows(price=[1.00001]), True, ["price differs in 1 of 1"]),
        (rows(price=[1.0]), rows(price=[1.1]), False, ["price differs in 1 of 1"]),
        (rows(price=[1.0]), rows(price=[1.0, 1.0]), False, ["price differs in 1 of 1"]),
        (rows(id=[100_000]), rows(id=[100_001]), False, ["id differs in 1 of 1"]),
        (rows(id=[1]), rows(id=[1], more=[2]), False, ["more differs in 1 of 1"]),
        (rows(id=[1]), rows(id=[1], more=[]), False, []),
        (rows(id=[1]), {}, False, ["1 and 0 examples, 0 of them of the same cut"]),
    ],
)
def test_features(
    one: dict[Any, tf.train.Example], other: dict[Any, tf.train.Example], exact: bool, expected: list[str]
) -> None:
    assert compare_rows(one, other, exact=exact) == expected


def test_metrics() -> None:
    one = {(): {"churn": {"auc": 0.5, "odd": float("nan")}}}
    assert compare_metrics(one, {(): {"churn": {"auc": 0.500001, "odd": float("nan")}}}) == []
    assert compare_metrics(one, {(): {"churn": {"auc": 0.6, "odd": float("nan")}}}) == [
        "((), 'churn', 'auc'): 0.5 and 0.6"
    ]
    assert compare_metrics(one, {(): {"churn": {"auc": 0.5}}}) == ["2 and 1 metrics"]


def test_examples_are_known_by_user_and_cut(tmp_path: Path) -> None:
    example = tf.train.Example()
    example.features.feature["user"].bytes_list.value.append(b"ada")
    example.features.feature["cut_time_s"].int64_list.value.append(7)
    with tf.io.TFRecordWriter(str(tmp_path / "a.gz"), "GZIP") as writer:
        writer.write(example.SerializeToString())
    assert read_rows(tmp_path).keys() == {KEY}

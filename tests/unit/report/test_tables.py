import math

import numpy as np
import pyarrow as pa
import pytest
from measure_tables import table

from interest_migration.evaluation.measures import Measures
from interest_migration.report import formats
from interest_migration.report.confusion import OTHER, count_confusion
from interest_migration.report.figures import plain, shorten
from interest_migration.report.slices import list_slices
from interest_migration.report.words import metric_name, slice_name, slice_value, task_name


def confusion_table(pairs: list[tuple[int, int, int]]) -> Measures:
    """Rows of user, true and predicted category."""
    users, true, predicted = zip(*pairs, strict=True)
    return table(users, {"next_category/model/true": true, "next_category/model/predicted": predicted})


def test_confusion_by_hand() -> None:
    pairs = [(user, 1, 1) for user in range(4)] + [(user, 1, 2) for user in range(2)] + [(0, 2, 2), (1, 2, 2)]
    confusion = count_confusion(confusion_table(pairs), ["milk", "tea"], minimum_users=2)
    assert confusion is not None
    assert confusion.names == ("milk", "tea", OTHER)
    assert confusion.counts == ((4, 2, 0), (0, 2, 0), (0, 0, 0))


def test_cells_and_categories_of_few_users_are_hidden() -> None:
    pairs = [(user, 1, 1) for user in range(4)] + [(0, 1, 2)] * 9 + [(1, 2, 2)] * 9
    confusion = count_confusion(confusion_table(pairs), ["milk", "tea"], minimum_users=2)
    assert confusion is not None
    assert confusion.names == ("milk", OTHER)
    assert confusion.counts == ((4, None), (0, None))


def test_no_confusion_without_predictions() -> None:
    assert count_confusion(table([1], {}), [], minimum_users=1) is None


def test_slices_beside_other_methods() -> None:
    switched = ["1", "1", "1", "0", "0", "0"]
    values = {"next_item/model/ndcg_at_10": [1, 0, 1, 0, 0, 1], "next_item/count/ndcg_at_10": [0, 0, 1, 1, 1, 1]}
    measures = table([0, 1, 2, 3, 3, 3], values, switched=switched)
    metrics = {"next_item": {"ndcg_at_10": 0.5, "hit_at_10": 0.6, "example_count": 3.0}}
    found = {(): metrics, (("switched", "1"),): metrics, (("switched", "0"),): metrics}
    (only,) = list_slices(found, measures, minimum_users=2)
    assert (only.task, only.baseline, only.left_out) == ("next_item", "count", 1)  # switched=0 is one user
    whole, moved = only.rows
    assert (whole.column, whole.users, moved.column, moved.value, moved.users) == ("", 4, "switched", "1", 3)
    assert moved.metrics == (0.5, 0.6)
    assert moved.baseline == pytest.approx(1 / 3)
    assert whole.baseline == pytest.approx(4 / 6)
    assert moved.served is None


def test_only_the_most_frequent_values_of_a_column_are_listed() -> None:
    values = [f"v{number:02}" for number in range(20) for _ in range(3)]
    columns = {"next_item/model/ndcg_at_10": np.ones(60, np.float32)}
    measures = Measures(np.arange(60), np.arange(60), {"slice_platform": pa.array(values)}, columns)
    metrics = {"next_item": {"ndcg_at_10": 1.0, "hit_at_10": 1.0, "example_count": 3.0}}
    (only,) = list_slices({(("slice_platform", value),): metrics for value in set(values)}, measures, minimum_users=3)
    assert [row.value for row in only.rows] == [f"v{number:02}" for number in range(12)]
    assert only.left_out == 8


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (formats.number(0.81234), "0.812"),
        (formats.number(math.nan), "–"),
        (formats.signed(-0.1, 2), "−0.10"),
        (formats.signed(0.0213), "+0.021"),
        (formats.percent(0.12345), "12.3 %"),
        (formats.points(0.0123), "+1.23"),
        (formats.count(1_477_998), "1,477,998"),
        (formats.duration(3.21), "3.2 s"),
        (formats.duration(75.2), "1 min 15 s"),
        (formats.duration(7300), "2 h 1 min"),
        (formats.moment("2026-03-01T12:00:05.123+02:00"), "2026-03-01 10:00:05 UTC"),
        (formats.day(0), "1970-01-01"),
        (formats.day(None), "–"),
        (task_name("churn_short"), "Churn, short horizon"),
        (task_name("a_new_task"), "a new task"),
        (metric_name("hit_at_5"), "hit@5"),
        (slice_name("slice_activity"), "Steps in the last 28 days"),
        (slice_value("switched", "1"), "moved"),
        (slice_value("slice_platform", ""), "none"),
        (plain("<b>&"), "&lt;b&gt;&amp;"),
        (shorten("GROCERY > FLUID MILK PRODUCTS", 12), "FLUID MILK …"),
        (shorten("tea"), "tea"),
    ],
)
def test_words_and_numbers(written: str, expected: str) -> None:
    assert written == expected

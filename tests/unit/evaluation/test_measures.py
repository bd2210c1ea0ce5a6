import numpy as np
import pyarrow.parquet as pq
import pytest
from measure_tables import table
from transformed_examples import transformed

from interest_migration.errors import DataError
from interest_migration.evaluation.measures import MEASURES_FILE, About, Measures, number_users, slices_of
from interest_migration.evaluation.settings import EvaluationSettings
from interest_migration.evaluation.spaces import IdSpaces
from interest_migration.evaluation.tasks import build_tasks
from schemas.signatures import CHURN_TASKS, RANKING_TASKS

NAN = float("nan")


def small():
    return table(
        [0, 0, 1],
        {
            "churn_short/label": [1, NAN, 0],
            "churn_short/model/score": [0.9, NAN, 0.2],
            "next_item/b/hit_at_10": [1, 0, 1],
        },
        About(3, "", {"churn_short": {"rfm_logit": "no churn"}}, 5),
        switched=["1", None, "0"],
        attributes=[["age=25", "kids=0"], ["age=25"], []],
    )


def test_what_was_written_is_read(tmp_path):
    small().write(tmp_path)
    read = Measures.read(tmp_path)
    assert read.about == small().about
    assert read.users.tolist() == [0, 0, 1]
    assert read.slice_values("user_attributes") == ["age=25", "kids=0"]
    for name, values in small().values.items():
        np.testing.assert_array_equal(read.values[name], values)


def test_members_of_slices():
    measures = small()
    assert measures.members("switched", "1").tolist() == [True, False, False]
    assert measures.members("switched").tolist() == [True, False, True]
    assert measures.members("user_attributes", "age=25").tolist() == [True, True, False]
    assert measures.members("user_attributes").tolist() == [True, True, False]


def test_methods_of_a_task_are_in_the_order_of_the_table():
    assert small().methods("churn_short") == ("model",)
    assert small().methods("next_item") == ("b",)
    assert small().methods("next_category") == ()


def test_a_folder_without_a_table_is_named(tmp_path):
    with pytest.raises(DataError, match=r"expected an evaluation in .*, received no readable measures\.parquet"):
        Measures.read(tmp_path)
    (tmp_path / MEASURES_FILE).write_bytes(b"PAR1 not really")
    with pytest.raises(DataError, match="received no readable"):
        Measures.read(tmp_path)


def test_a_foreign_table_is_refused(tmp_path):
    pq.write_table(pq.read_table(_written(tmp_path)).replace_schema_metadata({}), tmp_path / MEASURES_FILE)
    with pytest.raises(DataError, match="received no readable"):
        Measures.read(tmp_path)


def _written(folder):
    small().write(folder)
    return folder / MEASURES_FILE


def test_slices_and_users_of_transformed_examples():
    examples = transformed(3, label_switched=[1, -1, 0], user=np.array([b"b", b"a", b"b"]))
    slices = slices_of(examples)
    assert slices["switched"].to_pylist() == ["1", None, "0"]
    assert number_users(examples).tolist() == [1, 0, 1]


def test_values_of_each_example_average_to_the_metric():
    examples = transformed(3, label_next_categories=[[1], [2], [4]], label_next_items=[[1], [4, 2], []])
    settings = EvaluationSettings(new_interest_days=56)
    tasks = {task.name: task for task in build_tasks(examples, IdSpaces(3, 4), settings)}
    found = tasks["next_category"].per_example(np.array([[2.0, 1, 0]] * 3))
    np.testing.assert_array_equal(found["hit_at_1"], [1, 0, NAN])
    np.testing.assert_array_equal(found["predicted"], [1, 1, NAN])
    np.testing.assert_array_equal(found["true"], [1, 2, NAN])
    items = tasks["next_item"].per_example(np.array([[1.0, 2, 3, 4]] * 3))
    np.testing.assert_allclose(items["reciprocal_rank"], [1 / 4, 1, NAN])
    assert tasks["churn_short"].per_example(np.zeros(3)) == {}


@pytest.mark.parametrize("task", [*CHURN_TASKS, *RANKING_TASKS])
def test_scores_that_are_no_numbers_give_no_values(task):
    examples = transformed(2, label_churn_short=[1, 0], label_churn_long=[1, 0])
    tasks = {
        built.name: built for built in build_tasks(examples, IdSpaces(3, 4), EvaluationSettings(new_interest_days=1))
    }
    shape = (2,) if task in CHURN_TASKS else (2, 4 if task == "next_item" else 3)
    assert tasks[task].per_example(np.full(shape, NAN)) == {}

import numpy as np
from measure_tables import table
from reports import make_evaluation, make_flows, make_measures, make_training

from interest_migration.report.churn_pictures import draw_churn
from interest_migration.report.figures import SERVED_COLOUR, Picture
from interest_migration.report.flow_pictures import draw_flows
from interest_migration.report.headlines import list_headlines
from interest_migration.report.rival_pictures import draw_differences
from interest_migration.report.training_pictures import draw_training


def by_name(pictures: list[Picture]) -> dict[str, Picture]:
    return {picture.name: picture for picture in pictures}


def test_churn_is_drawn_for_every_method() -> None:
    pictures = by_name(list(draw_churn(make_measures(), minimum_users=5)))
    assert list(pictures)[:3] == ["roc-churn-short", "pr-churn-short", "calibration-churn-short"]
    roc = pictures["roc-churn-short"]
    assert [trace["name"].split(" (")[0] for trace in roc.spec["data"]] == [
        "model",
        "served model",
        "rfm logit",
        "guessing",
    ]
    assert roc.spec["data"][1]["line"]["color"] == SERVED_COLOUR
    assert roc.table.rows[0][0] == "0.00"
    assert roc.table.rows[-1] == ["1.00", "1.000", "1.000", "1.000"]


def test_points_of_the_calibration_need_enough_users() -> None:
    users = [0] * 20 + list(range(1, 21))
    scores = [0.05] * 20 + [0.55] * 20  # the low ones are all of one user
    values = {"churn_short/label": [0, 1] * 20, "churn_short/model/score": scores}
    pictures = by_name(list(draw_churn(table(users, values), minimum_users=2)))
    assert pictures["calibration-churn-short"].table.rows == [["model", "0.5 to 0.6", "20", "0.550", "0.500"]]
    assert "calibration-churn-short" not in by_name(list(draw_churn(table(users, values), minimum_users=30)))


def test_nothing_is_drawn_of_one_class() -> None:
    values = {"churn_short/label": [0, 0], "churn_short/model/score": [0.1, 0.2]}
    assert not list(draw_churn(table([0, 1], values), minimum_users=1))


def test_differences_to_both_rivals() -> None:
    picture = draw_differences(list_headlines(make_evaluation(), make_measures()))
    assert picture is not None
    baseline, served = picture.spec["data"]
    assert list(baseline["x"]) == [0.04, 0.01, -0.05]
    assert np.allclose(baseline["error_x"]["array"], [0.03, 0.02, 0.02])
    assert len(served["x"]) == 3
    assert picture.sentence.startswith("Of 3 headline metrics the model is ahead of the strongest baseline in 1")
    assert draw_differences(()) is None


def test_training_tells_which_epoch_was_kept() -> None:
    losses, validation = draw_training(make_training())
    assert losses.sentence == (
        "Loss went from 2.0000 in the first to 2.0000 in the last of 3 epochs; the weights of epoch 2 (dotted line) "
        "were kept."
    )
    assert validation.table.head == ["epoch", "score", "churn short auc"]
    assert not list(draw_training({}))


def test_a_warm_start_that_no_epoch_bettered() -> None:
    losses, _ = draw_training(make_training() | {"best_epoch": -1})
    assert losses.sentence.endswith("the weights it started from were kept.")
    assert not losses.spec["layout"].get("shapes")


def test_flows_are_drawn_between_categories_only() -> None:
    pictures = by_name(list(draw_flows(make_flows())))
    movement = pictures["flow-movement"].spec["data"][0]
    assert list(movement["link"]["value"]) == [20.0]
    assert pictures["flow-movement"].table.rows[0][2:] == ["20.00 %", "40.0 %", "40"]
    assert pictures["flow-changes"].sentence.startswith("Of 2 categories 1 gain and 1 lose interest beyond chance")
    course = pictures["flow-course"]
    assert [list(trace["y"]) for trace in course.spec["data"]] == [[40.0, 50.0], [None, 20.0]]
    assert course.table.rows[0][1:] == ["50", "40.0 %", "–"]

import pytest

from interest_migration.errors import ConfigError, DataError
from interest_migration.search.trials import BEST_FILE, Search, Trial, newest_search
from interest_migration.search.values import merge_values, read_values


def test_values_are_merged_without_touching_the_given_ones():
    config = {"model": {"width": 8, "layers": 1, "loss_weights": {"churn": 1.0}}, "code": "x"}
    found = {"model.width": 16, "model.loss_weights.churn": 2.0, "training.learning_rate": 0.1, "tuner/epochs": 3}
    assert merge_values(config, found) == {
        "model": {"width": 16, "layers": 1, "loss_weights": {"churn": 2.0}},
        "training": {"learning_rate": 0.1},
        "code": "x",
    }
    assert config == {"model": {"width": 8, "layers": 1, "loss_weights": {"churn": 1.0}}, "code": "x"}


def test_the_account_is_written_and_read_back(tmp_path):
    search = Search("score")
    search = search.with_trial(Trial("0", {"model.width": 8}, reason="heads"))
    search.write(tmp_path / "abc")
    assert search.best is None
    assert not (tmp_path / "abc" / BEST_FILE).exists()
    search = search.with_trial(Trial("1", {"model.width": 16}, 0.7, 2, 1.5)).with_trial(Trial("2", {}, 0.6))
    search.write(tmp_path / "abc")
    assert newest_search(tmp_path) == tmp_path / "abc"
    assert Search.read(tmp_path / "abc") == search
    assert search.best.trial == "1"
    assert [trial.trial for trial in search.with_trial(Trial("3", {}, 0.7)).ranked()] == ["1", "3", "2", "0"]
    assert read_values(tmp_path / "abc" / BEST_FILE) == {"model.width": 16}
    assert search.trials[1].describe(2, 3) == "trial 2/3 model.width=16: 0.7000 2 epochs 2 s"


def test_a_repeated_trial_replaces_itself():
    search = Search("score").with_trial(Trial("0", {}, 0.1)).with_trial(Trial("0", {}, 0.2))
    assert [trial.score for trial in search.trials] == [0.2]


def test_no_search(tmp_path):
    with pytest.raises(DataError, match="expected a search in"):
        newest_search(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"), [("model.size: 3", "model.size"), ("- 3", "expected fields"), (None, "YAML")]
)
def test_damaged_values(tmp_path, text, message):
    if text is not None:
        (tmp_path / "best.yaml").write_text(text)
    with pytest.raises(ConfigError, match=message):
        read_values(tmp_path / "best.yaml")

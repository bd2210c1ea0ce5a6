"""A search on a small log: trials, failures, going on after a kill, the best values in the Trainer."""

import json

import pytest
from synthetic_examples import write_examples
from tfx.components.trainer.fn_args_utils import FnArgs
from transform_runner import transform_examples

from components import search_tuner
from components.tuner import make_oracle, tuner_fn
from interest_migration.errors import ConfigError
from interest_migration.search.settings import SearchSettings
from interest_migration.search.trials import BEST_FILE, Search
from interest_migration.search.values import read_values

CONFIG = {
    "model": {"width": 8, "layers": 1, "feedforward_width": 8, "max_steps": 4, "loss_steps": 2},
    "training": {"epochs": 2, "batch_size": 16},
    "transform": {"items": {"min_count": 1}},
}
SEARCH = {
    "trials": 3,
    "epochs": 1,
    "algorithm": "random",
    "space": {"training.learning_rate": {"min": 1e-3, "max": 1e-2, "log": True}},
}


@pytest.fixture(scope="module")
def arguments(tmp_path_factory):
    directory = tmp_path_factory.mktemp("search")
    graph, _ = transform_examples(directory, write_examples(directory, 80, seed=1), CONFIG)

    def make(place, **search):
        return FnArgs(
            train_files=[str(directory / "transformed" / "Split-train" / "*")],
            eval_files=[str(directory / "transformed" / "Split-eval" / "*")],
            transform_graph_path=graph,
            custom_config=CONFIG | {"search": SEARCH | search, "search_directory": str(place)},
        )

    return make


def search(fn_args):
    result = tuner_fn(fn_args)
    result.tuner.search(**result.fit_kwargs)
    return result.tuner


def test_a_killed_search_goes_on_where_it_was(arguments, tmp_path, monkeypatch):
    trained, killed, train = [], [], search_tuner.train

    def train_or_die(data, model, settings, *rest):
        trained.append(settings.learning_rate)
        assert settings.epochs == 1
        if len(trained) == 2 and not killed:
            killed.append(settings.learning_rate)
            raise KeyboardInterrupt
        return train(data, model, settings, *rest)

    monkeypatch.setattr(search_tuner, "train", train_or_die)
    with pytest.raises(KeyboardInterrupt):
        search(arguments(tmp_path))
    tuner = search(arguments(tmp_path))
    assert len(trained) == 4  # one, the killed one, the killed one again, another
    assert trained[2] == killed[0] == trained[1]
    assert len(set(trained)) == 3
    found = Search.read(tuner.folder)
    assert len({trial.score for trial in found.trials} - {None}) == 3  # the values reach the training
    best = tuner.get_best_hyperparameters()[0].values
    assert read_values(tuner.folder / BEST_FILE) == best == found.best.values
    assert search(arguments(tmp_path)).account == found  # nothing is left to try
    assert len(trained) == 4


def test_combinations_that_do_not_fit_are_skipped(arguments, tmp_path, monkeypatch):
    monkeypatch.setattr(search_tuner, "train", lambda *_: pytest.fail("expected no training"))
    space = {"model.heads": {"values": [3, 5]}}
    with pytest.raises(ConfigError, match=r"expected a trial that can be trained.*multiple of heads"):
        search(arguments(tmp_path, space=space, trials=2))
    (folder,) = tmp_path.iterdir()
    content = json.loads((folder / "trials.json").read_text())
    assert sorted(trial["values"]["model.heads"] for trial in content["trials"]) == [3, 5]


def test_an_objective_that_the_log_cannot_tell(arguments, tmp_path, monkeypatch):
    class Trained:
        record = {"best_validation": {"score": 0.5}, "epochs": 1, "wall_seconds": 1.0}  # noqa: RUF012

    monkeypatch.setattr(search_tuner, "train", lambda *_: Trained)
    with pytest.raises(Exception, match="expected a metric that this log can tell, received churn_long_auc"):
        search(arguments(tmp_path, objective="churn_long_auc"))


@pytest.mark.parametrize("algorithm", ["random", "bayesian", "hyperband"])
def test_every_algorithm_proposes_values_of_the_space(algorithm, tmp_path):
    space = {
        "training.learning_rate": {"min": 1e-4, "max": 1e-2, "log": True},
        "model.layers": {"min": 1, "max": 3},
        "model.width": {"values": [8, 16]},
    }
    settings = SearchSettings.from_values({"space": space, "algorithm": algorithm, "trials": 4}, source="test")
    oracle = make_oracle(settings, epochs=4, seed=0)
    oracle.verbose = 0
    oracle._set_project_dir(str(tmp_path), "search")
    for number in range(4):
        values = oracle.create_trial(f"tuner{number}").hyperparameters.values
        assert 1e-4 <= values["training.learning_rate"] <= 1e-2
        assert values["model.layers"] in (1, 2, 3)
        assert values["model.width"] in (8, 16)
    assert oracle.create_trial("another").status == "STOPPED"

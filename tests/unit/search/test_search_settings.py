import pytest

from interest_migration.errors import ConfigError
from interest_migration.search.settings import SearchSettings

GOOD = {
    "training.learning_rate": {"min": 3e-4, "max": 3e-3, "log": True},
    "model.width": {"values": [32, 64]},
    "model.layers": {"min": 1, "max": 3},
    "model.loss_weights.churn": {"min": 0.5, "max": 2},
}


def parse(space=None, **options):
    return SearchSettings.from_values({"space": space or {}, **options}, source="config")


def test_nothing_is_searched_by_default():
    assert not parse().searches


def test_ranges_are_read():
    settings = parse(GOOD, trials=3, algorithm="hyperband", objective="churn_short_auc")
    assert settings.searches
    assert settings.space["training.learning_rate"].log
    assert settings.space["model.width"].values == (32, 64)


@pytest.mark.parametrize(
    ("name", "dimension", "message"),
    [
        ("model.size", {"min": 1, "max": 2}, "model.size: expected a field of model or training"),
        ("data.shards", {"min": 1, "max": 2}, "data.shards: expected a field of model or training"),
        ("model.loss_weights", {"values": [1]}, "model.loss_weights: expected a field"),
        ("training.epochs", {"min": 1, "max": 2}, "training.epochs: expected a field"),
        ("model.dropout", {"min": 0.1, "max": 1.0}, "model.dropout: Input should be less than 1, received 1.0"),
        ("model.width", {"values": [8, 2]}, "model.width: .*greater than or equal to 4, received 2"),
        ("model.layers", {"min": 1.5, "max": 3}, "model.layers: .*integer"),
        ("model.layers", {"min": 1, "max": 5, "step": 0.5}, "model.layers: expected a whole step"),
        ("model.layers", {"min": 3, "max": 1}, "expected values, or min below max"),
        ("model.layers", {"min": 1}, "expected values, or min below max"),
        ("model.layers", {"values": [1], "min": 1, "max": 2}, "expected either values, or min and max"),
        ("model.dropout", {"min": 0, "max": 0.5, "log": True}, "expected min above 0"),
        ("training.precision", {"min": 0, "max": 1}, "training.precision: expected values"),
        ("training.precision", {"values": ["float8"]}, "training.precision: .*received 'float8'"),
        ("model.layers", {"minimum": 1, "max": 2}, "minimum"),
    ],
)
def test_what_does_not_fit_is_named(name, dimension, message):
    with pytest.raises(ConfigError, match=message):
        parse({name: dimension})


def test_other_fields():
    with pytest.raises(ConfigError, match=r"objective: .*expected one of score, churn_short_auc"):
        parse(objective="loss")
    with pytest.raises(ConfigError, match="algorithm"):
        parse(algorithm="grid")
    with pytest.raises(ConfigError, match=r"expected space .* or best"):
        parse(GOOD, best="best.yaml")

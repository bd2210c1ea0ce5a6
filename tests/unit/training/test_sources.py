import numpy as np
import pytest
from shopping_users import write_users
from transformed_records import SIZES

from interest_migration.errors import DataError
from interest_migration.model.settings import VocabularySizes
from interest_migration.pretraining.settings import PretrainingSettings
from interest_migration.training import calibrate
from interest_migration.training.settings import TrainingSettings
from interest_migration.training.sources import read_sources
from interest_migration.training.train import NO_PRETRAINING, TrainingData
from schemas.features import AGGREGATES, CHURN, HORIZON_OBSERVED, NEXT_CATEGORIES, label_name

SETS = {"label_share": 0.5, "batch_size": 16}
KNOWN = (label_name(HORIZON_OBSERVED["short"]), label_name(NEXT_CATEGORIES))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    path = write_users(tmp_path_factory.mktemp("users") / "data.gz", 30, 1)
    days = {"short": 10.0, "long": 20.0}
    return TrainingData([path], [path], VocabularySizes(**SIZES), 5.0, label_days=days)


def column(source, name):
    return np.concatenate([batch[name].numpy().reshape(len(batch[name]), -1)[:, 0] for batch in source.batches()])


@pytest.mark.parametrize("memory", [0, 400])
def test_the_others_show_no_label(data, memory):
    sources = read_sources(data, TrainingSettings(**SETS, memory_megabytes=memory), NO_PRETRAINING)
    assert sources.train.count + sources.others.count == 90
    assert (column(sources.others, label_name(CHURN["short"])) == -1).all()
    assert not column(sources.others, KNOWN[0]).any()
    assert sum(batch[KNOWN[1]].shape[1] for batch in sources.others.batches()) == 0
    assert (column(sources.train, label_name(CHURN["short"])) >= 0).any()
    firsts = [*column(sources.train, AGGREGATES), *column(sources.others, AGGREGATES)]
    assert len(set(firsts)) == 90


@pytest.mark.parametrize("memory", [0, 400])
def test_with_pretraining_the_others_have_those_of_their_trajectories(data, memory):
    settings = TrainingSettings(**SETS, memory_megabytes=memory)
    sources = read_sources(data, settings, PretrainingSettings(epochs=1))
    observed = column(sources.others, KNOWN[0])
    assert observed.mean() == pytest.approx(2 / 3)  # of three cuts ten days apart, the last has no later one


def test_all_labels_leave_no_others(data):
    sources = read_sources(data, TrainingSettings(), NO_PRETRAINING)
    assert sources.others is None
    assert sources.train.count == 90


def test_no_user_left(data):
    with pytest.raises(DataError, match=r"training\.label_share 1e-06 leaves no user, raise it"):
        read_sources(data, TrainingSettings(label_share=1e-6), NO_PRETRAINING)


def test_users_to_calibrate_on_are_not_pretrained_on(data, monkeypatch):
    monkeypatch.setattr(calibrate, "FEWEST_EXAMPLES", 1)
    settings = TrainingSettings(calibration_share=0.5)
    sources = read_sources(data, settings, PretrainingSettings(epochs=1))
    kept = sum(half.count for half in sources.unfitted.halves)
    assert kept > 0
    assert sources.train.count == sources.trajectories[0].count == 90 - kept
    calibrated = {value for half in sources.unfitted.halves for value in column(half, AGGREGATES)}
    assert not calibrated & set(column(sources.trajectories[0], AGGREGATES))
    plain = read_sources(data, settings, NO_PRETRAINING)
    assert set(column(plain.train, AGGREGATES)) == set(column(sources.train, AGGREGATES))

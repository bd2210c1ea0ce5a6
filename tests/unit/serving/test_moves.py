import pytest
from hypothesis import given
from hypothesis import strategies as st

from interest_migration.errors import DataError
from interest_migration.serving.model_config import Policy, Rollout
from interest_migration.serving.moves import label, load_first, pin, place, promote, roll_back, unlabel, unpin

PRESENT = (1, 2, 3, 4)


def pinned(*versions: int, **labels: int) -> Rollout:
    return Rollout(Policy.SPECIFIC, versions, labels=labels)


@pytest.mark.parametrize(
    ("now", "move", "arguments", "after"),
    [
        (Rollout(), pin, (None,), pinned(4, stable=4)),
        (Rollout(), pin, (2,), pinned(2, stable=2)),
        (pinned(2, 4, stable=2, canary=4), pin, (3,), pinned(3, 4, stable=3, canary=4)),
        (pinned(2, 4, stable=2, canary=4), pin, (None,), pinned(2, 4, stable=2, canary=4)),
        (pinned(2, stable=2), label, ("canary", 4), pinned(2, 4, stable=2, canary=4)),
        (pinned(2, 3, stable=2, canary=3), label, ("canary", 4), pinned(2, 4, stable=2, canary=4)),
        (pinned(2, 3, stable=2, canary=3), label, ("old", 3), pinned(2, 3, stable=2, canary=3, old=3)),
        (pinned(2, 3, stable=2, canary=3), promote, (None,), pinned(2, 3, stable=3)),
        (pinned(1, 2, stable=2), promote, (3,), pinned(2, 3, stable=3)),
        (pinned(3, 4, stable=3, canary=4), promote, (2,), pinned(2, 4, stable=2, canary=4)),
        (Rollout(), promote, (2,), pinned(2, stable=2)),
        (pinned(2, 3, stable=2, canary=3), unlabel, ("canary",), pinned(2, stable=2)),
        (pinned(2, 3, stable=3, old=2, older=2), unlabel, ("old",), pinned(2, 3, stable=3, older=2)),
        (pinned(3, 4, stable=4), roll_back, ([3],), pinned(3, stable=3)),
        (pinned(2, 3, 4, stable=3, canary=4), roll_back, ([1, 2],), pinned(2, stable=2)),
        (pinned(4, stable=4), roll_back, ([3, 9],), pinned(3, stable=3)),
        (Rollout(), roll_back, ([],), pinned(3, stable=3)),
        (pinned(2, stable=2), unpin, (), Rollout()),
        (Rollout(), place, ("/models/interests",), Rollout(base_path="/models/interests")),
        (Rollout(base_path="/old"), place, ("",), Rollout(base_path="/old")),
    ],
)
def test_moves(now, move, arguments, after):
    assert move(now, PRESENT, *arguments) == after


@pytest.mark.parametrize(
    ("now", "move", "arguments", "message"),
    [
        (Rollout(), pin, (9,), "expected one of the versions 1, 2, 3, 4, received 9"),
        (pinned(7, stable=7), pin, (None,), "expected a version that is served, found none"),
        (Rollout(), promote, (None,), "expected the version to promote, since none is labelled canary"),
        (pinned(2, 7, stable=2, canary=7), promote, (None,), "received 7"),
        (Rollout(), label, ("canary", 4), "pin the version that is to stay served first"),
        (pinned(2, stable=2), label, ("stable", 3), "expected a label other than stable"),
        (pinned(2, stable=2), label, ("canary", 2), "which is stable already"),
        (pinned(2, stable=2), label, ("canary", 9), "received 9"),
        (pinned(2, stable=2), unlabel, ("stable",), r"expected one of the labels \(none\), received stable"),
        (pinned(2, 3, stable=2, canary=3), unlabel, ("old",), "expected one of the labels canary, received old"),
        (pinned(2, 3, stable=2, canary=3), unpin, (), "expected no label but stable, found canary"),
        (pinned(1, stable=1), roll_back, ([],), "expected a version that was served before 1, found none"),
        (Rollout(), place, ("models",), "expected a base path that begins with /"),
    ],
)
def test_what_makes_no_sense_is_refused(now, move, arguments, message):
    with pytest.raises(DataError, match=message):
        move(now, PRESENT, *arguments)


def test_a_version_is_loaded_before_a_label_names_it():
    now, after = pinned(2, 3, stable=2, canary=3), pinned(4, stable=4)
    first = load_first(now, after, PRESENT)
    assert first == pinned(2, 3, 4, stable=2, canary=3)
    assert load_first(first, after, PRESENT) is None


@pytest.mark.parametrize(
    ("now", "after"),
    [
        (Rollout(), pinned(4, stable=4)),
        (pinned(2, 3, stable=2, canary=3), pinned(2, 3, stable=3)),
        (pinned(3, 4, stable=4), pinned(3, stable=3)),
        (pinned(2, stable=2), Rollout()),
    ],
)
def test_what_is_loaded_already_takes_one_step(now, after):
    assert load_first(now, after, PRESENT) is None


MOVES = st.one_of(
    st.tuples(st.just(pin), st.tuples(st.sampled_from([None, *PRESENT]))),
    st.tuples(st.just(promote), st.tuples(st.sampled_from([None, *PRESENT]))),
    st.tuples(st.just(roll_back), st.tuples(st.lists(st.sampled_from(PRESENT)))),
    st.tuples(st.just(unpin), st.just(())),
    st.tuples(st.just(label), st.tuples(st.sampled_from(["canary", "old"]), st.sampled_from(PRESENT))),
    st.tuples(st.just(unlabel), st.tuples(st.sampled_from(["canary", "old"]))),
)


@given(st.lists(MOVES, max_size=12))
def test_whatever_is_done_labels_name_loaded_versions_and_one_is_served(moves):
    now = Rollout()
    for move, arguments in moves:
        try:
            after = move(now, PRESENT, *arguments)
        except DataError:
            continue
        first = load_first(now, after, PRESENT)
        for step in [first, after] if first else [after]:
            assert set(step.labels.values()) <= set(step.loads(PRESENT))
            assert step.serves(PRESENT) in PRESENT
            # what TensorFlow Serving demands of a label that moves
            assert set(step.labels.values()) <= set(now.loads(PRESENT))
            now = step
        if now.policy is Policy.LATEST:
            assert not now.labels

import numpy as np
import pytest
from transformed_examples import transformed

from interest_migration.baselines.histories import count_covered_steps, read_steps
from interest_migration.baselines.transitions import count_transitions
from interest_migration.errors import DataError

LABEL = "label_next_categories"


def _history(*steps):
    """Steps of category ids, old to new -> one row of category ids and step indices."""
    return (
        [category for step in steps for category in step],
        [len(steps) - 1 - number for number, step in enumerate(steps) for _ in step],
    )


def _examples(histories, users=None, cuts=None, labels=None):
    rows = [_history(*history) for history in histories]
    ids = [row[0] for row in rows]
    return transformed(
        len(rows),
        user=users or [f"user-{number}" for number in range(len(rows))],
        cut_time_s=cuts or [100] * len(rows),
        category_ids=ids,
        item_ids=ids,
        action_ids=[[1] * len(row) for row in ids],
        step_index=[row[1] for row in rows],
        label_next_categories=labels or [[] for _ in rows],
    )


def _counts(examples, size=5):
    steps = read_steps(examples)
    return count_transitions(examples, steps, steps.categories(size), LABEL)


def test_steps_without_a_category_are_passed_over():
    examples = transformed(
        2,
        category_ids=[[2, 3, 0, 2], []],
        item_ids=[[7, 8, 9, 7], []],
        action_ids=[[1, 1, 1, 1], []],
        step_index=[[2, 2, 1, 0], []],
    )
    steps = read_steps(examples)
    assert steps.back.tolist() == [1, 0]
    assert steps.first.tolist() == [0, 2]
    assert steps.end.tolist() == [2, 2]
    assert steps.categories(3).toarray().tolist() == [[0, 1, 1], [0, 1, 0]]
    assert steps.items(8).toarray()[0].tolist() == [0, 0, 0, 0, 0, 0, 1, 1]


def test_neighbouring_examples_with_equal_step_indices_stay_apart():
    steps = read_steps(_examples([[[1]], [[1]]]))
    assert steps.example.tolist() == [0, 1]


def test_content_ignores_the_order_inside_a_step():
    steps = read_steps(_examples([[[1, 2]], [[2, 1]], [[1, 3]]]))
    assert steps.content[0] == steps.content[1] != steps.content[2]


def test_transitions_between_sets_and_to_the_label():
    counted = _counts(_examples([[[1, 2], [3]]], labels=[[1]]), size=3)
    assert counted.counts.toarray().tolist() == [[0, 0, 1], [0, 0, 1], [1, 0, 0]]
    assert counted.sources.tolist() == [1, 1, 1]
    assert counted.targets.tolist() == [1, 0, 1]


def test_probabilities_are_shares_of_the_transitions_from_a_category():
    counted = _counts(_examples([[[1], [2], [1], [3]], [[1], [2]]]), size=3)
    assert counted.probabilities.toarray()[0].tolist() == pytest.approx([0, 2 / 3, 1 / 3])


def test_newest_example_of_a_user_is_never_covered():
    examples = _examples([[[1], [2], [3]], [[1], [2], [3]]], users=["a", "b"])
    assert count_covered_steps(examples, read_steps(examples)).tolist() == [0, 0]


def test_older_cut_of_the_same_user_is_covered_by_the_newer():
    older, newer = [[1], [2], [3]], [[1], [2], [3], [4], [5]]
    examples = _examples([newer, older], users=["a", "a"], cuts=[200, 100], labels=[[1], [4]])
    assert count_covered_steps(examples, read_steps(examples)).tolist() == [0, 3]
    assert _counts(examples).counts.sum() == 5


def test_what_a_shortened_newer_history_does_not_reach_is_added_once():
    stream = [[number] for number in (1, 2, 3, 4, 5, 1, 3, 2, 4)]
    examples = _examples([stream[:6], stream[2:]], users=["a", "a"], cuts=[100, 200], labels=[[3], [5]])
    assert count_covered_steps(examples, read_steps(examples)).tolist() == [4, 0]
    whole = _counts(_examples([stream], labels=[[5]]))
    assert _counts(examples).counts.toarray().tolist() == whole.counts.toarray().tolist()


def test_histories_that_do_not_meet_both_count_whole():
    stream = [[number] for number in (1, 2, 3, 4, 5, 1, 4, 2)]
    examples = _examples([stream[:4], stream[4:]], users=["a", "a"], cuts=[100, 200], labels=[[5], [3]])
    assert count_covered_steps(examples, read_steps(examples)).tolist() == [0, 0]
    whole = _counts(_examples([stream], labels=[[3]]))
    assert _counts(examples).counts.toarray().tolist() == whole.counts.toarray().tolist()


def test_same_history_of_an_inactive_user_counts_once():
    history = [[1], [2], [3]]
    examples = _examples([history, history], users=["a", "a"], cuts=[100, 200], labels=[[4], [4]])
    assert _counts(examples).counts.sum() == 3


def test_random_streams_count_as_the_whole_stream():
    rng = np.random.default_rng(0)
    for _ in range(20):
        stream = [rng.choice(6, size=rng.integers(1, 3), replace=False).tolist() for _ in range(50)]
        stream = [[category + 1 for category in step] for step in stream]
        distances = rng.choice([1, 2, 3, 5, 7, 10, 12], size=3)  # histories of 10 steps share 9, 8, 7, 5, 3 or none
        cuts = np.cumsum([12, *distances]).tolist()
        histories = [stream[max(0, cut - 10) : cut] for cut in cuts]
        examples = _examples(histories, users=["a"] * 4, cuts=cuts, labels=[stream[cut] for cut in cuts])
        reached = {step for cut in cuts for step in range(max(0, cut - 10), cut)}
        expected = sum(len(stream[step]) * len(stream[step + 1]) for step in reached)
        assert _counts(examples, size=6).counts.sum() == expected


def test_nothing_to_count_is_an_error():
    with pytest.raises(DataError, match="expected training histories of at least two steps"):
        _counts(_examples([[[1]], []]))

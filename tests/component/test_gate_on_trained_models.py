"""Models that are really trained, on honest and on spoilt labels, before the same gate.

A user's chance to churn grows with the second aggregate, so an honest model reaches an AUC of about .8. Slice `new` are
the users whose third aggregate is positive.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from transformed_records import SIZES, SMALL_MODEL, Example, make_transformed, write_records

from interest_migration.evaluation.compare import MODEL
from interest_migration.evaluation.measures import LABEL, SERVED, About, Measures, number_users, slices_of
from interest_migration.evaluation.settings import EvaluationSettings
from interest_migration.evaluation.spaces import IdSpaces
from interest_migration.evaluation.tasks import build_tasks
from interest_migration.gates.decision import Decision
from interest_migration.gates.judge import judge
from interest_migration.gates.settings import GateSettings
from interest_migration.model.scores import predict_scores
from interest_migration.model.settings import ModelSettings, VocabularySizes
from interest_migration.ragged import read_examples
from interest_migration.training.settings import TrainingSettings
from interest_migration.training.train import TrainingData, train
from schemas.features import AGGREGATES, CHURN, HORIZONS, SLICE_TENURE, TRANSFORMED_FEATURES, USER, label_name

TASK = "churn_short"
GATES = GateSettings.from_values(
    {
        "rules": [
            {"name": "told, and plausibly", "task": TASK, "metric": "auc", "at_least": 0.7, "at_most": 0.97},
            {"name": "no step back", "task": TASK, "metric": "auc", "no_worse_than_served_by": 0.02},
            {
                "name": "no step back for anybody",
                "task": TASK,
                "metric": "auc",
                "slices": [SLICE_TENURE],
                "no_worse_than_served_by": 0.1,
            },
        ]
    },
    source="gates",
)
MUST_IMPROVE = GateSettings.from_values(
    {"rules": [{"name": "better", "task": TASK, "metric": "auc", "better_than_served_by": 0.0}]}, source="gates"
)
Spoil = Callable[[Example, np.random.Generator], None]


def honest(example: Example, rng: np.random.Generator) -> None:
    """Leaves an example as it is."""


def shuffled(example: Example, rng: np.random.Generator) -> None:
    """Labels that have nothing to do with their features."""
    label(example, int(rng.random() < 0.5))


def leaked(example: Example, rng: np.random.Generator) -> None:
    """The label itself among the features."""
    example[AGGREGATES][5] = 4.0 * example[label_name(CHURN["short"])][0] - 2.0


def one_slice_broken(example: Example, rng: np.random.Generator) -> None:
    """Labels turned round in one slice."""
    if example[AGGREGATES][2] > 0:
        label(example, 1 - example[label_name(CHURN["short"])][0])


def label(example: Example, churned: int) -> None:
    for horizon in HORIZONS:
        example[label_name(CHURN[horizon])] = [churned]


def make_examples(count: int, seed: int, spoil: Spoil = honest) -> list[Example]:
    rng = np.random.default_rng(seed)
    examples = []
    for number in range(count):
        example = make_transformed(rng)
        label(example, int(rng.random() < 1 / (1 + np.exp(-2.0 * example[AGGREGATES][1]))))
        spoil(example, rng)
        group = b"new" if example[AGGREGATES][2] > 0 else b"old"
        examples.append(example | {USER: [f"{number // 2:032x}".encode()], SLICE_TENURE: [group]})
    return examples


def scores_of(folder: Path, spoil: Spoil, seed: int, test: str) -> dict[str, np.ndarray]:
    data = TrainingData(
        [write_records(folder / "train.gz", make_examples(2000, seed, spoil))],
        [write_records(folder / "eval.gz", make_examples(300, seed + 1, spoil))],
        VocabularySizes(**SIZES),
        56.0,
    )
    settings = TrainingSettings(epochs=3, batch_size=64, learning_rate=0.02, patience=3, seed=seed)
    return predict_scores(train(data, ModelSettings(**SMALL_MODEL), settings, folder, lambda _: None).model, [test])


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, np.ndarray]:
    folder = tmp_path_factory.mktemp("served")
    test = write_records(folder / "test.gz", make_examples(1600, 99))
    return folder / "test.gz", scores_of(folder, honest, 1, test)[TASK]


@pytest.fixture(scope="module")
def judge_model(served: tuple[Path, np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Decision]:
    """Trains a model on spoilt labels, once each, and judges it on honest ones; a leak reaches the test examples."""
    made: dict[Spoil, Measures] = {}

    def judged(spoil: Spoil, gates: GateSettings = GATES) -> Decision:
        if spoil not in made:
            made[spoil] = measure(spoil, served[1], tmp_path_factory.mktemp("candidate"))
        return judge(made[spoil], gates)

    return judged


def measure(spoil: Spoil, served_scores: np.ndarray, folder: Path) -> Measures:
    examples = make_examples(1600, 99, leaked if spoil is leaked else honest)
    test_file = write_records(folder / "test.gz", examples)
    test = read_examples([test_file], TRANSFORMED_FEATURES)
    spaces = IdSpaces(SIZES["categories"], SIZES["items"])
    tasks = {task.name: task for task in build_tasks(test, spaces, EvaluationSettings(new_interest_days=56))}
    values = {f"{TASK}/{LABEL}": np.asarray(test[label_name(TASK)], float)}
    for method, scores in ((MODEL, scores_of(folder, spoil, 2, test_file)[TASK]), (SERVED, served_scores)):
        values[f"{TASK}/{method}/score"] = tasks[TASK].per_example(scores)["score"]
    return Measures(number_users(test), np.arange(len(examples)), slices_of(test), values, About(served_version=1))


def test_an_honest_model_passes(judge_model):
    decision = judge_model(honest)
    assert decision.passed, decision.reasons


def test_shuffled_labels_are_refused_as_too_weak(judge_model):
    decision = judge_model(shuffled)
    assert not decision.passed
    assert any("told, and plausibly" in reason and "at least 0.7" in reason for reason in decision.reasons)


def test_leaked_labels_are_refused_as_too_good(judge_model):
    decision = judge_model(leaked)
    assert [reason.split(", received")[0] for reason in decision.reasons] == [
        "told, and plausibly: expected auc of churn_short in all examples (1,600 known labels of 800 users) to be "
        "at most 0.97"
    ]


def test_one_broken_slice_is_refused_and_named(judge_model):
    decision = judge_model(one_slice_broken)
    slices = [reason for reason in decision.reasons if reason.startswith("no step back for anybody")]
    assert any("in slice_tenure=new" in reason for reason in slices), decision.reasons


def test_an_improvement_inside_noise_is_refused_where_it_must_be_shown(judge_model):
    decision = judge_model(honest, MUST_IMPROVE)
    assert decision.reasons[0].endswith("refused, since chance may explain it and it must be shown")

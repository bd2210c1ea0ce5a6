"""The benchmark on a small file, by its command."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from pipeline.cli import main


@pytest.fixture(scope="module")
def sequence_file(tmp_path_factory):
    """200 users who walk round a ring of 30 items, now and then with a step aside."""
    rng = np.random.default_rng(0)
    lines = []
    for user in range(200):
        place, row = int(rng.integers(30)), []
        for _ in range(int(rng.integers(4, 9))):
            row.append(place)
            place = (place + 1 + int(rng.random() < 0.1)) % 30
        lines.append(" ".join(map(str, [user, *row])))
    path = tmp_path_factory.mktemp("sequences") / "ring.txt"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def run(*arguments):
    return CliRunner().invoke(main, ["benchmark", "sequences", *map(str, arguments)])


def test_model_and_counts_find_the_next_item_of_a_ring(sequence_file):
    result = run("--input", sequence_file, "--resamples", 20, "--json")
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    test = found["test"]
    assert found["file"] == {
        "users": 200,
        "items": 30,
        "interactions": found["file"]["interactions"],
        "users_left_out": 0,
    }
    assert test["item_transitions"]["hit_at_5"]["value"] > 0.9
    assert test["interest_migration"]["hit_at_5"]["value"] > 0.9
    assert test["popularity"]["hit_at_5"]["value"] < 0.5
    assert found["cost"]["targets_per_cpu_second"] > 0
    low, high = (found["lift"]["hit_at_5"][bound] for bound in ("low", "high"))
    assert low <= found["lift"]["hit_at_5"]["value"] <= high


def test_bad_input_ends_in_one_line(tmp_path):
    (tmp_path / "empty.txt").write_text("", encoding="utf-8")
    result = run("--input", tmp_path / "empty.txt")
    assert result.exit_code == 2
    assert "at least three items" in result.output

"""With a minimum of users, no value of fewer users is in any file of the transform graph."""

import uuid
from collections import defaultdict
from pathlib import Path

import apache_beam as beam
import pytest
import tensorflow as tf
from synthetic_log import write_log
from tensorflow_transform.beam import analyzer_impls
from transform_runner import transform_examples

from components.ingestion import NO_BOUNDS, Plan, run_ingestion
from components.vocabulary_filter import only_values, read_values
from interest_migration.errors import DataError
from interest_migration.examples.settings import ExampleSettings
from interest_migration.sources.mapping import SourceMapping
from interest_migration.transform.vocabularies import COUNTED
from schemas.features import USER

FIELDS = {
    "user": "user",
    "time": {"column": "ts", "format": "unix_s"},
    "action": {"column": "action", "values": {"pv": "view", "buy": "purchase"}},
    "item": "item",
    "category_path": "category",
}
MAPPING = SourceMapping.from_values(
    {"name": "shop", "streams": [{"name": "log", "files": "log.csv", "fields": FIELDS}]}, source="test"
)
SETTINGS = ExampleSettings(cut_every_days=14, eval_cuts=1, test_cuts=1, active_days=42)
EVERYTHING = {"transform": {name: {"min_count": 1} for name in COUNTED}}


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ingested")
    write_log(folder / "log.csv", users=40)
    with (folder / "log.csv").open("a") as log:  # one user who buys one thing all the time
        start = 1_672_531_200
        log.writelines(f"lonely,lonely-item,lonely-category,buy,{start + day * 86_400},1\n" for day in range(180))
    plan = Plan(
        mapping=MAPPING.model_dump_json(),
        settings=SETTINGS.model_dump_json(),
        input_root=str(folder),
        key=bytes(32),
        shards=3,
        examples=str(folder / "examples"),
        rejects=str(folder / "rejects"),
        count_users=True,
    )
    run_ingestion(beam.Pipeline(), plan, NO_BOUNDS)
    return folder / "examples"


def files_of(examples: Path, split: str) -> list[str]:
    return sorted(map(str, (examples / f"Split-{split}").glob("*.gz")))


def users_by_value(examples: Path) -> dict[str, dict[bytes, int]]:
    """Vocabulary -> value -> distinct users, one example at a time."""
    found: dict[str, dict[bytes, set[bytes]]] = {name: defaultdict(set) for name in COUNTED}
    for record in tf.data.TFRecordDataset(files_of(examples, "train"), compression_type="GZIP"):
        features = tf.train.Example.FromString(record.numpy()).features.feature
        (user,) = features[USER].bytes_list.value
        for vocabulary, sources in COUNTED.items():
            for value in (value for name in sources for value in features[name].bytes_list.value if value):
                found[vocabulary][value].add(user)
    return {name: {value: len(users) for value, users in values.items()} for name, values in found.items()}


@pytest.mark.parametrize("minimum", [2, 9])
def test_vocabularies_hold_exactly_the_values_of_enough_users(examples: Path, minimum: int, tmp_path: Path) -> None:
    counted = users_by_value(examples)
    expected = {
        name: {value for value, users in values.items() if users >= minimum} for name, values in counted.items()
    }
    assert read_values(examples, minimum) == expected
    with only_values(read_values(examples, minimum)):
        graph, _ = transform_examples(tmp_path, {"train": files_of(examples, "train")}, EVERYTHING)
    for name, values in expected.items():
        (file,) = Path(graph).rglob(f"assets/{name}")
        found = set(file.read_bytes().split(b"\n")) - {b""}
        assert found == values or (not values and all(len(uuid.UUID(value.decode()).hex) == 32 for value in found))
    content = b"\n".join(path.read_bytes() for path in Path(graph).rglob("*") if path.is_file())
    assert counted["items"][b"lonely-item"] == 1
    assert b"lonely" not in content


def test_the_filter_ends_with_its_context() -> None:
    before = analyzer_impls._VocabularyPruneImpl.expand
    with only_values({}):
        assert analyzer_impls._VocabularyPruneImpl.expand is not before
    assert analyzer_impls._VocabularyPruneImpl.expand is before


def test_counts_that_are_missing_are_asked_for(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"expected counts of users in .*value_users, found none; run ingestion again"):
        read_values(tmp_path, 2)

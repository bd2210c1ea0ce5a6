"""Examples at hand as `train` reads them."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from interest_migration.examples.encode import write_examples
from interest_migration.language.text_vectors import TextVectors
from interest_migration.model.settings import VocabularySizes
from interest_migration.ragged import Examples
from interest_migration.training.settings import TrainingSettings
from interest_migration.training.train import TrainingData


def write_splits(
    splits: Mapping[str, Examples], sizes: VocabularySizes, new_interest_days: float, directory: Path
) -> TrainingData:
    """Writes the splits `train` and `eval` to a folder; the data read no texts, see `with_texts`."""
    directory.mkdir(parents=True, exist_ok=True)
    paths = {name: directory / f"{name}.gz" for name in ("train", "eval")}
    for name, path in paths.items():
        write_examples(splits[name], path)
    return TrainingData([str(paths["train"])], [str(paths["eval"])], sizes, new_interest_days)


def with_texts(data: TrainingData, texts: TextVectors) -> TrainingData:
    """Returns the same data for a model that reads texts."""
    return replace(data, sizes=data.sizes.model_copy(update={"text_width": texts.width}), texts=texts)


def from_scratch(settings: TrainingSettings) -> TrainingSettings:
    """Returns settings of a training that neither starts from a served model nor continues a killed one."""
    return settings.model_copy(update={"warm_start": False, "checkpoint_directory": None})

"""From raw examples to an exported model, with vectors of texts, as a pipeline does it but in one process."""

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_transform as tft
from synthetic_examples import write_examples
from tfx.components.trainer.fn_args_utils import FnArgs
from transform_runner import transform_examples

from components.trainer import run_fn
from interest_migration.language.text_vectors import TEXT_VECTORS_FILE, TextVectors
from interest_migration.transform.vocabularies import ITEMS, TEXTS

CONFIG = {
    "model": {"width": 16, "layers": 1, "feedforward_width": 16, "max_steps": 8, "loss_steps": 4},
    "training": {"epochs": 2, "batch_size": 64, "learning_rate": 0.01},
    "transform": {"items": {"min_count": 1}},
}


def export_run(directory: Path) -> None:
    """Trains on 300 random examples and exports."""
    raw = write_examples(directory, 300, seed=1)
    graph, _ = transform_examples(directory, raw, CONFIG)
    write_vectors(Path(graph))
    run_fn(_arguments(directory))


def open_run(directory: Path) -> dict[str, Any]:
    """Returns what `export_run` was given and what it made."""
    arguments = _arguments(directory)
    records = tf.data.TFRecordDataset(tf.io.gfile.glob(f"{directory}/Split-test/*"), compression_type="GZIP")
    with (directory / "transform_graph" / TEXT_VECTORS_FILE).open("rb") as file:
        vectors = TextVectors.load(file)
    return {
        "arguments": arguments,
        "raw": {"test": str(directory / "Split-test")},
        "model": tf.saved_model.load(arguments.serving_model_dir),
        "test": tf.constant([record.numpy() for record in records]),
        "transformed": tf.io.gfile.glob(f"{directory}/transformed/Split-test/*"),
        "vectors": vectors,
    }


def _arguments(directory: Path) -> FnArgs:
    return FnArgs(
        train_files=[str(directory / "transformed" / "Split-train" / "*")],
        eval_files=[str(directory / "transformed" / "Split-eval" / "*")],
        transform_graph_path=str(directory / "transform_graph"),
        serving_model_dir=str(directory / "Format-Serving"),
        model_run_dir=str(directory / "logs"),
        custom_config=CONFIG,
    )


def write_vectors(graph: Path) -> None:
    """Random vectors of the vocabularies, as the Transform step leaves them."""
    transform = tft.TFTransformOutput(str(graph))
    rng = np.random.default_rng(0)
    sizes = [transform.vocabulary_size_by_name(name) for name in (ITEMS, TEXTS)]
    tables = [np.pad(rng.normal(size=(size, 6)), [(1, 1), (0, 0)]).astype(np.float16) for size in sizes]
    TextVectors(*tables, digest="some encoder").save(graph / TEXT_VECTORS_FILE)

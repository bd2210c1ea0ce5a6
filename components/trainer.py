"""Trainer: trains the model on transformed examples and exports it with its transform.

TFX calls `run_fn` by its path, `components.trainer.run_fn`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import tensorflow as tf
import tensorflow_transform as tft
from absl import logging
from tfx.components.trainer.fn_args_utils import FnArgs

from interest_migration.examples.settings import ExampleSettings
from interest_migration.language.text_vectors import TEXT_VECTORS_FILE, TextVectors
from interest_migration.model.export import TransformGraph, export_model
from interest_migration.model.manifest import Provenance
from interest_migration.model.settings import ModelSettings, VocabularySizes
from interest_migration.pretraining.settings import PretrainingSettings
from interest_migration.search.values import merge_values
from interest_migration.training.base import read_base, vocabulary_values
from interest_migration.training.settings import TrainingSettings
from interest_migration.training.train import COLD, TrainingData, train
from interest_migration.transform.settings import TransformSettings
from interest_migration.transform.vocabularies import COUNTED
from schemas.events import ACTIONS

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Training:
    """What a training needs.

    Attributes:
      data: Examples.
      model: Size of the model.
      settings: How to train.
      graph: For the export.
    """

    data: TrainingData
    model: ModelSettings
    settings: TrainingSettings
    graph: TransformGraph
    pretraining: PretrainingSettings


def run_fn(fn_args: FnArgs) -> None:
    """Trains and exports.

    Args:
      fn_args: `train_files` and `eval_files` (patterns), `transform_graph_path`, `serving_model_dir` (receives the
        SavedModel), `model_run_dir` (receives logs and `training.json`), and `custom_config` with the values of
        `ModelSettings` under `model`, `TrainingSettings` under `training`, `PretrainingSettings` under `pretraining`,
        `ExampleSettings` under `examples` and `TransformSettings` under `transform`; what is missing has its default.
        Under `origin`, digest of the log (`data`), public id of the pseudonym key (`key_id`) and digest of the erased
        users (`erasure_digest`). `base_model` (what `BaseModel` found) is read if `training.warm_start` is on.
        `hyperparameters` (what `Tuner` found) replace values of `custom_config`.

    Raises:
      ConfigError: If a value of `custom_config` does not fit.
      DataError: If a split has no example.
    """
    found = (fn_args.hyperparameters or {}).get("values", {})
    training = read_training(fn_args, merge_values(fn_args.custom_config or {}, found))
    trained = train(
        training.data,
        training.model,
        training.settings,
        Path(fn_args.model_run_dir),
        logging.info,
        read_base(fn_args.base_model) if training.settings.warm_start and fn_args.base_model else COLD,
        training.pretraining,
    )
    if trained.chief:
        export_model(trained.model, training.graph, fn_args.serving_model_dir, trained.provenance)


def read_training(fn_args: FnArgs, config: Values) -> Training:
    """Returns what a training needs.

    Args:
      fn_args: Names the files, see `run_fn`.
      config: `custom_config`, or one with other values.

    Raises:
      ConfigError: If a value does not fit.
    """
    examples = ExampleSettings.from_values(config.get("examples"), source="custom_config examples")
    settings = TrainingSettings.from_values(config.get("training"), source="custom_config training")
    transform = tft.TFTransformOutput(fn_args.transform_graph_path)
    graph = replace(
        transform_graph(transform),
        interest_actions=examples.interest_actions,
        churn_actions=examples.churn_actions,
        examples=examples,
    )
    texts = _text_vectors(fn_args.transform_graph_path)
    data = TrainingData(
        _files(fn_args.train_files),
        _files(fn_args.eval_files),
        _sizes(transform, config).model_copy(update={"text_width": texts.width if texts else 0}),
        examples.new_interest_days,
        vocabularies={name: _values(path) for name, path in graph.vocabulary_paths.items()},
        label_days=examples.horizons_days.model_dump(),
        step_days=examples.cut_every_days,
        provenance=_provenance(examples, config.get("origin") or {}, texts),
        texts=texts,
        interest_actions=[1 + ACTIONS.index(action) for action in examples.interest_actions],
    )
    model = ModelSettings.from_values(config.get("model"), source="custom_config model")
    pretraining = PretrainingSettings.from_values(config.get("pretraining"), source="custom_config pretraining")
    return Training(data, model, settings, graph, pretraining)


def transform_graph(transform: tft.TFTransformOutput) -> TransformGraph:
    """Returns what the export needs of the Transform step's output."""
    return TransformGraph(
        layer=transform.transform_features_layer(),
        raw_features=transform.raw_feature_spec(),
        vocabulary_paths={name: transform.vocabulary_file_by_name(name) for name in COUNTED},
    )


def _sizes(transform: tft.TFTransformOutput, config: Values) -> VocabularySizes:
    return vocabulary_sizes(
        transform, TransformSettings.from_values(config.get("transform"), source="custom_config transform")
    )


def vocabulary_sizes(transform: tft.TFTransformOutput, settings: TransformSettings) -> VocabularySizes:
    """Returns the sizes of the vocabularies of a Transform step."""
    sizes = {name: transform.vocabulary_size_by_name(name) for name in COUNTED}
    return VocabularySizes(**sizes, price_buckets=settings.price_buckets, sessions=settings.max_sessions)


def _provenance(examples: ExampleSettings, origin: Mapping[str, str], texts: TextVectors | None) -> Provenance:
    """Held-out users are chosen by pseudonym, so another key or seed holds others out; erased ones are held out too."""
    held_out = f"{examples.user_holdout} {examples.seed} {origin.get('key_id', '')}" if examples.user_holdout else ""
    erased = f"erased {origin['erasure_digest']}" if origin.get("erasure_digest") else ""
    parts = " ".join(part for part in (held_out, erased) if part)
    return Provenance(data=origin.get("data", ""), held_out=parts, language=texts.digest if texts else "")


def _text_vectors(transform_graph: str) -> TextVectors | None:
    path = f"{transform_graph}/{TEXT_VECTORS_FILE}"
    if not tf.io.gfile.exists(path):
        return None
    with tf.io.gfile.GFile(path, "rb") as file:
        return TextVectors.load(file)


def _values(path: str) -> pa.Array:
    with tf.io.gfile.GFile(path, "rb") as file:
        return vocabulary_values(file.read())


def _files(patterns: Iterable[str]) -> list[str]:
    return [path for pattern in patterns for path in tf.io.gfile.glob(pattern)]

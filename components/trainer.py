"""Trainer: trains the model on transformed examples and exports it with its transform.

TFX calls `run_fn` by its path, `components.trainer.run_fn`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import tensorflow as tf
import tensorflow_transform as tft
from absl import logging
from tfx.components.trainer.fn_args_utils import FnArgs

from interest_migration.examples.settings import ExampleSettings
from interest_migration.model.export import TransformGraph, export_model
from interest_migration.model.manifest import Provenance
from interest_migration.model.settings import ModelSettings, VocabularySizes
from interest_migration.training.base import read_base, vocabulary_values
from interest_migration.training.settings import TrainingSettings
from interest_migration.training.train import COLD, TrainingData, train
from interest_migration.transform.settings import TransformSettings
from interest_migration.transform.vocabularies import COUNTED

Values = Mapping[str, Any]


def run_fn(fn_args: FnArgs) -> None:
    """Trains and exports.

    Args:
      fn_args: `train_files` and `eval_files` (patterns), `transform_graph_path`, `serving_model_dir` (receives the
        SavedModel), `model_run_dir` (receives logs and `training.json`), and `custom_config` with the values of
        `ModelSettings` under `model`, `TrainingSettings` under `training`, `ExampleSettings` under `examples` and
        `TransformSettings` under `transform`; what is missing has its default. Under `origin`, digest of the log
        (`data`), public id of the pseudonym key (`key_id`) and digest of the erased users (`erasure_digest`).
        `base_model` (what `BaseModel` found) is read if
        `training.warm_start` is on.

    Raises:
      ConfigError: If a value of `custom_config` does not fit.
      DataError: If a split has no example.
    """
    config = fn_args.custom_config or {}
    examples = ExampleSettings.from_values(config.get("examples"), source="custom_config examples")
    settings = TrainingSettings.from_values(config.get("training"), source="custom_config training")
    transform = tft.TFTransformOutput(fn_args.transform_graph_path)
    graph = replace(transform_graph(transform), interest_actions=examples.interest_actions)
    trained = train(
        TrainingData(
            _files(fn_args.train_files),
            _files(fn_args.eval_files),
            _sizes(transform, config),
            examples.new_interest_days,
            vocabularies={name: _values(path) for name, path in graph.vocabulary_paths.items()},
            label_days=examples.horizons_days.model_dump(),
            step_days=examples.cut_every_days,
            provenance=_provenance(examples, config.get("origin") or {}),
        ),
        ModelSettings.from_values(config.get("model"), source="custom_config model"),
        settings,
        Path(fn_args.model_run_dir),
        logging.info,
        read_base(fn_args.base_model) if settings.warm_start and fn_args.base_model else COLD,
    )
    if trained.chief:
        export_model(trained.model, graph, fn_args.serving_model_dir, trained.provenance)


def transform_graph(transform: tft.TFTransformOutput) -> TransformGraph:
    """Returns what the export needs of the Transform step's output."""
    return TransformGraph(
        layer=transform.transform_features_layer(),
        raw_features=transform.raw_feature_spec(),
        vocabulary_paths={name: transform.vocabulary_file_by_name(name) for name in COUNTED},
    )


def _sizes(transform: tft.TFTransformOutput, config: Values) -> VocabularySizes:
    settings = TransformSettings.from_values(config.get("transform"), source="custom_config transform")
    sizes = {name: transform.vocabulary_size_by_name(name) for name in COUNTED}
    return VocabularySizes(**sizes, price_buckets=settings.price_buckets, sessions=settings.max_sessions)


def _provenance(examples: ExampleSettings, origin: Mapping[str, str]) -> Provenance:
    """Held-out users are chosen by pseudonym, so another key or seed holds others out; erased ones are held out too."""
    held_out = f"{examples.user_holdout} {examples.seed} {origin.get('key_id', '')}" if examples.user_holdout else ""
    erased = f"erased {origin['erasure_digest']}" if origin.get("erasure_digest") else ""
    return Provenance(data=origin.get("data", ""), held_out=" ".join(part for part in (held_out, erased) if part))


def _values(path: str) -> pa.Array:
    with tf.io.gfile.GFile(path, "rb") as file:
        return vocabulary_values(file.read())


def _files(patterns: Iterable[str]) -> list[str]:
    return [path for pattern in patterns for path in tf.io.gfile.glob(pattern)]

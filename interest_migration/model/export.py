"""The exported model: raw examples in, answers out, with the transform inside.

    tf.Example bytes -> parse -> transform graph -> pad -> InterestModel -> signature

See `schemas.signatures` for what each signature returns.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import tensorflow as tf

from interest_migration.errors import ContractError
from interest_migration.examples.settings import ExampleSettings
from interest_migration.model.answers import answer, current_category
from interest_migration.model.column_answers import Answers, column_signatures
from interest_migration.model.compiled_model import compile_model, padded_inputs
from interest_migration.model.embed_names import embed_names
from interest_migration.model.explanation import explain, with_average
from interest_migration.model.inputs import INPUT_SPECS, LABEL_SPECS, pad
from interest_migration.model.interest_model import InterestModel
from interest_migration.model.manifest import MANIFEST_FILE, Manifest, Provenance
from interest_migration.model.names import Ids, Names
from interest_migration.model.next_step import Typical
from interest_migration.model.paths import likely_paths, typical_events, typical_items
from interest_migration.model.raw_batch import RawBatch, compile_once, from_raw, to_raw
from interest_migration.model.scores import score_batch
from interest_migration.model.task_measures import task_labels, task_measures
from interest_migration.model.text_inputs import score_by_text, score_items_signature
from interest_migration.model.variables import variable_names
from interest_migration.serving.facts import FACTS_FILE, ServingFacts
from interest_migration.serving.model_directory import write_file_list
from interest_migration.serving.warm_up import make_warm_ups, write_warm_ups
from interest_migration.transform.vocabularies import BRANDS, CATEGORIES, CHILDREN, ITEMS, PARENTS
from schemas.events import ACTIONS
from schemas.features import AGGREGATE_INPUTS, RAW_FEATURES, Role
from schemas.signatures import (
    EMBED_NAMES,
    EVALUATE,
    EVALUATION_LABELS,
    EXAMPLES,
    EXPLAIN,
    ITEM_SCORES,
    PATHS,
    SCORE_ITEMS,
    SERVE,
)

RAW_INPUTS = tuple(spec.name for spec in RAW_FEATURES if spec.role is Role.INPUT)
RAW_LABELS = tuple(spec.name for spec in RAW_FEATURES if spec.role is Role.LABEL)
_BYTES = [tf.TensorSpec([None], tf.string, name=EXAMPLES)]


@dataclass(frozen=True)
class TransformGraph:
    """What the export needs of the Transform step.

    Attributes:
      layer: Maps raw features to transformed ones; it leaves out what depends on features that it is not given.
      raw_features: Raw feature name -> how `tf.io.parse_example` reads it.
      vocabulary_paths: Vocabulary name -> text file with one value per line.
      interest_actions: Actions that make the interest profile.
      churn_actions: Actions that make a step a visit; without any, every step is one.
      examples: How features are made of events.
    """

    layer: Any
    raw_features: Mapping[str, Any]
    vocabulary_paths: Mapping[str, str]
    interest_actions: Sequence[str] = ACTIONS
    churn_actions: Sequence[str] = ()
    examples: ExampleSettings = field(default_factory=ExampleSettings)


@dataclass(frozen=True)
class _Untracked:
    """Keeps an object out of what TensorFlow tracks and saves."""

    held: Any


class ServedModel(tf.Module):
    """A trained model with its transform.

    Args:
      model: The trained model.
      transform: The transform that its examples went through.

    Raises:
      ContractError: If the transform lacks a raw feature.
    """

    def __init__(self, model: InterestModel, transform: TransformGraph) -> None:
        super().__init__()
        missing = {*RAW_INPUTS, *RAW_LABELS} - set(transform.raw_features)
        if missing:
            raise ContractError(f"expected a transform of every raw feature, received none of {sorted(missing)}")
        self._transform = transform.layer
        self._actions = tuple(transform.interest_actions), tuple(transform.churn_actions)
        self._parsers = dict(transform.raw_features)
        self._categories = Names(transform.vocabulary_paths[CATEGORIES])
        self._items = Names(transform.vocabulary_paths[ITEMS])
        self._ids = [Ids(transform.vocabulary_paths[name]) for name in (ITEMS, CATEGORIES)]
        self._typical = self._typical_events(model, transform)
        # The variables alone: tracking the model itself would save its optimizer too.
        self._variables = [variable.value for variable in model.variables]
        # Kept, since adding them up from five tables took most of the time of an answer.
        self._item_vectors = tf.Variable(model.item_vectors(), trainable=False)
        self._model = _Untracked(model)
        self._scored = _Untracked(compile_model(model))
        text = model.trajectory.events.text
        self._texts = text.freeze() if text else []
        paths = partial(self._paths, compile_once(self._rank_next))
        self._compiled = _Untracked((compile_once(self._explain), compile_once(paths)))

    @tf.function(input_signature=_BYTES, autograph=False)
    def serve(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        """Answers for `[B]` serialized examples with inputs only."""
        batch = self._read(examples, RAW_INPUTS)
        outputs = self._score(batch)
        return answer(self._model.held, batch, outputs, self._categories, self._items, self._item_vectors)

    @tf.function(input_signature=_BYTES, autograph=False)
    def evaluate(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns the measures of `[B]` serialized examples with labels."""
        batch = self._read(examples, RAW_INPUTS + RAW_LABELS)
        return task_measures(self._model.held, batch, self._score(batch))

    @tf.function(input_signature=_BYTES, autograph=False)
    def evaluation_labels(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns labels and weights of `[B]` serialized examples."""
        batch = self._read(examples, RAW_INPUTS + RAW_LABELS)
        return task_labels(self._model.held, batch, self._score(batch))

    def score_items(self) -> Any:
        """Returns the function behind the signature `score_items`."""

        def score(examples: tf.Tensor, event_vectors: tf.Tensor, item_vectors: tf.Tensor) -> dict[str, tf.Tensor]:
            batch = self._read(examples, RAW_INPUTS)
            return {ITEM_SCORES: score_by_text(self._model.held, batch, event_vectors, item_vectors)}

        return tf.function(score, input_signature=score_items_signature(self._model.held, *_BYTES), autograph=False)

    @tf.function(input_signature=[padded_inputs()], autograph=False)
    def score_transformed(self, inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Returns the columns of `predict_scores` for padded transformed inputs."""
        return score_batch(self._model.held, inputs, self._score(inputs))

    @tf.function(input_signature=_BYTES, autograph=False)
    def explain(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        """Says which events, interests and numbers the answers for `[B]` serialized examples rest on."""
        found: dict[str, tf.Tensor] = self._compiled.held[0](*from_raw(self._parse(examples, RAW_INPUTS)).parts())
        return found

    @tf.function(input_signature=_BYTES, autograph=False)
    def paths(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        """Looks several steps ahead for `[B]` serialized examples with inputs only."""
        found: dict[str, tf.Tensor] = self._compiled.held[1](*from_raw(self._parse(examples, RAW_INPUTS)).parts())
        return found

    def columns(self, settings: ExampleSettings, model_id: str) -> dict[str, Any]:
        """Returns the functions behind the signatures that take columns."""
        explain_batch, paths_batch = self._compiled.held
        found = column_signatures(
            Answers(settings, model_id, compile_once(self._answer), explain_batch, paths_batch, self._categories)
        )
        return found | {EMBED_NAMES: embed_names(self._model.held, self._item_vectors, *self._ids)}

    def _answer(self, *parts: Any) -> tuple[dict[str, Any], dict[str, tf.Tensor], tf.Tensor]:
        inputs = pad(self._transform(to_raw(RawBatch(*parts), self._parsers)), INPUT_SPECS)
        outputs = self._score(inputs)
        found = answer(self._model.held, inputs, outputs, self._categories, self._items, self._item_vectors)
        scores = {name: outputs[name] for name in ("next_category", "item_query")}
        return found, scores, current_category(inputs, self._model.held)

    def _explain(self, *parts: Any) -> dict[str, tf.Tensor]:
        return explain(self._model.held, RawBatch(*parts), self._score_raw, self._categories, *self._actions)

    def _paths(self, rank_next: Any, *parts: Any) -> dict[str, tf.Tensor]:
        batch = RawBatch(*parts)
        return likely_paths(batch, lambda next_: rank_next(*next_.parts()), self._typical, self._categories)

    def _rank_next(self, *parts: Any) -> tuple[tf.Tensor, tf.Tensor]:
        inputs = pad(self._transform(to_raw(RawBatch(*parts), self._parsers)), INPUT_SPECS)
        return self._score(inputs)["next_category"], current_category(inputs, self._model.held)

    def _typical_events(self, model: InterestModel, transform: TransformGraph) -> Callable[[Any], Typical]:
        others = {"parent": PARENTS, "child": CHILDREN, "brand": BRANDS}
        self._attributes = {name: Names(transform.vocabulary_paths[file]) for name, file in others.items()}
        names = {"category": self._categories, "item": self._items, **self._attributes}
        described = model.next_item.attribute_ids.numpy()
        return typical_events(typical_items(described, model.sizes.categories), tf.constant(described), names)

    def _score_raw(self, batch: RawBatch, mask: tf.Tensor) -> tuple[dict[str, Any], dict[str, Any]]:
        inputs = with_average(pad(self._transform(to_raw(batch, self._parsers)), INPUT_SPECS), mask)
        return inputs, self._score(inputs)

    def _score(self, batch: dict[str, tf.Tensor]) -> dict[str, Any]:
        found: dict[str, Any] = self._scored.held({spec.name: batch[spec.name] for spec in INPUT_SPECS})
        return found

    def _read(self, examples: tf.Tensor, names: tuple[str, ...]) -> dict[str, tf.Tensor]:
        specs = INPUT_SPECS if names == RAW_INPUTS else INPUT_SPECS + LABEL_SPECS
        return pad(self._transform(self._parse(examples, names)), specs)

    def _parse(self, examples: tf.Tensor, names: tuple[str, ...]) -> dict[str, Any]:
        return tf.io.parse_example(examples, {name: self._parsers[name] for name in names})


def export_model(
    model: InterestModel, transform: TransformGraph, directory: str, provenance: Provenance | None = None
) -> None:
    """Writes the SavedModel with its signatures, and the manifest that a later training starts from.

    Args:
      model: The trained model.
      transform: The transform that its examples went through.
      directory: Where the SavedModel goes.
      provenance: Where the training examples came from, if known.
    """
    served = ServedModel(model, transform)
    manifest = make_manifest(model, transform, provenance or Provenance()).to_json()
    model_id = digest_model(model, manifest)
    signatures = {
        SERVE: served.serve,
        EVALUATE: served.evaluate,
        EVALUATION_LABELS: served.evaluation_labels,
        EXPLAIN: served.explain,
        PATHS: served.paths,
        **served.columns(transform.examples, model_id),
    }
    if model.sizes.text_width:
        signatures[SCORE_ITEMS] = served.score_items()
    tf.saved_model.save(served, directory, signatures=signatures)
    path = f"{directory}/{MANIFEST_FILE}"
    tf.io.gfile.makedirs(path.rpartition("/")[0])
    with tf.io.gfile.GFile(path, "w") as file:
        file.write(manifest)
    _write_serving_files(directory, ServingFacts(model_id=model_id, examples=transform.examples), transform)


def _write_serving_files(directory: str, facts: ServingFacts, transform: TransformGraph) -> None:
    """What model servers and clients look for beside the graph; the list of files comes last."""
    with tf.io.gfile.GFile(f"{directory}/{FACTS_FILE}", "w") as file:
        file.write(facts.to_json())
    items, categories = (_lines(transform.vocabulary_paths[name]) for name in (ITEMS, CATEGORIES))
    write_warm_ups(directory, make_warm_ups(items, categories, facts.examples))
    write_file_list(directory)


def _lines(path: str) -> list[str]:
    with tf.io.gfile.GFile(path, "rb") as file:
        return [line.decode() for line in file.read().split(b"\n") if line]


def digest_model(model: InterestModel, manifest: str) -> str:
    """Returns what tells this model from every other: 16 characters, the same for the same weights and manifest."""
    digest = hashlib.sha256(manifest.encode())
    for variable in model.variables:
        digest.update(np.ascontiguousarray(variable.numpy()).tobytes())
    return digest.hexdigest()[:16]


def make_manifest(model: InterestModel, transform: TransformGraph, provenance: Provenance) -> Manifest:
    """Returns the account that an exported model gives of itself."""
    digests = {}
    for name, path in transform.vocabulary_paths.items():
        with tf.io.gfile.GFile(path, "rb") as file:
            digests[name] = hashlib.sha256(file.read()).hexdigest()
    return Manifest(
        model=model.settings.model_dump(),
        sizes=model.sizes.model_dump(),
        variables=tuple(variable_names(model)),
        vocabularies=digests,
        actions=ACTIONS,
        aggregates=AGGREGATE_INPUTS,
        provenance=provenance,
    )

"""The three Beam steps that a cluster runs - ingestion, Transform, Evaluator - and whether two runs of them agree."""

import shutil
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from tfx import types
from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
from tfx.dsl.components.base.base_component import BaseComponent
from tfx.orchestration.portable.outputs_utils import make_output_dirs
from tfx.types import standard_artifacts

from components.evaluation_results import read_metrics
from components.ingestion import SPLITS
from interest_migration.gates.settings import GateSettings
from interest_migration.privacy.erasure import erasure_digest, make_pseudonymiser
from interest_migration.privacy.keys import load_key
from interest_migration.sources.mapping import SourceMapping
from pipeline.config import PipelineConfig
from pipeline.graph import create_pipeline
from pipeline.resolved import SCHEMA_FILE, Resolved
from schemas.features import CUT_TIME, USER

STEPS: Final = ("BehaviorExampleGen", "Transform", "Evaluator")
TOLERANCE: Final = 1e-4
"""Sums of floats are grouped by bundles, which no two clusters cut alike."""
_EXAMPLES: Final = "BehaviorExampleGen.examples"
_TRANSFORMED: Final = "Transform.transformed_examples"
_GRAPH: Final = "Transform.transform_graph"
_EVALUATION: Final = "Evaluator.evaluation"
Values = npt.NDArray[Any]


@dataclass(frozen=True)
class Trial:
    """One run of the steps.

    Attributes:
      seconds: Name of the step -> how long it took.
      outputs: `<step>.<output>` -> its folder.
    """

    seconds: dict[str, float]
    outputs: dict[str, Path]


def run_steps(config: PipelineConfig, model: Path | None, folder: Path, steps: Sequence[str] = STEPS) -> Trial:
    """Runs the steps one after another on the engine that the configuration names.

    Args:
      config: A configuration with an input.
      model: What the Evaluator measures, a folder that holds `Format-Serving`.
      folder: Receives the outputs; is emptied.
      steps: The first of `STEPS`, or all.
    """
    shutil.rmtree(folder, ignore_errors=True)
    pseudonymiser = make_pseudonymiser(load_key(config.key_file), config.data.erasure_list)
    resolved = Resolved(
        fingerprint="trial",
        key_id=pseudonymiser.key_id,
        served_state="none",
        erasure_digest=erasure_digest(pseudonymiser),
    )
    mapping, gates = SourceMapping.from_yaml(config.data.mapping), GateSettings.from_yaml(config.gates)
    pipeline = create_pipeline(config, mapping, gates, resolved, str(folder))
    components = {component.id: component for component in pipeline.components}
    known = {
        "schema": _artifact(standard_artifacts.Schema(), _copy_schema(folder)),
        "model": _artifact(standard_artifacts.Model(), model),
    }
    seconds: dict[str, float] = {}
    outputs: dict[str, Path] = {}
    for name in steps:
        start_s = time.perf_counter()
        known |= _run(components[name], known, folder, config.beam_pipeline_args)
        seconds[name] = time.perf_counter() - start_s
        outputs |= {f"{name}.{key}": Path(known[key].uri) for key in components[name].outputs}
    return Trial(seconds, outputs)


def _run(
    component: BaseComponent, known: dict[str, types.Artifact], folder: Path, args: tuple[str, ...]
) -> dict[str, types.Artifact]:
    made = {key: _artifact(channel.type(), folder / component.id / key) for key, channel in component.outputs.items()}
    outputs = {key: [artifact] for key, artifact in made.items()}
    make_output_dirs(outputs)
    context = BaseBeamExecutor.Context(
        beam_pipeline_args=list(args), tmp_dir=str(folder / "tmp" / component.id), unique_id="1"
    )
    inputs = {key: [known[key]] for key in component.inputs}
    component.executor_spec.executor_class(context).Do(inputs, outputs, dict(component.exec_properties))
    return made


def _artifact(artifact: types.Artifact, place: Path | None) -> types.Artifact:
    artifact.uri = str(place)
    return artifact


def _copy_schema(folder: Path) -> Path:
    place = folder / "schema"
    place.mkdir(parents=True)
    shutil.copy(SCHEMA_FILE, place)
    return place


def find_differences(one: Trial, other: Trial) -> list[str]:
    """Returns in what the outputs of two trials of the same steps differ beyond the order of sums, a line each."""
    found = []
    for name, exact in ((_EXAMPLES, True), (_TRANSFORMED, False)):
        for split in SPLITS if name in one.outputs else ():
            pair = [read_rows(trial.outputs[name] / f"Split-{split}") for trial in (one, other)]
            found += [f"{name}, {split}: {line}" for line in compare_rows(pair[0], pair[1], exact=exact)]
    if _GRAPH in one.outputs:
        vocabularies = [_read_vocabularies(trial.outputs[_GRAPH]) for trial in (one, other)]
        found += [] if vocabularies[0] == vocabularies[1] else [f"{_GRAPH}: other vocabularies"]
    if _EVALUATION in one.outputs:
        metrics = [read_metrics(str(trial.outputs[_EVALUATION])) for trial in (one, other)]
        found += [f"{_EVALUATION}: {line}" for line in compare_metrics(metrics[0], metrics[1])]
    return found


def read_rows(split: Path) -> dict[tuple[bytes, int], tf.train.Example]:
    """Reads the examples of a split by user and cut time."""
    records = tf.data.TFRecordDataset(sorted(map(str, split.glob("*"))), "GZIP").as_numpy_iterator()
    return {_key(example): example for example in map(tf.train.Example.FromString, records)}


def _key(example: tf.train.Example) -> tuple[bytes, int]:
    features = example.features.feature
    return features[USER].bytes_list.value[0], features[CUT_TIME].int64_list.value[0]


def compare_rows(one: dict[Any, tf.train.Example], other: dict[Any, tf.train.Example], *, exact: bool) -> list[str]:
    """Returns which features differ, and in how many examples."""
    if one.keys() != other.keys():
        return [f"{len(one)} and {len(other)} examples, {len(one.keys() & other.keys())} of them of the same cut"]
    counts: Counter[str] = Counter()
    for key, example in one.items():
        if example != other[key]:
            here, there = (row.features.feature for row in (example, other[key]))
            names = set(here) | set(there)
            counts.update(name for name in names if not _same(_values(here, name), _values(there, name), exact=exact))
    return [f"{name} differs in {count} of {len(one)}" for name, count in sorted(counts.items())]


def _values(features: Any, name: str) -> Values:
    """An absent feature and one without values are the same to every reader."""
    kind = features[name].WhichOneof("kind") if name in features else None
    return np.asarray(getattr(features[name], kind).value if kind else [])


def _same(one: Values, other: Values, *, exact: bool) -> bool:
    if one.shape != other.shape:
        return False
    if exact or one.dtype.kind != "f":
        return bool(np.array_equal(one, other))
    return bool(np.allclose(one, other, rtol=TOLERANCE, atol=TOLERANCE))


def _read_vocabularies(graph: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in graph.glob("transform_fn/assets/*")}


def compare_metrics(one: Any, other: Any) -> list[str]:
    """Returns which metrics differ: slice, task and metric."""
    flat = [
        {
            (key, task, name): value
            for key, tasks in metrics.items()
            for task, named in tasks.items()
            for name, value in named.items()
        }
        for metrics in (one, other)
    ]
    if flat[0].keys() != flat[1].keys():
        return [f"{len(flat[0])} and {len(flat[1])} metrics"]
    return [
        f"{name}: {value} and {flat[1][name]}"
        for name, value in flat[0].items()
        if not np.isclose(value, flat[1][name], rtol=TOLERANCE, atol=1e-6, equal_nan=True)
    ]

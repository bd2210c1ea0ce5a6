"""Digests of code. They are parameters of the steps, so that after a change of code no step is answered from cache."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import components
import interest_migration
import schemas

_ROOTS: Final = {
    "schemas": Path(schemas.__file__).parent,
    "interest_migration": Path(interest_migration.__file__).parent,
    "components": Path(components.__file__).parent,
}
_CORE: Final = ("schemas", "interest_migration/ragged.py", "interest_migration/settings.py")

INGESTION: Final = (
    *_CORE,
    "interest_migration/sources",
    "interest_migration/privacy",
    "interest_migration/examples",
    "interest_migration/ingestion",
    "interest_migration/storage",
    "interest_migration/transform/vocabularies.py",
    "components/ingestion.py",
    "components/example_gen.py",
)
TRANSFORM: Final = (
    *_CORE,
    "interest_migration/transform",
    "components/batching.py",
    "components/text_vectors.py",
    "components/transform.py",
    "components/transform_step.py",
    "components/vocabulary_filter.py",
    "interest_migration/baselines/histories.py",
    "interest_migration/baselines/transitions.py",
    "interest_migration/evaluation/spaces.py",
    "interest_migration/examples/ranges.py",
    "interest_migration/examples/settings.py",
    "interest_migration/examples/strings.py",
    "interest_migration/examples/texts.py",
    "interest_migration/language",
    "interest_migration/privacy/minimum_users.py",
    "interest_migration/sources/paths.py",
    "interest_migration/training/base.py",
    "interest_migration/training/followers.py",
)
TRAINER: Final = (
    *TRANSFORM,
    "interest_migration/baselines/boosting.py",
    "interest_migration/evaluation/bootstrap.py",
    "interest_migration/evaluation/discrimination.py",
    "interest_migration/model",
    "interest_migration/pretraining",
    "interest_migration/search",
    "interest_migration/serving/bases.py",
    "interest_migration/serving/model_config.py",
    "interest_migration/serving/event_columns.py",
    "interest_migration/serving/facts.py",
    "interest_migration/serving/model_directory.py",
    "interest_migration/serving/versions.py",
    "interest_migration/serving/warm_up.py",
    "interest_migration/training",
    "components/trainer.py",
)
TUNER: Final = (*TRAINER, "components/search_tuner.py", "components/tuner.py")
DATA_GATE: Final = (
    *_CORE,
    "interest_migration/data_gate",
    "interest_migration/gates/decision.py",
    "interest_migration/ingestion",
    "components/data_gate.py",
    "components/data_statistics.py",
    "components/decisions.py",
)
EVALUATOR: Final = (
    *_CORE,
    "interest_migration/evaluation/measures.py",
    "interest_migration/evaluation/spaces.py",
    "interest_migration/gates/classification.py",
    "interest_migration/gates/probabilities.py",
    "interest_migration/evaluation/calibration.py",
    "components/batching.py",
    "components/metrics.py",
    "components/evaluator.py",
)
COMPARISON: Final = (
    *_CORE,
    "interest_migration/transform/vocabularies.py",
    "interest_migration/baselines",
    "interest_migration/evaluation",
    "interest_migration/model",
    "components/comparison.py",
    "components/splits.py",
)
MODEL_GATE: Final = (
    *_CORE,
    "interest_migration/gates",
    "interest_migration/evaluation",
    "interest_migration/model/evaluated.py",
    "components/decisions.py",
    "components/model_gate.py",
    "components/splits.py",
)
SERVING_GATE: Final = (
    *_CORE,
    "interest_migration/examples",
    "interest_migration/gates/decision.py",
    "interest_migration/model/column_events.py",
    "interest_migration/model/column_features.py",
    "interest_migration/model/inputs.py",
    "interest_migration/model/raw_batch.py",
    "interest_migration/privacy",
    "interest_migration/sources",
    "interest_migration/storage",
    "interest_migration/transform/steps.py",
    "interest_migration/serving/event_columns.py",
    "interest_migration/serving/facts.py",
    "interest_migration/serving/gate.py",
    "interest_migration/serving/gate_settings.py",
    "interest_migration/serving/model_directory.py",
    "interest_migration/serving/peak_memory.py",
    "interest_migration/serving/replay.py",
    "interest_migration/serving/replay_paths.py",
    "interest_migration/serving/warm_up.py",
    "components/decisions.py",
    "components/serving_gate.py",
    "components/splits.py",
)
FLOWS: Final = (
    *_CORE,
    "interest_migration/flows",
    "interest_migration/baselines/histories.py",
    "interest_migration/evaluation/bootstrap.py",
    "interest_migration/evaluation/spaces.py",
    "interest_migration/transform/vocabularies.py",
    "components/flows.py",
)


def fingerprint_code(parts: Iterable[str]) -> str:
    """Returns a digest of source files.

    Args:
      parts: Files or folders such as `interest_migration/model`.
    """
    digest = hashlib.sha256()
    for part in sorted(parts):
        package, _, rest = part.partition("/")
        place = _ROOTS[package] / rest
        for path in sorted([place, *place.rglob("*")]):
            if path.suffix in (".py", ".pbtxt"):
                digest.update(f"{part}\0{path.relative_to(_ROOTS[package])}\0".encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()[:16]

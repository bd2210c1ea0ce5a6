"""ServedModel: which model is served now. It takes the place of TFX's Resolver, which Kubeflow Pipelines rejects."""

from pathlib import Path

from tfx.dsl.component.experimental.annotations import OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types.artifact import Artifact
from tfx.types.standard_artifacts import Model

from interest_migration.serving.versions import served_version

_FOUND = "found"


@component
def ServedModel(  # noqa: N802 - a component reads like a class
    directory: Parameter[str],
    run_token: Parameter[str],
    model: OutputArtifact[Model],
) -> None:
    """Finds the version under the push directory that is served: the newest, unless `models.config` says otherwise.

    Args:
      directory: The served model's folder; its subfolders are version numbers.
      run_token: Differs whenever the answer may differ, so that no stale one is reused.
      model: Uri of the version's folder, and `found` = 1; or `found` = 0.
    """
    del run_token  # Only part of the cache key.
    served = served_version(Path(directory))
    model.set_int_custom_property(_FOUND, int(served is not None))
    if served:
        model.uri = str(served.path)
        model.set_int_custom_property("version", served.number)


def is_found(model: Artifact) -> bool:
    """Returns whether `ServedModel` found a version."""
    return bool(model.get_int_custom_property(_FOUND))


def served_number(model: Artifact) -> int:
    """Returns the number of the version that `ServedModel` found."""
    return model.get_int_custom_property("version")

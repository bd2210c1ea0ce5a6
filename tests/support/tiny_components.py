"""Components of a few lines, for tests of the runner. They are found by module path when they run."""

import json
import os
import signal
from pathlib import Path

from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types.standard_artifacts import Examples, Model, PushedModel

from interest_migration.errors import DataError
from interest_migration.model.manifest import MANIFEST_FILE, Manifest, Provenance
from interest_migration.serving.bases import CHOICE_FILE
from interest_migration.serving.versions import push_version


@component
def Maker(text: Parameter[str], model: OutputArtifact[Model]) -> None:  # noqa: N802
    """Writes a file."""
    print("chatter of a library")
    Path(model.uri).mkdir(parents=True, exist_ok=True)
    (Path(model.uri) / "text").write_text(text)


@component
def Taker(folder: Parameter[str], model: InputArtifact[Model], copy: OutputArtifact[Model]) -> None:  # noqa: N802
    """Copies the file; fails or dies if `folder` holds a file of that name."""
    if (Path(folder) / "fail").exists():
        raise DataError("expected a better input")
    if (Path(folder) / "die").exists():
        os.kill(os.getpid(), signal.SIGKILL)
    Path(copy.uri).mkdir(parents=True, exist_ok=True)
    (Path(copy.uri) / "text").write_text((Path(model.uri) / "text").read_text() + " twice")


@component
def Learner(data: Parameter[str], base: InputArtifact[Model], model: OutputArtifact[Model]) -> None:  # noqa: N802
    """Exports nothing but a manifest, which names the log and the base."""
    name = json.loads((Path(base.uri) / "Format-Serving" / CHOICE_FILE).read_text())["name"]
    provenance = Provenance(data=data, base="" if name == "none" else name)
    manifest = Manifest(
        model={}, sizes={}, variables=(), vocabularies={}, actions=(), aggregates=(), provenance=provenance
    )
    path = Path(model.uri) / MANIFEST_FILE
    path.parent.mkdir(parents=True)
    path.write_text(manifest.to_json())


@component
def Rows(text: Parameter[str], examples: OutputArtifact[Examples]) -> None:  # noqa: N802
    """Writes a file of examples."""
    Path(examples.uri).mkdir(parents=True, exist_ok=True)
    (Path(examples.uri) / "text").write_text(text)


@component
def Push(served: Parameter[str], model: InputArtifact[Model], pushed: OutputArtifact[PushedModel]) -> None:  # noqa: N802
    """Serves the model as the next version."""
    version = push_version(Path(model.uri), Path(served), keep=5).version
    Path(pushed.uri).mkdir(parents=True, exist_ok=True)
    pushed.set_string_custom_property("pushed_destination", str(version.path))

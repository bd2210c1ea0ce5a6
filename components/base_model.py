"""BaseModel: the served version that training starts from. It is copied, since served versions come and go."""

from pathlib import Path

from tfx.dsl.component.experimental.annotations import OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.dsl.io import fileio
from tfx.types.standard_artifacts import Model
from tfx.utils import path_utils

from interest_migration.serving.bases import CHOICE_FILE, find_base


@component
def BaseModel(  # noqa: N802 - a component reads like a class
    directory: Parameter[str],
    data: Parameter[str],
    run_token: Parameter[str],
    model: OutputArtifact[Model],
) -> None:
    """Finds the base of a training, see `interest_migration.serving.bases`, and copies it.

    Args:
      directory: The served model's folder; its subfolders are version numbers.
      data: Digest of the log that is to be trained on.
      run_token: Differs whenever the answer differs, so that no stale one is reused.
      model: The copy, where the Trainer looks for it, with a note of the choice; the note alone if there is no base.
    """
    del run_token  # Only part of the cache key.
    choice = find_base(Path(directory), data)
    target = path_utils.serving_model_dir(model.uri)
    fileio.makedirs(target)
    if choice.path:
        _copy(choice.path, target)
    with fileio.open(f"{target}/{CHOICE_FILE}", "w") as file:
        file.write(choice.model_dump_json(exclude={"path"}))
    model.set_string_custom_property("base", choice.name)


def _copy(source: Path, target: str) -> None:
    for path in sorted(source.rglob("*")):
        place = f"{target}/{path.relative_to(source).as_posix()}"
        if path.is_dir():
            fileio.makedirs(place)
        else:
            fileio.copy(str(path), place, overwrite=True)

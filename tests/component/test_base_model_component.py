import json
from pathlib import Path

from tfx.types import standard_artifacts
from tfx.utils import path_utils

from components.base_model import BaseModel


def look_up(directory: Path, copy: Path, data: str = "log") -> standard_artifacts.Model:
    model = standard_artifacts.Model()
    model.uri = str(copy)
    parameters = {"directory": str(directory), "data": data, "run_token": "1"}
    BaseModel(**parameters).executor_spec.executor_class().Do({}, {"model": [model]}, parameters)
    return model


def test_the_base_is_copied_to_where_the_trainer_looks(tmp_path: Path) -> None:
    served = tmp_path / "served" / "4"
    (served / "variables").mkdir(parents=True)
    (served / "saved_model.pb").write_bytes(b"graph")
    (served / "variables" / "variables.index").write_bytes(b"\x00\xff")
    model = look_up(tmp_path / "served", tmp_path / "copy")
    found = Path(path_utils.serving_model_path(model.uri))
    files = {path.relative_to(found).as_posix(): path for path in found.rglob("*") if path.is_file()}
    assert files.keys() == {"saved_model.pb", "variables/variables.index", "base.json"}
    assert files["variables/variables.index"].read_bytes() == b"\x00\xff"
    name = model.get_string_custom_property("base")
    assert name.startswith("4-")
    assert json.loads(files["base.json"].read_text()) == {"name": name, "note": ""}


def test_without_a_base_there_is_a_note(tmp_path: Path) -> None:
    model = look_up(tmp_path / "absent", tmp_path / "copy")
    found = Path(path_utils.serving_model_path(model.uri))
    assert [path.name for path in found.iterdir()] == ["base.json"]
    assert json.loads((found / "base.json").read_text()) == {"name": "none", "note": "nothing is served yet"}


def test_log_and_token_are_part_of_the_cache_key(tmp_path: Path) -> None:
    component = BaseModel(directory=str(tmp_path), data="f00d", run_token="1-cafe")
    assert component.exec_properties == {"directory": str(tmp_path), "data": "f00d", "run_token": "1-cafe"}

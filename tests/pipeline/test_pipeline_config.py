from pathlib import Path

import pytest

from interest_migration.errors import ConfigError
from pipeline.config import PipelineConfig, find_root, load_config

MINIMAL = """
name: shop
workspace: workspace/shop
data: {mapping: shop.yaml, input: logs}
gates: gates.yaml
"""
CONFIGS = Path(__file__).parents[2] / "configs"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "shop-pipeline.yaml"
    path.write_text(MINIMAL)
    return path


def test_paths_are_relative_to_the_folder_of_the_file(file: Path) -> None:
    config = load_config(file)
    root = file.parent
    assert config.workspace == root / "workspace" / "shop"
    assert config.data.mapping == root / "shop.yaml"
    assert config.data.input == str(root / "logs")
    assert config.gates == root / "gates.yaml"
    assert config.served_directory == root / "workspace" / "shop" / "served" / "interests"
    assert config.key_file == root / "workspace" / "shop" / "pseudonym.key"


def test_or_to_the_project_that_the_file_is_in(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "configs").mkdir()
    path = tmp_path / "configs" / "shop.yaml"
    path.write_text(MINIMAL)
    assert find_root(path) == tmp_path
    assert load_config(path).workspace == tmp_path / "workspace" / "shop"


def test_absolute_paths_and_packages_stay(file: Path) -> None:
    config = load_config(file, ["workspace=/tmp/w", "push.directory=/srv/models", "data.input=package:shop/data"])
    assert config.workspace == Path("/tmp/w")
    assert config.served_directory == Path("/srv/models/interests")
    assert config.data.input == "package:shop/data"


def test_the_input_of_the_command_line_is_relative_to_the_working_directory(
    file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert load_config(file, input_root="mine.csv").data.input == str(tmp_path / "elsewhere" / "mine.csv")
    assert load_config(file, input_root="package:shop/data").data.input == "package:shop/data"


def test_overrides_are_yaml(file: Path) -> None:
    overrides = ["training.epochs=3", "examples.horizons_days={short: 1, long: 2}", "cache=false"]
    config = load_config(file, overrides)
    assert config.training.epochs == 3
    assert config.examples.horizons_days.long == 2
    assert config.cache is False


def test_one_seed_is_everybodys_unless_they_have_their_own(file: Path) -> None:
    config = load_config(file, ["seed=5", "training.seed=9"])
    assert (config.seed, config.examples.seed, config.baselines.seed, config.training.seed) == (5, 5, 5, 9)


def test_beam_runs_in_this_process_by_default(file: Path) -> None:
    assert load_config(file).beam_args == ("--runner=FnApiRunner", "--direct_num_workers=1")


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("training.epoch=3", r"shop-pipeline\.yaml: training\.epoch: Extra inputs .*received 3"),
        ("training.epochs=many", r"training\.epochs: .*received 'many'"),
        ("examples.horizons_days.short=90", r"expected short < long"),
        ("name=Shop Pipeline", r"name: .*received 'Shop Pipeline'"),
        ("name=shop-", r"name: .*received 'shop-'"),
        (f"name={'a' * 64}", "name: String should have at most 63 characters"),
        ("push.keep_versions=0", r"push\.keep_versions: .*received 0"),
        ("data.shards=0", r"data\.shards"),
        ("name.short=1", r"--set name\.short: expected a section name, received the value 'shop'"),
        ("epochs", r"--set: expected field=value such as training\.epochs=3, received 'epochs'"),
        ("data.partitions=logs", r"data\.partitions\.pattern: .*expected \{YYYY\}, \{MM\} and \{DD\}"),
        ("seed={", r"--set seed: expected a YAML value, received '\{'"),
    ],
)
def test_what_does_not_fit_is_named(file: Path, override: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_config(file, [override])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: [", "expected YAML in"),
        ("- a", "expected fields and values, received list"),
        ("name: shop", r"workspace: Field required.*data: Field required.*gates: Field required"),
        ("", "expected fields and values, received NoneType"),
    ],
)
def test_damaged_files_are_named(file: Path, text: str, message: str) -> None:
    file.write_text(text)
    with pytest.raises(ConfigError, match=message):
        load_config(file)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"expected a readable file .*none\.yaml, received: No such file"):
        load_config(tmp_path / "none.yaml")


@pytest.mark.parametrize("name", ["demo.yaml", "demo-spans.yaml", "taobao.yaml"])
def test_shipped_configurations_are_valid_and_name_files_that_exist(name: str) -> None:
    config = load_config(CONFIGS / name)
    assert isinstance(config, PipelineConfig)
    assert config.data.mapping.is_file()
    assert config.gates.is_file()
    assert config.data_gates is None or config.data_gates.is_file()


def test_values_of_an_earlier_search_are_used(tmp_path):
    best = tmp_path / "best.yaml"
    best.write_text("model.width: 32\ntraining.learning_rate: 0.001\n")
    config = load_config(CONFIGS / "demo.yaml", [f"search.best={best}", "training.learning_rate=0.5"])
    assert (config.model.width, config.model.max_steps) == (32, 32)
    assert config.training.learning_rate == 0.5  # --set wins


def test_a_range_that_does_not_fit_is_named():
    with pytest.raises(ConfigError, match=r"model.layers: .*greater than or equal to 1, received 0"):
        load_config(CONFIGS / "demo.yaml", ["search.space={model.layers: {min: 0, max: 2}}"])

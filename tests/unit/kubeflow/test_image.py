"""The image's recipe: what a linter asks of it, and that what it copies is there."""

import importlib.util
import re
from importlib import metadata
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[3]
KUBEFLOW = ROOT / "kubeflow"


def instructions() -> list[tuple[str, str]]:
    text = (KUBEFLOW / "Dockerfile").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in joined.splitlines())]


def arguments() -> dict[str, str]:
    defaults = (rest.partition("=") for word, rest in instructions() if word == "ARG")
    return {name: value for name, found, value in defaults if found}


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, KUBEFLOW / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def copied() -> list[str]:
    copies = [rest.split() for word, rest in instructions() if word == "COPY"]
    return [path for words in copies if not words[0].startswith("--from") for path in words[:-1]]


def test_every_stage_starts_from_the_pinned_base_or_from_another_stage():
    stages = {rest.split()[-1] for word, rest in instructions() if word == "FROM"}
    bases = [rest.split()[0] for word, rest in instructions() if word == "FROM"]

    assert re.fullmatch(
        r"docker\.io/library/python:3\.11\.\d+-slim-trixie@sha256:[0-9a-f]{64}", arguments()["PYTHON_IMAGE"]
    )
    runtimes = {"runtime-${ACCELERATOR}"}
    assert set(bases) <= stages | {"${PYTHON_IMAGE}"} | runtimes
    assert {"runtime-cpu", "runtime-cuda"} <= stages
    assert arguments()["ACCELERATOR"] in ("cpu", "cuda")


def test_the_image_runs_as_a_numbered_user_who_may_not_write_the_code():
    users = [rest for word, rest in instructions() if word == "USER"]

    assert users == ["10001:10001"]
    assert not any("--chown" in rest or "chmod" in rest for _, rest in instructions())


def test_everything_is_checked_as_that_user_at_build():
    last_stage = instructions()[max(i for i, (word, _) in enumerate(instructions()) if word == "FROM") :]
    words = [f"{word} {rest}" for word, rest in last_stage]

    assert words.index("USER 10001:10001") < words.index("RUN python /opt/check_image.py ${ACCELERATOR}")


def test_copied_paths_exist_and_the_build_context_holds_them():
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line[:1] == "!"}

    assert copied()
    for path in copied():
        assert (ROOT / path).exists(), path
        assert path in kept, path
    assert kept == set(copied())


def test_no_secret_goes_in():
    for word, rest in instructions():
        if word in ("ARG", "ENV"):
            assert not re.search("(?i)token|password|secret|_key", rest), rest
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert next(line for line in ignored if not line.startswith("#")) == "*"


def test_every_package_is_locked_by_hash():
    commands = [rest for word, rest in instructions() if word == "RUN"]
    installs = [each for each in commands if re.search(r"uv pip (sync|install)", each)]

    assert len(installs) == 3
    for command in installs:
        assert "--require-hashes" in command or "--no-deps --no-build-isolation" in command, command
    assert all("==" in each for each in commands if each.startswith("pip install"))


def test_cuda_libraries_are_those_that_tensorflow_asks_for_and_all_are_locked():
    def read(name: str) -> list[str]:
        lines = (KUBEFLOW / name).read_text(encoding="utf-8").splitlines()
        return [line.split(" \\")[0] for line in lines if line and line[0] not in "# "]

    asked = [Requirement(each) for each in metadata.requires("tensorflow") or [] if "and-cuda" in each]
    wanted = {each.name: each.specifier for each in map(Requirement, read("requirements-cuda.in"))}
    locked = {
        each.name: str(each.specifier).removeprefix("==") for each in map(Requirement, read("requirements-cuda.lock"))
    }

    assert wanted == {each.name: each.specifier for each in asked}
    assert set(locked) == set(wanted)
    assert all(wanted[name].contains(version) for name, version in locked.items())


def test_what_only_developers_need_is_found_and_nothing_else():
    unneeded = load("unneeded_packages")
    requires = {
        "a": ["B>=1", "c[fast]", 'windows-only; sys_platform == "win32"', 'tests; extra == "test"'],
        "b": ["d"],
        "c": ['quick; extra == "fast"', 'slow; extra == "other"'],
        "d": ["a"],
    }

    needed = unneeded.find_needed(["A==1"], requires.get)

    assert needed == {"a", "b", "c", "d", "quick"}


def test_the_image_keeps_what_setup_py_needs_to_run():
    unneeded = load("unneeded_packages")
    runtime = unneeded.read_requirements(ROOT / "setup.py", ["kfp"])
    names = {Requirement(each).name for each in runtime}

    assert {"tfx", "tensorflow", "kfp"} <= names
    assert not {"pytest", "ruff"} & names


def test_the_check_names_a_missing_cuda_library(tmp_path):
    with pytest.raises(OSError, match="libcudart"):
        load("check_image").load_cuda(tmp_path)

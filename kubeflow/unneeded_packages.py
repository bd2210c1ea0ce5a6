"""Prints the installed packages that the project does not need to run: requirements.lock holds developers' tools too.

python unneeded_packages.py setup.py kfp demo > unneeded.txt
"""

import ast
import sys
from collections.abc import Callable, Iterable
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def read_requirements(setup_file: Path, extras: Iterable[str]) -> list[str]:
    """Reads `RUNTIME` and some of `EXTRAS` from setup.py without running it."""
    values = {}
    for statement in ast.parse(setup_file.read_text(encoding="utf-8")).body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            values[statement.targets[0].id] = ast.literal_eval(statement.value)
    return [*values["RUNTIME"], *(name for extra in extras for name in values["EXTRAS"][extra])]


def find_needed(requirements: Iterable[str], requires: Callable[[str], list[str] | None]) -> set[str]:
    """Follows requirements to everything that they need.

    Args:
      requirements: Such as `tfx==1.21.0`.
      requires: Canonical name of a package -> what it requires; None if it is not installed.
    """
    needed: set[tuple[str, str]] = set()
    waiting = [Requirement(text) for text in requirements]
    while waiting:
        wanted = waiting.pop()
        name = canonicalize_name(wanted.name)
        for extra in {"", *wanted.extras}:
            if (name, extra) in needed:
                continue
            needed.add((name, extra))
            found = map(Requirement, requires(name) or [])
            waiting += [each for each in found if each.marker is None or each.marker.evaluate({"extra": extra})]
    return {name for name, _ in needed}


def main(setup_file: str, *extras: str) -> None:
    """Prints one name per line."""
    installed: dict[str, list[str] | None] = {
        canonicalize_name(each.metadata["Name"]): each.requires for each in metadata.distributions()
    }
    needed = find_needed(read_requirements(Path(setup_file), extras), installed.get)
    print("\n".join(sorted(set(installed) - needed)))


if __name__ == "__main__":
    main(*sys.argv[1:])

"""How what is served may change: functions from one `Rollout` to the next. Versions on disk are `present`, ascending.

now               move             next
latest 1          pin 2            specific 2    stable=2
specific 2        label canary 3   specific 2 3  stable=2 canary=3
specific 2 3      promote 3        specific 2 3  stable=3              (2 stays loaded, to go back at once)
specific 2 3      rollback         specific 2    stable=2
specific 2        unpin            latest 1
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any, Final

from interest_migration.errors import DataError
from interest_migration.serving.model_config import CANARY, STABLE, Policy, Rollout

_ABSOLUTE: Final = re.compile(r"/|[a-z][a-z0-9]*://")
"""What TensorFlow Serving takes for a base path."""


def pin(now: Rollout, present: Collection[int], version: int | None) -> Rollout:
    """Serves one version, whatever is pushed; a canary stays.

    Args:
      now: What is served.
      present: Versions on disk.
      version: Which; the one served now if None.
    """
    chosen = _serving(now, present) if version is None else _require(version, present)
    labels = _without_same(now, chosen)
    return _specific(now, {chosen, *labels.values()}, {**labels, STABLE: chosen})


def promote(now: Rollout, present: Collection[int], version: int | None) -> Rollout:
    """Serves a version, by default the canary.

    The one served before stays loaded, unless it is higher: requests without a label would reach it.
    """
    if version is None and CANARY not in now.labels:
        raise DataError(f"expected the version to promote, since none is labelled {CANARY}; there are {_list(present)}")
    chosen = _require(now.labels[CANARY] if version is None else version, present)
    before, labels = now.serves(present), _without_same(now, chosen)
    kept = {before} if before is not None and before < chosen else set()
    return _specific(now, {chosen, *kept, *labels.values()}, {**labels, STABLE: chosen})


def roll_back(now: Rollout, present: Collection[int], earlier: Collection[int]) -> Rollout:
    """Serves the version that was served before, and nothing else: canaries go.

    Args:
      now: What is served.
      present: Versions on disk.
      earlier: Versions that were served before, oldest first (`audit.served_before`); without any, the next lower
        number is taken.
    """
    serving = now.serves(present)
    lower = [number for number in sorted(present) if serving is None or number < serving]
    candidates = [number for number in earlier if number in present and number != serving] or lower
    if not candidates:
        raise DataError(f"expected a version that was served before {serving}, found none; there are {_list(present)}")
    return _specific(now, {candidates[-1]}, {STABLE: candidates[-1]})


def unpin(now: Rollout, present: Collection[int]) -> Rollout:
    """Follows the newest version again. Labels go, since a server holds no other version then."""
    del present
    others = sorted(set(now.labels) - {STABLE})
    if others:
        raise DataError(f"expected no label but {STABLE}, found {', '.join(others)}; take it off first: models unlabel")
    return Rollout(base_path=now.base_path)


def label(now: Rollout, present: Collection[int], name: str, version: int) -> Rollout:
    """Loads a version beside the served one and gives it a label, such as `canary`."""
    if name == STABLE:
        raise DataError(f"expected a label other than {STABLE}; what is served changes with: models promote VERSION")
    if STABLE not in now.labels:
        raise DataError(
            "expected a pinned version, since without one the newest version gets every request; pin the version that "
            "is to stay served first: models pin"
        )
    if _require(version, present) == now.labels[STABLE]:
        raise DataError(f"expected a version other than {version}, which is {STABLE} already")
    return _specific(now, {*_kept(now, name), version}, {**now.labels, name: version})


def unlabel(now: Rollout, present: Collection[int], name: str) -> Rollout:
    """Takes a label off; the version is unloaded unless another label names it."""
    del present
    if name == STABLE or name not in now.labels:
        raise DataError(f"expected one of the labels {_list(set(now.labels) - {STABLE})}, received {name}")
    return _specific(now, _kept(now, name), {key: at for key, at in now.labels.items() if key != name})


def place(now: Rollout, present: Collection[int], base_path: str) -> Rollout:
    """Writes down what is served, and the model's folder as the server sees it, unless that is empty."""
    del present
    if base_path and not _ABSOLUTE.match(base_path):
        raise DataError(f"expected a base path that begins with / or scheme://, received {base_path}")
    return replace(now, base_path=base_path or now.base_path)


def load_first(now: Rollout, after: Rollout, present: Collection[int]) -> Rollout | None:
    """Returns the step between, which only loads what the labels are about to name; None if all of it is loaded.

    TensorFlow Serving looks at labels before it loads anything, and stops there if one moves to a version that is not
    loaded: it would never load it.
    """
    loaded = now.loads(present)
    if set(after.labels.values()) <= set(loaded):
        return None
    return _specific(now, {*loaded, *after.loads(present)}, now.labels)


MOVES: Final[dict[str, Callable[..., Rollout]]] = {
    "init": place,
    "pin": pin,
    "promote": promote,
    "rollback": roll_back,
    "unpin": unpin,
    "label": label,
    "unlabel": unlabel,
}
"""Name -> function of what is served, the versions on disk, and arguments of its own."""


def _specific(now: Rollout, versions: Collection[int], labels: Mapping[str, int]) -> Rollout:
    return replace(now, policy=Policy.SPECIFIC, versions=tuple(sorted(versions)), newest=1, labels=labels)


def _without_same(now: Rollout, chosen: int) -> dict[str, int]:
    """The labels that stay when a version becomes the stable one."""
    return {name: version for name, version in now.labels.items() if name != STABLE and version != chosen}


def _kept(now: Rollout, name: str) -> set[int]:
    """The versions that stay loaded when a label goes."""
    others = {version for key, version in now.labels.items() if key != name}
    return {version for version in now.versions if version != now.labels.get(name)} | others


def _serving(now: Rollout, present: Collection[int]) -> int:
    serving = now.serves(present)
    if serving is None:
        raise DataError(f"expected a version that is served, found none; there are {_list(present)}")
    return serving


def _require(version: int, present: Collection[int]) -> int:
    if version not in present:
        raise DataError(f"expected one of the versions {_list(present)}, received {version}")
    return version


def _list(values: Collection[Any]) -> str:
    return ", ".join(map(str, sorted(values))) or "(none)"

r"""How well the paths that a model foresees are met: the categories of the first, second and third step after a cut.

    python -m benchmarks.paths --model workspace/demo/served/interests/1 \
        --examples workspace/demo/artifacts/BehaviorExampleGen/examples/1

Of every user of the test split, the earliest example after which three steps are known: from the history of the user's
latest test example, and the step that follows it. Inputs are those of the earlier cut, as ingestion made them; no
training label reaches beyond the test split's first cut. A method names five categories for each step; it hits if one
of them (hit@5), or its first (hit@1), is among the categories of that step. It also names eight whole paths; they are
met if each step of one of them (of the first: path@1) is among the categories of its step. Methods:

    paths      what the signature `paths` forecasts, and its paths of steps
    repeated   the ranking of the first step for every step; paths by the product of the chances
    markov     transitions between consecutive steps in the histories of the train split, to the power of the step, from
               the newest step's categories; mixed with popularity by a hundredth. It names no paths

Intervals: 95 %, bootstrap over users.
"""

import argparse
import itertools
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from rich.console import Console
from rich.table import Table

from benchmarks.explanation import read
from schemas.features import CUT_TIME, EVENT_AGE, EVENT_CATEGORY, NEXT_CATEGORIES, USER
from schemas.signatures import (
    FORECAST_CATEGORY,
    NEXT_CATEGORY,
    NEXT_CATEGORY_PROBABILITY,
    PATH_BEAM,
    PATH_CATEGORY,
    PATH_STEPS,
    PATHS,
    SERVE,
    STEPS,
)

Names = list[set[bytes]]
METHODS = ("paths", "repeated", "markov")
RANKED = 5
Kept = tuple[bytes, dict[str, Any]]
Asked = tuple[bytes, dict[str, Any], Names]
Answer = Callable[..., Mapping[str, Any]]


def steps_of(example: Mapping[str, list[Any]]) -> tuple[list[int], Names]:
    """Returns times and categories of the steps of a history, old to new."""
    times: list[int] = []
    names: Names = []
    for age, name in zip(example[EVENT_AGE], example[EVENT_CATEGORY], strict=True):
        time = example[CUT_TIME][0] - age
        if not times or times[-1] != time:
            times.append(time)
            names.append(set())
        names[-1] |= {name} - {b""}
    return times, names


def read_split(folder: Path, split: str) -> dict[bytes, list[Kept]]:
    """Returns the examples of every user, by cut time."""
    paths = sorted(str(path) for path in (folder / f"Split-{split}").glob("*.gz"))
    kept: dict[bytes, list[Kept]] = {}
    for record in tf.data.TFRecordDataset(paths, compression_type="GZIP").as_numpy_iterator():
        example = read(record)
        wanted = {name: example.get(name, []) for name in (CUT_TIME, EVENT_AGE, EVENT_CATEGORY, NEXT_CATEGORIES)}
        kept.setdefault(example[USER][0], []).append((record, wanted))
    return {user: sorted(found, key=lambda each: each[1][CUT_TIME][0]) for user, found in kept.items()}


def futures(users: Mapping[bytes, list[Kept]], count: int) -> Iterator[Asked]:
    """Yields an example of each user and the categories of the PATH_STEPS steps after it."""
    for found in list(users.values()):
        times, names = steps_of(found[-1][1])
        names.append(set(found[-1][1][NEXT_CATEGORIES]))
        times.append(found[-1][1][CUT_TIME][0])
        for record, example in found:
            first = int(np.searchsorted(times, example[CUT_TIME][0]))
            ahead = [step for step in names[first:] if step][:PATH_STEPS]
            if first > 0 and len(ahead) == PATH_STEPS:
                count -= 1
                yield record, example, ahead
                break
        if not count:
            return


class Markov:
    """Transitions between the categories of consecutive steps."""

    def __init__(self, users: Mapping[bytes, list[Kept]]) -> None:
        histories = [steps_of(found[-1][1])[1] for found in users.values()]
        self.names = sorted(set().union(*(step for history in histories for step in history)))
        self.place = {name: place for place, name in enumerate(self.names)}
        counts = np.zeros([len(self.names)] * 2)
        for history in histories:
            for before, after in itertools.pairwise(history):
                rows, columns = ([self.place[name] for name in step] for step in (before, after))
                counts[np.ix_(rows, columns)] += 1
        popular = counts.sum(axis=0) / counts.sum()
        chances = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1e-9)
        self.chances = 0.99 * chances + 0.01 * popular
        self.chances[counts.sum(axis=1) == 0] = popular
        self.popular = popular

    def rank(self, example: dict[str, Any]) -> list[list[bytes]]:
        """Returns the likeliest categories of each step."""
        newest = [self.place[name] for name in steps_of(example)[1][-1] if name in self.place]
        chance = np.mean(self.chances[newest], axis=0) if newest else self.popular
        ranked = []
        for _ in range(PATH_STEPS):
            ranked.append([self.names[place] for place in np.argsort(-chance)[:RANKED]])
            chance = chance @ self.chances
        return ranked


def hits(ranked: list[list[bytes]], ahead: Names) -> npt.NDArray[np.float64]:
    """Returns `[2 * PATH_STEPS]`: whether the first, and any, of the ranked categories of each step is met."""
    found = [[bool(step & set(names[:1])), bool(step & set(names))] for names, step in zip(ranked, ahead, strict=True)]
    return np.array(found, float).ravel()


def met(paths: list[list[bytes]], ahead: Names) -> npt.NDArray[np.float64]:
    """Returns `[2]`: whether the first path, and any, is met; NaN without paths."""
    found = [all(name in step for name, step in zip(path, ahead, strict=True)) for path in paths]
    return np.array([found[0], any(found)] if found else [np.nan, np.nan], float)


def independent(names: list[bytes], chances: list[float]) -> list[list[bytes]]:
    """Returns the PATH_BEAM likeliest paths if every step is drawn anew from the same chances."""
    paths = itertools.product(range(min(PATH_BEAM, len(names))), repeat=PATH_STEPS)
    ordered = sorted(paths, key=lambda path: -np.prod([chances[place] for place in path]))
    return [[names[place] for place in path] for path in ordered[:PATH_BEAM]]


def measure(paths: Answer, serve: Answer, markov: Markov, asked: list[Asked]) -> npt.NDArray[np.float64]:
    """Returns `[users, methods, 2 * PATH_STEPS + 2]`: `hits` and `met`."""
    rows = []
    for start in range(0, len(asked), 16):
        part = asked[start : start + 16]
        batch = tf.constant([record for record, _, _ in part])
        answer, first = (
            {name: value.numpy().tolist() for name, value in signature(examples=batch).items()}
            for signature in (paths, serve)
        )
        for row, (_, example, ahead) in enumerate(part):
            names, chances = first[NEXT_CATEGORY][row], first[NEXT_CATEGORY_PROBABILITY][row]
            forecast = [each[:RANKED] for each in answer[FORECAST_CATEGORY][row]]
            ranked = (forecast, [names[:RANKED]] * PATH_STEPS, markov.rank(example))
            whole: tuple[list[list[bytes]], ...] = (
                answer[PATH_CATEGORY[STEPS]][row],
                independent(names, chances),
                [],
            )
            rows.append([np.concatenate([hits(r, ahead), met(p, ahead)]) for r, p in zip(ranked, whole, strict=True)])
    return np.array(rows)


def main() -> None:
    """Runs the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="Folder of the SavedModel.")
    parser.add_argument("--examples", required=True, type=Path, help="Folder of the splits of raw examples.")
    parser.add_argument("--users", type=int, default=1_000)
    given = parser.parse_args()
    model = tf.saved_model.load(given.model)
    markov = Markov(read_split(given.examples, "train"))
    asked = list(futures(read_split(given.examples, "test"), given.users))
    show(measure(model.signatures[PATHS], model.signatures[SERVE], markov, asked))


def show(found: npt.NDArray[np.float64]) -> None:
    """Prints what `measure` returned."""
    samples = np.random.default_rng(0).integers(0, len(found), (1000, len(found)))
    table = Table("measure", *METHODS, "paths - repeated", "paths - markov", title=f"{len(found):,} users")
    names = [f"step {step + 1} hit@{k}" for step in range(PATH_STEPS) for k in (1, RANKED)]
    for column, name in enumerate([*names, "path@1", f"path@{PATH_BEAM}"]):
        values = found[:, :, column]
        cells = [f"{mean:.3f}" for mean in values.mean(axis=0)]
        for rival in (1, 2):
            lead = values[:, 0] - values[:, rival]
            low, high = np.percentile(lead[samples].mean(axis=1), [2.5, 97.5])
            cells.append(f"{lead.mean():+.3f} ({low:+.3f} to {high:+.3f})")
        table.add_row(name, *("" if "nan" in cell else cell for cell in cells))
    Console(width=140).print(table)


if __name__ == "__main__":
    main()

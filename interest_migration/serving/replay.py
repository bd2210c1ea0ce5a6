"""Loads an exported model in a process of its own and replays real examples through every signature.

    python -m interest_migration.serving.replay < request.json > measures.json

The gate starts it and judges what it measured (`interest_migration.serving.gate`): a model that crashes, hangs or eats
all memory takes only this process with it.
"""

import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from interest_migration.errors import DataError
from interest_migration.serving.event_columns import history_events, one_row, to_columns
from interest_migration.serving.peak_memory import peak_megabytes
from interest_migration.serving.replay_paths import (
    BATCH,
    Columns,
    explained_scores,
    first_steps,
    join,
    read_histories,
    read_names,
    score_transformed,
    softmax,
    top,
)
from schemas.features import HORIZONS
from schemas.signatures import (
    CHURN_PROBABILITY,
    CHURN_TASKS,
    EMBED,
    EVALUATE,
    EVALUATION_LABELS,
    EXAMPLES,
    EXPLAIN,
    EXPLAIN_COLUMNS,
    INTEREST_PROBABILITY,
    NEW_INTEREST_SHARE,
    NEXT_CATEGORY,
    NEXT_CATEGORY_PROBABILITY,
    NEXT_ITEM,
    PATHS,
    PATHS_COLUMNS,
    PREDICT,
    SERVE,
    TOP_K,
    USER_EMBEDDING,
)

CUT_S: Final = 1_500_000_000
"""Moment of replayed events; features are ages, so that any will do."""
_FEW: Final = 4  # users who are explained: an explanation costs as much as a hundred answers
_WARM_UP_CALLS: Final = 10


@dataclass(frozen=True)
class Request:
    """What is replayed.

    Attributes:
      model: Folder of the model.
      raw: Gzip TFRecord files of raw examples.
      transformed: The same examples as Transform wrote them; none leaves out the comparison with training.
      examples: How many examples.
      calls: Calls behind the latency.
    """

    model: str
    raw: Sequence[str]
    transformed: Sequence[str]
    examples: int
    calls: int


@dataclass
class Measured:
    """What was measured.

    Attributes:
      load_seconds: Time to load the model.
      memory_megabytes: Peak memory of the process.
      examples: Examples replayed.
      warm_ups: Warm-up requests replayed.
      failures: Signature -> why it did not answer as agreed.
      differences: Comparison -> largest difference.
      name_differences: Comparison -> share of ranked names that differ.
      latency_ms: Signature -> `cpu_p50`, `cpu_p99`, `wall_p50`, `wall_p99`, of one user.
    """

    load_seconds: float = 0.0
    memory_megabytes: float = 0.0
    examples: int = 0
    warm_ups: int = 0
    failures: dict[str, str] = field(default_factory=dict)
    differences: dict[str, float] = field(default_factory=dict)
    name_differences: dict[str, float] = field(default_factory=dict)
    latency_ms: dict[str, dict[str, float]] = field(default_factory=dict)


def replay(request: Request) -> Measured:
    """Loads the model and replays the examples.

    Raises:
      DataError: If there is no example.
    """
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    began = time.perf_counter()
    loaded = tf.saved_model.load(request.model)
    measured = Measured(load_seconds=time.perf_counter() - began)
    records = read_records(request.raw, request.examples)
    measured.examples = len(records)
    player = _Player(loaded, Path(request.model), records, measured)
    player.play(request)
    measured.memory_megabytes = peak_megabytes()
    return measured


def read_records(paths: Sequence[str], count: int) -> list[bytes]:
    """Reads the first examples, as many from every file.

    Raises:
      DataError: If there is none.
    """
    import tensorflow as tf

    each = -(-count // max(len(paths), 1))
    files = [tf.data.TFRecordDataset(path, compression_type="GZIP").take(each) for path in sorted(paths)]
    records = [record.numpy() for file in files for record in file][:count]
    if not records:
        raise DataError(f"expected raw examples in {', '.join(paths) or 'some files'}, received none")
    return records


class _Player:
    """Asks a model; keeps account of what it does not answer."""

    def __init__(self, loaded: Any, model: Path, records: list[bytes], measured: Measured) -> None:
        self._loaded, self._model, self._records, self._measured = loaded, model, records, measured

    def play(self, request: Request) -> None:
        few = self._records[:_FEW]
        served = self._try(SERVE, lambda: self._ask(SERVE, self._records))
        self._try("warm-up requests", self._warm_up)
        evaluated = self._try(EVALUATE, lambda: self._ask(EVALUATE, self._records))
        self._try(EVALUATION_LABELS, lambda: self._ask(EVALUATION_LABELS, self._records))
        explained = self._try(EXPLAIN, lambda: self._ask(EXPLAIN, few))
        ahead = self._try(PATHS, lambda: self._ask(PATHS, few))
        if served and evaluated:
            pairs = zip(CHURN_TASKS, HORIZONS, strict=True)
            self._compare(
                "evaluate and serving_default",
                {task: evaluated[task] for task in CHURN_TASKS},
                {task: served[CHURN_PROBABILITY[horizon]] for task, horizon in pairs},
            )
        if served and explained:
            self._compare("explain and serving_default", *explained_scores(explained, served))
        if served and ahead:
            self._compare("paths and serving_default", *first_steps(ahead, served))
        if served and request.transformed:
            self._try("the path of training", lambda: self._skew(served, request.transformed))
        columns = self._try(PREDICT, self._columns)
        self._latency(SERVE, [{EXAMPLES: np.array([record], object)} for record in self._records], request.calls)
        if columns:
            rows = range(len(next(iter(columns.values()))))
            self._latency(PREDICT, [one_row(columns, row) for row in rows], request.calls)

    def _try(self, what: str, work: Callable[[], Columns]) -> Columns:
        """A signature may fail in as many ways as there are ops: each is a reason to refuse, not to stop."""
        try:
            return work()
        except Exception as error:
            text = str(error).strip()
            self._measured.failures[what] = (
                f"{type(error).__name__}: {text.splitlines()[0][:300] if text else 'no text'}"
            )
            return {}

    def _ask(self, signature: str, records: list[bytes]) -> Columns:
        chunks = [records[start : start + BATCH] for start in range(0, len(records), BATCH)]
        return join([self._call(signature, {EXAMPLES: np.array(chunk, object)}) for chunk in chunks])

    def _call(self, signature: str, inputs: Mapping[str, Any]) -> Columns:
        import tensorflow as tf

        found = self._loaded.signatures[signature](**{name: tf.constant(value) for name, value in inputs.items()})
        answer = {name: value.numpy() for name, value in found.items()}
        for name, values in answer.items():
            if values.dtype.kind == "f" and not np.isfinite(values).all():
                raise DataError(f"expected finite numbers in {name}, received {values[~np.isfinite(values)][0]}")
        return answer

    def _warm_up(self) -> Columns:
        from interest_migration.serving.warm_up import read_warm_ups

        for signature, inputs in read_warm_ups(self._model):
            self._call(signature, inputs)
            self._measured.warm_ups += 1
        if not self._measured.warm_ups:
            raise DataError("expected warm-up requests, received none")
        return {}

    def _skew(self, served: Columns, transformed: Sequence[str]) -> Columns:
        """Compares with the same weights on the examples that Transform wrote: what training and comparison read."""
        scores = score_transformed(self._loaded, self._records, transformed)
        expected = {NEXT_CATEGORY_PROBABILITY: top(softmax(scores["next_category"]))}
        for horizon in HORIZONS:
            expected[CHURN_PROBABILITY[horizon]] = scores[f"churn_{horizon}"]
            expected[INTEREST_PROBABILITY[horizon]] = top(scores[f"propensity_{horizon}"])
            expected[NEW_INTEREST_SHARE[horizon]] = top(scores[f"new_interest_{horizon}"])
        self._compare("serving_default and the path of training", served, expected)
        categories, items = (read_names(self._model / "assets" / name) for name in ("categories", "items"))
        best = np.argsort(-scores["next_category"], axis=1, kind="stable")[:, :TOP_K] + 1
        ranked = {NEXT_CATEGORY: categories[best], NEXT_ITEM: items[scores["next_item"][:, :TOP_K]]}
        for name, names in ranked.items():
            differ = float(np.mean(served[name][:, : names.shape[1]] != names))
            self._measured.name_differences[f"{name} and the path of training"] = differ
        return {}

    def _columns(self) -> Columns:
        """The same events as examples that the builder makes of them, and as columns, in the builder's order.

        Events of one moment have no order of their own; a model that reads the newest so many tells orders apart.
        """
        from interest_migration.examples.build import build_features
        from interest_migration.examples.encode import ExampleEncoder
        from interest_migration.serving.facts import read_facts

        events = history_events(read_histories(self._records), CUT_S)
        if not len(events):
            raise DataError("expected examples with events, received none")
        settings = read_facts(self._model).examples.model_copy(update={"conflicting_fields": ()})
        examples = list(ExampleEncoder().encode(build_features(events, CUT_S, settings)))
        columns = to_columns(history_events(read_histories(examples), CUT_S), CUT_S)
        expected, found = self._ask(SERVE, examples), self._ask_columns(PREDICT, columns)
        self._compare("predict and serving_default", found, expected)
        embedded = self._ask_columns(EMBED, columns)
        self._compare("embed and predict", embedded, {USER_EMBEDDING: found[USER_EMBEDDING]})
        few = {name: values[:_FEW] for name, values in columns.items()}
        self._compare("explain_columns and predict", *explained_scores(self._ask_columns(EXPLAIN_COLUMNS, few), found))
        self._compare("paths_columns and predict", *first_steps(self._ask_columns(PATHS_COLUMNS, few), found))
        return columns

    def _ask_columns(self, signature: str, columns: Columns) -> Columns:
        size = len(next(iter(columns.values())))
        parts = []
        for start in range(0, size, BATCH):
            chunk = {name: values[start : start + BATCH] for name, values in columns.items()}
            parts.append(self._call(signature, chunk))
        return join(parts)

    def _compare(self, what: str, found: Columns, expected: Columns) -> None:
        numbers = [name for name, values in expected.items() if values.dtype.kind == "f"]
        largest = max((float(np.abs(found[name] - expected[name]).max(initial=0)) for name in numbers), default=0.0)
        self._measured.differences[what] = largest
        names = [name for name, values in expected.items() if values.dtype == object]
        if names:
            shares = [float(np.mean(found[name] != expected[name])) for name in names]
            self._measured.name_differences[what] = max(shares)

    def _latency(self, signature: str, requests: Sequence[Mapping[str, Any]], calls: int) -> None:
        import tensorflow as tf

        function = self._loaded.signatures[signature]
        asked = [{name: tf.constant(value) for name, value in request.items()} for request in requests]
        times = []
        for call in range(_WARM_UP_CALLS + calls):
            wall, cpu = time.perf_counter(), time.process_time()
            for value in function(**asked[call % len(asked)]).values():
                value.numpy()
            times.append((time.perf_counter() - wall, time.process_time() - cpu))
        found = 1e3 * np.percentile(np.array(times[_WARM_UP_CALLS:]), [50, 99], axis=0)
        names = (("wall_p50", "cpu_p50"), ("wall_p99", "cpu_p99"))
        self._measured.latency_ms[signature] = {
            name: float(found[row, column]) for row, pair in enumerate(names) for column, name in enumerate(pair)
        }


def main() -> None:
    """Reads a request from standard input, writes what was measured to standard output."""
    request = Request(**json.loads(sys.stdin.read()))
    json.dump(asdict(replay(request)), sys.stdout)


if __name__ == "__main__":
    main()

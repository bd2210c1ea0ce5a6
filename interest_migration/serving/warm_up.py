"""Warm-up requests: what TF Serving replays before a new version answers anybody.

    <model>/assets.extra/tf_serving_warmup_requests   TFRecords of tensorflow.serving.PredictionLog

They are made of the model's own vocabularies, not of anybody's data: users with histories of random known items.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from interest_migration.examples.settings import ExampleSettings
from interest_migration.serving.event_columns import Columns, to_columns
from schemas.signatures import (
    EMBED,
    EMBED_CATEGORY,
    EMBED_ITEM,
    EMBED_NAMES,
    EXAMPLES,
    EXPLAIN,
    EXPLAIN_COLUMNS,
    PATHS,
    PATHS_COLUMNS,
    PREDICT,
    SERVE,
)

if TYPE_CHECKING:
    from tensorflow_serving.apis.predict_pb2 import PredictRequest

WARM_UP_FILE: Final = "assets.extra/tf_serving_warmup_requests"
"""Below the folder of the model; TF Serving looks for it there."""

BATCHES: Final = (1, 8, 64)
"""Users in a request for an answer."""
FEW: Final = (1, 4)
"""Users in a request for an explanation or for paths, which cost many times as much."""

_EVENTS: Final = 50
_CUT_S: Final = 1_500_000_000
_YEAR_S: Final = 365 * 86_400

Inputs = dict[str, Any]


def make_warm_ups(
    items: Sequence[str], categories: Sequence[str], settings: ExampleSettings
) -> list[tuple[str, Inputs]]:
    """Returns (signature, inputs) of every request.

    Args:
      items: Names of items.
      categories: Names of categories.
      settings: How features are made of events.
    """
    made: list[tuple[str, Inputs]] = []
    events = _random_events(items, categories, settings, max(BATCHES))
    for signatures, sizes in (
        ((SERVE, PREDICT, EMBED), BATCHES),
        ((EXPLAIN, PATHS, EXPLAIN_COLUMNS, PATHS_COLUMNS), FEW),
    ):
        for size in sizes:
            some = events.filter(pc.less(events["user"], f"{size:03d}"))
            columns = to_columns(some, _CUT_S)
            examples = _examples(columns, settings)
            made += [(name, examples if name in (SERVE, EXPLAIN, PATHS) else columns) for name in signatures]
    names = {EMBED_ITEM: np.array(items[:8], object), EMBED_CATEGORY: np.array(categories[:8], object)}
    return [*made, (EMBED_NAMES, names)]


def _random_events(items: Sequence[str], categories: Sequence[str], settings: ExampleSettings, users: int) -> pa.Table:
    rng, count = np.random.default_rng(0), users * _EVENTS

    def draw(names: Sequence[str]) -> pa.Array:
        return (
            pa.array([""] * count)
            if not names
            else pa.array(names).take(pa.array(rng.integers(len(names), size=count)))
        )

    return pa.table(
        {
            "user": np.char.mod("%03d", np.repeat(np.arange(users), _EVENTS)),
            "time_s": _CUT_S - rng.integers(1, _YEAR_S, count),
            "action": draw(sorted({*settings.interest_actions, *settings.churn_actions})),
            "item": draw(items),
            "category_path": draw(categories),
            "price": rng.lognormal(size=count),
        }
    )


def _examples(columns: Columns, settings: ExampleSettings) -> Inputs:
    """The same users as serialized examples, by the features that the served graph makes."""
    import tensorflow as tf

    from interest_migration.model.column_events import read_events
    from interest_migration.model.column_features import make_features

    batch, _ = make_features(read_events({name: tf.constant(value) for name, value in columns.items()}), settings)
    events, kept, interests, rows, numbers = tf.nest.map_structure(lambda value: value.numpy(), batch.parts())
    found = [
        _encode(
            {name: value[user][kept[user]] for name, value in events.items()}
            | {name: value[user][rows[user]] for name, value in interests.items()}
            | {name: value[user] for name, value in numbers.items()}
        )
        for user in range(len(kept))
    ]
    return {EXAMPLES: np.array(found, object)}


def _encode(values: Columns) -> bytes:
    import tensorflow as tf

    lists = {"O": "bytes_list", "i": "int64_list", "f": "float_list"}
    example = tf.train.Example()
    for name, value in values.items():
        getattr(example.features.feature[name], lists[value.dtype.kind]).value.extend(value.tolist())
    return example.SerializeToString(deterministic=True)


def write_warm_ups(model: str, warm_ups: Sequence[tuple[str, Inputs]]) -> None:
    """Writes requests beside a model, wherever TensorFlow can write."""
    import tensorflow as tf
    from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog, PredictLog

    with tf.io.TFRecordWriter(f"{model}/{WARM_UP_FILE}") as writer:
        for signature, inputs in warm_ups:
            request = _to_request(signature, inputs)
            writer.write(PredictionLog(predict_log=PredictLog(request=request)).SerializeToString(deterministic=True))


def _to_request(signature: str, inputs: Inputs) -> "PredictRequest":
    import tensorflow as tf
    from tensorflow_serving.apis.predict_pb2 import PredictRequest

    request = PredictRequest()
    request.model_spec.signature_name = signature
    for name, value in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
    return request


def read_warm_ups(model: Path) -> Iterator[tuple[str, Inputs]]:
    """Yields (signature, inputs) of the requests beside a model; nothing if there are none."""
    import tensorflow as tf
    from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog

    if not (model / WARM_UP_FILE).exists():
        return
    for record in tf.data.TFRecordDataset(str(model / WARM_UP_FILE)):
        request = PredictionLog.FromString(record.numpy()).predict_log.request
        values = {name: tf.make_ndarray(value) for name, value in request.inputs.items()}
        yield request.model_spec.signature_name, values

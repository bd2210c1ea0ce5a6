"""A SavedModel of a few lines for tests of the server and its clients; it answers with the version it is.

serving_default  examples [B] tf.Examples          -> score [B] (feature `number`, times the version), version [B]
predict          name [B], numbers [B, N], age [B] -> total [B] (sum plus age), greeting, echo_bytes, version [B]
    wait             seconds [B]                       -> waited [B], after the longest of them; busy meanwhile
"""

import shutil
from pathlib import Path

import tensorflow as tf

MODEL = "shop"
_EXAMPLES = [tf.TensorSpec([None], tf.string, name="examples")]
_COLUMNS = [
    tf.TensorSpec([None], tf.string, name="name"),
    tf.TensorSpec([None, None], tf.float32, name="numbers"),
    tf.TensorSpec([None], tf.int64, name="age"),
]


class _Greeter(tf.Module):
    """The version is read from an asset, so that a version is made by copying files."""

    def __init__(self, version_file: Path) -> None:
        super().__init__()
        self.file = tf.saved_model.Asset(str(version_file))
        self.one = tf.Variable(tf.ones([64]))

    def _version(self, rows: tf.Tensor) -> tf.Tensor:
        return tf.fill([rows], tf.strings.to_number(tf.io.read_file(self.file), tf.int64))

    @tf.function(input_signature=_EXAMPLES)
    def serve(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        number = tf.io.parse_example(examples, {"number": tf.io.FixedLenFeature([], tf.float32)})["number"]
        version = self._version(tf.size(number))
        return {"score": number * tf.cast(version, tf.float32) * self.one[0], "version": version}

    @tf.function(input_signature=_COLUMNS)
    def predict(self, name: tf.Tensor, numbers: tf.Tensor, age: tf.Tensor) -> dict[str, tf.Tensor]:
        tf.debugging.assert_greater(age, tf.constant(-1, tf.int64), "age below 0")
        return {
            "total": tf.reduce_sum(numbers, axis=1) + tf.cast(age, tf.float32),
            "greeting": tf.strings.join(["hello ", name]),
            "echo_bytes": tf.identity(name),
            "version": self._version(tf.size(age)),
        }

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, name="seconds")])
    def wait(self, seconds: tf.Tensor) -> dict[str, tf.Tensor]:
        end = tf.timestamp() + tf.cast(tf.reduce_max(seconds), tf.float64)
        rounds = tf.while_loop(lambda _: tf.timestamp() < end, lambda count: count + 1, [tf.constant(0)])
        return {"waited": seconds + 0 * tf.cast(rounds[0], tf.float32)}


def save_served_model(folder: Path, default: str = "serving_default") -> Path:
    """Writes the model; `copy_version` makes versions of it."""
    file = folder.parent / "version"
    folder.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("0")
    model = _Greeter(file)
    signatures = {default: model.serve, "predict": model.predict, "wait": model.wait}
    tf.saved_model.save(model, str(folder), signatures=signatures)
    return folder


def copy_version(model: Path, models: Path, version: int, name: str = MODEL) -> Path:
    """Publishes the model as a version, by one rename as the Pusher does."""
    target, hidden = models / name / str(version), models / name / f".pushing-{version}"
    shutil.copytree(model, hidden)
    (hidden / "assets" / "version").write_text(str(version))
    return hidden.rename(target)


def example(number: float) -> bytes:
    """Returns a serialized example with the feature `number`."""
    feature = tf.train.Feature(float_list=tf.train.FloatList(value=[number]))
    return tf.train.Example(features=tf.train.Features(feature={"number": feature})).SerializeToString()

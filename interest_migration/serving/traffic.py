"""Requests to try a version with: examples that a run left, or what clients sent and TensorFlow Serving logged."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np

from interest_migration.data_gate.requests import request_files
from interest_migration.errors import DataError
from interest_migration.serving.example_records import read_records
from schemas.signatures import EXAMPLES, SERVE

MOST: Final = 20_000
"""Requests that are kept; more are drawn from these."""


@dataclass(frozen=True)
class Request:
    """One request: signature, and input name -> array."""

    signature: str
    inputs: Mapping[str, Any]


def sampled_requests(examples: Path) -> list[Request]:
    """Returns one request per raw example.

    Args:
      examples: A gzip TFRecord file, or a folder of them.

    Raises:
      DataError: If there is none.
    """
    records = islice(read_records(examples), MOST)
    return _some([Request(SERVE, {EXAMPLES: np.array([record], object)}) for record in records], examples)


def logged_requests(folder: Path) -> list[Request]:
    """Returns the Predict requests among logged ones.

    Args:
      folder: TFRecord files of TensorFlow Serving's `PredictionLog`, plain or gzip.

    Raises:
      DataError: If there is none, or a record is something else.
    """
    return _some(list(islice(_read_logged(folder), MOST)), folder)


def _read_logged(folder: Path) -> Iterator[Request]:
    import tensorflow as tf
    from google.protobuf.message import DecodeError
    from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog

    for path in request_files(str(folder)):
        kind = "GZIP" if path.suffix == ".gz" else ""
        for record in tf.data.TFRecordDataset(str(path), compression_type=kind).as_numpy_iterator():
            try:
                log = PredictionLog.FromString(record)
            except DecodeError as error:
                raise DataError(f"expected records of PredictionLog in {path}, received something else") from error
            if log.HasField("predict_log"):
                sent = log.predict_log.request
                inputs = {name: tf.make_ndarray(value) for name, value in sent.inputs.items()}
                yield Request(sent.model_spec.signature_name or SERVE, inputs)


def _some(requests: list[Request], place: Path) -> list[Request]:
    if not requests:
        raise DataError(f"expected requests in {place}, found none")
    return requests

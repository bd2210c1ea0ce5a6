"""The client's messages have the wire format of the official ones, and live beside them in one process."""

import pytest
import tensorflow as tf
from google.protobuf.descriptor import FieldDescriptor
from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2, predict_pb2

from interest_migration.client import messages
from interest_migration.tensor_protos import fill_proto, to_array

OFFICIAL = (predict_pb2, get_model_status_pb2, get_model_metadata_pb2)
NAMES = (
    "PredictRequest",
    "PredictResponse",
    "GetModelStatusRequest",
    "GetModelStatusResponse",
    "GetModelMetadataRequest",
    "GetModelMetadataResponse",
    "SignatureDefMap",
)
WIRE = {FieldDescriptor.TYPE_ENUM: FieldDescriptor.TYPE_INT32}


def fields_of(message, seen):
    """Yields (message, field, number, type on the wire, repeated) of a message and all that it holds."""
    if message.name in seen:
        return
    seen = {*seen, message.name}
    for field in message.fields:
        yield message.name, field.name, field.number, WIRE.get(field.type, field.type), field.is_repeated
        if field.message_type:
            yield from fields_of(field.message_type, seen)


@pytest.mark.parametrize("name", NAMES)
def test_every_field_is_that_of_the_official_message(name):
    official = next(getattr(module, name) for module in OFFICIAL if hasattr(module, name))
    ours = set(fields_of(getattr(messages, name).DESCRIPTOR, frozenset()))
    assert ours <= set(fields_of(official.DESCRIPTOR, frozenset()))


def test_states_are_the_official_ones():
    assert {number: name for name, number in get_model_status_pb2.ModelVersionStatus.State.items()} == messages.STATES


@pytest.mark.parametrize("value", [[1.5, -2.0], [[1], [2]], [b"a\x00", b""], [True, False]])
def test_tensors_are_read_by_tensorflow_and_back(value):
    sent = messages.PredictRequest()
    fill_proto(sent.inputs["x"], value)
    received = predict_pb2.PredictRequest.FromString(sent.SerializeToString())
    assert tf.make_ndarray(received.inputs["x"]).tolist() == value
    assert to_array(tf.make_tensor_proto(tf.constant(value))).tolist() == value

"""Asks a model over TensorFlow Serving's protocols, without TensorFlow.

from interest_migration.client import Client, Event, User

with Client("grpc://127.0.0.1:8500", model="interests", label="stable") as client:
    [answer] = client.predict([User([Event(1700000000, "view", item="lamp", category_path="home > lamps")])])
"""

from interest_migration.client.client import AsyncClient, Client
from interest_migration.client.errors import (
    AnswerError,
    ClientError,
    NotFoundError,
    OverloadedError,
    RequestError,
    ServerError,
    TimedOutError,
    UnavailableError,
)
from interest_migration.client.predictions import Prediction, Ranked
from interest_migration.client.queries import Outputs, SignatureInfo, TensorInfo, VersionStatus
from interest_migration.client.retries import RetryPolicy
from interest_migration.client.users import Event, User

__all__ = [
    "AnswerError",
    "AsyncClient",
    "Client",
    "ClientError",
    "Event",
    "NotFoundError",
    "Outputs",
    "OverloadedError",
    "Prediction",
    "Ranked",
    "RequestError",
    "RetryPolicy",
    "ServerError",
    "SignatureInfo",
    "TensorInfo",
    "TimedOutError",
    "UnavailableError",
    "User",
    "VersionStatus",
]

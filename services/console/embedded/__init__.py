"""NATS and MongoDB as child processes of ours, without docker: for the demo, the tests and `duban up`."""

from services.console.embedded.mongo import MongoServer, embedded_mongo
from services.console.embedded.nats import NatsServer, borrowed_nats, embedded_nats, own_nats
from services.console.embedded.processes import Child
from services.console.embedded.servers import (
    NotOurs,
    Occupied,
    Server,
    ServerFailed,
    ServerMissing,
    await_port,
)

__all__ = [
    "Child",
    "MongoServer",
    "NatsServer",
    "NotOurs",
    "Occupied",
    "Server",
    "ServerFailed",
    "ServerMissing",
    "await_port",
    "borrowed_nats",
    "embedded_mongo",
    "embedded_nats",
    "own_nats",
]

"""MongoDB's replica set and its users: one for each service, which sees its own database and no other.

Idempotent. The first run uses mongod's localhost exception, so it must come from mongod's own address.
"""

from typing import Any

from pymongo import MongoClient
from pymongo.errors import ConnectionFailure, OperationFailure, PyMongoError
from tenacity import Retrying, retry_if_exception_type, retry_if_result, stop_after_delay, wait_fixed

from duban_contracts.message import SERVICES
from services.console.deploying.seed import Seed

ROOT = "root"
PATIENCE_SECONDS = 60.0
UNAUTHORIZED, ALREADY_INITIALIZED, USER_EXISTS = 13, 23, 51003

Raw = dict[str, Any]


def prepare(address: str, member: str, seed: Seed, prefix: str = "duban", replica_set: str = "rs0") -> None:
    """`address` is where mongod answers us, `member` how the services will find it, both `host:port`.

    A mongod that starts, stops or is restarted meanwhile is waited for. Raises PyMongoError, or
    RetryError where no member becomes the primary.
    """
    waiting = Retrying(
        retry=retry_if_exception_type(ConnectionFailure),
        wait=wait_fixed(0.5),
        stop=stop_after_delay(PATIENCE_SECONDS),
        reraise=True,
    )
    waiting(_prepare, address, member, seed, prefix, replica_set)


def _prepare(address: str, member: str, seed: Seed, prefix: str, replica_set: str) -> None:
    with _connected(address) as client:
        _initiate(client, replica_set, member)
        _await_primary(client)
        _create_root(client, seed.password("mongo", ROOT))
    with _connected(address, username=ROOT, password=seed.password("mongo", ROOT)) as client:
        for service in SERVICES:
            _grant(client, f"{prefix}_{service}", service, seed.password("mongo", service))


def _connected(address: str, **credential: str) -> "MongoClient[Raw]":
    url = f"mongodb://{address}/?directConnection=true&serverSelectionTimeoutMS=5000"
    return MongoClient(url, **credential)  # type: ignore[arg-type]


def _initiate(client: "MongoClient[Raw]", replica_set: str, member: str) -> None:
    config = {"_id": replica_set, "members": [{"_id": 0, "host": member}]}
    try:
        client.admin.command("replSetInitiate", config)
    except OperationFailure as error:
        if error.code not in (ALREADY_INITIALIZED, UNAUTHORIZED):
            raise


def _await_primary(client: "MongoClient[Raw]") -> None:
    waiting = Retrying(
        retry=retry_if_exception_type(PyMongoError) | retry_if_result(lambda primary: not primary),
        wait=wait_fixed(0.2),
        stop=stop_after_delay(PATIENCE_SECONDS),
    )
    waiting(lambda: client.admin.command("hello").get("isWritablePrimary"))


def _create_root(client: "MongoClient[Raw]", password: str) -> None:
    """Only the very first user can be made without being one; later this is refused, and rightly so."""
    try:
        client.admin.command("createUser", ROOT, pwd=password, roles=[{"role": "root", "db": "admin"}])
    except OperationFailure as error:
        if error.code not in (UNAUTHORIZED, USER_EXISTS):
            raise


def _grant(client: "MongoClient[Raw]", database: str, user: str, password: str) -> None:
    """Made, or put right: a rotated password or a role that somebody widened by hand."""
    granted: Raw = {"pwd": password, "roles": [{"role": "readWrite", "db": database}]}
    try:
        client[database].command("createUser", user, **granted)
    except OperationFailure as error:
        if error.code != USER_EXISTS:
            raise
        client[database].command("updateUser", user, **granted)

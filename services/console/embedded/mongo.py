"""Our own MongoDB: a replica set of one, journaled, on loopback."""

import re
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from services.console.embedded.engines import URL_VARIABLE, Engine, Secantus, find_engine
from services.console.embedded.servers import LOOPBACK, Server, at_home, borrowed_url

_ALREADY_INITIALIZED = 23
_SEVERE = re.compile(r'"s":"[EF]"')


class MongoServer(Server):
    """A MongoDB that is primary of its own replica set; `url` asks for majority and journal."""

    kind = "mongod"

    def __init__(
        self, home: Path, engine: Engine | None = None, port: int | None = None, borrowed: str | None = None
    ) -> None:
        super().__init__(home, port, borrowed)
        self._engine = engine

    @property
    def engine(self) -> Engine:
        """The program behind it; raises NotOurs when borrowed."""
        if self._engine is None:
            raise self._not_ours()
        return self._engine

    def _url(self) -> str:
        return (
            f"mongodb://{LOOPBACK}:{self.port}/?replicaSet={self.engine.replica_set}&w=majority&journal=true"
        )

    def _prepare(self) -> list[str]:
        return self.engine.command(self.home, self.port)

    def _answers(self) -> bool:
        if not _listens(self.port):  # the driver would wait 500 ms before it asks again
            return False
        try:
            with MongoClient[dict[str, Any]](
                LOOPBACK, self.port, directConnection=True, serverSelectionTimeoutMS=2000
            ) as client:
                return self._is_ours(client) and self._is_primary(client)
        except PyMongoError:
            return False

    def _telling(self, log: list[str]) -> list[str]:
        """Errors and fatal errors; it goes on to tell at length how it shuts down."""
        return [line for line in log if _SEVERE.search(line)] or log

    def _is_ours(self, client: MongoClient[dict[str, Any]]) -> bool:
        if isinstance(self._engine, Secantus):
            return True  # it does not tell its pid
        return bool(client.admin.command("serverStatus", **_PID_ONLY)["pid"] == self.pid)

    def _is_primary(self, client: MongoClient[dict[str, Any]]) -> bool:
        hello = client.admin.command("hello")
        if hello.get("isreplicaset"):  # it has no set, or none that it belongs to
            _join(client, self.engine.replica_set, f"{LOOPBACK}:{self.port}")
        return bool(hello.get("isWritablePrimary"))


# serverStatus tells much; leave out what costs.
_PID_ONLY: Mapping[str, Any] = dict.fromkeys(("metrics", "locks", "wiredTiger", "repl", "tcmalloc"), 0)


@contextmanager
def embedded_mongo(data_dir: Path | None = None, port: int | None = None) -> Iterator[MongoServer]:
    """A MongoDB for the length of the block; DUBAN_MONGO_URL names a running one to use instead.

    Raises ServerMissing, with the fix, when there is no program to run; ServerFailed when it does not start.
    """
    borrowed = borrowed_url(URL_VARIABLE)
    if borrowed:
        yield MongoServer(Path(), borrowed=borrowed)
        return
    engine = find_engine()
    with at_home(lambda home: MongoServer(home, engine, port), data_dir) as server:
        yield server


def _join(client: MongoClient[dict[str, Any]], name: str, address: str) -> None:
    """Make it the only member of its set, whatever state it is in; harmless when it is that already."""
    try:
        client.admin.command("replSetInitiate", {"_id": name, "members": [{"_id": 0, "host": address}]})
    except OperationFailure as error:
        if error.code != _ALREADY_INITIALIZED:
            raise
        _move(client, address)


def _move(client: MongoClient[dict[str, Any]], address: str) -> None:
    """The same data on another port: tell the set where its member lives now."""
    config = client.admin.command("replSetGetConfig")["config"]
    if config["members"][0]["host"] != address:
        config["members"][0]["host"] = address
        client.admin.command("replSetReconfig", config | {"version": config["version"] + 1}, force=True)


def _listens(port: int) -> bool:
    try:
        socket.create_connection((LOOPBACK, port), timeout=1).close()
    except OSError:
        return False
    return True

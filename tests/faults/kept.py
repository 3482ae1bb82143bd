"""What is left when a fault is over: every answer in every store, every fact in every stream."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import pymongo
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import TimeoutError as NatsTimeout
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from pymongo.database import Database

from duban_contracts.message import SERVICES
from duban_contracts.subjects import fact_stream
from services.chassis.documents import Answer, Event
from services.chassis.service import Service

Raw = dict[str, Any]
FOREIGN = "poison-"
"""How the ids of messages begin that no service told: the faults write them."""


def services_of(name: str) -> list[Service]:
    """The service of that process, and its read model if it has one."""
    app = import_module(f"services.{name}.app")
    return [app.SERVICE, *([app.REPORT] if hasattr(app, "REPORT") else [])]


@dataclass
class Store:
    """One collection of documents with its archive, as it lies in MongoDB."""

    service: Service
    documents: dict[str, Raw]
    answers: dict[str, list[Answer]]
    """By key, oldest first."""
    given_twice: list[tuple[str, str]]
    """(key, message) of which two different answers are kept, or one document holds two."""

    def answered(self) -> Iterator[tuple[str, str]]:
        return ((key, answer.to) for key, answers in self.answers.items() for answer in answers)


@contextmanager
def databases(mongo_url: str) -> "Iterator[Mapping[str, Database[Raw]]]":
    with pymongo.MongoClient[Raw](mongo_url, tz_aware=True) as client:
        yield {name: client[f"duban_{name}"] for name in SERVICES}


def read_stores(mongo_url: str) -> dict[str, Store]:
    """By name of the service or read model."""
    with databases(mongo_url) as found:
        return {
            service.name: _read_store(database, service)
            for name, database in found.items()
            for service in services_of(name)
        }


def _read_store(database: "Database[Raw]", service: Service) -> Store:
    store = Store(service, {}, {}, [])
    for raw in database[f"{service.name}_archive"].find().sort([("key", 1), ("n", 1)]):
        store.answers.setdefault(raw["key"], []).append(_answer(raw["answer"]))
    for raw in database[service.name].find():
        store.documents[raw["_id"]] = raw
        kept = store.answers.setdefault(raw["_id"], [])
        archived = {answer.to: answer for answer in kept}
        mine = [_answer(each) for each in raw["answers"]]
        # An answer may stand in both places: it moves by being copied first.
        kept += [answer for answer in mine if answer.to not in archived]
        repeated = {a.to for n, a in enumerate(mine) if any(b.to == a.to for b in mine[:n])}
        differing = {a.to for a in mine if archived.get(a.to, a) != a}
        store.given_twice += [(raw["_id"], to) for to in repeated | differing]
    return store


def _answer(raw: Raw) -> Answer:
    events = tuple(Event(**event) for event in raw["events"])
    return Answer(raw["to"], raw["correlation"], raw["revision"], raw["traceparent"], events)


def answered(mongo_url: str, ids: Iterable[str]) -> set[str]:
    """Those of the messages that some service has answered."""
    asked = list(ids)
    found: set[str] = set()
    with databases(mongo_url) as by_name:
        for name, database in by_name.items():
            documents = database[name].find({"answers.to": {"$in": asked}}, {"answers.to": True})
            found |= {answer["to"] for raw in documents for answer in raw["answers"]}
            archived = database[f"{name}_archive"].find({"answer.to": {"$in": asked}}, {"answer.to": True})
            found |= {raw["answer"]["to"] for raw in archived}
    return found & set(asked)


@dataclass
class Streams:
    """The fact streams, read on from where the last look ended."""

    told: dict[str, Msg] = field(default_factory=dict)
    """Every fact by its id, in the order of its stream."""
    twice: list[str] = field(default_factory=list)
    """Ids that stand in a stream more than once."""
    _next: dict[str, int] = field(default_factory=dict)

    async def read_on(self, client: Client) -> None:
        for service in SERVICES:
            stream = fact_stream(service)
            async for msg in messages(client, stream, self._next.get(stream, 1)):
                self._take(msg)
                self._next[stream] = msg.metadata.sequence.stream + 1

    def _take(self, msg: Msg) -> None:
        name = (msg.headers or {}).get("ce-id", "")
        if name.startswith(FOREIGN):
            return
        if name in self.told:
            self.twice.append(name)
        self.told[name] = msg


async def messages(client: Client, stream: str, start: int = 1) -> Any:
    """Everything in a stream from a sequence on, oldest first."""
    jetstream = client.jetstream(timeout=10)
    config = ConsumerConfig(
        ack_policy=AckPolicy.NONE,
        deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
        opt_start_seq=start,
        mem_storage=True,
        inactive_threshold=30,
    )
    info = await jetstream.add_consumer(stream, config)
    left = info.num_pending or 0
    subscription = await jetstream.pull_subscribe_bind(info.name, stream)
    while left > 0:
        try:
            batch = await subscription.fetch(min(left, 500), timeout=10)
        except NatsTimeout:
            raise AssertionError(f"{stream} holds {left} more messages and does not give them") from None
        left -= len(batch)
        for msg in batch:
            yield msg
    await subscription.unsubscribe()

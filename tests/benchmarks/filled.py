"""Stores that are full before the service starts: what it wrote itself for a few keys, copied for many."""

from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import islice
from typing import Any

from pymongo import MongoClient

from services.console.client import Duban
from services.console.system import System
from tests.benchmarks.account import NAME
from tests.benchmarks.stage import drained, emptied, new_database, on_system, posts_to, process, publish

Raw = dict[str, Any]
BATCH = 2_000
TEMPLATE = "template"


def account_store(system: System, events: int) -> tuple[str, Raw]:
    """A new database as the service leaves it, indexes and all: its name, and one account's document."""
    database = new_database()

    async def fill(town: Duban) -> None:
        await emptied(town.client)
        await publish(town.client, posts_to([TEMPLATE], events))

    async def drain(town: Duban) -> None:
        await drained(town.client, events)

    on_system(system, fill)
    with process(system, "tests.benchmarks.account", database=database):
        on_system(system, drain)
    with _client(system) as client:
        document = client[f"{database}_{NAME}"][NAME].find_one_and_delete({"_id": TEMPLATE})
    assert document is not None
    return database, document


def copied(document: Raw, keys: list[str] | Iterator[str], kept: Callable[[int], int]) -> Iterator[Raw]:
    """One document for each key, holding the last `kept(n)` of the answers; each answer under its own id."""
    for n, key in enumerate(keys):
        answers = document["answers"][-kept(n) :]
        mine = [answer | {"to": f"{n:x}-{answer['to']}"} for answer in answers]
        yield document | {"_id": key, "answers": mine}


def archived(document: Raw, key: str, many: int) -> Iterator[Raw]:
    """The archive's documents of one key, as `MongoDocuments` writes them."""
    for n in range(many):
        to = f"{key}-{n}"
        yield {"_id": f"{key}\n{to}", "key": key, "n": n, "answer": document["answers"][0] | {"to": to}}


def due(document: Raw, keys: Iterator[str], at: datetime) -> Iterator[Raw]:
    """One document for each key, all of which want to be woken at the same moment."""
    state = document["state"].replace('"wake_at":null', f'"wake_at":"{at.isoformat()}"')
    assert state != document["state"]
    return (document | {"_id": key, "state": state, "wake_at": at} for key in keys)


def insert(system: System, database: str, documents: Iterator[Raw], collection: str = NAME) -> None:
    """One batch in memory at a time."""
    with _client(system) as client:
        while batch := list(islice(documents, BATCH)):
            client[f"{database}_{NAME}"][collection].insert_many(batch, ordered=False)


def drop(system: System, database: str) -> None:
    with _client(system) as client:
        client.drop_database(f"{database}_{NAME}")


def _client(system: System) -> MongoClient[Raw]:
    return MongoClient(system.mongo.url, tz_aware=True, w=1, journal=False)

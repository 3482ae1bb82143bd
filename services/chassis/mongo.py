"""Documents in MongoDB. Motor and PyMongo are imported here and in the register, and nowhere else."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorCollection, AsyncIOMotorDatabase
from pymongo import ASCENDING, IndexModel, InsertOne, UpdateOne
from pymongo.errors import BulkWriteError

from services.chassis.documents import FORMAT, Answer, Change, Document, Event, Snapshot

DUPLICATE_KEY = 11000
_TO_DECIDE = dict.fromkeys(
    ("format", "version", "shape", "kind", "state", "wake_at", "owes_wake", "archived", "answers.to"), True
)
Raw = dict[str, Any]


def connect(url: str) -> "AsyncIOMotorClient[Raw]":
    """Durable by default: an acknowledged write is on the journal of a majority, and what is read is, too:
    a copy is told again only of what nobody can lose any more.
    """
    return AsyncIOMotorClient(
        url,
        tz_aware=True,
        w="majority",
        journal=True,
        readConcernLevel="majority",
        # What failed comes again with its message. A write that the driver may repeat is one more write for
        # the server, which keeps its answer: a quarter of what an update costs it.
        retryWrites=False,
        serverSelectionTimeoutMS=5_000,
        connectTimeoutMS=5_000,
        socketTimeoutMS=20_000,
    )


class MongoDocuments:
    """One collection of documents, one of archived answers, and one that says under which keys commands are
    answered that named another: `<name>`, `<name>_archive` and `<name>_keys`."""

    def __init__(
        self,
        database: "AsyncIOMotorDatabase[Raw]",
        name: str,
        indexes: Sequence[Any] = (),
        partial_indexes: Sequence[Any] = (),
    ) -> None:
        self.collection: AsyncIOMotorCollection[Raw] = database[name]
        self._archive: AsyncIOMotorCollection[Raw] = database[f"{name}_archive"]
        self._keys: AsyncIOMotorCollection[Raw] = database[f"{name}_keys"]
        self._indexes, self._partial_indexes = indexes, partial_indexes

    async def prepare(self) -> None:
        """Create what every query needs; changes nothing where it is there already."""
        wakes = IndexModel(
            [("wake_at", ASCENDING), ("_id", ASCENDING)],
            partialFilterExpression={"wake_at": {"$type": "date"}},
            name="wakes",
        )
        rows = [IndexModel(_in_rows(index)) for index in self._indexes]
        # Not `$type`: a question for one text would have to say so, too.
        some = [
            IndexModel(_in_rows(index), partialFilterExpression={f"row.{index[0][0]}": {"$gt": ""}})
            for index in self._partial_indexes
        ]
        await self.collection.create_indexes([wakes, *rows, *some])
        await self._archive.create_indexes([IndexModel([("key", ASCENDING), ("n", ASCENDING)])])

    async def load(self, keys: Iterable[str]) -> dict[str, Document]:
        cursor = self.collection.find({"_id": {"$in": list(keys)}}, _TO_DECIDE, batch_size=10_000)
        return {raw["_id"]: _document(raw) for raw in await cursor.to_list(None)}

    async def held(self, asked: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Answer]:
        keys, pairs = list({key for key, _ in asked}), set(asked)
        found = await self.collection.find({"_id": {"$in": keys}}, {"answers": True}).to_list(None)
        return {
            (raw["_id"], answer["to"]): _answer(answer)
            for raw in found
            for answer in raw["answers"]
            if (raw["_id"], answer["to"]) in pairs
        }

    async def older(self, asked: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Answer]:
        ids = [_archive_id(key, to) for key, to in asked]
        found = await self._archive.find({"_id": {"$in": ids}}).to_list(None)
        return {(raw["key"], raw["answer"]["to"]): _answer(raw["answer"]) for raw in found}

    async def save(self, changes: Sequence[Change]) -> set[str]:
        await self._spill(changes)
        try:
            await self.collection.bulk_write([_write(change) for change in changes], ordered=False)
        except BulkWriteError as error:
            return {changes[fault["index"]].key for fault in _conflicts(error)}
        return set()

    async def _spill(self, changes: Sequence[Change]) -> None:
        # Before the document lets go of them: a death in between leaves them twice, never not at all.
        places = {
            (change.key, to): n for change in changes for n, to in enumerate(change.spilled, change.archived)
        }
        if not places:
            return
        spilled = [
            {"_id": _archive_id(key, to), "key": key, "n": places[key, to], "answer": _raw(answer)}
            for (key, to), answer in (await self.held(list(places))).items()
        ]
        if spilled:  # else another writer was faster, and the change will be refused
            await _inserted(self._archive, spilled)

    async def due(self, now: datetime, limit: int) -> list[tuple[str, datetime]]:
        cursor = self.collection.find(waiting(now), {"wake_at": True})
        due = await cursor.sort([("wake_at", ASCENDING), ("_id", ASCENDING)]).limit(limit).to_list(None)
        return [(raw["_id"], raw["wake_at"]) for raw in due]

    async def rest(self, wakes: Sequence[tuple[str, int, datetime | None]]) -> None:
        await self.collection.bulk_write(
            [
                UpdateOne({"_id": key, "version": version}, {"$set": {"wake_at": at, "owes_wake": None}})
                for key, version, at in wakes
            ],
            ordered=False,
        )

    async def recall(self, revision: int, at: datetime) -> int:
        stale = {"row.open": True, "row.revision": {"$lt": revision}, "owes_wake": None}
        sleeping = {"$or": [{"wake_at": None}, {"wake_at": {"$gt": at}}]}
        recalled = await self.collection.update_many({**stale, **sleeping}, {"$set": {"wake_at": at}})
        return recalled.modified_count

    async def note_keys(self, keys: Sequence[tuple[str, str]]) -> None:
        noted = [UpdateOne({"_id": name}, {"$addToSet": {"keys": key}}, upsert=True) for name, key in keys]
        try:
            await self._keys.bulk_write(noted, ordered=False)
        except BulkWriteError as error:
            _conflicts(error)  # another replica was faster with the same command, whose key is the same

    async def noted_keys(self, identities: Sequence[str]) -> dict[str, tuple[str, ...]]:
        found = await self._keys.find({"_id": {"$in": list(identities)}}).to_list(None)
        return {raw["_id"]: tuple(sorted(raw["keys"])) for raw in found}

    async def history(self, key: str) -> list[Answer]:
        # The document first: what leaves it in between is in the archive then.
        newer = await self.collection.find_one({"_id": key}, {"answers": True}) or {"answers": []}
        older = await self._archive.find({"key": key}).sort("n", ASCENDING).to_list(None)
        known = {raw["answer"]["to"] for raw in older}
        raws = [raw["answer"] for raw in older]
        return [_answer(raw) for raw in (*raws, *(a for a in newer["answers"] if a["to"] not in known))]


async def _inserted(collection: AsyncIOMotorCollection[Raw], documents: Sequence[Raw]) -> None:
    """What is there already is the same."""
    try:
        await collection.insert_many(documents, ordered=False)
    except BulkWriteError as error:
        _conflicts(error)


def waiting(now: datetime) -> Raw:
    """What is due. The index of wakes holds dates only: a question that does not say so reads everything."""
    return {"wake_at": {"$type": "date", "$lte": now}}


def _in_rows(index: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
    return [(f"row.{field}", direction) for field, direction in index]


def _conflicts(error: BulkWriteError) -> list[Raw]:
    """A key that is there already, or at another version, collides on `_id`, which names it. Anything else
    is trouble."""
    faults: list[Raw] = error.details["writeErrors"]
    if any(fault["code"] != DUPLICATE_KEY for fault in faults) or error.details["writeConcernErrors"]:
        raise error
    return faults


def _write(change: Change) -> InsertOne[Raw] | UpdateOne:
    """A new key is inserted: the server takes inserts many at a time, and updates one by one."""
    answers = [_raw(answer) for answer in change.fresh]
    if not change.version:
        return InsertOne({"_id": change.key, **_fields(change), "answers": answers})
    push: Raw = {"$each": answers}
    if change.spilled:
        push["$slice"] = -change.kept
    return UpdateOne(
        {"_id": change.key, "version": change.version},
        {"$set": _fields(change), "$push": {"answers": push}},
        upsert=True,
    )


def _fields(change: Change) -> Raw:
    return {
        "format": FORMAT,
        "version": change.version + 1,
        "shape": change.snapshot.shape,
        "kind": change.snapshot.kind,
        "state": change.snapshot.state,
        "wake_at": change.wake_at,
        "owes_wake": change.owes_wake,
        "row": change.row,
        "archived": change.archived + len(change.spilled),
    }


def _archive_id(key: str, to: str) -> str:
    return f"{key}\n{to}"


def _raw(answer: Answer) -> Raw:
    return {
        "to": answer.to,
        "correlation": answer.correlation,
        "revision": answer.revision,
        "traceparent": answer.traceparent,
        **({"digest": answer.digest} if answer.digest else {}),
        "events": [event._asdict() for event in answer.events],
    }


def _answer(raw: Mapping[str, Any]) -> Answer:
    return Answer(
        raw["to"],
        raw["correlation"],
        raw["revision"],
        raw["traceparent"],
        tuple(Event(**event) for event in raw["events"]),
        raw.get("digest"),
    )


def _document(raw: Raw) -> Document:
    return Document(
        key=raw["_id"],
        version=raw["version"],
        snapshot=Snapshot(raw["shape"], raw["kind"], raw["state"]),
        wake_at=raw["wake_at"],
        owes_wake=raw["owes_wake"],
        archived=raw["archived"],
        answered=tuple(answer["to"] for answer in raw["answers"]),
        format=raw.get("format", 1),
    )

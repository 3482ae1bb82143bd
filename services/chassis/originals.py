"""The originals of dead letters, in the service's own database, until they are replayed or dropped.

    {_id: <stream>.<consumer>.<sequence>, subject, headers: [[name, value]], body, stored_at, reason, detail,
     sender, command: <digest of sender, source, id and key>, kept_at, state: waiting | replayed | dropped,
     by, decided_at, outcome}

Headers and body are empty once it is decided about. Bounded in time by an index that removes what is old, and
what waits in number for each sender: of a sender who fills his share the first ones stay, and nobody else
loses any. Outside of intake patterns of personal data are masked, and of what is larger than can be looked
through for them (`MOST_MASKED`) the rest is left out.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any, NamedTuple
from urllib.parse import unquote

from bson import Binary
from motor.motor_asyncio import AsyncIOMotorCollection, AsyncIOMotorDatabase
from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.errors import DuplicateKeyError

from duban_contracts.identity import SEPARATOR, identity
from duban_contracts.masking import LEFT_OUT, MOST_MASKED

Raw = dict[str, Any]
COLLECTION = "dead_letters"
KEPT_DAYS = 90
MOST_OF_A_SENDER = 1_000
WAITING, REPLAYED, DROPPED = "waiting", "replayed", "dropped"


def as_it_is(text: str) -> str:
    """Where nothing has to be masked."""
    return text


class Original(NamedTuple):
    where: str
    """`<stream>.<consumer>.<sequence>`: also what an operator names it by."""
    subject: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    stored_at: datetime
    reason: str
    detail: str
    sender: str | None = None
    """Who sent the command; None for a fact."""
    state: str = WAITING
    by: str | None = None
    """Who replayed or dropped it."""
    decided_at: datetime | None = None
    outcome: str | None = None


class Originals:
    def __init__(self, database: "AsyncIOMotorDatabase[Raw]", mask: Callable[[str], str] = as_it_is) -> None:
        self._letters: AsyncIOMotorCollection[Raw] = database[COLLECTION]
        self._mask = mask

    async def prepare(self) -> None:
        await self._letters.create_indexes(
            [
                IndexModel([("kept_at", ASCENDING)], expireAfterSeconds=KEPT_DAYS * 24 * 3600),
                IndexModel([("sender", ASCENDING), ("state", ASCENDING)]),
                IndexModel([("command", ASCENDING)], sparse=True),
                IndexModel([("state", ASCENDING), ("kept_at", DESCENDING)]),
            ]
        )

    async def keep(self, original: Original) -> bool:
        """Whether it is kept; changes nothing where it was before. False where the sender's share is full.

        Facts have no sender and no share: the consumer stops before they become many.
        """
        if original.sender is not None:
            share = {"sender": original.sender, "state": WAITING}
            if await self._letters.count_documents(share, limit=MOST_OF_A_SENDER) >= MOST_OF_A_SENDER:
                return False
        with suppress(DuplicateKeyError):
            await self._letters.insert_one(self._raw(original))
        return True

    async def unreadable(
        self, sender: str, source: str, asked: Iterable[tuple[str, str]]
    ) -> "dict[tuple[str, str], Original]":
        """By (key, id): the latest of each command of the sender's that waits or was dropped."""
        names = {command_name(sender, source, *pair): pair for pair in asked}
        query = {"command": {"$in": list(names)}, "sender": sender, "state": {"$ne": REPLAYED}}
        found = self._letters.find(query).sort("kept_at", ASCENDING)
        return {names[raw["command"]]: _original(raw) async for raw in found}

    async def find(self, where: str) -> Original | None:
        raw = await self._letters.find_one({"_id": where})
        return _original(raw) if raw else None

    async def list(self, limit: int, after: str | None = None, everything: bool = False) -> "list[Original]":
        """Newest first; those that wait, or `everything`. `after` is the `where` of the last one seen."""
        query: Raw = {} if everything else {"state": WAITING}
        if after is not None:
            last = await self._letters.find_one({"_id": after}, {"kept_at": True})
            if last is None:
                return []
            older = [{"kept_at": {"$lt": last["kept_at"]}}]
            query["$or"] = [*older, {"kept_at": last["kept_at"], "_id": {"$lt": after}}]
        cursor = self._letters.find(query).sort([("kept_at", DESCENDING), ("_id", DESCENDING)])
        return [_original(raw) for raw in await cursor.limit(limit).to_list(None)]

    async def waiting(self) -> int:
        return await self._letters.count_documents({"state": WAITING})

    async def decide(self, where: str, state: str, by: str, outcome: str | None, now: datetime) -> bool:
        """Record that it was replayed or dropped, once; False where somebody was faster. What it said goes:
        it is elsewhere now, or nobody wants it."""
        said: Raw = {"body": Binary(b""), "headers": []}
        done = await self._letters.update_one(
            {"_id": where, "state": WAITING},
            {"$set": {"state": state, "by": by, "outcome": outcome, "decided_at": now, **said}},
        )
        return bool(done.modified_count)

    def _raw(self, original: Original) -> Raw:
        return {
            "_id": original.where,
            "subject": original.subject,
            "headers": [[_text(name), _text(value)] for name, value in self._headers(original)],
            "body": Binary(self._masked(original.body)),
            "stored_at": original.stored_at,
            "reason": original.reason,
            "detail": _text(original.detail),
            "sender": original.sender,
            "kept_at": datetime.now(UTC),
            "state": original.state,
            **_command(original),
        }

    def _headers(self, original: Original) -> Iterator[tuple[str, str]]:
        left = MOST_MASKED
        for name, value in original.headers:
            left -= len(value)
            whole = left >= 0 or self._mask is as_it_is
            yield name, self._mask(value) if whole else LEFT_OUT

    def _masked(self, body: bytes) -> bytes:
        if self._mask is as_it_is:
            return body
        return self._mask(body.decode(errors="surrogateescape")).encode(errors="surrogateescape")


def command_name(sender: str, source: str, key: str, id_: str) -> str:
    """What a dead letter is found by for its sender: a digest, since anything may stand in the headers."""
    text = SEPARATOR.join((identity(sender, source, id_), key))
    return blake2b(text.encode(errors="replace"), digest_size=16).hexdigest()


def _command(original: Original) -> Raw:
    headers = {name.lower(): unquote(value, errors="replace") for name, value in original.headers}
    named = [headers.get(name) for name in ("ce-source", "ce-subject", "ce-id")]
    if original.sender is None or not all(named):
        return {}
    return {"command": command_name(original.sender, *(each or "" for each in named))}


def _text(text: str) -> str:
    """MongoDB takes UTF-8 only, and a header may hold half a character."""
    return text.encode(errors="replace").decode()


def _original(raw: Raw) -> Original:
    headers: Iterable[list[str]] = raw["headers"]
    return Original(
        where=raw["_id"],
        subject=raw["subject"],
        headers=tuple((name, value) for name, value in headers),
        body=bytes(raw["body"]),
        stored_at=raw["stored_at"],
        reason=raw["reason"],
        detail=raw["detail"],
        sender=raw["sender"],
        state=raw["state"],
        by=raw.get("by"),
        decided_at=raw.get("decided_at"),
        outcome=raw.get("outcome"),
    )

"""The published charter: one key in a NATS bucket, whose revision is the charter's."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from duban_contracts.charter import Charter
from duban_contracts.subjects import CHARTER_BUCKET, CHARTER_KEY

if TYPE_CHECKING:  # the command line imports this before it knows whether it will connect
    from nats.aio.client import Client
    from nats.js import JetStreamContext
    from nats.js.api import RawStreamMsg
    from nats.js.kv import KeyValue

STREAM, SUBJECT = f"KV_{CHARTER_BUCKET}", f"$KV.{CHARTER_BUCKET}.{CHARTER_KEY}"
CHARTER_HISTORY = 20
"""Revisions that the bucket keeps."""
GIVEN = {"revision", "published_at"}
"""What publication gives a charter of itself; neither the file nor the bucket's value holds it."""


async def publish_charter(client: "Client", charter: Charter) -> int:
    """Returns the new revision; publishing the same charter again changes nothing.

    The same charter over another national calendar is a new revision: what is open is counted anew by it.
    """
    # With the calendar's data, which readers do not need.
    from services.chassis.calendar import WorkingCalendar

    bucket = await client.jetstream(timeout=10).key_value(CHARTER_BUCKET)
    over = charter.model_copy(update={"national_calendar": WorkingCalendar(charter).version})
    body = over.model_dump_json(exclude=GIVEN, exclude_none=True).encode()
    current = await _current(bucket)
    if current and current.value == body:
        return current.revision or 0
    return await bucket.put(CHARTER_KEY, body)


async def published_charter(client: "Client") -> Charter | None:
    """The newest revision that can be read; None: there is none."""
    from nats.js.errors import NotFoundError

    jetstream = client.jetstream(timeout=10)
    try:
        newest = await jetstream.get_last_msg(STREAM, SUBJECT)
    except NotFoundError:
        await jetstream.key_value(CHARTER_BUCKET)  # raises where there is no bucket at all
        return None
    return await _readable_until(jetstream, newest.seq or 0)


async def published_revisions(client: "Client", seconds: float = 10) -> list[Charter]:
    """All readable ones that the bucket keeps, newest first. For credentials that may read the bucket."""
    from nats.js.errors import NotFoundError

    jetstream = client.jetstream(timeout=seconds)
    found: list[Charter] = []
    try:
        newest = (await jetstream.get_last_msg(STREAM, SUBJECT)).seq or 0
    except NotFoundError:
        return found
    for each in range(newest, max(0, newest - CHARTER_HISTORY), -1):
        try:
            msg = await jetstream.get_msg(STREAM, each)
        except NotFoundError:
            continue
        if charter := _stored(msg):
            found.append(charter)
    return found


async def _readable_until(jetstream: "JetStreamContext", revision: int) -> Charter | None:
    """The newest readable one up to `revision`: the bucket keeps the last `CHARTER_HISTORY` of them."""
    from nats.js.errors import NotFoundError

    for each in range(revision, max(0, revision - CHARTER_HISTORY), -1):
        try:
            msg = await jetstream.get_msg(STREAM, each)
        except NotFoundError:
            continue
        if charter := _stored(msg):
            return charter
    return None


async def _current(bucket: "KeyValue") -> "KeyValue.Entry | None":
    from nats.js.errors import KeyNotFoundError, NoKeysError

    try:
        return await bucket.get(CHARTER_KEY)
    except (KeyNotFoundError, NoKeysError):
        return None


def _stored(msg: "RawStreamMsg") -> Charter | None:
    """Only what was published as the charter: a service that was taken over can have the broker put what it
    pulls into this stream, under its own subject (`docs/decisions/0011-accounts-apart.md`)."""
    return _charter(msg.data, msg.seq, msg.time) if msg.subject == SUBJECT else None


def _charter(value: bytes | None, revision: int | None, published_at: Any) -> Charter | None:
    """None: it cannot be read, whoever wrote it."""
    try:
        charter = Charter.model_validate_json(value or b"")
    except ValidationError:
        return None
    return charter.model_copy(update={"revision": revision, "published_at": published_at})


def why_unreadable(value: bytes | None) -> str:
    """Names what is wrong, not what stands there."""
    if not value:
        return "it is empty"
    try:
        Charter.model_validate_json(value)
    except ValidationError as error:
        unknown = [fault for fault in error.errors() if fault["type"] == "extra_forbidden"]
        faults = unknown or error.errors()
        where = ", ".join(sorted({".".join(map(str, fault["loc"])) for fault in faults})[:3])
        if unknown:
            return f"it is of a newer release, this one does not know {where}; upgrade this service"
        return f"it is wrong at {where}" if where else "it is no charter"
    return "it can be read"


class CharterFollower:
    """Holds the newest readable charter; `arrived` is set each time a new one arrives."""

    def __init__(self, connection: "Callable[[], Client]") -> None:
        self._connection = connection
        self.charter: Charter | None = None
        self.unreadable: int | None = None
        """The newest revision, where that cannot be read: the one before it stays in force."""
        self.why_unreadable = ""
        """What is wrong with that revision, e.g. that it is of a newer release."""
        self.arrived = asyncio.Event()

    async def follow(self) -> None:
        """Runs until cancelled; after trouble the caller starts it again.

        Where nobody may have one more consumer, the charter is read at least.
        """
        from nats.js.errors import APIError

        jetstream = self._connection().jetstream(timeout=10)
        try:
            watcher = await (await jetstream.key_value(CHARTER_BUCKET)).watch(CHARTER_KEY)
        except APIError:
            await self.refresh()
            raise
        try:
            async for entry in watcher:
                if entry is not None:
                    await self._heard(jetstream, entry)
        finally:
            await watcher.stop()  # type: ignore[no-untyped-call]

    async def _heard(self, jetstream: "JetStreamContext", entry: "KeyValue.Entry") -> None:
        revision = entry.revision or 0
        charter = _charter(entry.value, revision, entry.created)
        self.unreadable = None if charter else revision
        self.why_unreadable = "" if charter else why_unreadable(entry.value)
        if charter is None and self.charter is None:
            charter = await _readable_until(jetstream, revision - 1)
        if charter is not None:
            self._take(charter)

    async def refresh(self) -> None:
        newest = await published_charter(self._connection())
        if newest:
            self._take(newest)

    def _take(self, charter: Charter) -> None:
        if self.charter is None or charter.revision > self.charter.revision:
            self.charter = charter
            self.arrived.set()

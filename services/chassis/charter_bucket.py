"""The published charter: one key in a NATS bucket, whose revision is the charter's."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from duban_contracts.charter import Charter
from duban_contracts.subjects import CHARTER_BUCKET, CHARTER_KEY

if TYPE_CHECKING:  # the command line imports this before it knows whether it will connect
    from nats.aio.client import Client
    from nats.js.kv import KeyValue

GIVEN = {"revision", "published_at"}
"""What publication gives a charter of itself; neither the file nor the bucket's value holds it."""


async def publish_charter(client: "Client", charter: Charter) -> int:
    """Returns the new revision; publishing the same charter again changes nothing.

    The same charter over another national calendar is a new revision: what is open is counted anew by it.
    """
    from services.chassis.calendar import (
        WorkingCalendar,
    )  # with the calendar's data, which readers do not need

    bucket = await client.jetstream(timeout=10).key_value(CHARTER_BUCKET)
    over = charter.model_copy(update={"national_calendar": WorkingCalendar(charter).version})
    body = over.model_dump_json(exclude=GIVEN, exclude_none=True).encode()
    current = await _current(bucket)
    if current and current.value == body:
        return current.revision or 0
    return await bucket.put(CHARTER_KEY, body)


async def published_charter(client: "Client") -> Charter | None:
    bucket = await client.jetstream(timeout=10).key_value(CHARTER_BUCKET)
    entry = await _current(bucket)
    return _charter(entry) if entry else None


async def _current(bucket: "KeyValue") -> "KeyValue.Entry | None":
    from nats.js.errors import KeyNotFoundError, NoKeysError

    try:
        return await bucket.get(CHARTER_KEY)
    except (KeyNotFoundError, NoKeysError):
        return None


def _charter(entry: "KeyValue.Entry") -> Charter:
    charter = Charter.model_validate_json(entry.value or b"")
    # The watcher tells when it was stored, a plain read does not.
    return charter.model_copy(update={"revision": entry.revision, "published_at": entry.created})


class CharterFollower:
    """Holds the newest charter; `changed` is set each time a new one arrives."""

    def __init__(self, connection: "Callable[[], Client]") -> None:
        self._connection = connection
        self.charter: Charter | None = None
        self.arrived = asyncio.Event()

    async def follow(self) -> None:
        """Runs until cancelled; after trouble the caller starts it again."""
        bucket = await self._connection().jetstream(timeout=10).key_value(CHARTER_BUCKET)
        watcher = await bucket.watch(CHARTER_KEY)
        try:
            async for entry in watcher:
                if entry is not None and entry.value:
                    self._take(_charter(entry))
        finally:
            await watcher.stop()  # type: ignore[no-untyped-call]

    async def refresh(self) -> None:
        newest = await published_charter(self._connection())
        if newest:
            self._take(newest)

    def _take(self, charter: Charter) -> None:
        if self.charter is None or charter.revision > self.charter.revision:
            self.charter = charter
            self.arrived.set()

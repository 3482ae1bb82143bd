"""Take messages from a durable pull consumer in batches: what waits, at once; else what comes next.

The next messages are asked for while the last are being worked on, and are collected by a plain
subscription: `fetch` of nats-py makes a task for every message, which costs more than all of the
rest. Heartbeats tell a quiet consumer from a lost request.
"""

import asyncio
import json
import math
from collections import deque
from types import TracebackType
from typing import Self

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

EXPIRES = 30.0
HEARTBEAT = 2.0
SILENCE = 3 * HEARTBEAT
"""Seconds without message or heartbeat after which a request counts as lost, e.g. with its server."""
NANOSECONDS = 1_000_000_000


class ConsumerMissing(Exception):
    """Nobody answers for this consumer: it, or its stream, is not there."""


class Puller:
    """At most `batch` messages beyond those in work are taken ahead.

    What comes while it is quiet is handed over at once, and so is a full batch; else there is one batch in
    `gathers` seconds, with whatever came meanwhile.
    """

    def __init__(self, client: Client, stream: str, consumer: str, batch: int, gathers: float = 0.0) -> None:
        self._client, self._batch, self._gathers = client, batch, gathers
        self._next = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}"
        self._waiting: deque[Msg] = deque()
        self._wanted = 0
        """How many messages of the open request are still to come."""
        self._news = asyncio.Event()
        self._missing: str | None = None
        self._heard_at = 0.0
        self._handed_at = -math.inf

    async def __aenter__(self) -> Self:
        self._inbox = self._client.new_inbox()
        self._subscription: Subscription = await self._client.subscribe(self._inbox, cb=self._arrived)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._client.is_closed:
            return
        await self._subscription.unsubscribe()
        for msg in self._waiting:
            await msg.nak()  # nobody has touched them: others may have them at once

    async def take(self, patience: float) -> list[Msg]:
        """One batch; empty if nothing comes within `patience` seconds. Raises ConsumerMissing."""
        await self._ask()
        if not self._waiting:
            await self._listen(patience)
        if self._missing is not None:
            missing, self._missing, self._wanted = self._missing, None, 0
            raise ConsumerMissing(missing)
        now = asyncio.get_running_loop().time
        if 0 < len(self._waiting) < self._batch and (pause := self._handed_at + self._gathers - now()) > 0:
            await asyncio.sleep(pause)
        msgs = [self._waiting.popleft() for _ in range(min(self._batch, len(self._waiting)))]
        if msgs:
            self._handed_at = now()
        await self._ask()
        return msgs

    async def _listen(self, patience: float) -> None:
        self._news.clear()
        try:
            await asyncio.wait_for(self._news.wait(), min(patience, SILENCE))
        except TimeoutError:
            if asyncio.get_running_loop().time() - self._heard_at > SILENCE:
                self._wanted = 0  # the request is lost: ask again

    async def _ask(self) -> None:
        if self._wanted > 0 or len(self._waiting) >= self._batch:
            return
        self._wanted, self._heard_at = self._batch, asyncio.get_running_loop().time()
        request = {
            "batch": self._batch,
            "expires": int(EXPIRES * NANOSECONDS),
            "idle_heartbeat": int(HEARTBEAT * NANOSECONDS),
        }
        await self._client.publish(self._next, json.dumps(request).encode(), reply=self._inbox)

    async def _arrived(self, msg: Msg) -> None:
        self._heard_at = asyncio.get_running_loop().time()
        # A delivery has a place to acknowledge to; what the broker says itself has none. The header alone
        # would let any publisher speak as the broker.
        status = msg.headers.get("Status") if msg.headers and not msg.reply else None
        if status is None:
            self._waiting.append(msg)
            self._wanted -= 1
        elif status == "100":
            return  # a heartbeat: the request is open, and there is nothing
        elif status == "503":
            self._missing = f"no answer from {self._next}"
        elif status == "409" and "deleted" in str(msg.headers).lower():
            self._missing = f"the consumer of {self._next} was deleted"
        else:
            self._wanted = 0  # expired or cut short: the request is over
        self._news.set()

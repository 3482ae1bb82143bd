"""A stream between publishers and services that drops, doubles and reorders what passes through it.

A publisher is acknowledged by the proxy's own stream. The proxy takes batches, shuffles them, publishes
each message under several `Nats-Msg-Id`s, which the broker takes for different messages, and forgets to
acknowledge some of what it passed on, so that these come to it once more.
"""

import asyncio
import threading
from itertools import pairwise
from random import Random
from types import TracebackType
from typing import Self

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig, StreamConfig

from services.console.client import Duban, Order, duban
from tests.faults import OFFICE
from tests.waiting import until

STREAM = "PROXY"
PREFIX = "proxy."
ACK_WAIT = 0.5
COPIES = (1, 1, 2, 3)
FORGETS = 0.15


class Proxy:
    def __init__(self, url: str, random: Random) -> None:
        self._url, self._random = url, random
        self._stop = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._pass_on()), daemon=True)
        self._left = 0
        self.dropped = self.doubled = self.out_of_order = 0

    def __enter__(self) -> Self:
        asyncio.run(self._prepare())
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    async def send(self, town: Duban, order: Order) -> None:
        """As the load sends: returns when the proxy's stream has it."""
        body = order.command.model_dump_json(exclude_none=True, exclude_defaults=True).encode()
        headers = order.headers("duban/load")
        await town.client.jetstream(timeout=10).publish(PREFIX + order.subject, body, headers=headers)

    def drain(self) -> None:
        """Returns when everything that came in has gone out."""
        until(lambda: asyncio.run(self._waiting()) == 0, 60)

    async def _prepare(self) -> None:
        async with duban(self._url, patience=30, actor=OFFICE) as town:
            jetstream = town.client.jetstream(timeout=10)
            await jetstream.add_stream(StreamConfig(STREAM, subjects=[f"{PREFIX}>"]))
            config = ConsumerConfig(STREAM, ack_policy=AckPolicy.EXPLICIT, ack_wait=ACK_WAIT)
            await jetstream.add_consumer(STREAM, config)

    async def _waiting(self) -> int:
        async with duban(self._url, patience=30, actor=OFFICE) as town:
            info = await town.client.jetstream(timeout=10).consumer_info(STREAM, STREAM)
            return (info.num_pending or 0) + (info.num_ack_pending or 0)

    async def _pass_on(self) -> None:
        async with duban(self._url, patience=30, actor=OFFICE) as town:
            subscription = await town.client.jetstream(timeout=10).pull_subscribe_bind(STREAM, STREAM)
            while not self._stop.is_set():
                try:
                    batch = await subscription.fetch(20, timeout=0.2)
                except TimeoutError:  # the library raises its own, and asyncio's where time is nearly up
                    continue
                await self._mangle(town.client, batch)
            await subscription.unsubscribe()

    async def _mangle(self, client: Client, batch: list[Msg]) -> None:
        jetstream = client.jetstream(timeout=10)
        copies = [(msg, n) for msg in batch for n in range(self._random.choice(COPIES))]
        self._random.shuffle(copies)
        order = [msg.metadata.sequence.stream for msg, _ in copies]
        self.out_of_order += sum(later < earlier for earlier, later in pairwise(order))
        for msg, n in copies:
            delivered = msg.metadata.num_delivered
            headers = {
                **(msg.headers or {}),
                "Nats-Msg-Id": f"{(msg.headers or {})['ce-id']}/{delivered}/{n}",
            }
            await jetstream.publish(msg.subject.removeprefix(PREFIX), msg.data, headers=headers)
            self.doubled += n > 0 or delivered > 1
        for msg in batch:
            if self._random.random() < FORGETS:
                self.dropped += 1
            else:
                await msg.ack()

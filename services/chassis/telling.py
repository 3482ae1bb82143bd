"""Tell facts on the service's event stream: many at once in atomic batches, copies one by one.

Under `sync_interval: always` one atomic batch costs one sync, so it is several times faster than as
many single publishes. A batch is refused whole if the broker has one of its ids already; then, and
on any other trouble, each is published by itself and the broker drops what it knows.
"""

import asyncio
import json
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import NamedTuple, TypeVar
from uuid import uuid4

import structlog
from nats.aio.client import Client
from nats.errors import Error as NatsError

from duban_contracts.envelope import Attributes, encode
from duban_contracts.identity import cause_of
from services.chassis import metrics
from services.chassis.decider import KEPT
from services.chassis.documents import Event
from services.chassis.settle import Telling

BATCH = 500
"""The server takes at most 1000 messages in one atomic batch."""
CHANNEL_HEADER, VISIBILITY_HEADER = "ce-channel", "ce-visibility"
PATIENCE = 5.0
"""Seconds to wait for a publish to be acknowledged."""


HEADER_BYTES = 16_384
"""What the headers of a fact may take, however its ids are escaped."""

log = structlog.get_logger()


def most_bytes(max_payload: int) -> int:
    """Of the body of a fact, where the broker takes `max_payload` bytes with the headers."""
    return max_payload - HEADER_BYTES


class Outgoing(NamedTuple):
    subject: str
    headers: dict[str, str]
    body: bytes


class NatsTeller:
    def __init__(self, client: Client, source: str) -> None:
        self._client, self._jetstream, self._source = client, client.jetstream(timeout=PATIENCE), source

    async def __call__(self, tellings: Sequence[Telling]) -> None:
        """Facts of earlier releases that are larger than the broker takes stay untold: they would end the
        connection, and hold up all others."""
        fresh = [message for telling in tellings if telling.fresh for message in self._messages(telling)]
        copies = [message for telling in tellings if not telling.fresh for message in self._messages(telling)]
        for chunk in chunks(fresh, BATCH):
            if len(chunk) == 1 or not await self._atomically(chunk):
                await self._singly(chunk)
        for chunk in chunks(copies, BATCH):
            await self._singly(chunk)
        for message in (*fresh, *copies):  # stored now: told live to the channel, which may hear it twice
            if notice := notice_for(message):
                await self._client.publish(notice, message.body, headers=message.headers)

    def _messages(self, telling: Telling) -> Iterator[Outgoing]:
        answer = telling.answer
        cause = cause_of(answer.to)
        for n, event in enumerate(answer.events):
            if event.type.startswith(KEPT):
                continue
            attributes = Attributes(
                id=event_id(answer.to, telling.key, n),
                source=self._source,
                type=event.type,
                time=None,
                key=telling.key,
                correlation=answer.correlation,
                causation=cause.id,
                revision=answer.revision,
                traceparent=answer.traceparent,
                causation_source=cause.source,
                causation_actor=cause.actor,
            )
            body = event.data.encode()
            if len(body) > most_bytes(self._client.max_payload):
                metrics.UNPUBLISHABLE.labels(self._source.rpartition("/")[2]).inc()
                log.error("unpublishable", id=attributes.id, type=event.type, bytes=len(body))
                continue
            headers = encode(attributes, event.time) | {VISIBILITY_HEADER: visibility(event)}
            if event.channel:
                headers[CHANNEL_HEADER] = event.channel
            yield Outgoing(subject_for(event), headers, body)

    async def _atomically(self, chunk: Sequence[Outgoing]) -> bool:
        batch = {"Nats-Batch-Id": uuid4().hex}
        *first, last = enumerate(chunk, 1)
        for n, message in first:
            headers = {**message.headers, **batch, "Nats-Batch-Sequence": str(n)}
            await self._client.publish(message.subject, message.body, headers=headers)
        n, message = last
        headers = {**message.headers, **batch, "Nats-Batch-Sequence": str(n), "Nats-Batch-Commit": "1"}
        try:
            reply = await self._client.request(
                message.subject, message.body, headers=headers, timeout=PATIENCE
            )
        except NatsError:
            return False
        return "error" not in json.loads(reply.data or b'{"error": "empty"}')

    async def _singly(self, chunk: Sequence[Outgoing]) -> None:
        await asyncio.gather(*(self._publish(message) for message in chunk))

    async def _publish(self, message: Outgoing) -> None:
        await self._jetstream.publish(message.subject, message.body, headers=message.headers)


def event_id(message: str, key: str, n: int) -> str:
    """Derived from the message answered, so that every copy is told under the same id."""
    return blake2b(f"{message}\n{key}\n{n}".encode(), digest_size=16).hexdigest()


def subject_for(event: Event) -> str:
    _, service, name, version = event.type.split(".")
    kind = "restricted" if event.restricted else "evt"
    return f"{kind}.{service}.{name}.{version}.{event.station}"


def visibility(event: Event) -> str:
    """Facts without this header were told by a release that restricted none."""
    return "restricted" if event.restricted else "open"


def notice_for(message: Outgoing) -> str | None:
    """Where the channel that brought the matter hears of the fact; None: it was brought by none."""
    channel = message.headers.get(CHANNEL_HEADER)
    if channel is None:
        return None
    _, service, name, version, _ = message.subject.split(".")
    return f"notice.{service}.{name}.{version}.{channel}"


T = TypeVar("T")


def chunks(things: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """`itertools.batched` of Python 3.12."""
    return (things[start : start + size] for start in range(0, len(things), size))

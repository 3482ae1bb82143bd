"""Talk to the running services as any other program would: commands in, outcomes and answers out."""

import asyncio
import re
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar
from uuid import uuid4

import nats
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.errors import NoServersError
from pydantic import BaseModel
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_exponential

from duban_contracts.envelope import Attributes, encode
from duban_contracts.message import Command
from duban_contracts.subjects import command_stream, query_subject, subject_of
from duban_contracts.topology import HEARS, streams_heard
from services.chassis.inboxes import inbox_of
from services.chassis.queries import AnswerGiven, Answers, QueryFault, WhatBecameOf

Reply = TypeVar("Reply", bound=BaseModel)
PUBLISH_SECONDS = 10.0
ASK_SECONDS = 5.0
"""Until a question is asked again."""
LOOK_SECONDS = 0.02
"""Between two looks at consumers that are busy."""
REFUSED_SUBJECT = re.compile(r'permissions violation for publish to "([^"]+)"', re.IGNORECASE)
"""In the server's words, of which the client library makes small letters."""
IN_FLIGHT = 200
"""Publishes under way at once: enough to share the broker's syncs."""


class Unreachable(Exception):
    """NATS, or the service asked, does not answer."""


class NotAnswered(Exception):
    """The command is stored and will be answered, but not within the time we wait."""


class NotPermitted(Exception):
    """NATS does not let this credential publish to the subject, which is the message."""


class Misasked(Exception):
    """The service could not make sense of the question."""


@dataclass(frozen=True)
class Order:
    """A command on its way: for which key, by whom, and under which id a repeat is recognised."""

    command: Command
    key: str
    actor: str
    id: str = field(default_factory=lambda: str(uuid4()))
    at: datetime | None = None
    """When it was done, from actors who are believed about it; default: now."""
    acting_for: str | None = None

    @property
    def subject(self) -> str:
        return subject_of(self.command, self.actor)

    def headers(self, source: str) -> dict[str, str]:
        attributes = Attributes(
            id=self.id,
            source=source,
            type=self.command.type,
            time=self.at or datetime.now(UTC),
            key=self.key,
            correlation=self.id,
            acting_for=self.acting_for,
        )
        return encode(attributes)


class Duban:
    """One connection to the system. `source` names the program in `ce-source`; `refused` holds
    the subjects, in small letters, that the server refused on this connection."""

    def __init__(self, client: Client, source: str, refused: Collection[str] = ()) -> None:
        self.client, self._source, self._refused = client, source, refused
        self._jetstream = client.jetstream(timeout=PUBLISH_SECONDS)

    async def send(self, order: Order, patience: float = 60.0) -> None:
        """Returns when the command is on the broker's disk; tries again through restarts.

        Raises Unreachable, or NotPermitted.
        """
        retrying = AsyncRetrying(
            retry=retry_if_exception_type((NatsError, TimeoutError)),
            wait=wait_exponential(0.1, max=2),
            stop=stop_after_delay(patience),
            reraise=True,
        )
        body = order.command.model_dump_json(exclude_none=True, exclude_defaults=True).encode()
        try:
            async for attempt in retrying:
                with attempt, self._permitted(order.subject):
                    await self._jetstream.publish(
                        order.subject,
                        body,
                        stream=command_stream(order.command.service),
                        headers=order.headers(self._source),
                    )
        except (NatsError, TimeoutError) as error:
            raise Unreachable(f"NATS did not take the command: {error!r}") from error

    async def send_all(self, orders: Iterable[Order], patience: float = 60.0) -> None:
        limit = asyncio.Semaphore(IN_FLIGHT)

        async def one(order: Order) -> None:
            async with limit:
                await self.send(order, patience)

        await asyncio.gather(*(one(order) for order in orders))

    async def ask(
        self, service: str, name: str, question: BaseModel, reply: type[Reply], patience: float = 10.0
    ) -> Reply:
        """One request/reply, asked again while nobody answers.

        What is not asked is left out, so that an older service refuses only the new fields that are used.
        Raises Unreachable, NotPermitted, or Misasked.
        """
        subject, body = query_subject(service, name), question.model_dump_json(exclude_defaults=True)
        retrying = AsyncRetrying(
            retry=retry_if_exception_type((NatsError, TimeoutError)),
            wait=wait_exponential(0.1, max=1),
            stop=stop_after_delay(patience),
            reraise=True,
        )
        try:
            async for attempt in retrying:
                with attempt, self._permitted(subject):
                    msg = await self.client.request(subject, body.encode(), timeout=ASK_SECONDS)
        except (NatsError, TimeoutError) as error:
            raise Unreachable(f"{service} does not answer: {error!r}") from error
        if msg.data[:9] == b'{"error":':
            raise Misasked(QueryFault.model_validate_json(msg.data).error)
        return reply.model_validate_json(msg.data)

    @contextmanager
    def _permitted(self, subject: str) -> Iterator[None]:
        """The server answers a refused publish with an error of its own, and its asker with nothing."""
        try:
            yield
        except TimeoutError:
            if subject.lower() in self._refused:
                raise NotPermitted(subject) from None
            raise

    async def answers(self, service: str, asked: Sequence[tuple[str, str]]) -> dict[str, AnswerGiven]:
        """What came of messages, given as (key, message id), by message id; 1000 at most.

        One that is not there was not answered yet, or did not fit: ask for it again.
        """
        found = await self.ask(service, "answers", WhatBecameOf(asked=tuple(asked)), Answers)
        return {given.message: given for given in found.answers}

    async def outcome(self, order: Order, patience: float = 30.0) -> AnswerGiven:
        """Send, and wait until the service has answered."""
        await self.send(order)
        loop = asyncio.get_running_loop()
        deadline, pause = loop.time() + patience, 0.02
        while loop.time() < deadline:
            given = await self.answers(order.command.service, [(order.key, order.id)])
            if order.id in given:
                return given[order.id]
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, 0.5)
        raise NotAnswered(f"{order.command.type} is stored as {order.id} and not answered yet")

    async def caught_up(self, patience: float = 120.0, consumers: Iterable[str] = tuple(HEARS)) -> None:
        """Wait until nothing is waiting or in work anywhere.

        Two looks in a row must find every consumer idle and none of them further than before: then nothing
        was under way between them, not even from one service to the next.
        """
        loop = asyncio.get_running_loop()
        deadline, before = loop.time() + patience, None
        places = [(stream, consumer) for consumer in consumers for stream in streams_heard(consumer)]
        while True:
            looks = await asyncio.gather(*(self._look(*place) for place in places))
            busy = {place: look.left for place, look in zip(places, looks, strict=True) if look.left}
            if not busy and looks == before:
                return
            if loop.time() > deadline:
                raise NotAnswered(f"still waiting: {busy}")
            before = looks
            await asyncio.sleep(LOOK_SECONDS if busy else 0)

    async def _look(self, stream: str, consumer: str) -> "Look":
        try:
            info = await self._jetstream.consumer_info(stream, consumer)
        except (NatsError, TimeoutError):
            return Look(left=1)  # not known is not idle
        left = (info.num_pending or 0) + (info.num_ack_pending or 0)
        return Look(left, info.delivered.consumer_seq if info.delivered else 0)


@dataclass(frozen=True)
class Look:
    """One consumer at one moment: how much waits or is in work, and how much it was ever given."""

    left: int
    given: int = 0


@asynccontextmanager
async def duban(url: str, source: str = "duban/console", patience: float = 5.0) -> AsyncIterator[Duban]:
    """Raises Unreachable if NATS is not there within `patience` seconds."""
    refused: set[str] = set()

    async def quietly(error: Exception) -> None:
        """Reconnecting is the client's affair; what failed is raised where it was asked."""
        refused.update(REFUSED_SUBJECT.findall(str(error)))

    try:
        client = await asyncio.wait_for(
            nats.connect(
                url,
                name=source,
                inbox_prefix=inbox_of(url),
                max_reconnect_attempts=-1,
                reconnect_time_wait=1,
                ping_interval=10,
                error_cb=quietly,
            ),
            patience,
        )
    except (OSError, NoServersError, NatsError, TimeoutError) as error:
        raise Unreachable(f"no NATS server answers at {_without_password(url)}") from error
    try:
        yield Duban(client, source, refused)
    finally:
        with suppress(NatsError, TimeoutError):
            await asyncio.wait_for(client.drain(), 5)


def _without_password(url: str) -> str:
    """For messages: a credential in an address is nobody's to read."""
    scheme, separator, rest = url.rpartition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"

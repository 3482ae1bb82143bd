"""Talk to the running services as any other program would: commands in, outcomes and answers out."""

import asyncio
import os
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit
from uuid import uuid4

import nats
from nats.aio.client import Client
from nats.errors import AuthorizationError, NoServersError
from nats.errors import Error as NatsError
from nats.js.errors import APIError
from pydantic import BaseModel
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_exponential

from duban_contracts.charter import Charter
from duban_contracts.envelope import Attributes, encode
from duban_contracts.identity import digest_of, identity
from duban_contracts.message import SERVICES, Command
from duban_contracts.queries import (
    AnswerGiven,
    Answers,
    AskCharter,
    Backlog,
    Following,
    Nothing,
    QueryFault,
    WhatBecameOf,
)
from duban_contracts.readers import Program
from duban_contracts.subjects import command_stream, query_subject, subject_of
from duban_contracts.time import PassTime
from duban_contracts.topology import HEARS
from services.chassis import nats_client
from services.chassis.inboxes import inbox_of
from services.console.client_url import check_address, without_password
from services.console.i18n import _

Model = TypeVar("Model", bound=BaseModel)
Reply = TypeVar("Reply")
ACTOR_VARIABLE = "DUBAN_ACTOR"
ERROR_CODE = "Nats-Service-Error-Code"
NO_CHARTER, BUSY = 503, 429
PUBLISH_SECONDS = 10.0
ASK_SECONDS = 5.0
"""Until a question is asked again."""
LOOK_SECONDS = 0.02
"""Between two looks at consumers that are busy."""
REFUSED_SUBJECT = re.compile(r'permissions violation for publish to "([^"]+)"', re.IGNORECASE)
"""In the server's words, of which the client library makes small letters."""
OWN_SHARE_FULL = "maximum messages per subject exceeded"
"""In the server's words: which limit it is has no number of its own."""
IN_FLIGHT = 200
"""Publishes under way at once: enough to share the broker's syncs."""


class BadAddress(Exception):
    """What was given for the server's address can be none; the message says why."""


class Unreachable(Exception):
    """NATS, or the service asked, does not answer."""


class NotAnswered(Exception):
    """The command is stored and will be answered, but not within the time we wait."""


class NotPermitted(Exception):
    """NATS does not let this credential publish to the subject, which is the message."""


class NotAdmitted(Exception):
    """NATS does not know the credential; the message is the server's address without it."""


class NotStored(Unreachable):
    """The broker took the command for a copy of another: it was not stored, and nobody will answer it."""


class Full(Unreachable):
    """The command stream has no room, and the command was not stored; the message says whose room it is and
    what to do."""

    def __init__(self, code: str, why: str) -> None:
        super().__init__(why)
        self.code = code


class Misasked(Exception):
    """The service did not answer the question, and says why: it is malformed, or not for this actor."""

    def __init__(self, why: str, code: int = 400) -> None:
        super().__init__(why)
        self.code = code


class Busy(Misasked):
    """Too many questions of this actor at once."""


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

    @property
    def body(self) -> bytes:
        return self.command.model_dump_json(exclude_none=True, exclude_defaults=True).encode()

    @property
    def digest(self) -> str:
        return digest_of(self.command.type, self.body)

    def identity(self, source: str) -> str:
        return identity(self.actor, source, self.id)

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


class Refusals:
    """Hears what the server refuses on one connection, and tells at once who waits for an answer to it.

    The server refuses a publish with an error of its own; whoever waits for a reply would wait in vain.
    """

    def __init__(self) -> None:
        self._waiting: dict[str, set[asyncio.Future[None]]] = {}
        self.last: str | None = None
        """The subject that was refused last, in small letters."""

    async def heard(self, error: Exception) -> None:
        for subject in REFUSED_SUBJECT.findall(str(error)):
            self.last = subject
            for waiting in self._waiting.get(subject.lower(), ()):
                if not waiting.done():
                    waiting.set_result(None)

    async def permitted(self, subject: str, answer: Awaitable[Reply]) -> Reply:
        """`answer` to a publish to `subject`. Raises NotPermitted as soon as the server says so."""
        name, refused = subject.lower(), asyncio.get_running_loop().create_future()
        self._waiting.setdefault(name, set()).add(refused)
        answering = asyncio.ensure_future(answer)
        try:
            await asyncio.wait({answering, refused}, return_when=asyncio.FIRST_COMPLETED)
            if not answering.done():
                raise NotPermitted(subject)
            return answering.result()
        finally:
            answering.cancel()
            waiting = self._waiting[name]
            waiting.discard(refused)
            if not waiting:
                del self._waiting[name]


class Duban:
    """One connection to the system. `source` names the program in `ce-source`, `actor` is who asks."""

    def __init__(
        self, client: Client, source: str, actor: str = Program.OPERATOR, refusals: Refusals | None = None
    ) -> None:
        self.client, self.actor, self._source = client, actor, source
        self._refusals = refusals or Refusals()
        self._jetstream = client.jetstream(timeout=PUBLISH_SECONDS)

    async def send(self, order: Order, patience: float = 60.0) -> None:
        """Returns when the command is on the broker's disk; tries again through restarts, and while there is
        no room for it.

        Raises Full, Unreachable, NotPermitted, or NotStored.
        """
        retrying = AsyncRetrying(
            retry=retry_if_exception_type((NatsError, TimeoutError)),
            wait=wait_exponential(0.1, max=2),
            stop=stop_after_delay(patience),
            reraise=True,
        )
        body = order.body
        try:
            async for attempt in retrying:
                with attempt:
                    publish = self._jetstream.publish(
                        order.subject,
                        body,
                        stream=command_stream(order.command.service),
                        headers=order.headers(self._source),
                    )
                    stored = await self._refusals.permitted(order.subject, publish)
        except APIError as error:
            raise _full(error, order) or Unreachable(f"NATS did not take the command: {error!r}") from error
        except (NatsError, TimeoutError) as error:
            raise Unreachable(f"NATS did not take the command: {error!r}") from error
        if stored.duplicate:
            raise NotStored(f"NATS took {order.id} for a copy of message {stored.seq} and did not store it")

    async def send_all(self, orders: Iterable[Order], patience: float = 60.0) -> None:
        limit = asyncio.Semaphore(IN_FLIGHT)

        async def one(order: Order) -> None:
            async with limit:
                await self.send(order, patience)

        await asyncio.gather(*(one(order) for order in orders))

    async def ask(
        self,
        service: str,
        name: str,
        question: BaseModel,
        reply: type[Model],
        patience: float = 10.0,
        actor: str | None = None,
    ) -> Model:
        """One request/reply, by default in the connection's own name; asked again while nobody answers, or
        while the service is busy with questions of this actor.

        What is not asked is left out, so that an older service refuses only the new fields that are used.
        Raises Unreachable, NotPermitted, or Misasked.
        """
        subject = query_subject(service, name, actor or self.actor)
        body = question.model_dump_json(exclude_defaults=True)
        retrying = AsyncRetrying(
            retry=retry_if_exception_type((NatsError, TimeoutError, Busy)),
            wait=wait_exponential(0.1, max=1),
            stop=stop_after_delay(patience),
            reraise=True,
        )
        try:
            async for attempt in retrying:
                with attempt:
                    asking = self.client.request(subject, body.encode(), timeout=ASK_SECONDS)
                    msg = await self._refusals.permitted(subject, asking)
                    if msg.headers and ERROR_CODE in msg.headers:
                        fault = QueryFault.model_validate_json(msg.data)
                        raise (Busy if fault.code == BUSY else Misasked)(fault.error, fault.code)
        except (NatsError, TimeoutError) as error:
            raise Unreachable(f"{service} does not answer: {error!r}") from error
        return reply.model_validate_json(msg.data)

    async def charter(self) -> Charter | None:
        """The one in force, by the first service that answers; None: none was published yet.

        Raises Unreachable where no service runs.
        """
        for service in SERVICES:
            try:
                return (await self.ask(service, "charter", AskCharter(), Following, patience=0)).charter
            except Misasked as fault:
                if fault.code != NO_CHARTER:
                    raise
                return None
            except Unreachable as error:
                trouble = error
        raise trouble

    async def answers(
        self,
        service: str,
        asked: Sequence[tuple[str, str]],
        actor: str | None = None,
        digest: str | None = None,
    ) -> dict[str, AnswerGiven]:
        """What came of commands that the actor sent through this program, given as (key, message id), by
        message id; 1000 at most.

        One that is not there was not answered yet, or did not fit: ask for it again.
        """
        question = WhatBecameOf(asked=tuple(asked), source=self._source, digest=digest)
        found = await self.ask(service, "answers", question, Answers, actor=actor)
        return {given.message: given for given in found.answers}

    async def outcome(self, order: Order, patience: float = 30.0) -> AnswerGiven:
        """Send, and wait until the service has answered. That time has passed is done, and told by nothing
        but what fell due: it has passed when no command is left before the service."""
        await self.send(order)
        loop = asyncio.get_running_loop()
        deadline, pause, digest = loop.time() + patience, 0.02, None
        passes_time, passed = isinstance(order.command, PassTime), False
        while loop.time() < deadline:
            asked = [(order.key, order.id)]
            found = await self.answers(order.command.service, asked, order.actor, digest)
            given = found.get(order.id)
            if given and given.digest in (None, order.digest):
                return given
            if given and digest is None:  # the id is that of another command: this one was refused for it
                digest = order.digest
                continue
            if passed:
                return AnswerGiven(key=order.key, message=order.id, facts=())
            # Looked at before it is asked once more: a refusal is stored before it is acknowledged.
            passed = passes_time and await self._all_answered(order.command.service)
            await asyncio.sleep(0 if passed else pause)
            pause = min(pause * 1.5, 0.5)
        raise NotAnswered(f"{order.command.type} is stored as {order.id} and not answered yet")

    async def caught_up(self, patience: float = 120.0, consumers: Iterable[str] = tuple(HEARS)) -> None:
        """Wait until nothing is waiting or in work anywhere.

        Two looks in a row must find every consumer idle and none of them further than before: then nothing
        was under way between them, not even from one service to the next.
        """
        loop = asyncio.get_running_loop()
        deadline, before = loop.time() + patience, None
        wanted = frozenset(consumers)
        services = sorted({consumer.partition("-")[0] for consumer in wanted})
        while True:
            backlogs = await asyncio.gather(*(self._backlog(service) for service in services))
            looks = {
                place: look for backlog in backlogs for place, look in backlog.items() if place[1] in wanted
            }
            busy = {place: look.left for place, look in looks.items() if look.left}
            if not busy and looks == before:
                return
            if loop.time() > deadline:
                raise NotAnswered(f"still waiting: {busy}")
            before = looks
            await asyncio.sleep(LOOK_SECONDS if busy else 0)

    async def _all_answered(self, service: str) -> bool:
        look = (await self._backlog(service)).get((command_stream(service), service))
        return look is not None and look.left == 0

    async def _backlog(self, service: str) -> dict[tuple[str, str], "Look"]:
        """By stream and consumer."""
        try:
            backlog = await self.ask(service, "backlog", Nothing(), Backlog, patience=0)
        except (Unreachable, Misasked):
            return {("", service): Look(left=1)}  # not known is not idle
        return {(each.stream, each.consumer): Look(each.left, each.delivered) for each in backlog.consumers}


@dataclass(frozen=True)
class Look:
    """One consumer at one moment: how much waits or is in work, and how much it was ever given."""

    left: int
    given: int = 0


def _full(refused: APIError, order: Order) -> Full | None:
    if refused.err_code not in nats_client.NO_ROOM:
        return None
    if refused.description == OWN_SHARE_FULL:
        said = _(
            "{actor} has as many unanswered {command} as may wait, and this one was not stored: wait until "
            "some are answered, then send it again. If {actor} did not send so many, tell the administrator"
        )
        return Full("too_many_waiting", said.format(actor=order.actor, command=order.command.type))
    said = _(
        "there is no room for commands to {service} ({why}), and this one was not stored: tell the "
        "administrator to see that {service} is running, then send it again"
    )
    why = refused.description or str(refused.err_code)
    return Full("stream_full", said.format(service=order.command.service, why=why))


@asynccontextmanager
async def duban(
    url: str, source: str = "duban/console", patience: float = 5.0, actor: str | None = None
) -> AsyncIterator[Duban]:
    """Asks as `actor`; by default as DUBAN_ACTOR, as the user of the address, or as the operator.

    Raises BadAddress, Unreachable if NATS is not there within `patience` seconds, NotAdmitted as soon as it
    says so.
    """
    try:
        check_address(url)
    except ValueError as why:
        raise BadAddress(str(why)) from None
    nats_client.survive_any_bytes()
    refusals, unknown = Refusals(), asyncio.Event()
    unresolved: list[str] = []

    async def heard(error: Exception) -> None:
        """Reconnecting is the client's affair; what failed is raised where it was asked."""
        await refusals.heard(error)
        if isinstance(error, AuthorizationError) or "authorization violation" in str(error).lower():
            unknown.set()
        if isinstance(error, socket.gaierror):
            unresolved.append(str(urlsplit(url if "://" in url else f"nats://{url}").hostname))

    asker = actor or os.environ.get(ACTOR_VARIABLE) or urlsplit(url).username or Program.OPERATOR
    connecting = asyncio.ensure_future(
        nats.connect(
            url,
            name=source,
            inbox_prefix=inbox_of(url),
            max_reconnect_attempts=-1,
            reconnect_time_wait=1,
            ping_interval=10,
            error_cb=heard,
        )
    )
    client = await _connected(connecting, unknown, unresolved, url, patience)
    try:
        yield Duban(client, source, asker, refusals)
    except TimeoutError:
        if refusals.last is None:
            raise
        raise NotPermitted(refusals.last) from None
    finally:
        with suppress(NatsError, TimeoutError):
            await asyncio.wait_for(client.drain(), 5)


async def _connected(
    connecting: asyncio.Future[Client],
    unknown: asyncio.Event,
    unresolved: list[str],
    url: str,
    patience: float,
) -> Client:
    refused = asyncio.ensure_future(unknown.wait())
    both: set[asyncio.Future[Any]] = {connecting, refused}
    try:
        await asyncio.wait(both, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
        if connecting.done():
            return connecting.result()
    except (OSError, ValueError, NoServersError, NatsError) as error:
        raise Unreachable(_nobody_at(url, unresolved)) from error
    finally:
        for task in both:
            if not task.done():
                task.cancel()
        await asyncio.wait(both)
    if unknown.is_set():
        raise NotAdmitted(without_password(url))
    raise Unreachable(_nobody_at(url, unresolved))


def _nobody_at(url: str, unresolved: Sequence[str]) -> str:
    server = without_password(url)
    if unresolved:
        said = _("the name {host} is not known here (no NATS server answers at {server})")
        return said.format(host=unresolved[-1], server=server)
    return _("no NATS server answers at {server}").format(server=server)

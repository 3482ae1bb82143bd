"""A running service: connect, follow the charter, listen, wake, answer questions, stop in bounded time."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any

import faststream.nats.broker.broker as faststream_broker
import structlog
from faststream import FastStream
from faststream.nats import NatsBroker
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js.errors import NotFoundError
from pydantic import BaseModel
from pymongo.errors import PyMongoError

from duban_contracts.charter import Charter
from duban_contracts.queries import (
    AskCharter,
    AskFacts,
    Backlog,
    ConsumerBacklog,
    FactsPage,
    Following,
    Nothing,
)
from duban_contracts.query_catalogue import CATALOGUE, query_id
from duban_contracts.readers import Reader, reader_of
from duban_contracts.topology import streams_heard
from services.chassis import metrics
from services.chassis.charter_bucket import CharterFollower
from services.chassis.clock import Clock, system_clock
from services.chassis.consumer import Consumer
from services.chassis.dead_letters import DeadLetters
from services.chassis.health import OK, Health, HealthServer
from services.chassis.inboxes import inbox_of
from services.chassis.mongo import MongoDocuments, connect
from services.chassis.past_facts import page_of_facts
from services.chassis.pulling import Puller
from services.chassis.queries import (
    UNAVAILABLE,
    QueryRefused,
    Respond,
    answer_queries,
    history_of,
    what_became_of,
)
from services.chassis.register import Register
from services.chassis.service import Query, Reading, Service
from services.chassis.settings import ClockMode, Settings
from services.chassis.settle import state_of
from services.chassis.snapshots import Snapshots
from services.chassis.standings import Standings
from services.chassis.sweeping import Sweeper
from services.chassis.telling import NatsTeller

FETCH_SECONDS = 5.0
CHECK_SECONDS = 5.0
SWEEP_SECONDS = 5.0
RECONNECT_SECONDS = 1

log = structlog.get_logger()


@asynccontextmanager
async def _in_work() -> AsyncIterator[deque[asyncio.Task[None]]]:
    """Batches that are being processed. Whatever ends the listening, none is left behind."""
    tasks = deque[asyncio.Task[None]]()
    try:
        yield tasks
    except asyncio.CancelledError:
        for task in tasks:
            task.cancel()
        raise
    finally:
        await asyncio.gather(*tasks, return_exceptions=True)


def charter_state(charter: Charter | None, unreadable: int | None) -> str:
    """For `/ready`."""
    if unreadable is not None:
        followed = f"revision {charter.revision} stays in force" if charter else "none before it can be read"
        return f"unreadable: revision {unreadable}, {followed}; run `duban charter apply FILE`"
    return OK if charter else "missing; run `duban charter apply FILE`"


class Process:
    """One service and its read models, in one process with one connection to each server."""

    def __init__(self, settings: Settings, services: Sequence[Service], clock: Clock = system_clock) -> None:
        self.settings, self.services, self._clock = settings, services, clock
        self.name = services[0].part_of
        self.health = Health()
        self.failed = False
        self.broker = NatsBroker(
            settings.nats_url,
            name=f"duban-{self.name}",
            inbox_prefix=inbox_of(settings.nats_url),
            max_reconnect_attempts=-1,
            reconnect_time_wait=RECONNECT_SECONDS,
            ping_interval=10,
            closed_cb=self._closed,
            graceful_timeout=settings.graceful_seconds,
            logger=None,
        )
        self.app = FastStream(
            self.broker,
            logger=None,
            on_startup=[self._prepare],
            after_startup=[self._start],
            on_shutdown=[self._stop],
            after_shutdown=[self._disconnect],
        )
        self._mongo = connect(settings.mongo_url)
        self._database = self._mongo[f"{settings.database_prefix}_{self.name}"]
        self._documents = {
            service.name: MongoDocuments(self._database, service.name, service.indexes)
            for service in services
        }
        self._register = Register(self._database)
        self._tasks: list[asyncio.Task[None]] = []
        self._aside: list[asyncio.Task[None]] = []
        self._consumers: list[Consumer] = []
        self._stopping = asyncio.Event()
        self._follower = CharterFollower(lambda: self.client)
        self._http = (
            HealthServer(self.health, settings.http_host, settings.http_port)
            if settings.http_port is not None
            else None
        )
        self._register_queries()

    async def run(self) -> int:
        """Until SIGTERM or SIGINT; the exit status says whether the end was wanted."""
        if self._http:
            self._http.start()
        # FastStream turns these into exceptions inside the client's reconnecting task, which then never
        # reconnects: a rotated credential would leave the service deaf for ever.
        setattr(faststream_broker, "UNRECOVERABLE_CONNECT_ERRORS", ())  # noqa: B010 (typed as a fixed tuple)
        try:
            await self.app.run(sleep_time=0.25)
        finally:
            if self._http:
                self._http.stop()
        return 1 if self.failed else 0

    @property
    def client(self) -> Client:
        return self.broker.connection

    def _register_queries(self) -> None:
        documents = self._documents[self.services[0].name]
        answers: dict[str, Respond] = {
            "charter": self._answer_charter,
            "answers": partial(what_became_of, documents),
            "history": partial(history_of, documents),
            "facts": self._answer_facts,
            "backlog": self._answer_backlog,
        }
        for service in self.services:
            for name, query in service.queries.items():
                answers[name] = partial(self._ask, query)
        for name, respond in answers.items():
            name, _, version = name.partition(".v")
            contract = CATALOGUE[query_id(self.name, name, int(version or 1))]
            answer_queries(self.broker, contract, respond, self._reader)

    def _reader(self, actor: str) -> Reader | None:
        return reader_of(actor, self._charter().everyone())

    async def _answer_charter(self, _: Reader, question: AskCharter) -> Following:
        charter = self._charter()
        return Following(
            revision=charter.revision,
            published_at=charter.published_at,
            charter=charter if question.text else None,
        )

    async def _answer_facts(self, reader: Reader, question: AskFacts) -> FactsPage:
        return await page_of_facts(self.client, self.name, reader, question)

    async def _answer_backlog(self, _: Reader, __: Nothing) -> Backlog:
        jetstream = self.client.jetstream(timeout=2)
        consumers = []
        for consumer in (consumer.service.name for consumer in self._consumers):
            for stream in streams_heard(consumer):
                info = await jetstream.consumer_info(stream, consumer)
                left = (info.num_pending or 0) + (info.num_ack_pending or 0)
                delivered = info.delivered.consumer_seq if info.delivered else 0
                consumers.append(
                    ConsumerBacklog(stream=stream, consumer=consumer, left=left, delivered=delivered)
                )
        return Backlog(consumers=tuple(consumers))

    async def _ask(self, query: Query, reader: Reader, question: Any) -> BaseModel:
        history = partial(history_of, self._documents[self.services[0].name])
        reading = Reading(self._database, self._states, self._charter(), self._clock, history, reader)
        return await query.answer(reading, question)

    async def _states(self, name: str, keys: Iterable[str]) -> dict[str, tuple[int, Any]]:
        service = next(service for service in self.services if service.name == name)
        documents = self._documents[name]
        decider = service.decider(self._charter())
        snapshots = Snapshots(decider)
        found = await documents.load(keys)
        return {
            key: (document.version, await state_of(document, decider, snapshots, documents))
            for key, document in found.items()
        }

    def _charter(self) -> Charter:
        if self._follower.charter is None:
            raise QueryRefused(
                UNAVAILABLE, "no charter has been published yet; run `duban charter apply FILE`"
            )
        return self._follower.charter

    async def _prepare(self) -> None:
        for documents in self._documents.values():
            await self._patiently(documents.prepare, "mongo")
        await self._patiently(self._register.prepare, "mongo")

    async def _start(self) -> None:
        sweeper = Sweeper(self.client, self.name)
        for service in self.services:
            self._consumers.append(self._consumer(service, sweeper if service.tells else None))
        aside = (
            self._repeat(self._follower.follow, "charter"),
            self._repeat(partial(self._sweep, sweeper), "sweep"),
            self._check(),
        )
        self._aside += map(asyncio.create_task, aside)
        for consumer in self._consumers:
            for stream in streams_heard(consumer.service.name):
                self._spawn(self._repeat(partial(self._listen, consumer, stream), stream))
            if consumer.service.tells and self.settings.clock is ClockMode.SYSTEM:
                self._spawn(self._repeat(partial(self._poll, consumer), "wakes"))
        log.info("started", http=self._http.port if self._http else None)

    def _consumer(self, service: Service, sweeper: Sweeper | None) -> Consumer:
        source = f"duban/{service.part_of}"
        return Consumer(
            service,
            self._documents[service.name],
            NatsTeller(self.client, source),
            DeadLetters(self.client, service.name, service.part_of, self.settings.poison_cap),
            self._charter,
            self._register,
            Standings(self.client) if service.standing else None,
            sweeper,
            partial(service.lookup, self._database) if service.lookup else None,
        )

    async def _listen(self, consumer: Consumer, stream: str) -> None:
        """Take and process until told to stop, two batches at a time."""
        await self._follower.arrived.wait()
        puller = Puller(self.client, stream, consumer.service.name, self.settings.batch)
        async with puller, _in_work() as in_work:
            while not self._stopping.is_set() and not consumer.stopped:
                self.health.beat()
                msgs = await self._take(puller)
                if msgs:
                    in_work.append(asyncio.create_task(consumer.process(msgs)))
                while len(in_work) > (1 if msgs else 0):
                    await in_work.popleft()
        if consumer.stopped:
            self._say("dead_letters", "too many in a row, stopped; mend and restart")
            await self._stopping.wait()

    async def _take(self, puller: Puller) -> list[Msg]:
        """What waits; nothing when told to stop."""
        take = asyncio.ensure_future(puller.take(FETCH_SECONDS))
        stop = asyncio.ensure_future(self._stopping.wait())
        await asyncio.wait({take, stop}, return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        if not take.done():
            take.cancel()
        with suppress(asyncio.CancelledError):
            return await take
        return []

    async def _poll(self, consumer: Consumer) -> None:
        await self._follower.arrived.wait()
        while not self._stopping.is_set():
            await consumer.wake(self._clock())
            await self._pause(self.settings.poll_seconds)

    async def _sweep(self, sweeper: Sweeper) -> None:
        while not self._stopping.is_set():
            try:
                await sweeper.sweep()
            except (NatsError, TimeoutError) as error:
                self._say("sweep", f"answered commands stay in their stream: {error!r}")
            else:
                self._say("sweep", OK)
            await self._pause(SWEEP_SECONDS)

    async def _check(self) -> None:
        """What `/ready` says, asked again and again."""
        while not self._stopping.is_set():
            self.health.beat()
            self._say("nats", OK if self.client.is_connected else "disconnected")
            await self._check_mongo()
            await self._check_consumers()
            charter = self._follower.charter
            self._say("charter", charter_state(charter, self._follower.unreadable))
            metrics.CHARTER_REVISION.labels(self.name).set(charter.revision if charter else 0)
            await self._pause(CHECK_SECONDS if self.health.ready else 0.25)

    async def _check_mongo(self) -> None:
        try:
            await self._database.command("ping")
            self._say("mongo", OK)
        except PyMongoError as error:
            self._say("mongo", f"{type(error).__name__}")

    async def _check_consumers(self) -> None:
        jetstream = self.client.jetstream(timeout=2)
        for consumer in self._consumers:
            for stream in streams_heard(consumer.service.name):
                try:
                    await jetstream.consumer_info(stream, consumer.service.name)
                    self._say(stream, OK)
                except NotFoundError:
                    self._say(stream, "stream or consumer missing; run `duban provision`")
                except (NatsError, TimeoutError):
                    self._say(stream, "no answer")

    def _say(self, part: str, state: str) -> None:
        if self.health.say(part, state):
            log.info("health", part=part, state=state)

    async def _repeat(self, loop: Callable[[], Awaitable[None]], part: str) -> None:
        """Run a loop again after trouble, with a pause; said once per kind of trouble."""
        last = ""
        while not self._stopping.is_set():
            try:
                await loop()
                last = ""
            except Exception as error:
                if repr(error) != last:
                    log.warning("trouble", part=part, error=repr(error))
                last = repr(error)
                await self._pause(1.0)

    async def _patiently(self, step: Callable[[], Awaitable[None]], part: str) -> None:
        while True:
            try:
                await step()
                return
            except PyMongoError as error:
                self._say(part, type(error).__name__)
                await asyncio.sleep(1)

    def _spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(asyncio.create_task(coroutine))

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    async def _stop(self) -> None:
        """Let the batches in hand finish, then end: what was not acknowledged comes again."""
        self._stopping.set()
        for task in self._aside:
            task.cancel()
        await asyncio.wait(self._tasks, timeout=self.settings.graceful_seconds)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, *self._aside, return_exceptions=True)

    async def _disconnect(self) -> None:
        self._mongo.close()
        log.info("stopped")

    async def _closed(self) -> None:
        """The connection is gone for good: a process that cannot hear must not look alive."""
        if not self._stopping.is_set():
            log.error("connection_closed")
            self.failed = True
            self.app.exit()

"""A running service: connect, follow the charter, listen, wake, answer questions, stop in bounded time."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any

import faststream.nats.broker.broker as faststream_broker
import structlog
from faststream import FastStream
from faststream.nats import NatsBroker
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError
from nats.js.errors import NotFoundError
from pydantic import BaseModel
from pymongo.errors import PyMongoError

from duban_contracts.charter import Charter
from duban_contracts.masking import mask_unread
from duban_contracts.queries import (
    Answers,
    AskCharter,
    AskFacts,
    Backlog,
    ConsumerBacklog,
    FactsPage,
    Following,
    Nothing,
    Unreadable,
    WhatBecameOf,
)
from duban_contracts.query_catalogue import CATALOGUE, QueryContract, query_id
from duban_contracts.readers import Reader, reader_of
from duban_contracts.subjects import DEAD_STREAM, command_stream, fact_stream
from duban_contracts.topology import streams_heard
from services.chassis import metrics, nats_client
from services.chassis.asking import Desk
from services.chassis.charter_bucket import CharterFollower
from services.chassis.clock import Clock, system_clock
from services.chassis.clock_guard import ClockGuard
from services.chassis.consumer import Consumer
from services.chassis.dead_letters import DeadLetters
from services.chassis.decider import Decider
from services.chassis.faults import fault
from services.chassis.health import OK, Health, HealthServer
from services.chassis.inbox import Actors
from services.chassis.inboxes import inbox_of
from services.chassis.mongo import MongoDocuments, connect
from services.chassis.originals import Originals, as_it_is
from services.chassis.past_facts import page_of_facts
from services.chassis.pulling import Puller
from services.chassis.queries import (
    UNAVAILABLE,
    QueryRefused,
    Respond,
    Written,
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
from services.chassis.telling import NatsTeller, most_bytes
from services.chassis.upkeep import Upkeep

FETCH_SECONDS = 5.0
CHECK_SECONDS = 5.0
SWEEP_SECONDS = 5.0
RECONNECT_SECONDS = 1
LONG_QUEUE = 5_000
"""Messages that wait for a consumer, from which on it is said to be behind: half a minute's work or so."""
NEAR_LIMIT = 0.8
"""The share of a stream's limit from which on it is said to be near it."""
WHOLE_ORIGINALS = ("intake",)
"""Services whose dead letters may hold personal data whole: the one whose database holds them anyway."""
MASK = mask_unread
"""Takes patterns of personal data out of what is shown, and out of what leaves intake."""
MOST_UNREADABLE = 100
"""Dead letters in one answer."""

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


def charter_state(charter: Charter | None, unreadable: int | None, why: str = "") -> str:
    """For `/ready`."""
    if unreadable is not None:
        followed = f"revision {charter.revision} stays in force" if charter else "none before it can be read"
        what = f"unreadable: revision {unreadable}, {followed}; {why}".removesuffix("; ")
        # Applying a charter with this release would take away what the newer one says.
        return what if "newer release" in why else f"{what}; run `duban charter apply FILE`"
    return OK if charter else "missing; run `duban charter apply FILE`"


def log_health(part: str, state: str) -> None:
    """Trouble is a warning, where people look for it."""
    (log.info if state == OK else log.warning)("health", part=part, state=state)


def behind(pending: Mapping[tuple[str, str], int]) -> str | None:
    """For `/ready`, by stream and consumer what waits for it; None: nothing worth a look."""
    long = {place: count for place, count in pending.items() if count > LONG_QUEUE}
    return "; ".join(f"{n} messages of {stream} wait for {who}" for (stream, who), n in long.items()) or None


class Process:
    """One service and its read models, in one process.

    It has two connections to NATS: the broker cuts one that cannot read as fast as others write. Questions
    come on one of their own, so that a flood of them never takes commands and facts away.
    """

    def __init__(self, settings: Settings, services: Sequence[Service], clock: Clock = system_clock) -> None:
        nats_client.survive_any_bytes()
        self.settings, self.services, self._clock = settings, services, clock
        self.name = services[0].part_of
        self.health = Health()
        self.failed = False
        self.broker, self._for_questions = self._broker(""), self._broker("-questions")
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
            service.name: MongoDocuments(
                self._database, service.name, service.indexes, service.partial_indexes
            )
            for service in services
        }
        self._deciders: dict[str, tuple[int, Decider[Any, Any, Any], Snapshots[Any]]] = {}
        self._everyone: tuple[int, Actors] | None = None
        self._senders_of = 0
        """The revision whose actors are counted by name."""
        self._register = Register(self._database)
        self._originals = Originals(self._database, as_it_is if self.name in WHOLE_ORIGINALS else MASK)
        self._clock_guard = ClockGuard(clock)
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
        self._desk = Desk()
        self._queries: list[tuple[QueryContract, Respond]] = []
        self._asking: list[Subscription] = []
        self._written: tuple[Charter, Written, Written] | None = None
        """The answers to `charter`, whole and without its text: made once for each charter."""
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

    def _broker(self, what_for: str) -> NatsBroker:
        return NatsBroker(
            self.settings.nats_url,
            name=f"duban-{self.name}{what_for}",
            inbox_prefix=inbox_of(self.settings.nats_url),
            max_reconnect_attempts=-1,
            reconnect_time_wait=RECONNECT_SECONDS,
            ping_interval=10,
            closed_cb=self._closed,
            graceful_timeout=self.settings.graceful_seconds,
            logger=None,
        )

    @property
    def client(self) -> Client:
        return self.broker.connection

    def _register_queries(self) -> None:
        documents = self._documents[self.services[0].name]
        mask = partial(MASK, service=self.name)
        upkeep = Upkeep(self._consumers, self._originals, self.health.report, self._clock, mask)
        answers: dict[str, Respond] = {
            "charter": self._answer_charter,
            "answers": self._answer_answers,
            "history": partial(history_of, documents),
            "facts": self._answer_facts,
            "backlog": self._answer_backlog,
            "stuck": upkeep.stuck,
            "dead_letters": upkeep.dead_letters,
            "dead_letter": upkeep.dead_letter,
            "decide_dead_letter": upkeep.decide_dead_letter,
        }
        for service in self.services:
            for name, query in service.queries.items():
                answers[name] = partial(self._ask, query)
        for name, respond in answers.items():
            name, _, version = name.partition(".v")
            contract = CATALOGUE[query_id(self.name, name, int(version or 1))]
            self._queries.append((contract, respond))

    async def _answer_queries(self) -> None:
        await self._for_questions.connect()
        for contract, respond in self._queries:
            client = self._for_questions.connection
            asking = await answer_queries(client, contract, respond, self._reader, self._desk)
            self._asking.append(asking)

    def _reader(self, actor: str) -> Reader | None:
        charter = self._charter()
        if self._everyone is None or self._everyone[0] != charter.revision:
            self._everyone = charter.revision, charter.everyone()
        return reader_of(actor, self._everyone[1])

    async def _answer_charter(self, _: Reader, question: AskCharter) -> Written:
        charter = self._charter()
        if self._written is None or self._written[0] is not charter:
            told = Following(revision=charter.revision, published_at=charter.published_at, charter=charter)
            brief = told.model_copy(update={"charter": None})
            self._written = (
                charter,
                Written(json_text=told.model_dump_json()),
                Written(json_text=brief.model_dump_json()),
            )
        whole, revision_alone = self._written[1:]
        return whole if question.text else revision_alone

    async def _answer_answers(self, reader: Reader, question: WhatBecameOf) -> Answers:
        given = await what_became_of(self._documents[self.services[0].name], reader, question)
        answered = {answer.message for answer in given.answers}
        missing = [pair for pair in question.asked if pair[1] not in answered]
        if question.source is None or question.digest is not None or not missing:
            return given
        letters = await self._originals.unreadable(reader.actor, question.source, missing)
        unreadable = (
            Unreadable(
                key=key, message=id_, source=question.source, reason=each.reason, detail=MASK(each.detail)
            )
            for (key, id_), each in letters.items()
        )
        return given.model_copy(update={"unreadable": tuple(unreadable)[:MOST_UNREADABLE]})

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
        return Backlog(consumers=tuple(consumers), wrong=self.health.wrong())

    async def _ask(self, query: Query, reader: Reader, question: Any) -> BaseModel:
        history = partial(history_of, self._documents[self.services[0].name])
        reading = Reading(self._database, self._states, self._charter(), self._clock, history, reader)
        return await query.answer(reading, question)

    async def _states(self, name: str, keys: Iterable[str]) -> dict[str, tuple[int, Any]]:
        documents = self._documents[name]
        decider, snapshots = self._deciding(name)
        found = await documents.load(keys)
        return {
            key: (document.version, await state_of(document, decider, snapshots, documents))
            for key, document in found.items()
        }

    def _deciding(self, name: str) -> tuple[Decider[Any, Any, Any], Snapshots[Any]]:
        """One per revision of the charter: what a state is read with takes longer to make than to use."""
        charter, made = self._charter(), self._deciders.get(name)
        if made is None or made[0] != charter.revision:
            service = next(service for service in self.services if service.name == name)
            decider = service.decider(charter)
            made = self._deciders[name] = charter.revision, decider, Snapshots(decider)
        return made[1:]

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
        await self._patiently(self._originals.prepare, "mongo")

    async def _start(self) -> None:
        await self._answer_queries()
        sweeper = Sweeper(self.client, self.name)
        for service in self.services:
            self._consumers.append(self._consumer(service, sweeper if service.tells else None))
        metrics.begin(self.name, [consumer.service.name for consumer in self._consumers])
        aside = (
            self._repeat(self._follower.follow, "charter"),
            self._repeat(partial(self._sweep, sweeper), "sweep"),
            self._check(),
        )
        self._aside += map(asyncio.create_task, aside)
        for consumer in self._consumers:
            for stream in streams_heard(consumer.service.name):
                self._spawn(self._repeat(partial(self._listen, consumer, stream), _part(stream, consumer)))
            if consumer.service.tells and self.settings.clock is ClockMode.SYSTEM:
                self._spawn(self._repeat(partial(self._poll, consumer), "wakes"))
        log.info("started", http=self._http.port if self._http else None)

    def _consumer(self, service: Service, sweeper: Sweeper | None) -> Consumer:
        source = f"duban/{service.part_of}"
        return Consumer(
            service,
            self._documents[service.name],
            NatsTeller(self.client, source),
            DeadLetters(
                self.client,
                service.name,
                service.part_of,
                self.settings.poison_cap,
                self._originals,
                partial(MASK, service=service.part_of),
            ),
            self._charter,
            self._register,
            Standings(self.client) if service.standing else None,
            sweeper,
            partial(service.lookup, self._database) if service.lookup else None,
            self._clock,
            most_bytes(self.client.max_payload),
        )

    async def _listen(self, consumer: Consumer, stream: str) -> None:
        """Take and process until told to stop, two batches at a time."""
        await self._follower.arrived.wait()
        service = consumer.service
        gathers = 0.0 if stream == command_stream(service.name) else service.gathers
        puller = Puller(self.client, stream, service.name, self.settings.batch, gathers)
        async with puller, _in_work() as in_work:
            while not self._stopping.is_set() and not consumer.stopped:
                self.health.beat(_part(stream, consumer))
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
            self.health.beat("wakes")
            if self._clock_guard.trouble is None:
                await consumer.wake(self._clock())
            await self._pause(self.settings.poll_seconds)

    async def _sweep(self, sweeper: Sweeper) -> None:
        while not self._stopping.is_set():
            self.health.beat("sweep")
            try:
                await sweeper.sweep()
            except (NatsError, TimeoutError) as error:
                self._say("sweep", f"answered commands stay in their stream: {fault(error)}")
            else:
                self._say("sweep", OK)
            with suppress(TimeoutError):
                await asyncio.wait_for(sweeper.many.wait(), SWEEP_SECONDS)

    async def _check(self) -> None:
        """What `/ready` says, asked again and again."""
        while not self._stopping.is_set():
            self.health.beat()
            self._say("nats", OK if self.client.is_connected else "disconnected")
            asked = self._for_questions.connection.is_connected
            self._warn("questions", None if asked else "disconnected; nobody can ask this service")
            await self._check_mongo()
            await self._check_consumers()
            await self._check_clock()
            self._check_charter()
            self._check_troubles()
            await self._check_streams()
            metrics.READY.labels(self.name).set(self.health.ready)
            metrics.LOOPS_STUCK.labels(self.name).set(len(self.health.stuck))
            await self._pause(CHECK_SECONDS if self.health.ready else 0.25)

    async def _check_mongo(self) -> None:
        try:
            await self._database.command("ping")
            self._say("mongo", OK)
        except PyMongoError as error:
            self._say("mongo", f"{type(error).__name__}")

    async def _check_consumers(self) -> None:
        jetstream = self.client.jetstream(timeout=2)
        pending: dict[tuple[str, str], int] = {}
        for consumer in self._consumers:
            name = consumer.service.name
            for stream in streams_heard(name):
                part = _part(stream, consumer)
                try:
                    waiting = (await jetstream.consumer_info(stream, name)).num_pending or 0
                    self._say(part, OK)
                    metrics.CONSUMER_PENDING.labels(stream, name).set(waiting)
                    pending[stream, name] = waiting
                except NotFoundError:
                    self._say(part, "stream or consumer missing; run `duban provision`")
                except (NatsError, TimeoutError):
                    self._say(part, "no answer")
        self._warn("backlog", behind(pending))

    async def _check_clock(self) -> None:
        if self.settings.clock is not ClockMode.SYSTEM:
            return
        consumer = self._consumers[0].service.name
        with suppress(NatsError, TimeoutError, ValueError):
            await self._clock_guard.compare(self.client, next(iter(streams_heard(consumer))), consumer)
        self._say("clock", self._clock_guard.trouble or OK)
        departure = self._clock_guard.departure
        metrics.CLOCK_DEPARTURE.labels(self.name).set(departure.total_seconds() if departure else 0)

    def _check_charter(self) -> None:
        follower = self._follower
        self._say("charter", charter_state(follower.charter, follower.unreadable, follower.why_unreadable))
        revision = follower.charter.revision if follower.charter else 0
        if follower.charter and revision != self._senders_of:
            metrics.begin_senders(self.name, follower.charter.everyone())
            self._senders_of = revision
        metrics.CHARTER_REVISION.labels(self.name).set(revision)

    def _check_troubles(self) -> None:
        troubles = {consumer.service.name: consumer.troubles for consumer in self._consumers}
        newer = [each.newer_data for each in troubles.values() if each.newer_data]
        if newer or self.health.knows("data"):
            said = f"of a newer release: {newer[0]}; upgrade this service, nothing is lost" if newer else OK
            self._say("data", said)
        metrics.NEWER_DATA.labels(self.name).set(bool(newer))
        self._warn("slow_decisions", next((each.slow for each in troubles.values() if each.slow), None))
        self._warn(
            "redelivery", next((each.redelivery for each in troubles.values() if each.redelivery), None)
        )
        noisy: dict[str, int] = {}
        for consumer in self._consumers:
            noisy |= consumer.noisy()
        said = ", ".join(f"{count} by {actor}" for actor, count in sorted(noisy.items()))
        self._warn("unreadable_commands", f"in the last minute {said}" if said else None)

    async def _check_streams(self) -> None:
        """Those that this service writes: how much of what they may hold they hold."""
        near = []
        jetstream = self.client.jetstream(timeout=2)
        with suppress(NatsError, TimeoutError):
            for stream in (command_stream(self.name), fact_stream(self.name), DEAD_STREAM):
                info = await jetstream.stream_info(stream)
                for limit, most, held in (
                    ("bytes", info.config.max_bytes, info.state.bytes),
                    ("messages", info.config.max_msgs, info.state.messages),
                ):
                    used = held / most if most and most > 0 else 0.0
                    metrics.STREAM_USED.labels(stream, limit).set(used)
                    if used > NEAR_LIMIT:
                        near.append(f"{stream} holds {used:.0%} of the {limit} that it may hold")
            self._warn("streams", "; ".join(near) or None)
        with suppress(PyMongoError):
            metrics.DEAD_LETTERS_WAITING.labels(self.name).set(await self._originals.waiting())

    def _warn(self, part: str, text: str | None) -> None:
        if self.health.warn(part, text):
            log_health(part, text or OK)

    def _say(self, part: str, state: str) -> None:
        if self.health.say(part, state):
            log_health(part, state)

    async def _repeat(self, loop: Callable[[], Awaitable[None]], part: str) -> None:
        """Run a loop again after trouble, with a pause; said once per kind of trouble."""
        last = ""
        while not self._stopping.is_set():
            try:
                await loop()
                last = ""
            except Exception as error:
                if fault(error) != last:
                    log.warning("trouble", part=part, error=fault(error))
                last = fault(error)
                await self._pause(1.0)

    async def _patiently(self, step: Callable[[], Awaitable[None]], part: str) -> None:
        while True:
            try:
                await step()
                return
            except PyMongoError as error:
                self._say(part, fault(error))
                await asyncio.sleep(1)

    def _spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(asyncio.create_task(coroutine))

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    async def _stop(self) -> None:
        """Let the batches in hand finish, then end: what was not acknowledged comes again."""
        self._stopping.set()
        for asking in self._asking:
            with suppress(NatsError):
                await asking.unsubscribe()
        await self._desk.close()
        for task in self._aside:
            task.cancel()
        await asyncio.wait(self._tasks, timeout=self.settings.graceful_seconds)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, *self._aside, return_exceptions=True)

    async def _disconnect(self) -> None:
        await self._for_questions.stop()
        self._mongo.close()
        log.info("stopped")

    async def _closed(self) -> None:
        """The connection is gone for good: a process that cannot hear must not look alive."""
        if not self._stopping.is_set():
            log.error("connection_closed")
            self.failed = True
            self.app.exit()


def _part(stream: str, consumer: Consumer) -> str:
    """How `/ready` calls what `consumer` hears of `stream`, which a service and its view may both hear."""
    view = consumer.service.name != consumer.service.part_of
    return f"{stream}/{consumer.service.name}" if view else stream

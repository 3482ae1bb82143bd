"""One service's way with a batch of deliveries: read, number, decide and store, tell, acknowledge."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from time import monotonic
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import structlog
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from duban_contracts.charter import Charter
from duban_contracts.envelope import Poison
from duban_contracts.subjects import is_command
from duban_contracts.time import PassTime
from services.chassis import metrics
from services.chassis.clock import Clock, system_clock
from services.chassis.dead_letters import DeadLetters, sender_of
from services.chassis.decider import Wake
from services.chassis.documents import Documents, NewerDataError
from services.chassis.faults import fault, where
from services.chassis.heard import Heard
from services.chassis.inbox import Actors, Delivery, Read, commands, read
from services.chassis.originals import Original
from services.chassis.register import Register
from services.chassis.service import Service
from services.chassis.settle import MOST_BYTES, Item, Settler, Tell, Turns, in_milliseconds, wake_id
from services.chassis.standings import Standings
from services.chassis.sweeping import Sweeper
from services.chassis.troubles import Troubles

TRIES = 4
"""The first go at a key, and three more after conflicts; then the message goes back to the broker."""
LONGEST_DELAY = 60.0
MOST_NOT_WOKEN = 5_000
"""Keys that fail in one round of waking, after which it is not the keys."""

log = structlog.get_logger()


class Job(NamedTuple):
    """A delivery that could be read; `msg` is None for a dead letter that is replayed."""

    msg: Msg | None
    message: Read

    @property
    def passes_time(self) -> bool:
        return isinstance(self.message.heard.data, PassTime) and self.message.refused is None


Poisoned = tuple[Msg, Poison]


class Consumer:
    def __init__(
        self,
        service: Service,
        documents: Documents,
        tell: Tell,
        dead_letters: DeadLetters,
        charter: Callable[[], Charter],
        register: Register | None = None,
        standings: Standings | None = None,
        sweeper: Sweeper | None = None,
        lookup: Callable[[Charter, Sequence[Heard[Any]]], Awaitable[Sequence[Any]]] | None = None,
        clock: Clock = system_clock,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self.service, self._lookup = service, lookup
        self._documents, self._tell, self._dead_letters = documents, tell, dead_letters
        self._charter, self._register, self._standings = charter, register, standings
        self._sweeper, self._clock, self._most_bytes = sweeper, clock, most_bytes
        self.troubles = Troubles(service.name)
        self._settler: tuple[int, Settler[Any, Any]] | None = None
        self._turns, self._arriving = Turns(), asyncio.Lock()
        self._everyone: tuple[int, Actors] | None = None
        self._recalled = 0
        self._failing: dict[str, str] = {}
        self._unshown: dict[str, tuple[int, Any]] = {}

    @property
    def stopped(self) -> bool:
        """So much in a row could not be read that going on would only bury more."""
        return self._dead_letters.stopped

    def noisy(self) -> dict[str, int]:
        """Actors who send many unreadable commands: how many in the last minute."""
        return self._dead_letters.noisy()

    async def process(self, msgs: Sequence[Msg]) -> None:
        """Every message is acknowledged, terminated as poison, or given back with a delay.

        Raises what went wrong with the batch as a whole, e.g. a server that does not answer.
        """
        try:
            await self._process(msgs)
        except Exception as error:
            for msg in msgs:
                if not msg.is_acked:
                    await self._give_back(msg, error)
            raise

    async def _process(self, msgs: Sequence[Msg]) -> None:
        started, charter = monotonic(), self._charter()
        async with self._arriving:  # batches overlap: what came first is numbered and decided first
            jobs, poisoned = await self._read(msgs, charter)
            if any(job.passes_time for job in jobs):
                await self._pass_time(jobs, charter)
                jobs = []
        await self._settle_jobs(jobs, charter)
        await self._bury_all(poisoned)  # after their neighbours, who have nothing to wait for
        metrics.BATCH_SIZE.labels(self.service.name).observe(len(msgs))
        metrics.BATCH_SECONDS.labels(self.service.name).observe(monotonic() - started)

    async def _pass_time(self, jobs: Sequence[Job], charter: Charter) -> None:
        """One thing after another: time passes for all keys, after all that came before and is stored."""
        for run in _runs(jobs):
            if run[0].passes_time:
                await self._turns.nobody()
                await self.wake(run[0].message.heard.now)
                await self._acknowledge(run[0])
            else:
                await self._settle_jobs(run, charter)

    async def wake(self, now: datetime, limit: int = 500) -> int:
        """Everything that fell due by `now`, oldest first; returns how many keys were woken.

        A key that fails keeps nobody behind it waiting; the next poll tries it again.
        """
        woken, failed = 0, dict[str, Exception]()
        if self._unshown:
            await self._show({})
        await self._recall()
        while len(failed) < MOST_NOT_WOKEN:
            due = await self._documents.due(now, limit + len(failed))
            items = [Item[Any](wake_id(key, at), key, Wake(now), now) for key, at in due if key not in failed]
            if not items:
                break
            unwoken = await self._settle(items)
            woken += len(items) - len(unwoken)
            failed |= unwoken
        self._not_woken(failed)
        metrics.WAKES.labels(self.service.name).inc(woken)
        return woken

    def _not_woken(self, failed: Mapping[str, Exception]) -> None:
        faults = {key: fault(error) for key, error in failed.items()}
        for error in failed.values():
            self._notice(error)
        if set(faults.values()) - set(self.troubles.unwoken.values()):
            log.warning("not_woken", consumer=self.service.name, errors=sorted(set(faults.values())))
        if faults or self.troubles.unwoken:
            self.troubles.could_not_wake(faults)

    def _notice(self, error: Exception) -> None:
        if isinstance(error, NewerDataError):
            self.troubles.refused_newer(str(error))

    async def replay(self, original: Original) -> None:
        """Take a dead letter as if it were delivered now, under its own identity.

        What was answered meanwhile is not decided again. Raises Poison where it still cannot be read, and
        whatever else went wrong.
        """
        charter = self._charter()
        delivery = Delivery(original.subject, dict(original.headers), original.body, self._clock())
        job = Job(None, self._decoded(delivery, self._actors(charter)))
        [(job, error)] = await self._numbered([job], charter)
        if error is None:
            [(job, error)] = await self._looked_up([job], charter)
        items = [] if error else self._items(job, charter)
        failed = await self._settle(items)
        await self._note_keys([(job, items)])
        for raised in (error, *failed.values()):
            if raised is not None:
                raise raised

    async def _recall(self) -> None:
        """Once for each revision: what was counted under an older one wants to be woken."""
        charter = self._charter()
        published_at = in_milliseconds(charter.published_at)
        if self.service.follows_charter and published_at and charter.revision != self._recalled:
            await self._turns.nobody()  # decided under the old one, it would put its own time back
            await self._documents.recall(charter.revision, published_at)
            self._recalled = charter.revision

    async def _read(self, msgs: Iterable[Msg], charter: Charter) -> tuple[list[Job], list[Poisoned]]:
        """What could be read, and what could not. Whatever is raised is that one message's trouble."""
        jobs, poisoned, actors = list[Job](), list[Poisoned](), self._actors(charter)
        for msg in msgs:
            try:
                jobs.append(Job(msg, self._decoded(_delivery(msg), actors)))
            except Poison as poison:
                poisoned.append((msg, poison))
            except Exception as error:
                await self._give_back(msg, error)
        numbered = await self._numbered(jobs, charter)
        known = [job for job, why in numbered if why is None]
        found = await self._looked_up(known, charter)
        await self._not_settled((job, why) for job, why in [*numbered, *found] if why is not None)
        return [job for job, why in found if why is None], poisoned

    def _decoded(self, delivery: Delivery, actors: Actors) -> Read:
        return read(delivery, actors, keeps_personal_data=self.service.keeps_personal_data)

    async def _numbered(self, jobs: list[Job], charter: Charter) -> list[tuple[Job, Exception | None]]:
        """Each with its numbers, or with what its handler raised."""
        if self.service.numbering is None or self._register is None:
            return [(job, None) for job in jobs]
        numbering, zone = self.service.numbering, ZoneInfo(charter.timezone)
        wanted: list[tuple[Job, dict[str, str]]] = []
        failed: list[tuple[Job, Exception | None]] = []
        for job in jobs:
            try:
                heard = job.message.heard
                wanted.append((job, {who: numbering.series(heard, zone) for who in numbering.holders(heard)}))
            except Exception as error:
                failed.append((job, error))
        holders = {who: series for _, mine in wanted for who, series in mine.items()}
        numbers = await self._register.allot(holders) if holders else {}
        numbered = (_with_numbers(job, {who: numbers[who] for who in mine}) for job, mine in wanted)
        return [*((job, None) for job in numbered), *failed]

    async def _looked_up(self, jobs: list[Job], charter: Charter) -> list[tuple[Job, Exception | None]]:
        """Each with what the service looked up for it, or with what that raised."""
        if self._lookup is None or not jobs:
            return [(job, None) for job in jobs]
        try:
            found = await self._lookup(charter, [job.message.heard for job in jobs])
        except Exception as error:
            if len(jobs) == 1:
                return [(jobs[0], error)]
            return [each for job in jobs for each in await self._looked_up([job], charter)]
        both = zip(jobs, found, strict=True)
        return [(job if each is None else _with_found(job, each), None) for job, each in both]

    async def _settle_jobs(self, jobs: Sequence[Job], charter: Charter) -> None:
        """Nothing is waited for before the keys have their turn: the next batch is right behind."""
        handled: list[tuple[Job, list[Item[Any]]]] = []
        unfit: list[tuple[Job, Exception]] = []
        for job in jobs:
            try:
                handled.append((job, self._items(job, charter)))
            except Exception as error:
                unfit.append((job, error))
        failed = await self._settle([item for _, items in handled for item in items])
        await self._note_keys(handled)
        settled = 0
        for job, items in handled:
            spoilt = next((failed[item.key] for item in items if item.key in failed), None)
            if spoilt is None:
                await self._acknowledge(job)
                settled += 1
            else:
                unfit.append((job, spoilt))
        await self._not_settled(unfit)
        if settled and any(not job.message.digest for job, _ in handled):
            self._dead_letters.fine()
        metrics.MESSAGES.labels(self.service.name, "settled").inc(settled)

    async def _note_keys(self, handled: Iterable[tuple[Job, list[Item[Any]]]]) -> None:
        """Whoever sent a command knows its id and the key that he named, not the one that it turned into."""
        elsewhere = [
            (item.id, item.key)
            for job, items in handled
            for item in items
            if item.digest and item.key != job.message.heard.key
        ]
        if elsewhere:
            await self._documents.note_keys(elsewhere)

    async def _not_settled(self, unfit: Iterable[tuple[Job, Exception]]) -> None:
        poisoned = list[Poisoned]()
        for job, why in unfit:
            if job.msg is None:
                continue
            if isinstance(why, Poison):
                poisoned.append((job.msg, why))
            else:
                await self._give_back(job.msg, why)
        await self._bury_all(poisoned)

    def _items(self, job: Job, charter: Charter) -> list[Item[Any]]:
        message = job.message
        heard, attributes = message.heard, message.attributes
        return [
            Item(
                message.name,
                key,
                command,
                heard.now,
                attributes.correlation,
                attributes.traceparent,
                heard.asked if message.digest else None,
                message.digest,
            )
            for key, command in commands(job.message, self.service.handlers, charter)
        ]

    async def _settle(self, items: Sequence[Item[Any]]) -> dict[str, Exception]:
        """Returns what could not be settled, by key."""
        failed: dict[str, Exception] = {}
        for _ in range(TRIES):
            if not items:
                return failed
            settled = await self._settling().settle(items)
            failed |= settled.failures
            metrics.ANSWERED.labels(self.service.name).inc(settled.answered)
            metrics.CONFLICTS.labels(self.service.name).inc(len(settled.conflicts))
            items = [item for item in items if item.key in settled.conflicts]
        return failed | {item.key: ConflictError(item.key) for item in items}

    def _settling(self) -> Settler[Any, Any]:
        """One settler per revision of the charter."""
        charter = self._charter()
        if self._settler is None or self._settler[0] != charter.revision:
            settler = Settler(
                self.service.decider(charter),
                self._documents,
                self._tell,
                revision=charter.revision,
                row=self.service.row(charter) if self.service.row else None,
                tells=self.service.tells,
                turns=self._turns,
                show=self._show if self._standings and self.service.standing else None,
                audience=self.service.audience(charter),
                most_bytes=self._most_bytes,
                decided=self.troubles.decided,
            )
            self._settler = (charter.revision, settler)
        return self._settler[1]

    async def _show(self, states: Mapping[str, tuple[int, Any]]) -> None:
        """Showing never holds up deciding: what could not be shown is shown later, with what comes next."""
        if self._standings is None or self.service.standing is None:
            return
        self._unshown = {**self._unshown, **states}
        try:
            await self._standings.put(self._unshown, self.service.standing)
        except (NatsError, TimeoutError) as error:
            log.warning("not_shown", consumer=self.service.name, error=fault(error))
        else:
            self._unshown = {}

    def _actors(self, charter: Charter) -> Actors:
        if self._everyone is None or self._everyone[0] != charter.revision:
            self._everyone = (charter.revision, charter.everyone())
        return self._everyone[1]

    async def _acknowledge(self, job: Job) -> None:
        if job.msg is not None:
            await job.msg.ack()
            self._done_with(job.msg)

    def _done_with(self, msg: Msg) -> None:
        if self.troubles.has_messages:
            meta = msg.metadata
            self.troubles.over(meta.stream, meta.sequence.stream)
        if self._sweeper and is_command(msg.subject):
            self._sweeper.answered(sequence_of(msg.reply), stored_at(msg.reply))

    async def _bury_all(self, poisoned: Iterable[Poisoned]) -> None:
        await asyncio.gather(*(self._bury(msg, poison) for msg, poison in poisoned))

    async def _bury(self, msg: Msg, poison: Poison) -> None:
        try:
            await self._dead_letters.bury(msg, poison)
        except Exception as error:  # no room for the letter: its neighbours go on
            await self._give_back(msg, error)
            return
        self._done_with(msg)
        metrics.MESSAGES.labels(self.service.name, "poison").inc()
        metrics.DEAD_LETTERS.labels(self.service.name, poison.reason).inc()
        if (sender := sender_of(msg.subject)) is not None:
            known = sender if sender in self._actors(self._charter()) else metrics.UNKNOWN_SENDER
            metrics.UNREADABLE_COMMANDS.labels(self.service.name, known).inc()
        else:
            metrics.UNREADABLE_FACTS.labels(self.service.name).inc()

    async def _give_back(self, msg: Msg, error: Exception) -> None:
        """Back to the broker with a growing delay, for ever; logged when the trouble changes."""
        trouble, meta = fault(error), msg.metadata
        self._notice(error)
        self.troubles.given_back(meta.stream, meta.sequence.stream, msg.subject, meta.num_delivered, trouble)
        if self._failing.get(msg.subject) != trouble:
            self._failing = {**self._failing, msg.subject: trouble} if len(self._failing) < 1000 else {}
            log.warning(
                "given_back",
                consumer=self.service.name,
                subject=msg.subject,
                error=trouble,
                where=where(error),
            )
        metrics.MESSAGES.labels(
            self.service.name, "conflict" if isinstance(error, ConflictError) else "failed"
        ).inc()
        await msg.nak(delay=min(0.25 * 2 ** min(meta.num_delivered, 20), LONGEST_DELAY))


class ConflictError(Exception):
    """Another writer was faster every time."""


def _with_numbers(job: Job, numbers: dict[str, str]) -> Job:
    if not numbers:
        return job
    only = next(iter(numbers.values())) if len(numbers) == 1 else None
    heard = replace(job.message.heard, number=only, numbers=numbers)
    return job._replace(message=job.message._replace(heard=heard))


def _with_found(job: Job, found: Any) -> Job:
    heard = replace(job.message.heard, found=found)
    return job._replace(message=job.message._replace(heard=heard))


def _runs(jobs: Sequence[Job]) -> Iterable[Sequence[Job]]:
    """Split so that a `pass_time` stands alone: what came before it is settled before it."""
    run: list[Job] = []
    for job in jobs:
        if job.passes_time:
            if run:
                yield run
            yield [job]
            run = []
        else:
            run.append(job)
    if run:
        yield run


def _delivery(msg: Msg) -> Delivery:
    return Delivery(msg.subject, msg.headers or {}, msg.data, stored_at(msg.reply))


def stored_at(reply: str) -> datetime:
    """When the broker stored the message, by its acknowledgement subject.

    `msg.metadata` reads all of it, at ten times the price, and this is asked for every message.
    """
    nanoseconds = int(_token(reply, _STORED_AT))
    return datetime.fromtimestamp(nanoseconds // 1_000_000 / 1000, UTC)


def sequence_of(reply: str) -> int:
    """Its place in its stream, by its acknowledgement subject."""
    return int(_token(reply, _SEQUENCE))


def _token(reply: str, place: int) -> str:
    tokens = reply.split(".")
    return tokens[place if len(tokens) == _PLAIN else place + _DOMAIN]


_PLAIN, _DOMAIN, _SEQUENCE, _STORED_AT = 9, 2, 5, 7
"""`$JS.ACK.<stream>.<consumer>.<delivered>.<sequence>.<consumer sequence>.<time>.<pending>`, and two tokens
more, `$JS.ACK.<domain>.<account>.<stream>...`, where the broker is part of a domain."""

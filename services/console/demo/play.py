"""Play the scenario through the running services, one working day after the other.

In the morning time passes: whatever fell due since the day before becomes a fact. Then the steps of the
day are sent, one service after the other, and each time we wait until nothing is in work any more. So
every service hears the same things in the same order in every run, whatever the machine is doing.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from heapq import heappop, heappush

from nats.aio.client import Client

from duban_contracts.charter import Actor, Charter, Role
from duban_contracts.envelope import Envelope, decode
from duban_contracts.message import SERVICES, Fact
from duban_contracts.subjects import fact_stream
from duban_contracts.time import EscalationPassTime, LedgerPassTime, PassTime, RatingPassTime
from services.console.client import Duban, Order
from services.console.demo.react import react
from services.console.demo.scenario import FIRST, LAST, opening
from services.console.demo.steps import ACTOR, Step, World
from services.console.demo.stream_reader import follow, last_sequence

MORNING, EVENING = time(9), time(18)

CLOCKS: tuple[type[PassTime], ...] = (LedgerPassTime, RatingPassTime, EscalationPassTime)
"""Where something can fall due by itself; what the later ones hear comes from the ones before."""

Show = Callable[[datetime, list[Fact]], Awaitable[None]]
"""Told after each morning and each evening: the scenario's time, and the facts since the last one."""


def with_timelapse(charter: Charter) -> Charter:
    """The demo's charter believes one more actor: about what others did, and when."""
    timelapse = Actor(
        name="演示",
        role=Role.FEED,
        may_backdate=True,
        may_act_for=True,
        may_route=True,
        may_set_deadline=True,
    )
    return charter.model_copy(update={"actors": {**charter.actors, ACTOR: timelapse}})


@dataclass
class Agenda:
    """The steps still to come, in the order of time."""

    seed: int
    _heap: list[tuple[datetime, str, Step]] = field(default_factory=list)

    def add(self, steps: Iterable[Step]) -> None:
        for step in steps:
            heappush(self._heap, (step.at, step.order(self.seed).id, step))

    def due(self, until: datetime) -> Iterator[Step]:
        while self._heap and self._heap[0][0] <= until:
            yield heappop(self._heap)[2]


class Facts:
    """All that the services tell, read to the end of what is there."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._streams = {stream: follow(client, stream, 0, _trouble) for stream in map(fact_stream, SERVICES)}
        self._seen = dict.fromkeys(self._streams, 0)

    async def fresh(self) -> list[Fact]:
        """Everything since the last call, in the order of time."""
        found = await asyncio.gather(*(self._read(stream) for stream in self._streams))
        told = sorted((each for envelopes in found for each in envelopes), key=_place)
        return [each.data for each in told if isinstance(each.data, Fact)]

    async def _read(self, stream: str) -> list[Envelope]:
        envelopes: list[Envelope] = []
        last = await last_sequence(self._client, stream)
        while self._seen[stream] < last:
            msg = await anext(self._streams[stream])
            self._seen[stream] = msg.metadata.sequence.stream
            envelopes.append(decode(msg.subject, msg.headers, msg.data))
        return envelopes

    async def close(self) -> None:
        for messages in self._streams.values():
            if isinstance(messages, AsyncGenerator):
                await messages.aclose()


def _place(told: Envelope) -> tuple[datetime | None, str, str, str]:
    """Facts of one instant are told in no order that is the same every time; those of one cause are."""
    attributes = told.attributes
    return attributes.time, attributes.source, attributes.key, attributes.causation or ""


def _trouble(error: Exception) -> None:
    raise error  # our own broker, on this machine: whatever it is, it is not the play's to mend


@dataclass
class Player:
    duban: Duban
    world: World
    agenda: Agenda
    facts: Facts
    show: Show

    async def play(self, days: Iterable[date]) -> None:
        self.agenda.add(opening(self.world.seed, self.world.charter))
        for day in days:
            await self._pass_time(self._at(day, MORNING))
            await self._act(self._at(day, EVENING))

    async def _pass_time(self, now: datetime) -> None:
        for clock in CLOCKS:
            await self._send([Order(clock(), "clock", ACTOR, f"clock:{clock.service}:{now}", at=now)])
        await self._hear(now)

    async def _act(self, until: datetime) -> None:
        steps = list(self.agenda.due(until))
        for service in SERVICES:
            theirs = [step.order(self.world.seed) for step in steps if step.command.service == service]
            if theirs:
                await self._send(theirs)
        await self._hear(until)

    async def _send(self, orders: Iterable[Order]) -> None:
        await self.duban.send_all(orders)
        await self.duban.caught_up()

    async def _hear(self, now: datetime) -> None:
        facts = await self.facts.fresh()
        for fact in facts:
            steps = react(fact, self.world)
            if early := [step for step in steps if step.at <= now]:
                raise ValueError(f"nobody can do at {early[0].at} what is known only at {now}: {early[0]}")
            self.agenda.add(steps)
        await self.show(now, facts)

    def _at(self, day: date, moment: time) -> datetime:
        return datetime.combine(day, moment, self.world.zone)


async def play(duban: Duban, world: World, days: int | None, show: Show) -> datetime:
    """Returns the scenario's time at the end. Weekends and holidays pass in the morning after them."""
    last = LAST if days is None else min(LAST, FIRST + timedelta(days=days - 1))
    player = Player(duban, world, Agenda(world.seed), Facts(duban.client), show)
    try:
        await player.play(world.working_days(FIRST, last))
    finally:
        await player.facts.close()
    return datetime.combine(last, EVENING, world.zone)

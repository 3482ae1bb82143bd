"""A broker, a store and a power switch, all in memory: for dying at every step there is."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from duban_contracts.message import CATALOGUE, Fact
from services.chassis.decider import Decider, Wake
from services.chassis.memory import MemoryDocuments
from services.chassis.settle import Item, Settler, Telling, wake_id
from services.chassis.telling import event_id

START = datetime(2024, 4, 15, 1, tzinfo=UTC)


class Summed(Fact, service="test", message_name="test_summed"):
    total: int


class Reminded(Fact, service="test", message_name="test_reminded"):
    total: int


for fact in (Summed, Reminded):
    del CATALOGUE[fact.type]  # no message of ours: other tests go through the catalogue


@dataclass(frozen=True)
class Add:
    amount: int
    now: datetime


@dataclass(frozen=True)
class Total:
    """A running total that wants to be reminded an hour after it last grew."""

    total: int = 0
    remind_at: datetime | None = None


def decide(command: Add | Wake, state: Total) -> list[Summed | Reminded]:
    match command:
        case Wake(now):
            return [Reminded(at=now, total=state.total)]
        case Add(0, _):
            return []
        case Add(amount, now):
            return [Summed(at=now, total=state.total + amount)]


def evolve(state: Total, event: Summed | Reminded) -> Total:
    match event:
        case Summed(at=at, total=total):
            return Total(total, at + timedelta(hours=1))
        case Reminded():
            return Total(state.total, None)


total: Decider[Any, Any, Any] = Decider(
    decide, evolve, Total(), states=(Total,), events=(Summed, Reminded), wake_at=lambda s: s.remind_at
)


def add(id: str, key: str, amount: int, minute: int = 0) -> Item[Add]:  # noqa: A002
    now = START + timedelta(minutes=minute)
    return Item(id, key, Add(amount, now), now)


class Died(Exception):
    """The process was killed."""


class World(MemoryDocuments):
    """Counts its outside steps; at step `dies_at` the power goes, once."""

    def __init__(self, dies_at: int = 0) -> None:
        super().__init__()
        self.steps, self.dies_at = 0, dies_at
        self.told: dict[str, Any] = {}
        self.tellings = 0

    def step(self) -> None:
        self.steps += 1
        if self.steps == self.dies_at:
            raise Died

    async def load(self, keys: Iterable[str]) -> Any:
        self.step()
        return await super().load(keys)

    async def save(self, changes: Sequence[Any]) -> set[str]:
        for change in changes:  # what leaves a document is archived first, whatever becomes of the document
            self.step()
            self.spill(change)
        conflicts = set()
        for change in changes:  # a bulk write is not atomic: a death may come between two keys
            self.step()
            conflicts |= await super().save([change])
        self.step()
        return conflicts

    async def rest(self, wakes: Sequence[Any]) -> None:
        self.step()
        await super().rest(wakes)
        self.step()

    async def tell(self, tellings: Sequence[Telling]) -> None:
        for telling in tellings:
            for n, event in enumerate(telling.answer.events):
                self.step()
                self.told.setdefault(event_id(telling.answer.to, telling.key, n), event)
                self.tellings += 1
                self.step()

    def settler(self) -> Settler[Any, Any]:
        return Settler(total, self, self.tell)

    async def deliver(self, batch: Sequence[Item[Any]]) -> None:
        await self.settler().settle(batch)
        self.step()  # died before the acknowledgement

    async def poll(self, now: datetime) -> None:
        while due := await self.due(now, 100):
            await self.settler().settle([Item(wake_id(k, at), k, Wake(now), now) for k, at in due])

    def run(self, batches: Iterable[Sequence[Item[Any]]], until: datetime | None = None) -> "World":
        """Each batch is delivered again after each death; then time passes."""
        for batch in batches:
            self._survive(lambda batch=batch: self.deliver(batch))
        if until:
            self._survive(lambda: self.poll(until))
        return self

    def _survive(self, story: Any) -> None:
        while True:
            try:
                asyncio.run(story())
                return
            except Died:
                continue

    @property
    def stored(self) -> dict[str, Any]:
        answers = [(key, a) for key, given in self.answers.items() for a in given.values()]
        answers += [(key, a) for (key, _), a in self.archive.items()]
        return {event_id(a.to, key, n): event for key, a in answers for n, event in enumerate(a.events)}

    @property
    def answered(self) -> list[str]:
        return [to for document in self.documents.values() for to in document.answered] + [
            to for _, to in self.archive
        ]

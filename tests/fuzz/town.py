"""All five services in memory: a message goes through the real reader, handlers, deciders and stores.

What a service tells is delivered to whoever hears it, until nobody has anything to say.
"""

import json
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from duban_contracts import handling, intake, ledger, measures, supervision
from duban_contracts.charter import Ground, Limit
from duban_contracts.envelope import Attributes, Poison, encode
from duban_contracts.message import CATALOGUE, Fact, Message
from duban_contracts.subjects import subject_of
from duban_contracts.topology import HEARS
from services.chassis.charter_file import read_charter
from services.chassis.decider import KEPT, Wake
from services.chassis.documents import Event
from services.chassis.inbox import Delivery, commands, read
from services.chassis.memory import MemoryDocuments
from services.chassis.service import Service
from services.chassis.settle import Item, Settler, Telling, wake_id
from services.chassis.telling import event_id, subject_for
from services.escalation.app import REPORT
from services.escalation.app import SERVICE as ESCALATION
from services.intake.app import SERVICE as INTAKE
from services.ledger.app import SERVICE as LEDGER
from services.rating.app import SERVICE as RATING
from services.supervision.app import SERVICE as SUPERVISION

FILE = Path(__file__).parents[2] / "deploy" / "charters" / "township-2024.yaml"
CHARTER = read_charter(FILE).model_copy(
    update={"revision": 1, "published_at": datetime(2024, 4, 1, tzinfo=UTC), "national_calendar": "CN"}
)
ACTORS = CHARTER.everyone()
SERVICES = (INTAKE, LEDGER, RATING, SUPERVISION, ESCALATION, REPORT)
MOST_DELIVERIES = 2_000
"""So many messages may follow from one; a command that starts an endless exchange is a bug."""


def _copied(documents: MemoryDocuments) -> MemoryDocuments:
    other = MemoryDocuments()
    other.documents = dict(documents.documents)
    other.answers = {key: dict(answers) for key, answers in documents.answers.items()}
    other.archive, other.rows = dict(documents.archive), dict(documents.rows)
    return other


class Checkpoint(NamedTuple):
    documents: dict[str, MemoryDocuments]
    numbers: dict[str, str]
    sent: int


class FuzzTown:
    """`told` holds every fact that left a service, `poisoned` why a message was a dead letter."""

    def __init__(self) -> None:
        self.documents = {service.name: MemoryDocuments() for service in SERVICES}
        self.numbers: dict[str, str] = {}
        self.told: list[Fact] = []
        self.events: list[tuple[str, Event]] = []
        """The same facts as they are stored, each with its key."""
        self.largest = 0
        self.poisoned: list[Poison] = []
        self.sent = 0
        self._settlers = self._make_settlers()
        self._telling: list[Telling] = []

    def _make_settlers(self) -> dict[str, Settler[Any, Any]]:
        return {
            service.name: Settler(
                service.decider(CHARTER),
                self.documents[service.name],
                self._tell,
                revision=CHARTER.revision,
                row=service.row(CHARTER) if service.row else None,
                tells=service.tells,
                audience=service.audience(CHARTER),
            )
            for service in SERVICES
        }

    def checkpoint(self) -> "Checkpoint":
        return Checkpoint(
            {name: _copied(documents) for name, documents in self.documents.items()},
            dict(self.numbers),
            self.sent,
        )

    def restore(self, earlier: "Checkpoint") -> None:
        """As it was; documents and answers are immutable values."""
        for name, documents in earlier.documents.items():
            vars(self.documents[name]).update(vars(_copied(documents)))
        self.numbers, self.sent = dict(earlier.numbers), earlier.sent
        self.told, self.events, self.poisoned, self.largest, self._telling = [], [], [], 0, []

    async def _tell(self, tellings: Sequence[Telling]) -> None:
        self._telling.extend(tellings)

    async def send(
        self,
        message: type[Message] | Message,
        key: str,
        actor: str,
        at: datetime,
        body: bytes | None = None,
        time: str | None = None,
    ) -> list[Fact]:
        """Everything that follows from a command: the facts told, in order. `time` goes into `ce-time`."""
        self.sent += 1
        identity = f"m{self.sent}"
        headers = encode(Attributes(identity, "fuzz", message.type, None, key, identity), time)
        if body is None:
            assert isinstance(message, Message)
            body = message.model_dump_json().encode()
        return await self.deliver(Delivery(subject_of(message, actor), headers, body, at))

    async def deliver(self, delivery: Delivery) -> list[Fact]:
        before, waiting, delivered = len(self.told), deque([delivery]), 0
        while waiting:
            delivered += 1
            assert delivered <= MOST_DELIVERIES
            each = waiting.popleft()
            for service in _listeners(each):
                waiting.extend(await self._settle(service, each))
        return self.told[before:]

    async def _settle(self, service: Service, delivery: Delivery) -> list[Delivery]:
        try:
            message = read(delivery, ACTORS)
            if service.numbering:
                message = message._replace(heard=self._numbered(service, message.heard))
            pairs = commands(message, service.handlers, CHARTER)
        except Poison as poison:
            self.poisoned.append(poison)
            return []
        heard, asked = message.heard, message.heard.asked if message.digest else None
        items = [
            Item(message.name, key, command, heard.now, asked=asked, digest=message.digest)
            for key, command in pairs
        ]
        return await self._items(service, items)

    def _numbered(self, service: Service, heard: Any) -> Any:
        assert service.numbering
        holders = list(service.numbering.holders(heard))
        for holder in holders:
            self.numbers.setdefault(holder, f"{heard.now.year}-{len(self.numbers) + 1:06}")
        mine = {holder: self.numbers[holder] for holder in holders}
        return replace(heard, number=next(iter(mine.values()), None), numbers=mine) if mine else heard

    async def _items(self, service: Service, items: Sequence[Item[Any]]) -> list[Delivery]:
        settled = await self._settlers[service.name].settle(items)
        for error in settled.failures.values():
            raise error
        assert not settled.conflicts
        tellings, self._telling = self._telling, []
        return [each for telling in tellings for each in self._facts(service, telling)]

    def _facts(self, service: Service, telling: Telling) -> Iterable[Delivery]:
        for n, event in enumerate(telling.answer.events):
            if event.type.startswith(KEPT):
                continue
            fact = CATALOGUE[event.type].model_validate_json(event.data)
            assert isinstance(fact, Fact)
            self.told.append(fact)
            self.events.append((telling.key, event))
            identity = event_id(telling.answer.to, telling.key, n)
            attributes = Attributes(identity, service.name, event.type, None, telling.key, identity)
            headers, body = encode(attributes, event.time), event.data.encode()
            self.largest = max(self.largest, len(body) + len(json.dumps(headers)))
            yield Delivery(subject_for(event), headers, body, fact.at)

    async def wake(self, now: datetime, most: int = 50) -> list[Fact]:
        """What fell due until `now`, at most so many wakes."""
        before = len(self.told)
        for service in SERVICES:
            for key, at in await self.documents[service.name].due(now, most):
                item = Item(wake_id(key, at), key, Wake(at), at)
                for delivery in await self._items(service, [item]):
                    await self.deliver(delivery)
        return self.told[before:]


def _listeners(delivery: Delivery) -> list[Service]:
    kind, name = delivery.subject.split(".")[:2]
    if kind == "cmd":
        return [service for service in SERVICES if service.name == name]
    model = CATALOGUE[delivery.headers["ce-type"]]
    return [service for service in SERVICES if model in HEARS[service.name]]


MONDAY = datetime(2024, 4, 15, 2, tzinfo=UTC)
NOW = datetime(2024, 5, 20, 2, tzinfo=UTC)
ENTRIES = ("open", "accepted", "resolved", "struck", "offered", "held", "extending", "benefit", "conduct")


async def busy_town() -> FuzzTown:
    """A town in which each command finds something that it can be about; keys and actors stand in `keys`."""
    town = FuzzTown()

    async def do(message: Message, key: str, actor: str, at: datetime = MONDAY) -> list[Fact]:
        return await town.send(message, key, actor, at)

    campaign = "campaign/2024"
    await do(supervision.StartCampaign(), campaign, "office")
    await do(measures.ApplyPlan(), "plan/2024", "office")
    for name in ENTRIES:
        category = {"benefit": "temporary_relief", "conduct": "conduct"}.get(name, "garbage")
        category = category if category in CHARTER.categories else "garbage"
        required = CHARTER.categories[category].required
        await do(
            intake.SubmitMatter(
                title="垃圾无人清运", category=category, materials=required, village="dongcun"
            ),
            f"fuzz:{name}",
            "gateway",
        )
    await do(intake.SubmitMatter(title="临时救助", category="temporary_relief"), "fuzz:incomplete", "gateway")
    number = {name: town.numbers[f"fuzz:{name}"] for name in ENTRIES}
    station = CHARTER.categories["garbage"].lead
    for name in ("accepted", "resolved", "struck", "held", "extending"):
        await do(ledger.Accept(), number[name], station)
    await do(handling.Transfer(to="bianmin", reason="归口"), number["offered"], station)
    await do(handling.Hold(ground=handling.HoldGround.FORCE_MAJEURE, reason="大雨"), number["held"], station)
    await do(handling.ApplyExtension(length=Limit(amount=2), reason="待料"), number["extending"], station)
    for name in ("resolved", "struck"):
        await do(ledger.Resolve(answer="已清运"), number[name], station)
    await do(ledger.Verify(passed=True), number["struck"], "office")
    await do(supervision.DrawInspections(day=MONDAY.date(), count=3, seed=1), campaign, "office")
    serious = supervision.RecordFinding(station=station, ground=Ground.PERFUNCTORY, text="敷衍", serious=True)
    await do(serious, "finding/f1", "office")
    return town


async def pass_days(town: FuzzTown) -> None:
    """Until NOW: what was left lying is late, stations lag, orders are issued and steps proposed."""
    for day in range(1, 36, 2):
        await town.wake(MONDAY + timedelta(days=day), most=1_000)


def keys(town: FuzzTown) -> list[str]:
    """Every key that a message of the town is about, the numbers of orders and steps among them."""
    stored = {key for documents in town.documents.values() for key in documents.documents}
    named = {
        value
        for fact in town.told
        for name in ("order", "step", "circular", "milestone", "stage")
        if isinstance(value := getattr(fact, name, None), str)
    }
    return sorted(stored | named)

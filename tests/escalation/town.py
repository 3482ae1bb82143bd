"""The township as escalation's tests see it: its charter, its days, and stories told to its ladder."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from duban_contracts.charter import Charter, Ground
from duban_contracts.escalation import EscalationEvent, ItemKind, OpenItem
from services.chassis.charter_file import read_charter
from services.chassis.decider import Asked, Decider, Wake
from services.escalation.decider import (
    AcknowledgeOrder,
    AnswerOrder,
    ApproveStep,
    BeginSupervision,
    Close,
    DeclineStep,
    Open,
    RecordInstruction,
    RecordReceipt,
    WithdrawCircular,
    escalation,
)

TOWNSHIP = read_charter(Path(__file__).parents[2] / "deploy" / "charters" / "township-2024.yaml")
ZONE = ZoneInfo(TOWNSHIP.timezone)
TICK = timedelta(microseconds=1)
STATION = "qingjieban"
ENTRY = "2024-000007"
OVERDUE = f"overdue/{ENTRY}"


def day(month: int, number: int, hour: int = 0, minute: int = 0) -> datetime:
    """A local time of 2024 as an instant."""
    return datetime(2024, month, number, hour, minute, tzinfo=ZONE).astimezone(UTC)


START = day(4, 15, 9)
DUE = day(4, 18)  # the last day in time was Wednesday, 17 April
SERIOUS = day(4, 19)  # one working day after it
ACKNOWLEDGE_BY = day(4, 23)  # one working day after Friday, 19 April
ANSWER_BY = day(5, 7)  # 15 days after it are a holiday, so Monday, 6 May
UNMET = day(5, 12)  # five working days more; Saturday, 11 May is one of them


def charter(**ladder: Any) -> Charter:
    """The township's charter with other rungs: `charter(order={"grounds": ()})`."""
    rungs = {
        name: getattr(TOWNSHIP.ladder, name).model_copy(update=update) for name, update in ladder.items()
    }
    return revised(ladder=TOWNSHIP.ladder.model_copy(update=rungs))


def revised(**update: Any) -> Charter:
    """The township's charter with other articles, read anew so that nothing of the old one is left."""
    return Charter.model_validate(TOWNSHIP.model_copy(update=update).model_dump())


def asked(now: datetime, actor: str, command: str = "command", key: str = STATION) -> Asked:
    return Asked(now, actor, key, command)


def late_item(entry: str = ENTRY, since: datetime = DUE) -> OpenItem:
    return OpenItem(id=f"overdue/{entry}", kind=ItemKind.ENTRY_OVERDUE, since=since)


def finding(name: str, ground: Ground, since: datetime) -> OpenItem:
    return OpenItem(id=f"finding/{name}", kind=ItemKind.FINDING, ground=ground, since=since)


def flag(since: datetime, entry: str = ENTRY) -> OpenItem:
    return OpenItem(id=f"integrity/{entry}/1", kind=ItemKind.INTEGRITY, ground=Ground.INTEGRITY, since=since)


@dataclass
class Story:
    """What happened at one station, told in the order in which it was heard."""

    station: str = STATION
    charter: Charter = TOWNSHIP
    events: list[EscalationEvent] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.decider: Decider[Any, Any, Any] = escalation(self.charter)
        self.state: Any = self.decider.initial_state

    def tell(self, command: Any, now: datetime | None = None) -> Sequence[EscalationEvent]:
        at = now or (command.asked.now if hasattr(command, "asked") else command.now)
        events, self.state = self.decider.answer(command, at, self.state)
        self.events += events
        return events

    def wait(self, until: datetime) -> Sequence[EscalationEvent]:
        return self.tell(Wake(until))

    def begin(self, now: datetime = START) -> Sequence[EscalationEvent]:
        return self.tell(BeginSupervision(now, self.station, "campaign/2024"))

    def overdue(
        self,
        entry: str = ENTRY,
        since: datetime = DUE,
        now: datetime | None = None,
        round: int = 1,  # noqa: A002
    ) -> Sequence[EscalationEvent]:
        return self.tell(Open(now or since, self.station, late_item(entry, since), round))

    def found(
        self, ground: Ground, now: datetime, name: str = "1", serious: bool = False
    ) -> Sequence[EscalationEvent]:
        return self.tell(Open(now, self.station, finding(name, ground, now), serious=serious))

    def flagged(self, now: datetime, entry: str = ENTRY) -> Sequence[EscalationEvent]:
        return self.tell(Open(now, self.station, flag(now, entry)))

    def close(
        self, now: datetime, *items: str, occurrence: int = 1, owed: bool = False
    ) -> Sequence[EscalationEvent]:
        items = items or (OVERDUE,)
        return self.tell(Close(now, self.station, items, occurrence, items if owed else ()))

    def acknowledge(self, now: datetime, number: int = 1, actor: str | None = None) -> Any:
        actor = actor or self.station
        return self.tell(AcknowledgeOrder(asked(now, actor), self.station, self.order(number)))

    def answer(self, now: datetime, number: int = 1, actor: str | None = None) -> Any:
        actor = actor or self.station
        return self.tell(AnswerOrder(asked(now, actor), self.station, self.order(number), "done"))

    def approve(self, now: datetime, number: int = 1, actor: str = "office") -> Any:
        return self.tell(ApproveStep(asked(now, actor), self.station, self.step(number), "the head"))

    def decline(self, now: datetime, number: int = 1, actor: str = "office") -> Any:
        return self.tell(
            DeclineStep(asked(now, actor), self.station, self.step(number), "the head", "not yet")
        )

    def instruct(self, now: datetime, number: int = 1, actor: str = "leader") -> Any:
        return self.tell(RecordInstruction(asked(now, actor), self.station, self.step(number), "go on"))

    def receive(self, now: datetime, number: int = 1, actor: str = "discipline") -> Any:
        return self.tell(RecordReceipt(asked(now, actor), self.station, self.step(number), "R-1"))

    def withdraw(self, now: datetime, number: int = 1, actor: str = "office") -> Any:
        circular = f"{self.station}-2024-circular-{number}"
        return self.tell(WithdrawCircular(asked(now, actor), self.station, circular, "by mistake"))

    def order(self, number: int) -> str:
        return f"{self.station}-2024-{number}"

    def step(self, number: int) -> str:
        return f"{self.station}-2024-step-{number}"


def supervised(station: str = STATION, charter: Charter = TOWNSHIP) -> Story:
    story = Story(station, charter)
    story.begin()
    return story


def ordered(station: str = STATION, charter: Charter = TOWNSHIP) -> Story:
    """An entry is overdue, and the station is under its first order since 19 April."""
    story = supervised(station, charter)
    story.overdue()
    story.wait(SERIOUS)
    return story


def kinds(events: Sequence[Any]) -> list[str]:
    return [type(event).__name__ for event in events]


def only(kind: type, events: Sequence[Any]) -> Any:
    (found,) = (event for event in events if isinstance(event, kind))
    return found

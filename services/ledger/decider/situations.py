"""What can be asked about an entry, and the situations it can be in."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import assert_never

from duban_contracts.charter import Limit, MatterKind
from duban_contracts.intake import Channel, Outcome, PastOutcome, Priority
from duban_contracts.ledger import (
    AcceptanceOverdue,
    Due,
    EntryAccepted,
    EntryClosedUnsolved,
    EntryDueSoon,
    EntryOpened,
    EntryOverdue,
    EntryReopened,
    EntryResolved,
    EntryStruckOff,
    LedgerCommandRefused,
    LedgerEvent,
    ProgressRecorded,
    VerificationRejected,
)
from duban_contracts.subjects import NOBODY
from services.chassis.decider import Asked


@dataclass(frozen=True)
class Matter:
    """What intake said of an accepted matter."""

    submission: str
    title: str
    category: str
    kind: MatterKind
    station: str
    petitioner: str
    channel: Channel = Channel.OTHER
    co_handlers: tuple[str, ...] = ()
    village: str | None = None
    priority: Priority = Priority.NORMAL
    restricted: bool = False
    limit: Limit | None = None
    due_on: date | None = None
    rule: str = ""
    source: str = "intake"
    solved_on_the_spot: str | None = None
    past: PastOutcome | None = None


@dataclass(frozen=True)
class Open:
    now: datetime
    number: str
    matter: Matter


@dataclass(frozen=True)
class Withdraw:
    """The petitioner took the matter back."""

    now: datetime
    number: str
    station: str | None


@dataclass(frozen=True)
class ReopenForRating:
    now: datetime
    round: int
    """The round that was rated."""
    detail: str


@dataclass(frozen=True)
class Accept:
    asked: Asked


@dataclass(frozen=True)
class RecordProgress:
    asked: Asked
    note: str
    percent: int | None = None


@dataclass(frozen=True)
class Resolve:
    asked: Asked
    outcome: Outcome
    answer: str


@dataclass(frozen=True)
class Verify:
    asked: Asked
    passed: bool
    reason: str = ""


@dataclass(frozen=True)
class Reopen:
    asked: Asked
    reason: str


Request = Accept | RecordProgress | Resolve | Verify | Reopen
Command = Open | Withdraw | ReopenForRating | Request


class Clock(StrEnum):
    """What may fall due in a round, once each."""

    ACCEPTANCE = "acceptance"
    DUE_SOON = "due_soon"
    DUE_DAY = "due_day"
    OVERDUE = "overdue"


@dataclass(frozen=True)
class Entry:
    """One number of the register, in its present round."""

    opened: EntryOpened
    station: str
    due: Due | None
    began_at: datetime
    """When the round began."""
    updated_at: datetime
    round: int = 1
    accepted: bool = False
    rung: tuple[Clock, ...] = ()
    """Which clocks have rung in this round."""

    @property
    def number(self) -> str:
        return self.opened.entry


@dataclass(frozen=True)
class Unopened:
    """No entry has this number."""


@dataclass(frozen=True)
class WithdrawnEarly:
    """The withdrawal overtook the matter itself: when it comes, it is closed already."""

    at: datetime
    outcome: Outcome


@dataclass(frozen=True)
class Handling:
    """In the register, and with its station."""

    entry: Entry


@dataclass(frozen=True)
class Resolved:
    """The handler says it is done (办结); somebody else has to look."""

    entry: Entry
    at: datetime
    by: str
    outcome: Outcome


@dataclass(frozen=True)
class StruckOff:
    """Verified, and off the register (销号)."""

    entry: Entry
    at: datetime
    outcome: Outcome
    late: bool | None


@dataclass(frozen=True)
class Closed:
    """Taken back by the petitioner: neither solved nor struck off."""

    entry: Entry
    at: datetime
    outcome: Outcome


Known = Handling | Resolved | StruckOff | Closed
State = Unopened | WithdrawnEarly | Known


def evolve(state: State, event: LedgerEvent) -> State:
    match event:
        case LedgerCommandRefused():
            return state
        case EntryOpened():
            return opened(state, event)
        case EntryClosedUnsolved():
            return closed(state, event)
        case EntryAccepted():
            return with_entry(state, replace(entry_of(state), accepted=True, updated_at=event.at))
        case ProgressRecorded():
            return with_entry(state, replace(entry_of(state), updated_at=event.at))
        case AcceptanceOverdue():
            return rang(state, Clock.ACCEPTANCE)
        case EntryDueSoon():
            return rang(state, Clock.DUE_DAY if event.on_due_day else Clock.DUE_SOON)
        case EntryOverdue():
            return rang(state, Clock.OVERDUE)
        case EntryResolved():
            entry = replace(entry_of(state), updated_at=event.at)
            return Resolved(entry, event.at, event.by, event.outcome)
        case VerificationRejected() | EntryReopened():
            return next_round(state, event)
        case EntryStruckOff():
            entry = replace(entry_of(state), updated_at=event.at)
            return StruckOff(entry, event.at, event.outcome, event.late)
        case _:
            assert_never(event)


def opened(state: State, event: EntryOpened) -> State:
    entry = Entry(event, event.station or NOBODY, event.due, event.at, event.at)
    if isinstance(state, WithdrawnEarly):
        return Closed(entry, state.at, state.outcome)
    return Handling(entry)


def closed(state: State, event: EntryClosedUnsolved) -> State:
    if isinstance(state, Unopened | WithdrawnEarly):
        return WithdrawnEarly(event.at, event.outcome)
    return Closed(replace(state.entry, updated_at=event.at), event.at, event.outcome)


def next_round(state: State, event: VerificationRejected | EntryReopened) -> Handling:
    entry = entry_of(state)
    return Handling(
        replace(entry, round=event.round, due=event.due, began_at=event.at, updated_at=event.at, rung=())
    )


def rang(state: State, clock: Clock) -> State:
    entry = entry_of(state)
    return with_entry(state, replace(entry, rung=(*entry.rung, clock)))


def entry_of(state: State) -> Entry:
    if isinstance(state, Unopened | WithdrawnEarly):
        raise ValueError("an entry is opened before anything else is told of it")
    return state.entry


def with_entry(state: State, entry: Entry) -> State:
    if isinstance(state, Unopened | WithdrawnEarly):
        raise ValueError("an entry is opened before anything else is told of it")
    return replace(state, entry=entry)

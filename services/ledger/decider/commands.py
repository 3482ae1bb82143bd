"""What can be asked about a matter in the register: because of a fact that was heard, or by a person."""

from dataclasses import dataclass
from datetime import date, datetime

from duban_contracts.charter import Limit, MatterKind
from duban_contracts.handling import HoldGround
from duban_contracts.intake import Channel, Outcome, Priority, StoredOutcome
from duban_contracts.merging import SuspectedDuplicate
from services.chassis.decider import Asked

INTAKE = "intake"
"""Where nobody is named who brought the matter."""


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
    due_at: datetime | None = None
    """The first instant that is too late; goes before `due_on`."""
    rule: str = ""
    source: str = INTAKE
    solved_on_the_spot: str | None = None
    past: StoredOutcome | None = None
    recurs: str | None = None
    submitted_at: datetime | None = None
    """When it first came in; else at its opening."""
    revision: int | None = None
    """Of the charter that its limit was chosen by; else the present one."""


@dataclass(frozen=True)
class Resembling:
    """Open matters that look the same as a new one, found when it came in."""

    entries: tuple[SuspectedDuplicate, ...] = ()
    why: str = ""
    """In words, by which rule they do."""


NOTHING_ALIKE = Resembling()


@dataclass(frozen=True)
class Open:
    now: datetime
    number: str
    matter: Matter
    resembling: Resembling = NOTHING_ALIKE


@dataclass(frozen=True)
class LinkRecurrence:
    """A new entry says that it is this one come back."""

    now: datetime
    again: str
    category: str
    village: str | None


@dataclass(frozen=True)
class Withdraw:
    """The petitioner took the matter back."""

    now: datetime
    number: str
    station: str | None


@dataclass(frozen=True)
class LinkMerged:
    """`merged` was merged into this entry, the `nth` time that it was merged."""

    now: datetime
    merged: str
    nth: int
    restricted: bool = False


@dataclass(frozen=True)
class UnlinkMerged:
    """`merged` was taken out again."""

    now: datetime
    merged: str
    nth: int


@dataclass(frozen=True)
class FollowSurvivor:
    """The entry that this one was merged into ended: with an outcome, or without one."""

    now: datetime
    survivor: str
    station: str | None
    struck_off: bool
    by: str | None = None
    outcome: Outcome | None = None
    answer: str = ""
    resolved_at: datetime | None = None


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
    evidence: tuple[str, ...] = ()
    interim_answer: bool = False


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


@dataclass(frozen=True)
class Return:
    asked: Asked
    legal_ground: str


@dataclass(frozen=True)
class Transfer:
    asked: Asked
    to: str
    reason: str


@dataclass(frozen=True)
class ReportUp:
    asked: Asked
    to: str
    reason: str


@dataclass(frozen=True)
class AddCoHandler:
    asked: Asked
    station: str


@dataclass(frozen=True)
class ApplyExtension:
    asked: Asked
    length: Limit
    reason: str


@dataclass(frozen=True)
class DecideExtension:
    asked: Asked
    granted: bool
    reason: str


@dataclass(frozen=True)
class Hold:
    asked: Asked
    ground: HoldGround
    reason: str


@dataclass(frozen=True)
class Resume:
    asked: Asked


@dataclass(frozen=True)
class Adjudicate:
    asked: Asked
    to: str
    co_handlers: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class Reclassify:
    asked: Asked
    category: str
    kind: MatterKind | None
    reason: str


@dataclass(frozen=True)
class Survivor:
    """The matter that another one is to be merged into, as it stood when the request came in."""

    number: str
    station: str
    open: bool
    restricted: bool = False
    merged_into: str | None = None


@dataclass(frozen=True)
class Merge:
    asked: Asked
    into: str
    reason: str
    survivor: Survivor | None
    """None: the register has no such matter."""


FromFacts = Open | LinkRecurrence | Withdraw | ReopenForRating | LinkMerged | UnlinkMerged | FollowSurvivor
Closing = Resolve | Verify | Reopen
HandingOver = Return | Transfer | Adjudicate
Timing = ApplyExtension | DecideExtension | Hold | Resume
Regrouping = Reclassify | Merge
Request = Accept | RecordProgress | ReportUp | AddCoHandler | Closing | HandingOver | Timing | Regrouping
Command = FromFacts | Request

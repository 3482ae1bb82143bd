"""The situations that a matter in the register can be in."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from duban_contracts.charter import MatterKind
from duban_contracts.due import Extension, Pause
from duban_contracts.handling import HoldGround
from duban_contracts.intake import Outcome
from duban_contracts.ledger import Due, EntryOpened, LedgerEvent
from duban_contracts.reclassifying import Reclassification
from duban_contracts.rules import Limit
from duban_contracts.subjects import NOBODY
from services.chassis.decider import Kept


class Clock(StrEnum):
    """What may fall due in a round, once each, as long as nothing moves the due date itself."""

    ACCEPTANCE = "acceptance"
    DUE_SOON = "due_soon"
    DUE_DAY = "due_day"
    OVERDUE = "overdue"
    CITIZEN_SOON = "citizen_soon"
    CITIZEN_DAY = "citizen_day"
    CITIZEN_OVERDUE = "citizen_overdue"
    INTERIM = "interim"


@dataclass(frozen=True)
class Offer:
    """A transfer that waits for `to` to accept or return it."""

    to: str
    at: datetime
    acceptance: Due
    overdue: bool = False


@dataclass(frozen=True)
class Held:
    since: datetime
    until: datetime
    ground: HoldGround


@dataclass(frozen=True)
class Asking:
    """An extension that was applied for and not decided."""

    length: Limit
    by: str


@dataclass(frozen=True)
class CountedAs:
    """By which category and kind a clock still counts, where the entry has another category since."""

    category: str
    kind: MatterKind


@dataclass(frozen=True)
class Linked:
    """An entry that was merged into this one, the `nth` time that it was merged."""

    entry: str
    nth: int = 1


@dataclass(frozen=True)
class Former:
    """The clock of a station that had it before, as it stood when the entry left."""

    station: str
    due: Due | None
    rung: tuple[Clock, ...]
    round: int
    assigned_at: datetime
    left_at: datetime
    counted_as: CountedAs | None = None


@dataclass(frozen=True)
class Entry:
    """One number of the register, in its present round."""

    opened: EntryOpened
    station: str
    due: Due | None
    """The station's clock."""
    began_at: datetime
    """When the round began, or the station got it."""
    updated_at: datetime
    told_at: datetime
    """When anything was last told of it, by time alone too."""
    round: int = 1
    accepted: bool = False
    rung: tuple[Clock, ...] = ()
    """Which clocks have rung in this round."""
    lapsed: Due | None = None
    """Its due date when a revision of the charter took the limit away: another one may give it back."""
    citizen: Due | None = None
    acceptance: Due | None = None
    interim: Due | None = None
    """Reported to a higher level, and no interim answer yet."""
    revision: int | None = None
    """The charter's revision that the due dates were last counted under, or looked at and left."""
    rectifying: bool = False
    """In a round after a reopening, which has its own limit."""
    came_from: str | None = None
    """Who handed it over to the present station."""
    assigned_at: datetime | None = None
    """When its station first got it."""
    former: tuple[Former, ...] = ()
    """Who else had it since it was opened or reopened, the last one last."""
    offer: Offer | None = None
    handovers: int = 0
    been_with: tuple[str, ...] = ()
    bound: bool = False
    """Only an adjudication moves it."""
    co_handlers: tuple[str, ...] = ()
    asking: Asking | None = None
    extended: int = 0
    held: Held | None = None
    holds: int = 0
    paused: tuple[Pause, ...] = ()
    """The holds that ended, since it was opened or reopened."""
    note: str = ""
    """What was last said of it: of its progress, then its answer."""
    percent: int | None = None
    counted_as: CountedAs | None = None
    """Of the station's clock; None: by the present category."""
    citizen_as: CountedAs | None = None
    """Of the citizen's clock; None: by the present category."""
    reclassified: tuple[Reclassification, ...] = ()
    resembles: tuple[str, ...] = ()
    """Open entries that it looked like when it was opened: a hint."""
    merged_into: str | None = None
    """The entry that it is handled with or, struck off, was."""
    merges: int = 0
    """How often it has been merged."""
    linked: tuple[Linked, ...] = ()
    """What was merged into it."""

    @property
    def number(self) -> str:
        return self.opened.entry

    @property
    def holder(self) -> str | None:
        """The station that has it, if one has."""
        return None if self.station == NOBODY else self.station

    def told_as_of(self, at: datetime) -> datetime:
        """What fell due at `at`, or happened elsewhere then, is never told as of before what was told."""
        return max(at, self.told_at)

    @property
    def last_due(self) -> Due | None:
        """Of the station that has it or, with nobody, of the last one that had it."""
        if self.holder is not None:
            return self.due
        return self.former[-1].due if self.former else self.opened.due

    @property
    def owes_interim(self) -> str:
        """Whoever reported it up, and by whose hours the time is counted; also where it went on since."""
        return (self.interim and self.interim.hours_of) or self.station

    @property
    def promised(self) -> tuple[Extension, ...]:
        """Granted while a transfer is open: the citizen was told so, whoever has it afterwards."""
        extensions = self.due.extensions if self.due and self.offer else ()
        return tuple(each for each in extensions if self.offer and each.granted_at >= self.offer.at)

    def former_of(self, station: str) -> Former | None:
        return next((each for each in self.former if each.station == station), None)


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
class Returned:
    """Its station gave it back in time: the office has to say whose it is."""

    entry: Entry


@dataclass(frozen=True)
class Resolved:
    """The handler says it is done (办结); somebody else has to look."""

    entry: Entry
    at: datetime
    by: str
    outcome: Outcome
    due: Due | None = None
    """The station's due date when it answered: nothing that comes later makes the answer late."""


@dataclass(frozen=True)
class StruckOff:
    """Verified, and off the register (销号)."""

    entry: Entry
    at: datetime
    outcome: Outcome
    late: bool | None
    again: tuple[str, ...] = ()
    """Entries in which it came back."""
    by: str = ""
    resolved_at: datetime | None = None


@dataclass(frozen=True)
class Closed:
    """Taken back by the petitioner: neither solved nor struck off."""

    entry: Entry
    at: datetime
    outcome: Outcome


@dataclass(frozen=True)
class Merged:
    """Handled with an earlier entry, whose outcome it will share. Only the citizen's clock goes on."""

    entry: Entry
    at: datetime

    @property
    def into(self) -> str:
        return self.entry.merged_into or ""


InHand = Handling | Returned
Known = InHand | Resolved | StruckOff | Closed | Merged
State = Unopened | WithdrawnEarly | Known


class RevisionSeen(Kept):
    """The due dates were looked at under this revision of the charter: told only where one changed."""

    revision: int


Event = LedgerEvent | RevisionSeen


def entry_of(state: State) -> Entry:
    if isinstance(state, Unopened | WithdrawnEarly):
        raise ValueError("an entry is opened before anything else is told of it")
    return state.entry


def with_entry(state: State, entry: Entry) -> State:
    if isinstance(state, Unopened | WithdrawnEarly):
        raise ValueError("an entry is opened before anything else is told of it")
    return replace(state, entry=entry)

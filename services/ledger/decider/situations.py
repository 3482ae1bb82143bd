"""The situations that a matter in the register can be in."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from duban_contracts.handling import HoldGround
from duban_contracts.intake import Outcome
from duban_contracts.ledger import Due, EntryOpened, LedgerEvent
from duban_contracts.rules import Limit
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
class Entry:
    """One number of the register, in its present round."""

    opened: EntryOpened
    station: str
    due: Due | None
    """The station's clock."""
    began_at: datetime
    """When the round began, or the station got it."""
    updated_at: datetime
    round: int = 1
    accepted: bool = False
    rung: tuple[Clock, ...] = ()
    """Which clocks have rung in this round."""
    citizen: Due | None = None
    acceptance: Due | None = None
    interim: Due | None = None
    """Reported to a higher level, and no interim answer yet."""
    counted_at: datetime | None = None
    """When a due date last moved: what would have been reminded of before is not."""
    revision: int | None = None
    """The charter's revision that the due dates were last counted under, or looked at and left."""
    rectifying: bool = False
    """In a round after a reopening, which has its own limit."""
    came_from: str | None = None
    """Who handed it over to the present station."""
    assigned_at: datetime | None = None
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
    note: str = ""
    """What was last said of it: of its progress, then its answer."""
    percent: int | None = None

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


@dataclass(frozen=True)
class Closed:
    """Taken back by the petitioner: neither solved nor struck off."""

    entry: Entry
    at: datetime
    outcome: Outcome


InHand = Handling | Returned
Known = InHand | Resolved | StruckOff | Closed
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

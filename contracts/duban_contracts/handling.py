"""Requests and facts of a matter in the hands of its stations: part of the ledger's language.

The key of every message is the entry's number. Words meant for the citizen are without names.
"""

from enum import StrEnum

from pydantic import Field

from duban_contracts.due import Due, DueClock, Pause
from duban_contracts.fields import MAX_LIST, Line, Text
from duban_contracts.message import Command, Fact, Key, Moment
from duban_contracts.rules import Limit, Role, Token

Handlers = (Role.STATION,)
HandlersAndOffice = (Role.STATION, Role.OFFICE)


class HoldGround(StrEnum):
    AWAITING_PETITIONER = "awaiting_petitioner"
    AWAITING_AUTHORITY = "awaiting_authority"
    FORCE_MAJEURE = "force_majeure"


class ReturnEntry(Command, service="ledger", message_name="return", by=Handlers):
    """退单: not ours, and by which rule; within the charter's time from the assignment."""

    legal_ground: Text


class Transfer(Command, service="ledger", by=HandlersAndOffice):
    """转办: to the station that has the power; until that accepts, whoever has it stays responsible."""

    to: Token
    reason: Text = Field(description="What the citizen is told, without names")


class ReportUp(Command, service="ledger", by=Handlers):
    """上报: it cannot be solved at this level; the interim answer stays ours."""

    to: Line = Field(description="The body above, e.g. 市住建局")
    reason: Text


class AddCoHandler(Command, service="ledger", by=HandlersAndOffice):
    """A co-handler answers to the lead: it records progress and never resolves."""

    station: Token


class ApplyExtension(Command, service="ledger", by=Handlers):
    """延期: asked for before expiry, with its length and its ground."""

    length: Limit
    reason: Text


class DecideExtension(Command, service="ledger", by=(Role.OFFICE, Role.LEADER)):
    """Somebody other than the handler grants the extension that was asked for, or does not."""

    granted: bool
    reason: Text = Field(description="What the citizen is told, without names")


class Hold(Command, service="ledger", by=HandlersAndOffice):
    """The clocks stand still, at most as long and as often as the charter says."""

    ground: HoldGround
    reason: Text


class Resume(Command, service="ledger", by=HandlersAndOffice):
    """The clocks go on."""


class Adjudicate(Command, service="ledger", by=(Role.OFFICE, Role.LEADER)):
    """Whose it is, decided for good: stations neither return nor transfer it afterwards."""

    to: Token
    co_handlers: tuple[Token, ...] = Field((), max_length=MAX_LIST)
    reason: Text


class EntryReturned(Fact, service="ledger"):
    """`station` gave it back in time. Where it was responsible, it counts as dispatched no more."""

    entry: Key
    legal_ground: str
    to: Token | None = Field(None, description="Who has it again; absent: the office has to say whose it is")
    was_responsible: bool = Field(False, description="False: it was only asked to take it over")
    handovers: int = Field(description="How often stations handed this entry over by now")
    round: int = 1
    was_late: bool = Field(False, description="It was overdue with `station` in this round")
    due: Due | None = Field(None, description="Of the station that has it again")


class EntryTransferred(Fact, service="ledger"):
    """`station` is asked to take it over; until it accepts, `from_station` stays responsible."""

    entry: Key
    from_station: Token | None = Field(None, description="Absent: nobody had it")
    by: Token
    reason: str
    handovers: int
    acceptance: Due = Field(description="Until then `station` accepts or returns it")


class TransferLapsed(Fact, service="ledger"):
    """`station` neither accepted nor returned it, and need not any more: it was settled otherwise."""

    entry: Key


class PingPongDetected(Fact, service="ledger"):
    """Handed over once too often: it stays where it is until somebody adjudicates. Evidence, no verdict."""

    entry: Key
    by: Token = Field(description="Who wanted to hand it over once more")
    to: Token | None = None
    reason: str
    handovers: int
    stations: tuple[Token, ...] = Field(description="Everybody who had it or was asked to, in order")


class Adjudicated(Fact, service="ledger"):
    """`station` is responsible from now on, whatever it thinks of that."""

    entry: Key
    by: Token
    reason: str
    from_station: Token | None = Field(None, description="Who had it before, if that is somebody else")
    moved: bool = Field(description="False: it stays with the station that had it")
    round: int = 1
    was_late: bool = Field(False, description="It was overdue with `from_station` in this round")
    co_handlers: tuple[Token, ...] = ()
    acceptance: Due | None = None
    due: Due | None = None


class EntryReportedUp(Fact, service="ledger"):
    """Asked of the body above. No clock stops by it, and one for the interim answer begins."""

    entry: Key
    to: str
    reason: str
    interim: Due = Field(description="Until then the citizen has an interim answer from this level")


class InterimAnswerOverdue(Fact, service="ledger"):
    """Reported to a higher level, and the citizen was told nothing since."""

    entry: Key
    due: Due


class CoHandlerAdded(Fact, service="ledger"):
    """`co_handler` helps `station`, which stays responsible."""

    entry: Key
    co_handler: Token
    by: Token


class ExtensionApplied(Fact, service="ledger"):
    """`station` asks for more time; nothing moves until somebody decides."""

    entry: Key
    length: Limit
    reason: str
    would_be: Due = Field(description="The due date if it is granted")


class ExtensionDecided(Fact, service="ledger"):
    """Granted, both clocks run longer; declined, nothing changes and that is on record too."""

    entry: Key
    granted: bool
    by: Token
    reason: str
    due: Due | None = Field(None, description="The station's due date from now on")
    citizen: Due | None = Field(None, description="The citizen's due date from now on")
    notice: str = Field("", description="What the citizen is told; empty where nothing changes")


class EntryHeld(Fact, service="ledger"):
    """The clocks of station and citizen stand still, until `until` at most."""

    entry: Key
    ground: HoldGround
    reason: str
    by: Token
    until: Moment = Field(description="Then it ends by itself")


class EntryResumed(Fact, service="ledger"):
    """The clocks go on: the paused time does not count."""

    entry: Key
    by: Token | None = Field(None, description="Absent: the charter's longest hold was over")
    paused: Pause
    due: Due | None = None
    citizen: Due | None = None


class DeadlineRecomputed(Fact, service="ledger"):
    """A new revision of the charter, or its calendar, changed the due date of an open entry."""

    entry: Key
    clock: DueClock = DueClock.STATION
    old: Due | None = None
    new: Due | None = None
    why: str


class CitizenOverdue(Fact, service="ledger"):
    """The citizen waited too long for strike-off; `station` is who has to act.

    That is the handler, or the office that has not verified. No consequence by itself: a late station is
    told of by `entry_overdue`.
    """

    entry: Key
    round: int = 1
    due: Due


class EntryRecurred(Fact, service="ledger"):
    """What was struck off came back as a new entry: same category and place, within the charter's time."""

    entry: Key
    again: Key = Field(description="The new entry's number")


HandlingFact = (
    EntryReturned
    | EntryTransferred
    | TransferLapsed
    | PingPongDetected
    | Adjudicated
    | EntryReportedUp
    | InterimAnswerOverdue
    | CoHandlerAdded
    | ExtensionApplied
    | ExtensionDecided
    | EntryHeld
    | EntryResumed
    | DeadlineRecomputed
    | CitizenOverdue
    | EntryRecurred
)

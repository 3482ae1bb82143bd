"""What the ledger is asked and tells. Stored and on the wire: change by adding optional fields only.

The key of an entry is its number, e.g. `2024-000123`.
"""

from enum import StrEnum

from pydantic import Field

from duban_contracts.charter import MatterKind, Role, Token
from duban_contracts.due import Due as Due
from duban_contracts.due import DueClock as DueClock
from duban_contracts.fields import Evidence, OptionalText, Text
from duban_contracts.handling import HandlingFact
from duban_contracts.intake import Channel, Outcome, Priority
from duban_contracts.merging import MergingFact
from duban_contracts.message import Command, CommandRefused, Fact, Key, Moment, PersonalDataMasked
from duban_contracts.reclassifying import EntryReclassified

Handlers = (Role.STATION,)


class EntryKind(StrEnum):
    """What stands in the register under a number."""

    MATTER = "matter"
    MEASURE = "measure"
    APPLICATION = "application"


class ReopenReason(StrEnum):
    NEGATIVE_RATING = "negative_rating"
    NOT_SOLVED = "not_solved"
    OFFICE = "office"


class Accept(Command, service="ledger", by=Handlers):
    """The responsible station signs for the entry (签收)."""


class RecordProgress(Command, service="ledger", by=Handlers):
    """The handler notes how far it has come; no deadline moves by it."""

    note: Text
    percent: int | None = Field(None, ge=0, le=100)
    interim_answer: bool = Field(
        False, description="The note is the citizen's interim answer, after a report to a higher level"
    )
    evidence: Evidence = Field((), description="Where the proof is to be found")


class Resolve(Command, service="ledger", by=Handlers):
    """The handler says it is done (办结): not struck off until somebody else verified (销号)."""

    outcome: Outcome = Outcome.SOLVED
    answer: Text = Field(description="What the citizen is told, without names")


class Verify(Command, service="ledger", by=(Role.OFFICE, Role.STATION, Role.LEADER, Role.DISCIPLINE)):
    """Somebody other than the handler checks the result: strike off, or back for a redo round."""

    passed: bool
    reason: OptionalText = Field("", description="Required where it did not pass")


class Reopen(Command, service="ledger", by=(Role.OFFICE, Role.GATEWAY)):
    """A struck-off entry comes back under its old number."""

    reason: Text


class EntryOpened(Fact, service="ledger"):
    """Numbered and in the register, with its due date explained; without `due` nothing is ever late."""

    entry: Key
    submission: Key
    title: str
    category: Token
    kind: MatterKind
    co_handlers: tuple[Token, ...] = ()
    village: Token | None = None
    channel: Channel
    priority: Priority = Priority.NORMAL
    restricted: bool = False
    petitioner: Key
    due: Due | None = Field(None, description="The station's clock: from assignment to its answer")
    accept_by: Moment | None = None
    acceptance: Due | None = Field(None, description="`accept_by`, explained")
    citizen: Due | None = Field(None, description="The citizen's clock: from submission to strike-off")
    submitted_at: Moment | None = Field(None, description="When intake first had it, complete or not")
    revision: int | None = Field(None, description="The charter's revision that its due dates are from")
    recurs: Key | None = Field(None, description="The struck-off entry that came back, as submitted")
    procedure: Token | None = Field(None, description="An application: the stages that it goes through")
    brought_by: Token | None = Field(None, description="The channel that submitted it")


class EntryAccepted(Fact, service="ledger"):
    """The responsible station signed for it (签收)."""

    entry: Key
    taken_over: bool = Field(False, description="After a transfer: it was not dispatched to `station` before")
    taken_from: Token | None = Field(None, description="Who was responsible until now, if anybody")
    round: int = 1
    was_late: bool = Field(False, description="It was overdue with `taken_from` in this round")
    due: Due | None = Field(None, description="Of a station that took it over: counted from the transfer")


class AcceptanceOverdue(Fact, service="ledger"):
    """Nobody signed for it in time."""

    entry: Key


class ProgressRecorded(Fact, service="ledger"):
    """How far its handler has come."""

    entry: Key
    note: str
    percent: int | None = None
    interim_answer: bool = False
    by: Token | None = None
    evidence: tuple[str, ...] = ()
    done: int | None = Field(None, description="Of a counted measure: how many so far")


class EntryDueSoon(Fact, service="ledger"):
    """A reminder is due (催办): at 80 % of the time used, and on the due day. `station` is who has to act."""

    entry: Key
    due: Due
    on_due_day: bool = False
    clock: DueClock = DueClock.STATION


class EntryOverdue(Fact, service="ledger"):
    """The due instant of this round passed while it was open: told once for each date that it had."""

    entry: Key
    round: int = 1
    due: Due
    entry_kind: EntryKind | None = Field(None, description="Absent: a matter")


class EntryResolved(Fact, service="ledger"):
    """Its handler says it is done (办结); somebody else has yet to verify it."""

    entry: Key
    round: int = 1
    by: Token
    outcome: Outcome
    answer: str = ""
    on_the_spot: bool = False


class VerificationRejected(Fact, service="ledger"):
    """Not solved after all: a redo round begins, due at `due`."""

    entry: Key
    round: int = Field(description="The round that begins")
    by: Token
    reason: str
    due: Due | None = None


class EntryStruckOff(Fact, service="ledger"):
    """Verified by somebody else and off the register. `late` is None where nothing can be said."""

    entry: Key
    round: int = 1
    by: Token
    outcome: Outcome
    resolved_at: Moment | None = None
    late: bool | None = None
    due: Due | None = Field(None, description="The due date that this closing was measured against")
    past: bool = Field(False, description="Closed elsewhere, before it came to this register")
    citizen_late: bool | None = Field(None, description="The citizen's clock had run out; None: it has none")
    entry_kind: EntryKind | None = Field(None, description="Absent: a matter")
    restricted: bool = Field(False, description="A conduct matter")
    brought_by: Token | None = Field(None, description="The channel that submitted it")
    merged_into: Key | None = Field(
        None, description="Struck off with this entry, by whose handling; its own closing counts for nobody"
    )
    answer: str = Field("", description="With `merged_into`: what the petitioner of that entry was told")


class EntryReopened(Fact, service="ledger"):
    """Back in the register under its old number: round `round` begins, due at `due`."""

    entry: Key
    round: int
    reason: ReopenReason
    detail: str = ""
    was_late: bool | None = Field(None, description="How the closing that no longer counts was counted")
    due: Due | None = None
    citizen: Due | None = None
    merged_into: Key | None = Field(
        None, description="It was struck off with this entry, and so was counted for nobody"
    )


class EntryClosedUnsolved(Fact, service="ledger"):
    """The petitioner took the matter back while it was open."""

    entry: Key
    outcome: Outcome
    late_with: Token | None = Field(
        None, description="Who was late with the present stage of an application, e.g. the office to approve"
    )


class LedgerCommandRefused(CommandRefused, service="ledger", message_name="command_refused"):
    pass


class LedgerPersonalDataMasked(PersonalDataMasked, service="ledger", message_name="personal_data_masked"):
    pass


LedgerEvent = (
    EntryOpened
    | EntryAccepted
    | AcceptanceOverdue
    | ProgressRecorded
    | EntryDueSoon
    | EntryOverdue
    | EntryResolved
    | VerificationRejected
    | EntryStruckOff
    | EntryReopened
    | EntryClosedUnsolved
    | HandlingFact
    | EntryReclassified
    | MergingFact
    | LedgerCommandRefused
    | LedgerPersonalDataMasked
)

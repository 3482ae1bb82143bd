"""What can be asked about a submission, and the situations it can be in."""

from dataclasses import dataclass, field
from datetime import datetime

from duban_contracts.charter import Token
from duban_contracts.handling import Adjudicated, CoHandlerAdded, EntryReturned
from duban_contracts.intake import DeclineReason, IntakeEvent, StoredMatter
from duban_contracts.ledger import (
    EntryAccepted,
    EntryClosedUnsolved,
    EntryOpened,
    EntryReopened,
    EntryStruckOff,
)
from duban_contracts.merging import MatterMerged, MatterUnmerged
from duban_contracts.message import Key
from duban_contracts.rating import CallbackRecorded, NegativeRatingReceived
from duban_contracts.reclassifying import EntryReclassified
from services.chassis.decider import Asked, Kept


class SubmissionKept(Kept):
    """What came in, word for word: stays in intake's own database, for it names people."""

    submitted: StoredMatter
    source: str


class ReclassificationNoted(Kept):
    """Whose the matter is after its entry was reclassified; the ledger told it already."""

    restricted: bool = False
    """It became a conduct matter: only the office and the commission hear what is told of it from now on."""


class DutiesNoted(Kept):
    """Who has to do with an entry by now, whole each time; the ledger and rating told it already."""

    submission: Key | None = None
    handler: Token | None = None
    co_handlers: tuple[Token, ...] = ()
    open: bool = False
    closed: bool = False
    """It was closed and not opened again: a first opening that comes late changes nothing."""
    restricted: bool = False
    """A conduct matter: who read its petitioner's data is heard by the office and the commission only."""
    callbacks: tuple[int, ...] = ()
    """Rounds after which the office owes the petitioner a call."""


@dataclass(frozen=True)
class Submit:
    asked: Asked
    submitted: StoredMatter
    source: str
    """The token of who told us, which need not be who acted."""
    masked: StoredMatter | None = field(default=None, compare=False)
    """The same without personal data, where the reader made it already; it follows from `submitted`."""


@dataclass(frozen=True)
class Supplement:
    asked: Asked
    materials: tuple[str, ...]
    told_by: str | None = None
    """The token of who told us; None: the actor itself."""


@dataclass(frozen=True)
class Withdraw:
    asked: Asked
    reason: str
    told_by: str | None = None
    """The token of who told us; None: the actor itself."""


@dataclass(frozen=True)
class Decline:
    asked: Asked
    reason: DeclineReason
    explanation: str
    told_by: str | None = None
    """The token of who told us; None: the actor itself."""


DutyFact = (
    EntryOpened
    | EntryAccepted
    | EntryReturned
    | EntryStruckOff
    | EntryReopened
    | EntryClosedUnsolved
    | Adjudicated
    | CoHandlerAdded
    | EntryReclassified
    | MatterMerged
    | MatterUnmerged
    | NegativeRatingReceived
    | CallbackRecorded
)


@dataclass(frozen=True)
class NoteDuties:
    """Something changed about who has to do with an entry."""

    now: datetime
    fact: DutyFact


@dataclass(frozen=True)
class NoteReclassification:
    """The entry of a submission was reclassified, so that another station may have it now."""

    now: datetime
    station: str | None
    restricted: bool


@dataclass(frozen=True)
class ShowPetitioner:
    asked: Asked
    reason: str
    stands_for: frozenset[str]
    """The asker's own token, and that of the station that the asker is."""
    is_office: bool


Command = Submit | Supplement | Withdraw | Decline | NoteDuties | NoteReclassification | ShowPetitioner


@dataclass(frozen=True)
class Unseen:
    """Nothing came in under this key."""


@dataclass(frozen=True)
class Received:
    """Kept, and not answered yet: lasts no longer than one decision."""

    kept: SubmissionKept


@dataclass(frozen=True)
class Incomplete:
    """Waiting for the material that was told in full (一次性告知)."""

    kept: SubmissionKept
    station: str | None
    missing: tuple[str, ...]


@dataclass(frozen=True)
class Accepted:
    """Complete and ours: the ledger has it. `restricted`: it became a conduct matter there."""

    kept: SubmissionKept
    station: str | None
    restricted: bool = False


@dataclass(frozen=True)
class Declined:
    kept: SubmissionKept


@dataclass(frozen=True)
class Withdrawn:
    kept: SubmissionKept
    restricted: bool = False


@dataclass(frozen=True)
class Duties:
    """Of an entry, under a key of its own."""

    noted: DutiesNoted


Submission = Received | Incomplete | Accepted | Declined | Withdrawn
State = Unseen | Submission | Duties
Event = IntakeEvent | SubmissionKept | ReclassificationNoted | DutiesNoted

"""What can be asked about a submission, and the situations it can be in."""

from dataclasses import dataclass

from duban_contracts.intake import DeclineReason, IntakeEvent, StoredMatter
from services.chassis.decider import Asked, Kept


class SubmissionKept(Kept):
    """What came in, word for word: stays in intake's own database, for it names people."""

    submitted: StoredMatter
    source: str


@dataclass(frozen=True)
class Submit:
    asked: Asked
    submitted: StoredMatter
    source: str
    """The token of who told us, which need not be who acted."""


@dataclass(frozen=True)
class Supplement:
    asked: Asked
    materials: tuple[str, ...]


@dataclass(frozen=True)
class Withdraw:
    asked: Asked
    reason: str


@dataclass(frozen=True)
class Decline:
    asked: Asked
    reason: DeclineReason
    explanation: str


Command = Submit | Supplement | Withdraw | Decline


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
    """Complete and ours: the ledger has it."""

    kept: SubmissionKept
    station: str | None


@dataclass(frozen=True)
class Declined:
    kept: SubmissionKept


@dataclass(frozen=True)
class Withdrawn:
    kept: SubmissionKept


State = Unseen | Received | Incomplete | Accepted | Declined | Withdrawn
Event = IntakeEvent | SubmissionKept

"""What a station's ladder is told, and what people ask of it."""

from dataclasses import dataclass
from datetime import datetime

from duban_contracts.escalation import OpenItem
from services.chassis.decider import Asked

EVERY_ROUND = 2**31 - 1


@dataclass(frozen=True)
class Remind:
    now: datetime
    station: str
    entry: str
    on_due_day: bool = False
    restricted: bool = False


@dataclass(frozen=True)
class BeginSupervision:
    now: datetime
    station: str
    campaign: str


@dataclass(frozen=True)
class Open:
    """Something happened that counts against the station, in its `occurrence`th round.

    `again`: it came back to the station, so a closing that was noted when it left is not about this.
    """

    now: datetime
    station: str
    item: OpenItem
    occurrence: int = 0
    serious: bool = False
    again: bool = False


@dataclass(frozen=True)
class Close:
    """What closes these items, up to and including that round.

    `owed` are those of them that must have been opened: if they are not, then their opening is still to
    come, and comes too late.
    """

    now: datetime
    station: str
    items: tuple[str, ...]
    occurrence: int = 0
    owed: tuple[str, ...] = ()
    restricted: bool = False


@dataclass(frozen=True)
class AcknowledgeOrder:
    asked: Asked
    station: str
    order: str


@dataclass(frozen=True)
class AnswerOrder:
    asked: Asked
    station: str
    order: str
    answer: str


@dataclass(frozen=True)
class ApproveStep:
    asked: Asked
    station: str
    step: str
    decided_by: str
    reason: str = ""


@dataclass(frozen=True)
class DeclineStep:
    asked: Asked
    station: str
    step: str
    decided_by: str
    reason: str


@dataclass(frozen=True)
class RecordInstruction:
    asked: Asked
    station: str
    step: str
    instruction: str


@dataclass(frozen=True)
class RecordReceipt:
    asked: Asked
    station: str
    step: str
    receipt: str


@dataclass(frozen=True)
class WithdrawCircular:
    asked: Asked
    station: str
    circular: str
    reason: str


FromFacts = Remind | BeginSupervision | Open | Close

Request = (
    AcknowledgeOrder
    | AnswerOrder
    | ApproveStep
    | DeclineStep
    | RecordInstruction
    | RecordReceipt
    | WithdrawCircular
)

Command = FromFacts | Request

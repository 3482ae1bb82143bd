"""What escalation is asked and tells. Stored and on the wire: change by adding optional fields only.

The key is the station. Only this service decides consequences.
"""

from enum import IntEnum, StrEnum

from pydantic import Field

from duban_contracts.charter import Ground, Role, Token
from duban_contracts.fields import Line, LongText, Name, OptionalText, RequestKey, Text
from duban_contracts.message import Command, CommandRefused, Fact, Key, Moment, Part, PersonalDataMasked


class Rung(IntEnum):
    REMINDER = 0
    SUPERVISED = 1
    CIRCULAR = 2
    LEADERS = 3
    DISCIPLINE = 4


class ItemKind(StrEnum):
    """What a station is held to account for."""

    ENTRY_OVERDUE = "entry_overdue"
    ACCEPTANCE_OVERDUE = "acceptance_overdue"
    FINDING = "finding"
    CALLBACK_OVERDUE = "callback_overdue"
    RECTIFICATION_OVERDUE = "rectification_overdue"
    INTEGRITY = "integrity"

    @property
    def late(self) -> bool:
        """Whether it is about a time limit: then its `since` is the first instant that was too late."""
        return self not in (ItemKind.FINDING, ItemKind.INTEGRITY)


class OpenItem(Part):
    """One fact that counts against a station, once, however many problems name it."""

    id: Key = Field(description="The entry, finding or round concerned, with its kind")
    kind: ItemKind
    ground: Ground | None = None
    since: Moment
    restricted: bool = Field(False, description="About a conduct matter")


Addressees = (Role.STATION, Role.OFFICE)
"""The office answers too: it may itself be the laggard."""


class AcknowledgeOrder(Command, service="escalation", by=Addressees):
    """The station confirms that it has the order; the deadline for its answer runs on."""

    order: RequestKey


class AnswerOrder(Command, service="escalation", by=Addressees):
    """The station reports what it did; the order is lifted when its items are closed too."""

    order: RequestKey
    answer: LongText


class ApproveStep(Command, service="escalation", by=(Role.OFFICE, Role.LEADER)):
    """A named person decides that the proposed step is taken."""

    step: RequestKey
    decided_by: Name = Field(description="Name or post of who decides")
    reason: OptionalText = ""


class DeclineStep(Command, service="escalation", by=(Role.OFFICE, Role.LEADER)):
    """A named person decides against the proposed step; "no" is recorded too, with its reason."""

    step: RequestKey
    decided_by: Name
    reason: Text


class RecordInstruction(Command, service="escalation", by=(Role.LEADER,)):
    """What the principal leaders instructed after the report."""

    step: RequestKey
    instruction: LongText


class RecordReceipt(Command, service="escalation", by=(Role.DISCIPLINE, Role.LEADER)):
    """The commission (or the body above it) received the case: from here on it judges."""

    step: RequestKey
    receipt: Line


class WithdrawCircular(Command, service="escalation", by=(Role.OFFICE, Role.LEADER)):
    """A circular that should not have been is taken back: it counts no more."""

    circular: RequestKey
    reason: Text


class ReminderSent(Fact, service="escalation"):
    """Rung 0, 催办: no blame attached."""

    entry: Key
    on_due_day: bool = False
    restricted: bool = Field(False, description="About a conduct matter")


class SupervisionBegan(Fact, service="escalation"):
    """The campaign reached the station: from now on it can climb the ladder."""

    campaign: Key
    late_serious_at: Moment = Field(description="When what was late already becomes serious, if still open")


class ItemOpened(Fact, service="escalation"):
    """Something counts against the station now; told again where an open item is late in a later round."""

    item: OpenItem
    occurrence: int = Field(0, description="The round, where what happened can happen again")
    serious_at: Moment | None = Field(None, description="When it makes the station lag; None: it never does")
    calls_for: tuple[Rung, ...] = Field((), description="Rungs to which its ground leads at once")


class ItemClosed(Fact, service="escalation"):
    """Something that counted against the station was mended."""

    item: Key
    restricted: bool = Field(False, description="About a conduct matter")


class ClosingNoted(Fact, service="escalation"):
    """What closes an item came before what opens it: the item will not open any more."""

    item: Key
    occurrence: int = 0
    restricted: bool = Field(False, description="About a conduct matter")


class StationBecameLagging(Fact, service="escalation"):
    """The first of its items turned serious: from now on the station lags, until it recovers."""

    items: tuple[OpenItem, ...]


class StationStillLagging(Fact, service="escalation"):
    """Something changed for the worse: a further item joined, or a rung was climbed."""

    rung: Rung
    items: tuple[OpenItem, ...]


class RecoveryBegan(Fact, service="escalation"):
    """No open items and no order any more: recovered, if it stays so until `until`."""

    until: Moment


class StationRecovered(Fact, service="escalation"):
    """Nothing came up against it for long enough: the station lags no more."""

    lagging_since: Moment
    highest_rung: Rung


class OrderIssued(Fact, service="escalation"):
    """Rung 1, 督办: formal, numbered, to a named station, with a deadline."""

    order: Key = Field(description="Its number as a key, e.g. bianmin-2024-3")
    number: str = Field(description="The number as printed, e.g. 某镇营商办督〔2024〕便民服务中心3号")
    items: tuple[OpenItem, ...]
    acknowledge_by: Moment
    answer_by: Moment
    next_at: Moment | None = Field(None, description="When the circular is proposed, if this is still unmet")


class OrderAcknowledged(Fact, service="escalation"):
    """The station confirmed that it has the order."""

    order: Key


class AcknowledgementOverdue(Fact, service="escalation"):
    """Nobody confirmed the order in time: a fact by itself, not silence (domain.md §5.4)."""

    order: Key


class OrderAnswered(Fact, service="escalation"):
    """The station reported what it did; the order stands until its items are closed, too."""

    order: Key
    answer: str


class OrderOverdue(Fact, service="escalation"):
    """The deadline passed and the order is unanswered or unmet."""

    order: Key
    answered: bool
    items: tuple[OpenItem, ...]


class OrderLifted(Fact, service="escalation"):
    """Answered, and every item of it closed."""

    order: Key


class StepProposed(Fact, service="escalation"):
    """From rung 2 upward the rules only propose; one of `decided_by` decides."""

    step: Key
    rung: Rung
    because: str
    grounds: tuple[Ground, ...] = ()
    items: tuple[OpenItem, ...]
    decided_by: tuple[Role, ...]
    supersedes: Key | None = Field(None, description="A lesser step that waits until this one is decided")


class StepDecided(Fact, service="escalation"):
    """A named person said yes or no to the proposed step, with the reason."""

    step: Key
    rung: Rung
    approved: bool
    decided_by: str
    actor: Token
    reason: str = ""
    next_at: Moment | None = Field(None, description="After a no: when it is proposed again, if still unmet")


class CircularPublished(Fact, service="escalation"):
    """Rung 2, 全镇通报."""

    circular: Key
    number: str
    step: Key
    items: tuple[OpenItem, ...]
    next_at: Moment | None = Field(
        None, description="When the report to the leaders is proposed, if this is still unmet"
    )
    quota_reached: bool = Field(False, description="So many in one quarter that the leaders should know")


class CircularWithdrawn(Fact, service="escalation"):
    """The circular was taken back: it counts no more, and nothing climbs from it."""

    circular: Key
    reason: str


class LeadersReported(Fact, service="escalation"):
    """Rung 3, 报镇主要领导."""

    step: Key
    items: tuple[OpenItem, ...]
    next_at: Moment | None = Field(None, description="When the transfer is proposed, if this is still unmet")


class InstructionRecorded(Fact, service="escalation"):
    """What the principal leaders instructed after the report to them."""

    step: Key
    instruction: str


class TransferMade(Fact, service="escalation"):
    """Rung 4, 移交镇纪委, or to the body above it where the commission itself is the case."""

    step: Key
    to: Token
    grounds: tuple[Ground, ...] = ()
    items: tuple[OpenItem, ...] = ()


class TransferReceived(Fact, service="escalation"):
    """Whom the case was transferred to has it, and judges from here on."""

    step: Key
    receipt: str


class EscalationCommandRefused(CommandRefused, service="escalation", message_name="command_refused"):
    pass


class EscalationPersonalDataMasked(
    PersonalDataMasked, service="escalation", message_name="personal_data_masked"
):
    pass


EscalationEvent = (
    ReminderSent
    | SupervisionBegan
    | ItemOpened
    | ItemClosed
    | ClosingNoted
    | StationBecameLagging
    | StationStillLagging
    | RecoveryBegan
    | StationRecovered
    | OrderIssued
    | OrderAcknowledged
    | AcknowledgementOverdue
    | OrderAnswered
    | OrderOverdue
    | OrderLifted
    | StepProposed
    | StepDecided
    | CircularPublished
    | CircularWithdrawn
    | LeadersReported
    | InstructionRecorded
    | TransferMade
    | TransferReceived
    | EscalationCommandRefused
    | EscalationPersonalDataMasked
)


class Standing(Part):
    """Where a station stands now; the value of its key in the `standings` bucket."""

    station: Token
    version: int = Field(description="Grows with every change of the station")
    at: Moment
    rung: Rung
    lagging_since: Moment | None = None
    items: tuple[OpenItem, ...] = ()
    order: Key | None = None
    proposed: Key | None = None
    restricted: int = Field(0, description="Further open items, which only some roles may see")

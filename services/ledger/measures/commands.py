"""What can be asked about a measure, and what the plan says of it."""

from dataclasses import dataclass
from datetime import date, datetime

from duban_contracts.measures import PlannedMeasure
from services.chassis.decider import Asked
from services.ledger.decider import RecordProgress, Resolve, Verify


@dataclass(frozen=True)
class BeginPlan:
    """The campaign of this plan was started."""

    now: datetime
    campaign: str


@dataclass(frozen=True)
class ApplyPlan:
    asked: Asked
    revision: int | None = None


@dataclass(frozen=True)
class Note:
    """What a campaign's plan wants since `now`, for the keys that did not decide it themselves."""

    now: datetime
    campaign: str
    measures: tuple[PlannedMeasure, ...]


@dataclass(frozen=True)
class Want:
    """The plan wants this measure, so from now on."""

    now: datetime
    number: str
    campaign: str
    measure: PlannedMeasure


@dataclass(frozen=True)
class Retire:
    """The plan names this measure no longer, or is in force no longer."""

    now: datetime
    number: str
    campaign: str
    measure: str


@dataclass(frozen=True)
class ReportCount:
    asked: Asked
    count: int
    note: str
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True)
class MeetMilestone:
    asked: Asked
    milestone: str
    note: str
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True)
class ReportOccurrence:
    asked: Asked
    village: str | None = None
    day: date | None = None
    note: str = ""
    evidence: tuple[str, ...] = ()


Carry = RecordProgress | ReportCount | MeetMilestone | ReportOccurrence
"""What the responsible stations say of their work."""
Request = Carry | Resolve | Verify
MeasureCommand = Want | Retire | Request
PlanCommand = BeginPlan | ApplyPlan | Note

"""What can be asked of supervision: about a campaign, or about a finding."""

from dataclasses import dataclass
from datetime import date

from duban_contracts.charter import Ground
from services.chassis.decider import Asked


@dataclass(frozen=True)
class StartCampaign:
    asked: Asked


@dataclass(frozen=True)
class DrawInspections:
    asked: Asked
    day: date
    count: int
    seed: int


@dataclass(frozen=True)
class RecordInspection:
    asked: Asked
    station: str
    passed: bool
    note: str = ""


@dataclass(frozen=True)
class RecordFinding:
    asked: Asked
    station: str
    ground: Ground
    text: str
    measure: str | None = None
    entry: str | None = None
    serious: bool = False


@dataclass(frozen=True)
class VerifyRectification:
    asked: Asked
    passed: bool
    note: str = ""


Command = StartCampaign | DrawInspections | RecordInspection | RecordFinding | VerifyRectification

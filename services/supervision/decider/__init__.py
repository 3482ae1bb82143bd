"""Whether every station is inspected, and what was found there until it is mended. Facts, no consequences."""

from typing import get_args

from duban_contracts.charter import Charter
from duban_contracts.supervision import (
    SupervisionCommandRefused,
    SupervisionEvent,
    SupervisionPersonalDataMasked,
)
from services.chassis.decider import Decider
from services.supervision.decider.commands import (
    Command,
    DrawInspections,
    RecordFinding,
    RecordInspection,
    StartCampaign,
    VerifyRectification,
)
from services.supervision.decider.rules import Rules
from services.supervision.decider.states import (
    ClosedFinding,
    OpenFinding,
    Running,
    State,
    Unknown,
    evolve,
    wake_at,
)

__all__ = [
    "ClosedFinding",
    "Command",
    "DrawInspections",
    "OpenFinding",
    "RecordFinding",
    "RecordInspection",
    "Running",
    "StartCampaign",
    "State",
    "Unknown",
    "VerifyRectification",
    "supervision",
]


def supervision(charter: Charter) -> Decider[Command, State, SupervisionEvent]:
    """The rules of 督查 under one charter: its `campaign`, its stations, its plan, its actors."""
    return Decider(
        decide=Rules(charter).decide,
        evolve=evolve,
        initial_state=Unknown(),
        states=get_args(State),
        events=get_args(SupervisionEvent),
        refused=SupervisionCommandRefused,
        masked=SupervisionPersonalDataMasked,
        wake_at=wake_at,
    )

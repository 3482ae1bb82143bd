"""Measures (整改措施): opened by the plan, carried by stations, accepted by inspection, struck off. Pure."""

from typing import get_args

from duban_contracts.charter import Charter
from duban_contracts.ledger import LedgerCommandRefused, LedgerPersonalDataMasked
from services.chassis.calendar import WorkingCalendar
from services.chassis.decider import Decider
from services.ledger.decider import Dues, Unopened
from services.ledger.measures.clocks import Clocks
from services.ledger.measures.commands import (
    ApplyPlan,
    BeginPlan,
    MeasureCommand,
    MeetMilestone,
    Note,
    PlanCommand,
    ReportCount,
    ReportOccurrence,
    Retire,
    Want,
)
from services.ledger.measures.evolve import evolve as evolve_measure
from services.ledger.measures.plans import (
    IN_FORCE,
    PlanInForce,
    PlanNoted,
    Plans,
    PlanState,
    PlanTold,
    plan_key,
    planned,
)
from services.ledger.measures.plans import evolve as evolve_plan
from services.ledger.measures.rules import Rules
from services.ledger.measures.situations import (
    Achieved,
    MeasureKnown,
    MeasureState,
    MeasureTold,
    Retired,
    SaidDone,
    Underway,
    Work,
)
from services.ledger.measures.wants import Wants

__all__ = [
    "IN_FORCE",
    "Achieved",
    "ApplyPlan",
    "BeginPlan",
    "Clocks",
    "MeasureCommand",
    "MeasureKnown",
    "MeasureState",
    "MeasureTold",
    "MeetMilestone",
    "Note",
    "PlanCommand",
    "PlanInForce",
    "PlanNoted",
    "PlanState",
    "PlanTold",
    "ReportCount",
    "ReportOccurrence",
    "Retire",
    "Retired",
    "SaidDone",
    "Underway",
    "Want",
    "Work",
    "measures",
    "plan_key",
    "planned",
    "plans",
]


def measures(charter: Charter) -> Decider[MeasureCommand, MeasureState, MeasureTold]:
    clocks = Clocks(charter, Dues(charter, WorkingCalendar(charter)))
    return Decider(
        decide=Rules(charter, clocks, Wants(clocks)).decide,
        evolve=evolve_measure,
        initial_state=Unopened(),
        states=get_args(MeasureState),
        events=get_args(MeasureTold),
        refused=LedgerCommandRefused,
        masked=LedgerPersonalDataMasked,
        wake_at=clocks.wake_at,
    )


def plans(charter: Charter) -> Decider[PlanCommand, PlanState, PlanTold]:
    return Decider(
        decide=Plans(charter).decide,
        evolve=evolve_plan,
        initial_state=Unopened(),
        states=get_args(PlanState),
        events=get_args(PlanTold),
        refused=LedgerCommandRefused,
        masked=LedgerPersonalDataMasked,
    )

"""Applications: stage after stage, publicly noticed, approved by somebody else, filed, struck off. Pure."""

from collections.abc import Callable
from datetime import datetime
from typing import get_args

from duban_contracts.charter import Charter
from duban_contracts.ledger import EntryOpened, LedgerCommandRefused, LedgerPersonalDataMasked
from services.chassis.calendar import WorkingCalendar
from services.chassis.decider import Decider
from services.ledger.applications.rules import Rules
from services.ledger.applications.situations import (
    Application,
    ApplicationCommand,
    ApplicationKnown,
    ApplicationState,
    ApplicationTold,
    Apply,
    Completed,
    CompleteStage,
    Concluded,
    DecideObjection,
    Dropped,
    RaiseObjection,
    Staged,
    evolve,
)
from services.ledger.applications.stages import Stages, who_acts, who_decides
from services.ledger.decider import Dues, Matter, Open, Unopened, ledger

__all__ = [
    "Application",
    "ApplicationCommand",
    "ApplicationKnown",
    "ApplicationState",
    "ApplicationTold",
    "Apply",
    "CompleteStage",
    "Completed",
    "Concluded",
    "DecideObjection",
    "Dropped",
    "RaiseObjection",
    "Staged",
    "applications",
    "who_acts",
    "who_decides",
]


def applications(charter: Charter) -> Decider[ApplicationCommand, ApplicationState, ApplicationTold]:
    stages = Stages(charter, Dues(charter, WorkingCalendar(charter)))
    rules = Rules(charter, stages, _opener(charter))
    return Decider(
        decide=rules.decide,
        evolve=evolve,
        initial_state=Unopened(),
        states=get_args(ApplicationState),
        events=get_args(ApplicationTold),
        refused=LedgerCommandRefused,
        masked=LedgerPersonalDataMasked,
        wake_at=stages.wake_at,
    )


def _opener(charter: Charter) -> Callable[[datetime, str, Matter], EntryOpened]:
    """As the register opens every matter; what follows from an opening there is left to it."""
    matters = ledger(charter)

    def opened(now: datetime, number: str, matter: Matter) -> EntryOpened:
        facts = matters.decide(Open(now, number, matter), Unopened())
        return next(fact for fact in facts if isinstance(fact, EntryOpened))

    return opened

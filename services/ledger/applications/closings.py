"""The facts with which an application ends, and the sentences about where it stands."""

from datetime import datetime

from duban_contracts.intake import Outcome
from duban_contracts.ledger import (
    EntryClosedUnsolved,
    EntryKind,
    EntryResolved,
    EntryStruckOff,
    LedgerCommandRefused,
    VerificationRejected,
)
from duban_contracts.message import Refusal
from services.chassis.decider import Asked, refusal
from services.chassis.wording import Wording, wording
from services.ledger.applications.situations import (
    Application,
    ApplicationKnown,
    Completed,
    CompleteStage,
    Concluded,
    Dropped,
    Staged,
)
from services.ledger.decider import Verify


def resolved(request: CompleteStage, to: Application, outcome: Outcome) -> EntryResolved:
    return EntryResolved(
        at=request.asked.now,
        station=to.station,
        entry=to.number,
        round=to.round,
        by=request.asked.actor,
        outcome=outcome,
        answer=request.note,
    )


def struck_off(asked: Asked, state: Completed) -> EntryStruckOff:
    """Late if its station was with any stage, not whoever approves: stages are what has a time limit."""
    to = state.application
    return EntryStruckOff(
        at=asked.now,
        station=to.station,
        entry=to.number,
        round=to.round,
        by=asked.actor,
        outcome=state.outcome,
        resolved_at=state.at,
        late=to.late,
        entry_kind=EntryKind.APPLICATION,
        restricted=to.opened.restricted,
        brought_by=to.opened.brought_by,
    )


def rejected(request: Verify, state: Completed) -> VerificationRejected:
    """Back to the stage at which it ended; that stage's due date stands."""
    to = state.application
    return VerificationRejected(
        at=request.asked.now,
        station=to.station,
        entry=to.number,
        round=to.round + 1,
        by=request.asked.actor,
        reason=request.reason,
        due=to.due,
    )


def withdrawn(to: Application, at: datetime) -> EntryClosedUnsolved:
    return EntryClosedUnsolved(
        at=at,
        station=to.station,
        entry=to.number,
        outcome=Outcome.WITHDRAWN,
        late_with=to.overdue,
    )


def not_now(asked: Asked, state: ApplicationKnown) -> LedgerCommandRefused:
    return refusal(
        LedgerCommandRefused,
        asked,
        Refusal.WRONG_STATE,
        wording("{key} is {state}", key=asked.key, state=situation(state)),
    )


def situation(state: ApplicationKnown) -> Wording:
    match state:
        case Staged(application):
            return wording(
                "in the stage {id}; its stages have to be completed first", id=application.stage.id
            )
        case Completed():
            return wording("completed; it waits for somebody else to verify it")
        case Concluded():
            return wording("struck off; submit a new application instead")
        case Dropped():
            return wording("taken back by the applicant; submit a new application instead")

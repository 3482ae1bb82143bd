"""The facts with which a measure ends, what it still lacks, and the sentences of a refusal."""

from duban_contracts.ledger import (
    EntryKind,
    EntryResolved,
    EntryStruckOff,
    LedgerCommandRefused,
    VerificationRejected,
)
from duban_contracts.message import Refusal
from duban_contracts.plan import Counted, Milestones, OneOff, Recurring
from services.chassis.decider import Asked, refusal
from services.ledger.decider import Resolve, Verify
from services.ledger.measures.situations import Achieved, MeasureKnown, SaidDone, Underway, Work


def no(asked: Asked, reason: Refusal, detail: str) -> LedgerCommandRefused:
    return refusal(LedgerCommandRefused, asked, reason, detail)


def how(work: Work) -> str:
    """What to do with this measure, in words."""
    match work.planned.shape:
        case OneOff():
            return "record its progress with evidence, then resolve it"
        case Counted(target=target, unit=unit):
            return f"report its count, {work.done} of {target} {unit} so far"
        case Milestones(milestones=milestones):
            following = next((each.id for each in milestones if each.id not in work.met), None)
            return f"the next milestone is {following}" if following else "resolve it"
        case Recurring():
            return "report each occurrence on its day"


def unfinished(request: Resolve, work: Work) -> LedgerCommandRefused | None:
    """Done means done: with evidence, to the last one of what was counted, of every milestone and day."""
    asked, shape = request.asked, work.planned.shape
    if isinstance(shape, Counted | Milestones) and work.percent < 100:
        return no(asked, Refusal.INCOMPLETE, f"{asked.key} stands at {work.percent} percent; {how(work)}")
    if isinstance(shape, Recurring) and (work.due is None or asked.now < work.due.at):
        until = f"until {work.due.last_day}" if work.due else "until the plan ends or retires it"
        return no(asked, Refusal.INCOMPLETE, f"{asked.key} recurs {until}; {how(work)}")
    if isinstance(shape, OneOff) and not work.evidence:
        return no(asked, Refusal.EVIDENCE_MISSING, "record its progress with evidence before you resolve it")
    return None


def resolved(request: Resolve, work: Work) -> EntryResolved:
    return EntryResolved(
        at=request.asked.now,
        station=work.station,
        entry=work.number,
        round=work.round,
        by=request.asked.actor,
        outcome=request.outcome,
        answer=request.answer,
    )


def struck_off(asked: Asked, state: SaidDone) -> EntryStruckOff:
    work = state.work
    return EntryStruckOff(
        at=asked.now,
        station=work.station,
        entry=work.number,
        round=work.round,
        by=asked.actor,
        outcome=state.outcome,
        resolved_at=state.at,
        late=None if work.due is None else state.at >= work.due.at,
        due=work.due,
        entry_kind=EntryKind.MEASURE,
    )


def rejected(request: Verify, state: SaidDone) -> VerificationRejected:
    """The due date stands: what was not achieved in time does not gain time."""
    work = state.work
    return VerificationRejected(
        at=request.asked.now,
        station=work.station,
        entry=work.number,
        round=work.round + 1,
        by=request.asked.actor,
        reason=request.reason,
        due=work.due,
    )


def not_now(asked: Asked, state: MeasureKnown) -> LedgerCommandRefused:
    return no(asked, Refusal.WRONG_STATE, f"{asked.key} is {situation(state)}")


def situation(state: MeasureKnown) -> str:
    match state:
        case Underway():
            return "under way; its lead has to resolve it first"
        case SaidDone():
            return "said to be done; it waits for an inspection"
        case Achieved():
            return "struck off; nothing is left to do about it"

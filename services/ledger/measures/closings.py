"""The facts with which a measure ends, what it still lacks, and the sentences of a refusal."""

from datetime import date

from duban_contracts.ledger import (
    EntryKind,
    EntryResolved,
    EntryStruckOff,
    LedgerCommandRefused,
    VerificationRejected,
)
from duban_contracts.measures import PlannedMeasure
from duban_contracts.message import Refusal
from duban_contracts.plan import Counted, Milestones, OneOff, Recurring
from services.chassis.decider import Asked, refusal
from services.chassis.wording import Wording, wording
from services.ledger.decider import Resolve, Verify
from services.ledger.measures.situations import Achieved, MeasureKnown, SaidDone, Underway, Work


def no(asked: Asked, reason: Refusal, detail: Wording) -> LedgerCommandRefused:
    return refusal(LedgerCommandRefused, asked, reason, detail)


def how(work: Work) -> Wording:
    """What to do with this measure, in words."""
    match work.planned.shape:
        case OneOff():
            return wording("record its progress with evidence, then resolve it")
        case Counted(target=target, unit=unit):
            return wording(
                "report its count, {done} of {target} {unit} so far", done=work.done, target=target, unit=unit
            )
        case Milestones(milestones=milestones):
            following = next((each.id for each in milestones if each.id not in work.met), None)
            return (
                wording("the next milestone is {following}", following=following)
                if following
                else wording("resolve it")
            )
        case Recurring():
            return wording("report each occurrence on its day")


def lacks(work: Work, coming: date | None) -> tuple[Refusal, Wording] | None:
    """Done means done: to the last one of what was counted, of every milestone and day, and with evidence.

    `coming` is the next day on which it recurs. Each milestone has its evidence; of every other shape some
    is named by the time that it is said to be done, with what was reported or with its progress.
    """
    match work.planned:
        case PlannedMeasure(shape=Counted() | Milestones()) if work.percent < 100:
            return Refusal.INCOMPLETE, wording(
                "stands at {percent} percent; {advice}", percent=work.percent, advice=how(work)
            )
        case PlannedMeasure(shape=Recurring(), last_day=None):
            return Refusal.INCOMPLETE, wording(
                "recurs until the plan ends or retires it; {advice}", advice=how(work)
            )
        case PlannedMeasure(shape=Recurring(), last_day=last) if coming is not None:
            return Refusal.INCOMPLETE, wording("recurs until {last}; {advice}", last=last, advice=how(work))
        case _ if not work.evidence:
            detail = wording("has no evidence yet; record its progress with evidence before you resolve it")
            return Refusal.EVIDENCE_MISSING, detail
        case _:
            return None


def unfinished(request: Resolve, work: Work, coming: date | None) -> LedgerCommandRefused | None:
    lack = lacks(work, coming)
    return (
        no(request.asked, lack[0], wording("{key} {lack}", key=request.asked.key, lack=lack[1]))
        if lack
        else None
    )


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
    """Late by the due date that it had when it was said to be done."""
    work, due = state.work, state.due
    return EntryStruckOff(
        at=asked.now,
        station=work.station,
        entry=work.number,
        round=work.round,
        by=asked.actor,
        outcome=state.outcome,
        resolved_at=state.at,
        late=None if due is None else state.at >= due.late_from,
        due=due,
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
    return no(asked, Refusal.WRONG_STATE, wording("{key} is {state}", key=asked.key, state=situation(state)))


def situation(state: MeasureKnown) -> Wording:
    match state:
        case Underway():
            return wording("under way; its lead has to resolve it first")
        case SaidDone():
            return wording("said to be done; it waits for an inspection")
        case Achieved():
            return wording("struck off; nothing is left to do about it")

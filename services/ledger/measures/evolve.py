"""How each fact changes a measure. No rule in it: what was decided stands in the fact."""

from dataclasses import replace
from datetime import datetime, timedelta

from duban_contracts.ledger import (
    Due,
    EntryDueSoon,
    EntryOverdue,
    EntryResolved,
    EntryStruckOff,
    LedgerCommandRefused,
    LedgerPersonalDataMasked,
    ProgressRecorded,
    VerificationRejected,
)
from duban_contracts.measures import (
    MeasureChanged,
    MeasureOpened,
    MeasureRetired,
    MilestoneMet,
    MilestoneMissed,
    OccurrenceMissed,
    OccurrenceReported,
    PlannedMeasure,
)
from duban_contracts.plan import Milestones
from services.ledger.decider import Unopened
from services.ledger.measures.situations import (
    Achieved,
    Bell,
    MeasureState,
    MeasureTold,
    PlanSeen,
    Retired,
    SaidDone,
    Underway,
    Work,
)


def evolve(state: MeasureState, event: MeasureTold) -> MeasureState:
    match event:
        case LedgerCommandRefused() | LedgerPersonalDataMasked():
            return state
        case PlanSeen(at=at):
            return seen(state, at)
        case MeasureOpened():
            return opened(event)
        case MeasureRetired():
            work = None if isinstance(state, Unopened | Retired) else state.work
            return Retired(event.entry, event.at, event.planned_at or event.at, work)
        case EntryResolved():
            work = told(touched(work_of(state), event.at), event.at)
            return SaidDone(work, event.at, event.by, event.outcome, work.due)
        case EntryStruckOff():
            work = told(touched(work_of(state), event.at), event.at)
            judged = replace(work, due=event.due or work.due)
            return Achieved(judged, event.at, event.outcome, event.late)
        case VerificationRejected():
            return Underway(again(told(work_of(state), event.at), event.round, event.at))
        case MeasureChanged(round=int(number)):
            return Underway(again(told(changed(work_of(state), event), event.at), number, event.at))
        case _:
            return with_work(state, told(worked(work_of(state), event), event.at))


Working = (
    MeasureChanged
    | MilestoneMet
    | MilestoneMissed
    | OccurrenceReported
    | OccurrenceMissed
    | ProgressRecorded
    | EntryDueSoon
    | EntryOverdue
)


def worked(work: Work, event: Working) -> Work:
    match event:
        case MeasureChanged():
            return changed(work, event)
        case ProgressRecorded():
            return progressed(work, event)
        case MilestoneMet(milestone=milestone, note=note, evidence=evidence):
            met = (*work.met, milestone)
            return touched(
                replace(work, met=met, note=note, evidence=work.evidence + len(evidence)), event.at
            )
        case MilestoneMissed(milestone=milestone):
            return replace(work, missed=(*work.missed, milestone))
        case OccurrenceReported():
            return reported(work, event)
        case OccurrenceMissed(day=day):
            missed = replace(work, lost=work.lost + 1, next_day=day + timedelta(days=1))
            return touched(missed, event.at)
        case EntryDueSoon(on_due_day=on_due_day):
            return replace(work, rung=(*work.rung, Bell.DUE_DAY if on_due_day else Bell.DUE_SOON))
        case EntryOverdue():
            return replace(work, rung=(*work.rung, Bell.OVERDUE))


def opened(event: MeasureOpened) -> Underway:
    at = event.at
    return Underway(
        Work(
            number=event.entry,
            campaign=event.campaign,
            planned=event.measure,
            planned_at=event.planned_at or at,
            due=event.due,
            opened_at=at,
            began_at=at,
            updated_at=at,
            told_at=at,
            milestones=dues_of(event),
            next_day=event.first_day,
        )
    )


def changed(work: Work, event: MeasureChanged) -> Work:
    """What was done stays done, unless it is done in another way now."""
    moved = replace(
        work,
        planned=event.measure,
        planned_at=event.planned_at or event.at,
        due=event.due,
        milestones=dues_of(event),
        updated_at=event.at,
        rung=work.rung if event.due == work.due else (),
        missed=still_missed(work, event.measure),
        next_day=event.first_day or work.next_day,
    )
    if event.measure.shape.kind == work.planned.shape.kind:
        return moved
    return replace(
        moved,
        said_percent=0,
        evidence=0,
        done=0,
        met=(),
        missed=(),
        next_day=event.first_day,
        reported=(),
        kept=0,
        lost=0,
    )


def dues_of(event: MeasureOpened | MeasureChanged) -> dict[str, Due]:
    return {each.milestone: each.due for each in event.milestones}


def still_missed(work: Work, planned: PlannedMeasure) -> tuple[str, ...]:
    """A milestone that was given another date, or another station, may be missed anew."""
    before, after = work.planned.shape, planned.shape
    if not isinstance(before, Milestones) or not isinstance(after, Milestones):
        return ()
    if planned.stations[0] != work.station:
        return ()
    dates = {each.id: each.due for each in before.milestones}
    same = {each.id for each in after.milestones if each.id in dates and dates[each.id] == each.due}
    return tuple(each for each in work.missed if each in same)


def again(work: Work, number: int, at: datetime) -> Work:
    """Another round, in which everything may ring once more."""
    return replace(work, round=number, began_at=at, updated_at=at, rung=())


def progressed(work: Work, event: ProgressRecorded) -> Work:
    said = work.said_percent if event.percent is None else event.percent
    done = work.done if event.done is None else event.done
    evidence = work.evidence + len(event.evidence)
    return touched(replace(work, note=event.note, said_percent=said, done=done, evidence=evidence), event.at)


def reported(work: Work, event: OccurrenceReported) -> Work:
    day = event.day
    where = (*work.reported_on(day), event.village)
    settled = day + timedelta(days=1) if event.complete else work.next_day
    counted = replace(work, reported=where, reported_day=day, next_day=settled, kept=work.kept + 1)
    evidence = counted.evidence + len(event.evidence)
    return touched(replace(counted, note=event.note or work.note, evidence=evidence), event.at)


def seen(state: MeasureState, at: datetime) -> MeasureState:
    match state:
        case Retired():
            return replace(state, planned_at=at)
        case _:
            return with_work(state, replace(work_of(state), planned_at=at))


def touched(work: Work, at: datetime) -> Work:
    return replace(work, updated_at=at)


def told(work: Work, at: datetime) -> Work:
    return replace(work, told_at=max(work.told_at, at))


def work_of(state: MeasureState) -> Work:
    if isinstance(state, Unopened | Retired):
        raise ValueError("a measure is opened before anything else is told of it")
    return state.work


def with_work(state: MeasureState, work: Work) -> MeasureState:
    if isinstance(state, Unopened | Retired):
        raise ValueError("a measure is opened before anything else is told of it")
    return replace(state, work=work)

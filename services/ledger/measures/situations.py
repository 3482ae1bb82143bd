"""The situations that a measure can be in, and how each fact changes them."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from duban_contracts.intake import Outcome
from duban_contracts.ledger import (
    Due,
    EntryDueSoon,
    EntryOverdue,
    EntryResolved,
    EntryStruckOff,
    LedgerCommandRefused,
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
from duban_contracts.plan import Counted, Milestones, OneOff, Recurring
from services.ledger.decider import Unopened

MeasureTold = (
    MeasureOpened
    | MeasureChanged
    | MeasureRetired
    | MilestoneMet
    | MilestoneMissed
    | OccurrenceReported
    | OccurrenceMissed
    | ProgressRecorded
    | EntryDueSoon
    | EntryOverdue
    | EntryResolved
    | VerificationRejected
    | EntryStruckOff
    | LedgerCommandRefused
)
"""Every fact that a measure can bring about."""


class Bell(StrEnum):
    """What may fall due in a round, once each, besides milestones and occurrences."""

    DUE_SOON = "due_soon"
    DUE_DAY = "due_day"
    OVERDUE = "overdue"


@dataclass(frozen=True)
class Work:
    """One measure, and how far it is. What was done is kept as counts, so that it never grows with time."""

    number: str
    campaign: str
    planned: PlannedMeasure
    planned_at: datetime
    """When the plan last said so."""
    due: Due | None
    opened_at: datetime
    began_at: datetime
    """When the round began."""
    updated_at: datetime
    round: int = 1
    rung: tuple[Bell, ...] = ()
    note: str = ""
    said_percent: int = 0
    """Of a one-off measure, in the station's own words."""
    evidence: int = 0
    """How many pieces of evidence were named so far."""
    done: int = 0
    """Of a counted measure."""
    met: tuple[str, ...] = ()
    missed: tuple[str, ...] = ()
    next_day: date | None = None
    """Of a recurring measure: the first day that is not settled yet."""
    reported: tuple[str | None, ...] = ()
    """Where it was reported for `reported_day`."""
    reported_day: date | None = None
    kept: int = 0
    lost: int = 0
    """Occurrences reported, and missed."""

    @property
    def station(self) -> str:
        return self.planned.stations[0]

    @property
    def percent(self) -> int:
        """Progress from 0 to 100; of a recurring measure the share of occurrences that were reported."""
        match self.planned.shape:
            case OneOff():
                return self.said_percent
            case Counted(target=target):
                return min(100, 100 * self.done // target)
            case Milestones(milestones=milestones):
                return max((each.percent for each in milestones if each.id in self.met), default=0)
            case Recurring():
                return 100 * self.kept // (self.kept + self.lost) if self.kept + self.lost else 0

    def places(self) -> tuple[str | None, ...]:
        return self.planned.villages or (None,)

    def reported_on(self, day: date) -> tuple[str | None, ...]:
        return self.reported if self.reported_day == day else ()


@dataclass(frozen=True)
class Underway:
    """With its stations."""

    work: Work


@dataclass(frozen=True)
class SaidDone:
    """The lead says it is done; an inspection has to accept it."""

    work: Work
    at: datetime
    by: str
    outcome: Outcome


@dataclass(frozen=True)
class Achieved:
    """Accepted by inspection and off the register (销号)."""

    work: Work
    at: datetime
    outcome: Outcome
    late: bool | None


@dataclass(frozen=True)
class Retired:
    """The plan names it no longer; without `work` that was heard before anything else."""

    number: str
    at: datetime
    work: Work | None = None


MeasureKnown = Underway | SaidDone | Achieved
MeasureState = Unopened | Retired | MeasureKnown


def evolve(state: MeasureState, event: MeasureTold) -> MeasureState:
    match event:
        case LedgerCommandRefused():
            return state
        case MeasureOpened():
            return opened(event)
        case MeasureRetired():
            work = None if isinstance(state, Unopened | Retired) else state.work
            return Retired(event.entry, event.at, work)
        case EntryResolved():
            return SaidDone(touched(work_of(state), event.at), event.at, event.by, event.outcome)
        case EntryStruckOff():
            return Achieved(touched(work_of(state), event.at), event.at, event.outcome, event.late)
        case VerificationRejected():
            work = replace(work_of(state), round=event.round, began_at=event.at, updated_at=event.at, rung=())
            return Underway(work)
        case _:
            return with_work(state, worked(work_of(state), event))


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
            return replace(work, lost=work.lost + 1, next_day=day + timedelta(days=1))
        case EntryDueSoon(on_due_day=on_due_day):
            return replace(work, rung=(*work.rung, Bell.DUE_DAY if on_due_day else Bell.DUE_SOON))
        case EntryOverdue():
            return replace(work, rung=(*work.rung, Bell.OVERDUE))


def opened(event: MeasureOpened) -> Underway:
    at = event.at
    work = Work(event.entry, event.campaign, event.measure, at, event.due, at, at, at)
    return Underway(replace(work, next_day=event.first_day))


def changed(work: Work, event: MeasureChanged) -> Work:
    """What was done stays done, unless it is done in another way now."""
    same_due = event.due == work.due
    moved = replace(
        work,
        planned=event.measure,
        planned_at=event.at,
        due=event.due,
        updated_at=event.at,
        rung=work.rung if same_due else (),
        missed=still_missed(work, event.measure),
    )
    if event.measure.shape.kind == work.planned.shape.kind:
        return moved
    return replace(moved, done=0, met=(), missed=(), next_day=event.first_day, reported=(), kept=0, lost=0)


def still_missed(work: Work, planned: PlannedMeasure) -> tuple[str, ...]:
    """A milestone that was given another date may be missed anew."""
    before, after = work.planned.shape, planned.shape
    if not isinstance(before, Milestones) or not isinstance(after, Milestones):
        return ()
    dates = {each.id: each.due for each in before.milestones}
    same = {each.id for each in after.milestones if each.id in dates and dates[each.id] == each.due}
    return tuple(each for each in work.missed if each in same)


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


def touched(work: Work, at: datetime) -> Work:
    return replace(work, updated_at=at)


def work_of(state: MeasureState) -> Work:
    if isinstance(state, Unopened | Retired):
        raise ValueError("a measure is opened before anything else is told of it")
    return state.work


def with_work(state: MeasureState, work: Work) -> MeasureState:
    if isinstance(state, Unopened | Retired):
        raise ValueError("a measure is opened before anything else is told of it")
    return replace(state, work=work)

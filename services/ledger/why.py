"""Why an entry is due when it is due: every due date with its rule, and each day with its reason. Pure."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from duban_contracts.charter import Charter
from duban_contracts.due import Due, DueClock
from duban_contracts.queries import DayExplained, DueExplained, Why
from services.chassis.calendar import WorkingCalendar
from services.chassis.counting import Step
from services.ledger.applications import (
    Application,
    ApplicationKnown,
    Concluded,
    Dropped,
    Staged,
    who_acts,
    who_decides,
)
from services.ledger.decider import (
    Closed,
    Dues,
    Entry,
    Handling,
    Known,
    Merged,
    Resolved,
    Returned,
    StruckOff,
)
from services.ledger.measures import Achieved, Clocks, MeasureKnown, Retired, SaidDone, Work

Standing = Known | ApplicationKnown | MeasureKnown | Retired
"""What may stand under a number that the register has."""


class Timed(NamedTuple):
    clock: DueClock
    station: str | None
    due: Due
    part: str | None = None
    """The stage or the milestone, where it is not the entry as a whole that is due."""


def explain(number: str, state: Standing, charter: Charter) -> Why:
    """A matter has several clocks, an application that of its stage, a measure those of its plan.

    Days are counted by `charter`: where the due date was counted under another revision and would be
    another one now, as with closed entries, the explanation says so.
    """
    dues = Dues(charter, WorkingCalendar(charter))
    entry = matter_of(state)
    return Why(
        entry=number,
        stopped=isinstance(state, StruckOff | Closed | Concluded | Dropped | Achieved | Retired),
        held_since=held_since(state),
        reclassified=entry.reclassified if entry else (),
        merged_into=state.into if isinstance(state, Merged) else None,
        merged_at=state.at if isinstance(state, Merged) else None,
        dues=tuple(explained(dues, timed) for timed in timed_by(state, charter)),
    )


def matter_of(state: Standing) -> Entry | None:
    matter = Handling | Returned | Resolved | StruckOff | Closed | Merged
    return state.entry if isinstance(state, matter) else None


def held_since(state: Standing) -> datetime | None:
    match state:
        case Handling(entry):
            return entry.held.since if entry.held else None
        case Staged(application):
            return application.paused_at
        case _:
            return None


def timed_by(state: Standing, charter: Charter) -> Iterator[Timed]:
    match state:
        case Handling() | Returned() | Resolved() | StruckOff() | Closed() | Merged():
            return _of_matter(state)
        case _ if isinstance(state, ApplicationKnown):
            return _of_application(state.application, charter)
        case SaidDone(work, due=due):
            return _of_measure(replace(work, due=due), charter)
        case _:
            return _of_measure(state.work, charter)


def _of_matter(state: Known) -> Iterator[Timed]:
    entry = state.entry
    answered = state.due if isinstance(state, Resolved) else entry.due
    if answered is not None and not isinstance(state, Merged):
        yield Timed(DueClock.STATION, entry.station, answered)
    if entry.citizen is not None:
        yield Timed(DueClock.CITIZEN, None, entry.citizen)
    if isinstance(state, Merged):
        return  # its station has nothing to do with it meanwhile
    if entry.offer is not None:
        yield Timed(DueClock.ACCEPTANCE, entry.offer.to, entry.offer.acceptance)
    elif entry.acceptance is not None and not entry.accepted:
        yield Timed(DueClock.ACCEPTANCE, entry.station, entry.acceptance)
    if entry.interim is not None:
        yield Timed(DueClock.INTERIM, entry.owes_interim, entry.interim)


def _of_application(of: Application, charter: Charter) -> Iterator[Timed]:
    if of.due is not None:
        who = who_acts(charter, of.stage, of.station)
        yield Timed(DueClock.STATION, who, of.due, of.stage.name)
    for each in of.objections:
        if each.due is not None:
            who = who_decides(charter, of, each.by)
            yield Timed(DueClock.STATION, who, each.due, f"objection {each.number}")


def _of_measure(work: Work | None, charter: Charter) -> Iterator[Timed]:
    if work is None:
        return
    if work.due is not None:
        yield Timed(DueClock.STATION, work.station, work.due)
    for milestone, due in Clocks(charter, Dues(charter, WorkingCalendar(charter))).milestones_timed(work):
        yield Timed(DueClock.STATION, work.station, due, milestone.name)


def explained(dues: Dues, timed: Timed) -> DueExplained:
    due = timed.due
    told = DueExplained(clock=timed.clock, station=timed.station, due=due, part=timed.part)
    if due.start is None or (due.limit is None and due.set_for is None and due.set_at is None):
        return told  # its rule says all there is to say
    counting = dues.counting(due)
    return told.model_copy(update={"days": tuple(map(_day, counting.days)), "agrees": counting.at == due.at})


def _day(step: Step) -> DayExplained:
    return DayExplained(
        day=step.day, reason=step.reason, counted=float(step.counted), provisional=step.provisional
    )

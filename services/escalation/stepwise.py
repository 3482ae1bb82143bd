"""Entries that are late step by step: the stages of applications, and the milestones of measures."""

from collections.abc import Iterable

from duban_contracts import applications, measures
from duban_contracts.charter import Charter
from duban_contracts.escalation import ItemKind, OpenItem
from services.chassis.heard import Handlers, Heard
from services.escalation.custody import late_item, overdue_item
from services.escalation.decider import EVERY_ROUND, Close, Open

Wanted = Iterable[tuple[str, Open | Close]]


def stage_overdue(heard: Heard[applications.StageOverdue], _: Charter) -> Wanted:
    """The stages of an application are what has a time limit: a late one is the entry's own lateness.

    One that its station may not complete is held against whoever may: the office, as a rule.
    """
    late = heard.data
    if late.station:
        item = late_item(late.entry, late.due.late_from)
        yield late.station, Open(heard.now, late.station, item, late.visit)


def stage_completed(heard: Heard[applications.StageCompleted], _: Charter) -> Wanted:
    done = heard.data
    if who := done.late_with or done.station:
        items = (overdue_item(done.entry),)
        yield who, Close(heard.now, who, items, done.visit, items if done.late else ())


def objection_decided(heard: Heard[applications.ObjectionDecided], _: Charter) -> Wanted:
    """Sent back, nobody is late any more with the stage that this broke off."""
    said = heard.data
    if who := said.late_with:
        items = (overdue_item(said.entry),)
        yield who, Close(heard.now, who, items, said.visit, items)


def milestone_missed(heard: Heard[measures.MilestoneMissed], _: Charter) -> Wanted:
    """Behind planned progress is lagging (整改滞后, domain.md §1), before the measure itself is due.

    Missed anew under another date it is another occurrence, told apart by that date.
    """
    late = heard.data
    name = milestone_item(late.entry, late.milestone)
    item = OpenItem(id=name, kind=ItemKind.ENTRY_OVERDUE, since=late.due.late_from)
    if late.station:
        yield late.station, Open(heard.now, late.station, item, late.due.last_day.toordinal())


def milestone_met(heard: Heard[measures.MilestoneMet], _: Charter) -> Wanted:
    met = heard.data
    if met.station:
        items = (milestone_item(met.entry, met.milestone),)
        yield met.station, Close(heard.now, met.station, items, EVERY_ROUND, items if met.late else ())


def measure_changed(heard: Heard[measures.MeasureChanged], _: Charter) -> Wanted:
    """The plan gave it or a milestone another date, or another lead: what was late by the former one is not.

    It may become so again, by the new date or with the new lead.
    """
    changed, now = heard.data, heard.now
    station = changed.former or changed.station
    milestones = tuple(milestone_item(changed.entry, each) for each in changed.excused)
    if station and milestones:
        yield station, Close(now, station, milestones, now.toordinal(), milestones)
    if station and (changed.former or changed.due is None or changed.due.at > changed.at):
        yield station, Close(now, station, (overdue_item(changed.entry),), EVERY_ROUND)


def measure_retired(heard: Heard[measures.MeasureRetired], _: Charter) -> Wanted:
    retired = heard.data
    if station := retired.station:
        milestones = (milestone_item(retired.entry, each) for each in retired.missed)
        yield station, Close(heard.now, station, (overdue_item(retired.entry), *milestones), EVERY_ROUND)


def milestone_item(entry: str, milestone: str) -> str:
    return f"milestone/{entry}/{milestone}"


HEARS: Handlers = {
    applications.ObjectionDecided: objection_decided,
    applications.StageCompleted: stage_completed,
    applications.StageOverdue: stage_overdue,
    measures.MeasureChanged: measure_changed,
    measures.MeasureRetired: measure_retired,
    measures.MilestoneMet: milestone_met,
    measures.MilestoneMissed: milestone_missed,
}

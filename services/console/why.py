"""`duban why`: each due date of an entry with its rule, and each day that was counted or was not."""

from typing import Annotated

import typer

from duban_contracts.due import DayReason, Due, DueClock
from duban_contracts.queries import DayExplained, DueExplained, Why, WhyEntry
from duban_contracts.reclassifying import Reclassification
from duban_contracts.rules import Unit
from services.console.asking_register import asking, no_such, with_town
from services.console.i18n import N_, _
from services.console.numbers import entry_number
from services.console.sentences import ABSENT, Town, deadline, printable
from services.console.tables import table as drawn
from services.console.terminal import (
    Format,
    FormatOption,
    ending,
    on_system,
    say,
    say_json,
)
from services.console.words import limit_in_words, word

REASONS = {
    DayReason.START: N_("start day, not counted"),
    DayReason.COUNTED: N_("counted"),
    DayReason.MAKE_UP: N_("counted: make-up working day"),
    DayReason.OVERLAY_WORKING: N_("counted: working day by the charter"),
    DayReason.WEEKEND: N_("weekend"),
    DayReason.HOLIDAY: N_("public holiday"),
    DayReason.OVERLAY_OFF: N_("day off by the charter"),
    DayReason.PAUSED: N_("paused"),
    DayReason.PARTLY_PAUSED: N_("partly paused"),
    DayReason.MOVED: N_("moved on: the last day was a day off"),
    DayReason.SET_ELSEWHERE: N_("last day as set elsewhere"),
}


def why(
    ctx: typer.Context,
    entry: Annotated[str, typer.Argument(help=N_("Number of the entry, e.g. 2024-000123"))],
    output: FormatOption = Format.TEXT,
) -> None:
    with ending(output):
        entry = entry_number(entry)
        question = asking(WhyEntry, entry=entry)
        answer, town = on_system(ctx, lambda system: with_town(system, "why", question, Why))
        if answer.entry is None:
            raise no_such(entry)
        if output is Format.JSON:
            say_json(answer.model_dump(mode="json", exclude_none=True))
        else:
            tell(answer, town)


def tell(answer: Why, town: Town) -> None:
    if answer.stopped:
        say(_("every clock has stopped; this is how they ran"))
    if answer.held_since:
        since = town.moment(answer.held_since)
        say(_("on hold since {since}: the clocks of station and citizen stand still").format(since=since))
    if answer.merged_into and answer.merged_at:
        since = town.moment(answer.merged_at)
        text = _("merged into {into} since {since}: no station is timed, the citizen's clock goes on")
        say(text.format(into=answer.merged_into, since=since))
    for done in answer.reclassified:
        for line in _reclassified(done, town):
            say(line)
    if not answer.dues:
        say(_("it has no time limit, so it is never late"))
    for explained in answer.dues:
        for line in lines(explained, town):
            say(line)
        if explained.days:
            say(table(explained))


def _reclassified(done: Reclassification, town: Town) -> list[str]:
    title = _("reclassified from {was} to {category} on {at} by {by}; with {station}, before with {before}")
    return [
        title.format(
            was=town.category(done.was),
            category=town.category(done.category),
            at=town.moment(done.at),
            by=town.name(done.by),
            station=town.name(done.station),
            before=town.name(done.from_station or done.station),
        ),
        _("  {clock}: {what}").format(clock=word(DueClock.STATION), what=word(done.station_clock)),
        _("  {clock}: {what}").format(clock=word(DueClock.CITIZEN), what=word(done.citizen_clock)),
    ]


def lines(explained: DueExplained, town: Town) -> list[str]:
    due = explained.due
    title = _("{clock}: due {day}, the last day in time")
    clock = word(explained.clock) if explained.part is None else printable(explained.part)
    said = [
        title.format(clock=clock, day=deadline(due.at, town)),
        _("  rule: {rule}").format(rule=town.said(due.rule)),
        _("  charter revision {revision}, calendar {calendar}").format(
            revision=due.revision or ABSENT, calendar=due.calendar or ABSENT
        ),
    ]
    if due.start:
        said.append(_("  counted from {start}").format(start=town.moment(due.start)))
    said += _changes(due, town)
    if due.provisional:
        said.append(_("  provisional: it counts days of a year without a holiday notice"))
    if not explained.agrees:
        said.append(_("  the charter in force now would give another date; the days below are by it"))
    return said


def _changes(due: Due, town: Town) -> list[str]:
    extended = _("  extended by {length}, granted by {by} on {at}")
    paused = _("  paused from {start} to {end}")
    on_top = _("  and {length} to verify it ({source})")
    said = [
        extended.format(
            length=limit_in_words(each.length), by=town.name(each.by), at=town.moment(each.granted_at)
        )
        for each in due.extensions
    ]
    said += [paused.format(start=town.moment(each.start), end=town.moment(each.end)) for each in due.pauses]
    if due.closing:
        length = limit_in_words(due.closing.length)
        said.append(on_top.format(length=length, source=printable(_(due.closing.source))))
    return said


def table(explained: DueExplained) -> str:
    limit = explained.due.limit
    hours = limit is not None and limit.unit is Unit.WORKING_HOURS
    headings = [_("Day"), _("Hours") if hours else _("Counted"), _("Sum"), _("Reason")]
    rows, total = list[list[str]](), 0.0
    for day in explained.days:
        total += day.counted
        rows.append([day.day.isoformat(), f"{day.counted:.3g}", f"{total:.3g}", reason(day)])
    return drawn(headings, rows)


def reason(day: DayExplained) -> str:
    said = _(REASONS[day.reason])
    return _("{reason} (provisional)").format(reason=said) if day.provisional else said

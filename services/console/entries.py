"""How entries of the register are shown: as a table of many, or field by field."""

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from duban_contracts.intake import Priority
from duban_contracts.reading import EntryInFull, EntryPage, EntryStatus
from duban_contracts.subjects import NOBODY
from services.console.asking_register import more
from services.console.i18n import N_, _
from services.console.sentences import ABSENT, Town, deadline, printable
from services.console.tables import table
from services.console.terminal import say
from services.console.words import word

FIELDS: Mapping[str, str] = {
    "number": N_("Number"),
    "entry_kind": N_("Register"),
    "status": N_("Status"),
    "situation": N_("Situation"),
    "station": N_("Station"),
    "co_handlers": N_("Co-handlers"),
    "title": N_("Title"),
    "category": N_("Category"),
    "kind": N_("Kind"),
    "village": N_("Village"),
    "priority": N_("Priority"),
    "restricted": N_("Conduct matter"),
    "round": N_("Round"),
    "opened_at": N_("Opened"),
    "updated_at": N_("Last change"),
    "due_at": N_("Due"),
    "due": N_("By the rule"),
    "held": N_("On hold"),
    "stage": N_("Stage"),
    "measure": N_("Measure of the plan"),
    "about": N_("About"),
    "leader": N_("Responsible leader"),
    "note": N_("Last said"),
    "percent": N_("Percent"),
    "outcome": N_("Outcome"),
    "late": N_("Late"),
    "ended_at": N_("Off the register"),
    "reclassified_from": N_("Category before"),
    "resembles": N_("Looks like"),
    "merged_into": N_("Merged into"),
    "merged": N_("Handled with it"),
}


def tell_page(page: EntryPage, town: Town, *, wide: bool = False) -> None:
    now = datetime.now(UTC)
    headings = [_("Number"), _("Title"), _("Station"), _("Status"), _("Due"), _("Late")]
    if page.entries:
        rows = [line(entry, town, now) for entry in page.entries]
        say(table(headings, rows, wide=wide, keep=(0, 4)))
    else:
        say(_("no entry is like that"))
    if page.next:
        say(more(page.next))


def line(entry: EntryInFull, town: Town, now: datetime) -> list[str]:
    return [
        entry.number,
        printable(entry.title),
        station_name(entry.station, town),
        word(entry.status),
        deadline(entry.due_at, town) if entry.due_at else ABSENT,
        _("late") if is_late(entry, now) else "",
    ]


def station_name(token: str, town: Town) -> str:
    return _("nobody yet") if token == NOBODY else town.name(token)


def is_late(entry: EntryInFull, now: datetime) -> bool:
    """Who has answered is as late as the answer was; while the clock stands still nobody gets late."""
    if entry.status not in (EntryStatus.OPEN, EntryStatus.ACCEPTED):
        return bool(entry.late)
    return entry.due_at is not None and entry.due_at <= now and not entry.held


def in_full(entry: EntryInFull, town: Town) -> list[tuple[str, str]]:
    """Field by field, name and value; what an entry has not is left out."""
    return [
        (_(FIELDS[name]), _shown(name, value, town))
        for name, value in entry
        if value is not False and value not in (None, "", ())
    ]


def _shown(name: str, value: Any, town: Town) -> str:
    match value:
        case True:
            return _("yes")
        case Enum():
            return word(value)
        case datetime() if name == "due_at":
            return deadline(value, town)
        case datetime():
            return town.moment(value)
        case tuple():
            return _(", ").join(town.name(each) for each in value)
        case _ if name == "station":
            return station_name(str(value), town)
        case _ if name == "village":
            return town.name(str(value))
        case _ if name in ("category", "reclassified_from"):
            return town.category(str(value))
        case _ if name == "priority" and value in set(Priority):
            return word(Priority(value))
        case _ if name == "due":
            return town.said(value.rule)
        case _:
            return printable(str(value))

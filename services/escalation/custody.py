"""What is open against a station when an entry comes to it, leaves it, or is due at another time."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from duban_contracts import handling, ledger, merging, reclassifying
from duban_contracts.charter import Charter
from duban_contracts.due import Due, DueClock
from duban_contracts.escalation import ItemKind, OpenItem
from services.chassis.heard import Handlers, Heard
from services.escalation.decider import EVERY_ROUND, Close, Open

Wanted = Iterable[tuple[str, Close | Open]]


def entry_resolved(heard: Heard[ledger.EntryResolved], _: Charter) -> Wanted:
    """Handled without being signed for: resolved is not struck off, so what is overdue stays open."""
    return _close_acceptance(heard, heard.data.station)


def entry_accepted(heard: Heard[ledger.EntryAccepted], _: Charter) -> Wanted:
    """Signed for; taken over, it is the former station's no more."""
    said = heard.data
    yield from _close_acceptance(heard, said.station)
    yield from _moved_away(heard, said.taken_from, said.entry, said.round, said.was_late)
    if said.taken_over:
        yield from _came(heard, said.station, said.entry, said.round, said.due)


def entry_returned(heard: Heard[handling.EntryReturned], _: Charter) -> Wanted:
    said = heard.data
    yield from _moved_away(heard, said.station, said.entry, said.round, said.was_late)
    if said.was_responsible:
        yield from _came(heard, said.to, said.entry, said.round, said.due)


def adjudicated(heard: Heard[handling.Adjudicated], _: Charter) -> Wanted:
    said = heard.data
    yield from _moved_away(heard, said.from_station, said.entry, said.round, said.was_late)
    if said.moved:
        yield from _came(heard, said.station, said.entry, said.round, said.due)


def entry_reclassified(heard: Heard[reclassifying.EntryReclassified], _: Charter) -> Wanted:
    """With the same station nothing changes: a date that passed stands, another one lies ahead."""
    said = heard.data
    if said.moved:
        yield from _moved_away(heard, said.from_station, said.entry, said.round, said.was_late)
        yield from _came(heard, said.station, said.entry, said.round, said.due)


def matter_merged(heard: Heard[merging.MatterMerged], _: Charter) -> Wanted:
    """Whoever had it no longer has it; whoever has the other entry is timed by that one alone."""
    said = heard.data
    yield from _moved_away(heard, said.station, said.entry, said.round, said.was_late)


def matter_unmerged(heard: Heard[merging.MatterUnmerged], _: Charter) -> Wanted:
    said = heard.data
    yield from _came(heard, said.station, said.entry, said.round, said.due)


def transfer_lapsed(heard: Heard[handling.TransferLapsed], _: Charter) -> Wanted:
    return _close_acceptance(heard, heard.data.station)


def due_date_moved(
    heard: Heard[handling.ExtensionDecided | handling.DeadlineRecomputed], _: Charter
) -> Wanted:
    """What lies ahead again is not overdue; it may become so again."""
    said = heard.data
    if isinstance(said, handling.DeadlineRecomputed):
        items, due = _timed_by(said.clock, said.entry), said.new
    else:
        items, due = (overdue_item(said.entry),) if said.granted else (), said.due
    if said.station and items and (due is None or due.at > said.at):
        yield said.station, Close(heard.now, said.station, items, EVERY_ROUND)


def _timed_by(clock: DueClock, entry: str) -> tuple[str, ...]:
    match clock:
        case DueClock.STATION:
            return (overdue_item(entry),)
        case DueClock.ACCEPTANCE:
            return (acceptance_item(entry),)
        case DueClock.CITIZEN | DueClock.INTERIM:
            return ()


def _close_acceptance(heard: Heard[Any], station: str | None) -> Wanted:
    return [(station, Close(heard.now, station, (acceptance_item(heard.data.entry),)))] if station else []


def _moved_away(heard: Heard[Any], station: str | None, entry: str, number: int, was_late: bool) -> Wanted:
    """Nothing of the entry counts against the station that no longer has it."""
    if station:
        overdue = overdue_item(entry)
        owed = (overdue,) if was_late else ()
        yield station, Close(heard.now, station, (overdue, acceptance_item(entry)), number, owed)


def _came(heard: Heard[Any], station: str | None, entry: str, number: int, due: Due | None) -> Wanted:
    """Late already when it comes: the ledger tells a station once that it is late, and this may be again."""
    if station and due is not None and due.at <= heard.data.at:
        yield station, Open(heard.now, station, late_item(entry, due.late_from), number, again=True)


def late_item(entry: str, since: datetime) -> OpenItem:
    return OpenItem(id=overdue_item(entry), kind=ItemKind.ENTRY_OVERDUE, since=since)


def overdue_item(entry: str) -> str:
    return f"overdue/{entry}"


def acceptance_item(entry: str) -> str:
    return f"acceptance/{entry}"


HEARS: Handlers = {
    ledger.EntryAccepted: entry_accepted,
    ledger.EntryResolved: entry_resolved,
    handling.Adjudicated: adjudicated,
    handling.DeadlineRecomputed: due_date_moved,
    handling.EntryReturned: entry_returned,
    handling.ExtensionDecided: due_date_moved,
    handling.TransferLapsed: transfer_lapsed,
    merging.MatterMerged: matter_merged,
    merging.MatterUnmerged: matter_unmerged,
    reclassifying.EntryReclassified: entry_reclassified,
}

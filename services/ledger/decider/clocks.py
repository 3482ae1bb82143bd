"""When things fall due: time limits in words, and the facts that time alone brings about."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from duban_contracts.charter import Charter, Limit, OfficeHours
from duban_contracts.ledger import AcceptanceOverdue, Due, EntryDueSoon, EntryOverdue, LedgerEvent
from services.chassis.calendar import WorkingCalendar
from services.ledger.decider.situations import Clock, Entry, Handling, Matter, State

Falling = tuple[datetime, Clock, LedgerEvent]
"""What falls due when."""


@dataclass(frozen=True)
class Clocks:
    charter: Charter
    calendar: WorkingCalendar
    revision: int | None = None

    def due_of(self, matter: Matter, now: datetime) -> Due | None:
        """A day set elsewhere goes before the limit; with neither, nothing is ever late."""
        if matter.due_on is not None:
            return Due(
                at=self._midnight_after(matter.due_on),
                last_day=matter.due_on,
                rule=f"set elsewhere by {matter.source}",
                revision=self.revision,
            )
        return None if matter.limit is None else self.due(now, matter.limit, matter.rule)

    def due(self, now: datetime, limit: Limit, rule: str) -> Due:
        counted = self.calendar.due(now, limit)
        return Due(
            at=counted.at,
            last_day=counted.last_day,
            provisional=counted.provisional,
            rule=rule,
            revision=self.revision,
        )

    def accept_by(self, now: datetime) -> datetime:
        """Signing for the order (签收), domain.md §5.2."""
        return self.calendar.due(now, self.charter.matters.accept_within).at

    def rectify(self, now: datetime) -> Due:
        """A round after a reopening is due like the rectification of a negative rating (domain.md §5.1)."""
        limit, source = self.charter.rating.rectify_within, self.charter.rating.source
        return self.due(now, limit, f"{in_words(limit)} to put it right after reopening ({source})")

    def reopen_until(self, struck_off_at: datetime) -> datetime:
        return self.calendar.due(struck_off_at, self.charter.matters.reopen_within).at

    def wake_at(self, state: State) -> datetime | None:
        return min((at for at, _, _ in self._pending(state)), default=None)

    def fallen(self, state: State, now: datetime) -> list[LedgerEvent]:
        """Everything that fell due by `now`, in the order of time."""
        pending = sorted(self._pending(state), key=lambda falling: falling[0])
        return [event for at, _, event in pending if at <= now]

    def _pending(self, state: State) -> Iterator[Falling]:
        """Only an entry that is being handled has clocks: every other situation stops them all."""
        if isinstance(state, Handling):
            entry = state.entry
            yield from (each for each in self._clocks(entry) if each[1] not in entry.rung)

    def _clocks(self, entry: Entry) -> Iterator[Falling]:
        accept_by = entry.opened.accept_by
        if accept_by is not None and not entry.accepted:
            overdue = AcceptanceOverdue(at=accept_by, station=entry.station, entry=entry.number)
            yield accept_by, Clock.ACCEPTANCE, overdue
        if entry.due is not None:
            at = max(entry.due.at, entry.began_at)  # a redo round may begin after its due date
            yield at, Clock.OVERDUE, self._overdue(entry, entry.due, at)
            yield from self._reminders(entry, entry.due)

    def _overdue(self, entry: Entry, due: Due, at: datetime) -> EntryOverdue:
        return EntryOverdue(at=at, station=entry.station, entry=entry.number, round=entry.round, due=due)

    def _reminders(self, entry: Entry, due: Due) -> Iterator[Falling]:
        """催办: when the charter's share of the time is used, and on the due day (domain.md §5.4, rung 0).

        Both in office hours and inside the round, or not at all; where they meet, one is enough.
        """
        on_due_day = self._on_due_day(entry, due)
        if due.at > entry.began_at:
            used = self.calendar.share(entry.began_at, due.at, self.charter.matters.reminder_percent)
            soon = self.calendar.within_hours(used, self._hours(entry))
            if soon < due.at and soon != on_due_day:
                yield soon, Clock.DUE_SOON, self._due_soon(entry, due, soon)
        if on_due_day is not None:
            yield on_due_day, Clock.DUE_DAY, self._due_soon(entry, due, on_due_day, on_due_day=True)

    def _on_due_day(self, entry: Entry, due: Due) -> datetime | None:
        if not self.charter.ladder.reminder.on_due_day:
            return None
        openings = self.calendar.openings(due.last_day, self._hours(entry))
        opens = openings[0][0] if openings else None
        return opens if opens is not None and entry.began_at < opens < due.at else None

    def _due_soon(self, entry: Entry, due: Due, at: datetime, on_due_day: bool = False) -> EntryDueSoon:
        return EntryDueSoon(at=at, station=entry.station, entry=entry.number, due=due, on_due_day=on_due_day)

    def _hours(self, entry: Entry) -> OfficeHours | None:
        station = self.charter.stations.get(entry.station)
        return station.hours if station else None

    def _midnight_after(self, day: date) -> datetime:
        return datetime.combine(day + timedelta(days=1), time(0), ZoneInfo(self.charter.timezone))


def in_words(limit: Limit) -> str:
    unit = limit.unit.value.replace("_", " ")
    return f"{limit.amount} {unit.removesuffix('s') if limit.amount == 1 else unit}"

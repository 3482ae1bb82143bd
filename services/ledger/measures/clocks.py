"""When a measure's due date, milestones and occurrences fall due, and the facts that time brings about."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from duban_contracts.charter import Charter, OfficeHours
from duban_contracts.ledger import Due, EntryDueSoon, EntryKind, EntryOverdue
from duban_contracts.measures import MilestoneMissed, OccurrenceMissed, PlannedMeasure
from duban_contracts.plan import Milestone, Milestones, Recurring
from services.chassis.calendar import WorkingCalendar
from services.ledger.measures.situations import Bell, MeasureState, MeasureTold, Underway, Work

ONE_DAY = timedelta(days=1)
FURTHEST = 400
"""Days to look ahead for the next occurrence: further than any run of days off."""
Falling = tuple[datetime, MeasureTold]


@dataclass(frozen=True)
class Clocks:
    charter: Charter
    calendar: WorkingCalendar
    revision: int | None = None

    def due_of(self, planned: PlannedMeasure) -> Due | None:
        """A measure is due on the day that the plan sets, or never."""
        return None if planned.last_day is None else self.on(planned.last_day, planned.source)

    def on(self, day: date, source: str) -> Due:
        rule = f"the plan's own date ({source})"
        return Due(at=self.midnight_after(day), last_day=day, rule=rule, revision=self.revision)

    def first_day(self, planned: PlannedMeasure, now: datetime) -> date | None:
        """The day on which the plan says so is not counted, as with every time limit."""
        return self.today(now) + ONE_DAY if isinstance(planned.shape, Recurring) else None

    def today(self, now: datetime) -> date:
        return now.astimezone(self._zone).date()

    def wake_at(self, state: MeasureState) -> datetime | None:
        return min((at for at, _ in self._pending(state)), default=None)

    def fallen(self, state: MeasureState, now: datetime) -> list[MeasureTold]:
        pending = sorted(self._pending(state), key=lambda falling: falling[0])
        return [event for at, event in pending if at <= now]

    def occurs_on(self, shape: Recurring, day: date) -> bool:
        return shape.every == "day" or self.calendar.is_working(day)

    def closes(self, shape: Recurring, day: date) -> datetime:
        """The first instant that is too late to report an occurrence of `day`."""
        if shape.by is None:
            return self.midnight_after(day)
        return datetime.combine(day, shape.by, self._zone)

    def _pending(self, state: MeasureState) -> Iterator[Falling]:
        """Only a measure under way has clocks; and only what is still to come wakes it."""
        if isinstance(state, Underway):
            yield from self._milestones(state.work)
            yield from self._occurrences(state.work)
            yield from self._overdue(state.work)
            yield from self._reminders(state.work)

    def _overdue(self, work: Work) -> Iterator[Falling]:
        if work.due is not None and Bell.OVERDUE not in work.rung:
            at = max(work.due.at, work.began_at)
            yield (
                at,
                EntryOverdue(
                    at=at,
                    station=work.station,
                    entry=work.number,
                    round=work.round,
                    due=work.due,
                    entry_kind=EntryKind.MEASURE,
                ),
            )

    def _reminders(self, work: Work) -> Iterator[Falling]:
        """催办 in office hours: when most of the time is used, and on the due day (domain.md §5.4)."""
        due = work.due
        if due is None or due.at <= work.began_at or Bell.OVERDUE in work.rung:
            return
        opens = self._opening(due.last_day, work)
        used = self.calendar.share(work.began_at, due.at, self.charter.matters.reminder_percent)
        soon = self.calendar.within_hours(used, self._hours(work))
        if Bell.DUE_SOON not in work.rung and soon < due.at and soon != opens:
            yield soon, EntryDueSoon(at=soon, station=work.station, entry=work.number, due=due)
        if Bell.DUE_DAY not in work.rung and opens is not None and work.began_at < opens < due.at:
            yield (
                opens,
                EntryDueSoon(at=opens, station=work.station, entry=work.number, due=due, on_due_day=True),
            )

    def milestones_ahead(self, work: Work) -> Iterator[tuple[Milestone, Due]]:
        """Those with a date that were not met yet, nor missed."""
        shape = work.planned.shape
        for each in shape.milestones if isinstance(shape, Milestones) else ():
            if each.due is not None and each.id not in (*work.met, *work.missed):
                yield each, self.on(each.due, work.planned.source)

    def _milestones(self, work: Work) -> Iterator[Falling]:
        for each, due in self.milestones_ahead(work):
            at = max(due.at, work.planned_at)
            yield at, self._missed(work, each, due, at)

    def _missed(self, work: Work, milestone: Milestone, due: Due, at: datetime) -> MilestoneMissed:
        return MilestoneMissed(
            at=at,
            station=work.station,
            entry=work.number,
            milestone=milestone.id,
            name=milestone.name,
            due=due,
        )

    def _occurrences(self, work: Work) -> Iterator[Falling]:
        """Each place of the next day on which one is not reported yet; later days come after it."""
        shape = work.planned.shape
        if not isinstance(shape, Recurring) or work.next_day is None:
            return
        day = self._next_occurrence(work, shape, work.next_day)
        if day is None:
            return
        at = self.closes(shape, day)
        for village in work.places():
            if village not in work.reported_on(day):
                yield (
                    at,
                    OccurrenceMissed(
                        at=at, station=work.station, entry=work.number, day=day, village=village
                    ),
                )

    def _next_occurrence(self, work: Work, shape: Recurring, first: date) -> date | None:
        last = work.planned.last_day
        for ahead in range(FURTHEST):
            day = first + timedelta(days=ahead)
            if last is not None and day > last:
                return None
            if self.occurs_on(shape, day) and set(work.places()) - set(work.reported_on(day)):
                return day
        return None

    def _opening(self, day: date, work: Work) -> datetime | None:
        if not self.charter.ladder.reminder.on_due_day:
            return None
        openings = self.calendar.openings(day, self._hours(work))
        return openings[0][0] if openings else None

    def _hours(self, work: Work) -> OfficeHours | None:
        station = self.charter.stations.get(work.station)
        return station.hours if station else None

    def midnight_after(self, day: date) -> datetime:
        return datetime.combine(day + ONE_DAY, time(0), self._zone)

    @property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.charter.timezone)

"""When a measure's due date, milestones and occurrences fall due, and the facts that time brings about."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from itertools import takewhile
from zoneinfo import ZoneInfo

from duban_contracts.charter import Charter, Limit
from duban_contracts.ledger import Due, EntryDueSoon, EntryKind, EntryOverdue
from duban_contracts.measures import MilestoneDue, MilestoneMissed, OccurrenceMissed, PlannedMeasure
from duban_contracts.plan import Milestone, Milestones, Recurring
from services.chassis.calendar import SHORTEST
from services.chassis.limits import in_words
from services.ledger.decider import Dues
from services.ledger.measures.situations import Bell, MeasureState, MeasureTold, Underway, Work

ONE_DAY = timedelta(days=1)
CLOSING = Limit(amount=1)
"""How long after its last day the lead may take to say that a recurring measure is done."""
FURTHEST = 400
"""Days to look ahead for the next occurrence: further than any run of days off."""
Falling = tuple[datetime, MeasureTold]


@dataclass(frozen=True)
class Clocks:
    charter: Charter
    dues: Dues

    # What the plan sets

    def due_of(self, planned: PlannedMeasure, at: datetime) -> Due | None:
        """A measure is due on the day that the plan sets, or never.

        One that recurs ends by itself with that day, and is not late by ending: what was missed of it is a
        fact of its own. Its lead says that it is done within one working day after its last day, and after
        the plan said so; only left alone for longer it is overdue.
        """
        last_day = planned.last_day
        if last_day is None:
            return None
        if not isinstance(planned.shape, Recurring):
            return self.on(last_day, planned.source, at)
        words = f"{in_words(CLOSING)} to say that it is done, after its last day {last_day}"
        return self.dues.counted(
            start=max(self.dues.calendar.ends(last_day) - SHORTEST, at),
            limit=CLOSING,
            rule=f"{words} ({planned.source})",
            hours_of=planned.stations[0],
        )

    def milestones_of(
        self, planned: PlannedMeasure, at: datetime, before: Work | None = None
    ) -> tuple[MilestoneDue, ...]:
        """A date that the plan only says again to the same station stands as it was first said."""
        shape = planned.shape
        told = before.milestones if before and before.station == planned.stations[0] else {}
        return tuple(
            MilestoneDue(milestone=each.id, due=self._set(each.due, planned, at, told.get(each.id)))
            for each in (shape.milestones if isinstance(shape, Milestones) else ())
            if each.due is not None
        )

    def _set(self, day: date, planned: PlannedMeasure, at: datetime, told: Due | None) -> Due:
        return told if told and told.last_day == day else self.on(day, planned.source, at)

    def on(self, day: date, source: str, at: datetime) -> Due:
        return self.dues.counted(start=at, set_for=day, rule=f"the plan's own date ({source})")

    def first_day(self, planned: PlannedMeasure, at: datetime) -> date | None:
        """The day on which the plan says so is not counted, as with every time limit."""
        return self.today(at) + ONE_DAY if isinstance(planned.shape, Recurring) else None

    def today(self, now: datetime) -> date:
        return self.dues.calendar.day_of(now)

    # What time brings about

    def wake_at(self, state: MeasureState) -> datetime | None:
        return min((at for at, _ in self._pending(state)), default=None)

    def fallen(self, state: MeasureState, now: datetime) -> list[MeasureTold]:
        pending = sorted(self._pending(state), key=lambda falling: falling[0])
        return [event for at, event in pending if at <= now]

    def occurs_on(self, shape: Recurring, day: date) -> bool:
        return shape.every == "day" or self.dues.calendar.is_working(day)

    def closes(self, shape: Recurring, day: date) -> datetime:
        """The first instant that is too late to report an occurrence of `day`."""
        if shape.by is None:
            return self.dues.calendar.ends(day)
        return datetime.combine(day, shape.by, ZoneInfo(self.charter.timezone))

    def coming(self, work: Work) -> date | None:
        """The next day on which it has yet to be reported somewhere; None where the last one is settled."""
        shape, first, last = work.planned.shape, work.next_day, work.planned.last_day
        if not isinstance(shape, Recurring) or first is None:
            return None
        ahead = (first + timedelta(days=n) for n in range(FURTHEST))
        days = takewhile(lambda day: last is None or day <= last, ahead)
        return next((day for day in days if self.occurs_on(shape, day) and self.missing(work, day)), None)

    def missing(self, work: Work, day: date) -> list[str | None]:
        """Where it was not reported on `day`."""
        return [place for place in work.places() if place not in work.reported_on(day)]

    def _pending(self, state: MeasureState) -> Iterator[Falling]:
        """Only a measure under way has clocks; and only what is still to come wakes it."""
        if isinstance(state, Underway):
            yield from self._milestones(state.work)
            yield from self._occurrences(state.work)
            yield from self._overdue(state.work)
            yield from self._reminders(state.work)

    def _overdue(self, work: Work) -> Iterator[Falling]:
        if work.due is not None and Bell.OVERDUE not in work.rung:
            at = max(work.due.late_from, work.told_at)
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
        """催办 in office hours: when most of the time is used, and on the due day (domain.md §5.4).

        Both after the date was set and the charter published that says when to remind, or not at all. What
        recurs is not reminded of while it goes on, only on the day on which it has to be said to be done.
        """
        due = work.due
        if due is None or Bell.OVERDUE in work.rung:
            return
        since = max(work.told_at, self.charter.published_at or work.told_at)
        told = partial(EntryDueSoon, station=work.station, entry=work.number, due=due)
        soon, day = self.dues.reminders(due, since, work.station)
        if day is not None and Bell.DUE_DAY not in work.rung:
            yield day, told(at=day, on_due_day=True)
        if (
            soon is not None
            and Bell.DUE_SOON not in work.rung
            and not isinstance(work.planned.shape, Recurring)
        ):
            yield soon, told(at=soon)

    def milestones_timed(self, work: Work) -> Iterator[tuple[Milestone, Due]]:
        """Those with a date, met or missed or still to come."""
        shape = work.planned.shape
        for each in shape.milestones if isinstance(shape, Milestones) else ():
            if each.due is not None:
                yield each, self.due_of_milestone(work, each.id, each.due)

    def due_of_milestone(self, work: Work, milestone: str, day: date) -> Due:
        """As it was told; long ago it was not."""
        told = work.milestones.get(milestone)
        return told or self.on(day, work.planned.source, work.planned_at)

    def _milestones(self, work: Work) -> Iterator[Falling]:
        for each, due in self.milestones_timed(work):
            if each.id not in (*work.met, *work.missed):
                at = max(due.late_from, work.told_at)
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
        shape, day = work.planned.shape, self.coming(work)
        if not isinstance(shape, Recurring) or day is None:
            return
        at = max(self.closes(shape, day), work.told_at)
        missed = partial(OccurrenceMissed, at=at, station=work.station, entry=work.number, day=day)
        yield from ((at, missed(village=place)) for place in self.missing(work, day))

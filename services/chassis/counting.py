"""How a time limit is counted over unpaused time, day by day, so that the end and its reasons are one thing.

A day of a limit in days counts by the share of its office hours in which the clock ran; of calendar
days, by the share of its 24 hours. So pauses add up however they are cut, a pause over lunch or at
night takes nothing, and no pause can bring a deadline nearer.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from fractions import Fraction
from itertools import count, groupby

from duban_contracts.charter import Limit, OfficeHours, Unit
from duban_contracts.due import DayReason
from services.chassis.calendar import WorkingCalendar

ONE_DAY = timedelta(days=1)
NO_TIME = timedelta(0)
WHOLE = Fraction(1)
FAR = timedelta(days=1_100)
"""Three years. Registers write 2099-12-31 or 9999-12-31 for no limit: beyond this nothing goes day by day."""

Span = tuple[datetime, datetime]
"""Half-open."""


@dataclass(frozen=True)
class Step:
    """One day on the way to a deadline. `counted` is in the unit of the limit: days, or hours."""

    day: date
    reason: DayReason
    counted: Fraction = Fraction(0)
    provisional: bool = False


@dataclass(frozen=True)
class Counting:
    """`at` is half-open: the first instant that is too late."""

    at: datetime
    last_day: date
    days: tuple[Step, ...]

    @property
    def provisional(self) -> bool:
        return any(step.provisional for step in self.days)


@dataclass(frozen=True)
class Counter:
    """Counts by one calendar, one station's office hours (None: the town's) and the pauses of one matter."""

    calendar: WorkingCalendar
    hours: OfficeHours | None = None
    pauses: tuple[Span, ...] = field(default=())

    def due(self, start: datetime, limits: Iterable[Limit]) -> Counting:
        """When these limits, one after the other, from `start` end; neighbours of one unit are one limit.

        The start day is not counted, and a last day off moves on (Civil Code, Arts. 201 and 203).
        """
        counting = Counting(start, self.calendar.day_of(start), (self._start(start),))
        return self.further(counting, limits)

    def until(self, start: datetime, last_day: date, limits: Iterable[Limit] = ()) -> Counting:
        """A day set elsewhere is the end, and moves on by the working time that was paused before it."""
        fixed = Counting(self.calendar.ends(last_day), last_day, (Step(last_day, DayReason.SET_ELSEWHERE),))
        if not self.pauses:
            return self.further(fixed, limits)
        if last_day - self.calendar.day_of(start) > FAR:
            return self.further(self._until_far(start, fixed), limits)
        first = self.calendar.day_of(start)
        amount, ran = (
            sum((step.counted for step in counter._workdays(first, last_day)), Fraction(0))
            for counter in (Counter(self.calendar, self.hours), self)
        )
        counted = self._after_days(Counting(start, first, ()), amount, Unit.WORKING_DAYS)
        # Where nothing was paused the day stands, also one on which nobody works.
        later = counted if ran < amount and counted.last_day > last_day else fixed
        opening = (self._start(start),) if first < later.days[0].day else ()
        told = Counting(later.at, later.last_day, (*opening, *later.days))
        return self.further(self._running_at_its_end(told), limits)

    def until_instant(self, start: datetime, instant: datetime, limits: Iterable[Limit] = ()) -> Counting:
        """An instant set elsewhere is the end; it moves on by as many days as its day does, at its time of
        day. Limits on top begin at the end of that day, as after a day set elsewhere.
        """
        last_day = self.calendar.day_of(instant - timedelta(microseconds=1))
        moved = self.until(start, last_day)
        counting = replace(moved, at=self.calendar.shifted(instant, (moved.last_day - last_day).days))
        return self.further(counting, limits)

    def _until_far(self, start: datetime, fixed: Counting) -> Counting:
        """The same, from the days of the pauses alone: the cost does not grow with the distance. The days on
        the way are not told one by one."""
        first, last = self.calendar.day_of(start) + ONE_DAY, fixed.last_day
        paused = {
            day
            for begins, ends in self.pauses
            for day in _days(max(first, self.calendar.day_of(begins)), min(last, self.calendar.day_of(ends)))
        }
        working = (self._workday(day) for day in paused if self.calendar.is_working(day))
        lost = sum((1 - step.counted for step in working), Fraction(0))
        later = self._after_days(fixed, lost, Unit.WORKING_DAYS) if lost > 0 else fixed
        told = Counting(later.at, later.last_day, (self._start(start), *later.days))
        return self._running_at_its_end(told)

    def further(self, counting: Counting, limits: Iterable[Limit]) -> Counting:
        for unit, amount in _summed(limits):
            if unit is Unit.WORKING_HOURS:
                counting = self._after_hours(counting, timedelta(hours=amount))
            else:
                counting = self._running_at_its_end(self._after_days(counting, Fraction(amount), unit))
        return counting

    def worked(self, start: datetime, end: datetime) -> timedelta:
        """Unpaused office time of working days in [start, end): additive over any split."""
        return sum(map(_length, self._unpaused(start, end)), NO_TIME)

    def used(self, start: datetime, end: datetime, percent: int) -> datetime | None:
        """When `percent` of what is worked in [start, end) is over; None where nothing is worked in it.

        Over more than FAR, of the unpaused time instead: nobody knows yet on which days will be worked, and
        the cost must not grow with the distance.
        """
        if end - start > FAR:
            paused = sum(map(_length, _merged(_clipped(self.pauses, start, end))), NO_TIME)
            return start + paused + (end - start - paused) * percent / 100
        spans = self._unpaused(start, end)
        left = sum(map(_length, spans), NO_TIME) * percent / 100
        for begins, ends in spans:
            if ends - begins >= left:
                return begins + left
            left -= ends - begins
        return None

    def _unpaused(self, start: datetime, end: datetime) -> list[Span]:
        days = _days(self.calendar.day_of(start), self.calendar.day_of(end))
        spans = (span for day in days for span in self._office(day))
        return list(self._running(_clipped(spans, start, end)))

    def _start(self, start: datetime) -> Step:
        day = self.calendar.day_of(start)
        return Step(day, DayReason.START, provisional=self.calendar.is_provisional(day))

    def _after_days(self, counting: Counting, amount: Fraction, unit: Unit) -> Counting:
        steps, last = list[Step](), counting.last_day
        for step in self._each_day(last, unit):
            if amount <= 0:
                break
            steps.append(step)
            amount, last = amount - step.counted, step.day
        while not self.calendar.is_working(last) and last < date.max:
            last += ONE_DAY
            steps.append(Step(last, DayReason.MOVED, provisional=self.calendar.is_provisional(last)))
        return Counting(self.calendar.ends(last), last, (*counting.days, *steps))

    def _running_at_its_end(self, counting: Counting) -> Counting:
        """A clock that stands still when its last day ends has the day, too, on which it goes on: nobody is
        late by being asked to wait."""
        resumed = max((end for start, end in self.pauses if start <= counting.at <= end), default=None)
        if resumed is None:
            return counting
        steps, last = list[Step](), counting.last_day
        while last < self.calendar.day_of(resumed) or not self.calendar.is_working(last):
            last += ONE_DAY
            steps.append(Step(last, DayReason.MOVED, provisional=self.calendar.is_provisional(last)))
        return self._running_at_its_end(Counting(self.calendar.ends(last), last, (*counting.days, *steps)))

    def _each_day(self, after: date, unit: Unit) -> Iterator[Step]:
        days = map(date.fromordinal, range(after.toordinal() + 1, date.max.toordinal() + 1))
        return (self._calendar_day(day) if unit is Unit.CALENDAR_DAYS else self._workday(day) for day in days)

    def _workdays(self, after: date, last: date) -> Iterator[Step]:
        return (self._workday(day) for day in _days(after + ONE_DAY, last))

    def _workday(self, day: date) -> Step:
        office = self._office(day)
        return self._day(day, office) if office else self._off(day)

    def _calendar_day(self, day: date) -> Step:
        return self._day(day, [(self.calendar.begins(day), self.calendar.ends(day))], DayReason.COUNTED)

    def _off(self, day: date) -> Step:
        return Step(day, self.calendar.about(day), provisional=self.calendar.is_provisional(day))

    def _day(self, day: date, spans: Sequence[Span], why: DayReason | None = None) -> Step:
        if not self.pauses:
            return Step(day, why or self.calendar.about(day), WHOLE, self.calendar.is_provisional(day))
        whole = sum(map(_length, spans), NO_TIME)
        ran = Fraction(_micros(sum(map(_length, self._running(spans)), NO_TIME)), _micros(whole))
        reason = why or self.calendar.about(day)
        if ran < 1:
            reason = DayReason.PARTLY_PAUSED if ran else DayReason.PAUSED
        return Step(day, reason, ran, self.calendar.is_provisional(day))

    def _after_hours(self, counting: Counting, left: timedelta) -> Counting:
        """Office time of working days only; a day on the way tells the hours that it gave."""
        steps, start = list[Step](), counting.at
        before = tuple(step for step in counting.days if step.day < self.calendar.day_of(start))
        for ahead in count():
            day = self.calendar.day_of(start) + timedelta(days=ahead)
            gave = NO_TIME
            for begins, ends in self._running(_clipped(self._office(day), start)):
                if ends - begins >= left:
                    steps.append(self._gave(day, gave + left))
                    return Counting(begins + left, day, (*before, *steps))
                left -= ends - begins
                gave += ends - begins
            steps.append(self._gave(day, gave))
        raise AssertionError("office hours never end")

    def _gave(self, day: date, gave: timedelta) -> Step:
        hours, office = Fraction(_micros(gave), _micros(timedelta(hours=1))), self._office(day)
        paused = bool(office) and list(self._running(office)) != list(office)
        reason = DayReason.PARTLY_PAUSED if gave and paused else DayReason.PAUSED if paused else None
        return Step(day, reason or self.calendar.about(day), hours, self.calendar.is_provisional(day))

    def _office(self, day: date) -> Sequence[Span]:
        return self.calendar.openings(day, self.hours) if self.calendar.is_working(day) else []

    def _running(self, spans: Iterable[Span]) -> Iterator[Span]:
        """What is left of these spans when the pauses are taken out."""
        left = list(spans)
        for pause in self.pauses:
            left = [part for span in left for part in _without(span, pause)]
        return iter(left)


def _summed(limits: Iterable[Limit]) -> Iterator[tuple[Unit, int]]:
    for unit, of_unit in groupby(limits, lambda limit: limit.unit):
        yield unit, sum(limit.amount for limit in of_unit)


def _days(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(days=ahead) for ahead in range((last - first).days + 1))


def _clipped(spans: Iterable[Span], start: datetime, end: datetime | None = None) -> Iterator[Span]:
    for span in spans:
        if start <= span[0] < span[1] and (end is None or span[1] <= end):
            yield span
            continue
        begins, ends = max(span[0], start), span[1] if end is None else min(span[1], end)
        if begins < ends:
            yield begins, ends


def _without(span: Span, pause: Span) -> Iterator[Span]:
    before, after = (span[0], min(span[1], pause[0])), (max(span[0], pause[1]), span[1])
    parts = (before, after) if pause[0] < pause[1] else (span,)
    yield from (part for part in parts if part[0] < part[1])


def _merged(spans: Iterable[Span]) -> Iterator[Span]:
    """In order, without what they have in common."""
    reached: datetime | None = None
    for begins, ends in sorted(spans):
        begins = begins if reached is None else max(begins, reached)
        if begins < ends:
            yield begins, ends
            reached = ends


def _length(span: Span) -> timedelta:
    return span[1] - span[0]


def _micros(length: timedelta) -> int:
    return length // timedelta(microseconds=1)

"""When the town works, and so when a time limit ends.

The base is the national calendar with its make-up working days (调休); the charter's overlay adds or
takes days. A year for which no notice of the State Council is known falls back to Monday to Friday, and
every deadline that counts a day of it is provisional.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property, lru_cache
from importlib.metadata import version
from itertools import count, islice
from typing import get_args
from zoneinfo import ZoneInfo

import chinese_calendar

from duban_contracts.charter import Charter, Limit, OfficeHours, Shift, Unit, Weekday
from duban_contracts.due import DayReason

ONE_DAY = timedelta(days=1)
SHORTEST = timedelta(microseconds=1)
LAST_DAY = date.max - 2 * ONE_DAY
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)
NATIONAL = f"chinesecalendar {version('chinesecalendar')}"


@dataclass(frozen=True)
class Due:
    """A deadline. `at` is half-open and in UTC: the first instant that is too late."""

    at: datetime
    last_day: date
    provisional: bool


@lru_cache(maxsize=8192)
def _national(day: date) -> bool | None:
    """Whether China works on `day`; None where no notice for that year is known."""
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:
        return None


@lru_cache(maxsize=8192)
def _is_public_holiday(day: date) -> bool:
    """Whether a notice names `day` as part of a holiday, and not merely as a weekend."""
    return _national(day) is False and chinese_calendar.get_holiday_detail(day)[1] is not None


def _days_from(day: date) -> Iterator[date]:
    return (day + timedelta(days=ahead) for ahead in count())


def _utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone; a deadline needs a definite instant")
    return moment.astimezone(UTC)


def _merged(shifts: Iterable[Shift]) -> list[tuple[time, time]]:
    """Half-open spans in order; spans that touch or overlap become one, so that no minute counts twice."""
    spans: list[tuple[time, time]] = []
    for start, end in sorted((shift.start, shift.end) for shift in shifts):
        if spans and start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
        else:
            spans.append((start, end))
    return spans


@dataclass(frozen=True)
class WorkingCalendar:
    """The working days and hours of one charter. Every `hours` argument is a station's own office hours
    and stands in for the town's. Moments must carry a time zone (ValueError); results are in UTC."""

    charter: Charter

    @property
    def version(self) -> str:
        """Which national calendar stands underneath; the charter's revision names the rest."""
        return NATIONAL if self.charter.calendar.country == "CN" else "weekdays"

    def is_working(self, day: date) -> bool:
        if day in self._overlay:
            return self._overlay[day]
        known = self._base(day)
        return day.weekday() < 5 if known is None else known

    def is_provisional(self, day: date) -> bool:
        """Whether a later notice may still change what `day` is."""
        return day not in self._overlay and self._base(day) is None

    def about(self, day: date) -> DayReason:
        """Why `day` is counted or is not."""
        working, base = self.is_working(day), self._base(day)
        if self._overlay.get(day, base) != base and (base is not None or working != (day.weekday() < 5)):
            return DayReason.OVERLAY_WORKING if working else DayReason.OVERLAY_OFF
        if working:
            return DayReason.MAKE_UP if day.weekday() >= 5 else DayReason.COUNTED
        return DayReason.HOLIDAY if self._is_holiday(day) else DayReason.WEEKEND

    def day_of(self, moment: datetime) -> date:
        return self._local(_utc(moment)).date()

    def local_time(self, moment: datetime) -> str:
        """As people in the town read it, e.g. `2024-04-18 00:00`."""
        return f"{self._local(_utc(moment)):%Y-%m-%d %H:%M}"

    def shifted(self, moment: datetime, days: int) -> datetime:
        """The same local time of day so many days later, in UTC."""
        return (self._local(_utc(moment)) + timedelta(days=days)).astimezone(UTC)

    def begins(self, day: date) -> datetime:
        """The local midnight with which `day` begins, in UTC."""
        return self._midnight(day)

    def ends(self, day: date) -> datetime:
        """The first instant after `day`, in UTC; of the last days there are, the last instant that every zone
        has."""
        return self._midnight(min(day, LAST_DAY) + ONE_DAY)

    def due(self, start: datetime, limit: Limit, hours: OfficeHours | None = None) -> Due:
        """When `limit` from `start` ends.

        Days: the local day of `start` is not counted, and a last day off moves to the next working day
        (Civil Code, Arts. 201 and 203); 0 days is the same day. Hours: only office hours of working days.
        """
        return self._due(_utc(start), limit, hours)

    def overdue(self, deadline: datetime, limit: Limit, hours: OfficeHours | None = None) -> Due:
        """When something due at `deadline` is late by `limit`. A deadline at midnight belongs to the day
        it ends, so the day after it is the first that counts: `overdue(due(s, 3).at, 1) == due(s, 4)`."""
        if limit.unit is Unit.WORKING_HOURS:
            return self._due(_utc(deadline), limit, hours)
        return self._due(_utc(deadline) - SHORTEST, limit, hours)

    def within_hours(self, moment: datetime, hours: OfficeHours | None = None) -> datetime:
        """The moment itself if the office is open, else the next opening."""
        moment = _utc(moment)
        spans = self._spans(self._local(moment).date(), hours)
        return max(moment, next(start for start, end in spans if end > moment))

    def is_open(self, moment: datetime, hours: OfficeHours | None = None) -> bool:
        return self.within_hours(moment, hours) == _utc(moment)

    def openings(self, day: date, hours: OfficeHours | None = None) -> Sequence[tuple[datetime, datetime]]:
        """The half-open spans [start, end) in UTC in which the office is open on `day`.

        Extended hours (错时延时) are kept on working days and ordinary weekends, not on public holidays.
        """
        hours = hours or self.charter.hours
        _, known = self._known.setdefault(id(hours), (hours, {}))
        if day not in known:
            known[day] = self._openings(day, hours)
        return known[day]

    def _openings(self, day: date, hours: OfficeHours) -> Sequence[tuple[datetime, datetime]]:
        shifts = hours.shifts if self.is_working(day) else ()
        extra = hours.extra.get(WEEKDAYS[day.weekday()], ()) if self._may_extend(day) else ()
        return [
            (self._instant(day, start), self._instant(day, end)) for start, end in _merged(shifts + extra)
        ]

    def _due(self, start: datetime, limit: Limit, hours: OfficeHours | None) -> Due:
        first = self._local(start).date()
        if limit.unit is Unit.WORKING_HOURS:
            at = self._after_hours(start, timedelta(hours=limit.amount), hours)
            return self._explained(first, self._local(at).date(), at)
        if limit.unit is Unit.CALENDAR_DAYS:
            last = self._next_working(first + timedelta(days=limit.amount))
        else:
            last = self._after_working_days(first, limit.amount)
        return self._explained(first, last, self._midnight(last + ONE_DAY))

    def _explained(self, first: date, last: date, at: datetime) -> Due:
        counted = islice(_days_from(first), (last - first).days + 1)
        return Due(at, last, any(map(self.is_provisional, counted)))

    def _after_working_days(self, first: date, amount: int) -> date:
        last = first
        for _ in range(amount):
            last = self._next_working(last + ONE_DAY)
        return self._next_working(last)  # no days at all: the same day, if it is a working day

    def _after_hours(self, start: datetime, left: timedelta, hours: OfficeHours | None) -> datetime:
        for opens, closes in self._spans(self._local(start).date(), hours, self.is_working):
            begins = max(opens, start)
            if closes > begins and closes - begins >= left:
                return begins + left
            left -= max(closes - begins, timedelta(0))
        raise AssertionError("office hours never end")

    def _spans(
        self, first: date, hours: OfficeHours | None, counts: Callable[[date], bool] = lambda _: True
    ) -> Iterator[tuple[datetime, datetime]]:
        return (span for day in _days_from(first) if counts(day) for span in self.openings(day, hours))

    def _next_working(self, day: date) -> date:
        return next(filter(self.is_working, _days_from(day)))

    def _may_extend(self, day: date) -> bool:
        return self.is_working(day) or (day not in self._overlay and not self._is_holiday(day))

    def _is_holiday(self, day: date) -> bool:
        return self.charter.calendar.country == "CN" and _is_public_holiday(day)

    @cached_property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.charter.timezone)

    @cached_property
    def _known(self) -> dict[int, tuple[OfficeHours, dict[date, Sequence[tuple[datetime, datetime]]]]]:
        """Openings by office hours and day, for every message asks for those of many days. The office hours
        cannot be hashed; held here, they keep their id for themselves."""
        return {}

    @cached_property
    def _overlay(self) -> dict[date, bool]:
        calendar = self.charter.calendar
        return dict.fromkeys(calendar.working, True) | dict.fromkeys(calendar.off, False)

    def _base(self, day: date) -> bool | None:
        return _national(day) if self.charter.calendar.country == "CN" else day.weekday() < 5

    def _local(self, moment: datetime) -> datetime:
        return moment.astimezone(self._zone)

    def _instant(self, day: date, at: time) -> datetime:
        return datetime.combine(day, at, self._zone).astimezone(UTC)

    def _midnight(self, day: date) -> datetime:
        return self._instant(day, time(0))

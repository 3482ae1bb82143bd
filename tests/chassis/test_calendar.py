"""Working days, due dates and office hours, measured against the national calendar."""

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import chinese_calendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from duban_contracts.charter import CalendarOverlay, Limit, OfficeHours, Shift, Unit
from services.chassis.calendar import WorkingCalendar
from services.chassis.charter_file import read_charter

CHARTERS = Path(__file__).parents[2] / "deploy" / "charters"
TOWNSHIP = read_charter(CHARTERS / "township-2024.yaml")
SHANGHAI = ZoneInfo("Asia/Shanghai")
CALENDAR = WorkingCalendar(TOWNSHIP)
LOS_ANGELES = WorkingCalendar(read_charter(CHARTERS / "myla311.yaml"))


def with_overlay(**days: tuple[date, ...]) -> WorkingCalendar:
    overlay = CalendarOverlay(country="CN", source="test", **days)
    return WorkingCalendar(TOWNSHIP.model_copy(update={"calendar": overlay}))


def at(day: str, clock: str = "10:00", zone: ZoneInfo = SHANGHAI) -> datetime:
    return datetime.combine(date.fromisoformat(day), time.fromisoformat(clock), zone)


def days(amount: int) -> Limit:
    return Limit(amount=amount)


def calendar_days(amount: int) -> Limit:
    return Limit(amount=amount, unit=Unit.CALENDAR_DAYS)


def hours(amount: int) -> Limit:
    return Limit(amount=amount, unit=Unit.WORKING_HOURS)


GOLDEN = [
    ("2024-04-03", 1, "2024-04-07"),
    ("2024-04-03", 5, "2024-04-11"),
    ("2024-04-15", 15, "2024-05-08"),
    ("2024-04-26", 1, "2024-04-28"),
    ("2024-04-26", 5, "2024-05-07"),
    ("2024-02-08", 5, "2024-02-21"),
    ("2024-09-27", 5, "2024-10-10"),
    ("2025-01-24", 5, "2025-02-07"),
    ("2026-02-13", 5, "2026-02-27"),
    ("2026-09-30", 5, "2026-10-13"),
]


@pytest.mark.parametrize(("start", "amount", "last"), GOLDEN)
def test_working_days_count_as_the_notices_of_the_state_council_say(
    start: str, amount: int, last: str
) -> None:
    due = CALENDAR.due(at(start), days(amount))
    assert due.last_day == date.fromisoformat(last)
    assert due.at == at(last, "00:00") + timedelta(days=1)
    assert not due.provisional


def test_every_day_from_2015_to_2026_is_what_the_national_calendar_says() -> None:
    every = [date(2015, 1, 1) + timedelta(days=ahead) for ahead in range(4383)]
    assert every[-1] == date(2026, 12, 31)
    assert [CALENDAR.is_working(day) for day in every] == [chinese_calendar.is_workday(day) for day in every]
    assert not any(map(CALENDAR.is_provisional, every))


MAKE_UP_DAYS = {
    2024: ["02-04", "02-18", "04-07", "04-28", "05-11", "09-14", "09-29", "10-12"],
    2026: ["01-04", "02-14", "02-28", "05-09", "09-20", "10-10"],
}


@pytest.mark.parametrize("day", [f"{year}-{day}" for year, days in MAKE_UP_DAYS.items() for day in days])
def test_a_make_up_day_at_the_weekend_is_a_working_day(day: str) -> None:
    assert date.fromisoformat(day).weekday() >= 5
    assert CALENDAR.is_working(date.fromisoformat(day))


@pytest.mark.parametrize("year", MAKE_UP_DAYS)
def test_no_other_day_at_a_weekend_is_a_working_day(year: int) -> None:
    every = [date(year, 1, 1) + timedelta(days=ahead) for ahead in range(365)]
    weekends = [day for day in every if day.weekday() >= 5 and CALENDAR.is_working(day)]
    assert [f"{day:%m-%d}" for day in weekends] == MAKE_UP_DAYS[year]


def test_the_overlay_adds_and_takes_days() -> None:
    calendar = with_overlay(working=(date(2024, 4, 6),), off=(date(2024, 4, 7),))
    assert calendar.is_working(date(2024, 4, 6))
    assert not calendar.is_working(date(2024, 4, 7))
    assert calendar.due(at("2024-04-03"), days(2)).last_day == date(2024, 4, 8)


def test_a_year_without_a_notice_falls_back_to_weekdays_and_is_provisional() -> None:
    assert CALENDAR.is_working(date(2027, 10, 1))
    assert not CALENDAR.is_working(date(2027, 10, 2))
    assert CALENDAR.is_provisional(date(2027, 10, 1))
    assert not CALENDAR.is_provisional(date(2026, 12, 31))


def test_a_deadline_is_provisional_as_soon_as_it_counts_one_such_day() -> None:
    assert not CALENDAR.due(at("2026-12-30"), days(1)).provisional
    assert CALENDAR.due(at("2026-12-30"), days(2)).provisional
    assert CALENDAR.due(at("2026-12-31", "17:00"), hours(1)).provisional
    assert not CALENDAR.due(at("2026-12-31", "16:30"), hours(1)).provisional


def test_the_overlay_settles_days_of_a_year_without_a_notice() -> None:
    calendar = with_overlay(working=(date(2027, 1, 3),), off=(date(2027, 1, 1), date(2027, 1, 2)))
    due = calendar.due(at("2026-12-31"), days(1))
    assert (due.last_day, due.provisional) == (date(2027, 1, 3), False)


def test_a_deadline_is_the_midnight_after_the_last_day_in_local_time() -> None:
    assert CALENDAR.due(at("2024-04-15"), days(1)).at == datetime(2024, 4, 16, 16, tzinfo=UTC)


def test_midnight_belongs_to_the_day_that_begins() -> None:
    late = CALENDAR.due(at("2024-04-15", "23:59:59.999999"), days(1))
    early = CALENDAR.due(at("2024-04-16", "00:00"), days(1))
    assert (late.last_day, early.last_day) == (date(2024, 4, 16), date(2024, 4, 17))


def test_the_local_day_of_the_start_decides_and_not_that_of_utc() -> None:
    start = datetime(2024, 4, 15, 17, tzinfo=UTC)  # 01:00 on the 16th in Shanghai
    assert CALENDAR.due(start, days(1)).last_day == date(2024, 4, 17)


def test_a_calendar_day_limit_that_ends_on_a_day_off_moves_to_the_next_working_day() -> None:
    assert CALENDAR.due(at("2024-09-16"), calendar_days(15)).last_day == date(2024, 10, 8)
    assert CALENDAR.due(at("2024-04-15"), calendar_days(15)).last_day == date(2024, 4, 30)


def test_no_days_at_all_end_the_same_day_or_on_the_next_working_day() -> None:
    assert CALENDAR.due(at("2024-04-15"), days(0)).last_day == date(2024, 4, 15)
    assert CALENDAR.due(at("2024-04-04"), days(0)).last_day == date(2024, 4, 7)


@pytest.mark.parametrize(
    ("start", "amount", "end"),
    [
        (at("2024-04-15", "11:00"), 1, at("2024-04-15", "12:00")),  # ends as the shift does, half-open
        (at("2024-04-15", "11:30"), 1, at("2024-04-15", "15:00")),
        (at("2024-04-15", "12:00"), 1, at("2024-04-15", "15:30")),
        (at("2024-04-15", "13:00"), 3, at("2024-04-15", "17:30")),
        (at("2024-04-15", "17:30"), 1, at("2024-04-16", "09:30")),
        (at("2024-04-03", "17:00"), 1, at("2024-04-07", "09:00")),  # over Qingming to the make-up Sunday
        (at("2024-04-15", "08:30"), 13, at("2024-04-16", "17:30")),
        (at("2024-04-15", "07:00"), 0, at("2024-04-15", "08:30")),
    ],
)
def test_working_hours_run_only_inside_the_split_shifts(start: datetime, amount: int, end: datetime) -> None:
    due = CALENDAR.due(start, hours(amount))
    assert (due.at, due.last_day) == (end, end.date())


def test_extended_hours_of_a_station_close_the_noon_gap_and_count_no_minute_twice() -> None:
    overlapping = OfficeHours(
        shifts=(
            Shift(start=time(8, 30), end=time(12)),
            Shift(start=time(14, 30), end=time(17, 30)),
        ),
        extra={"mon": (Shift(start=time(11), end=time(15)),)},
        source="test",
    )
    due = CALENDAR.due(at("2024-04-15", "11:30"), hours(3), overlapping)
    assert due.at == at("2024-04-15", "14:30")


def test_extended_hours_inside_a_shift_take_nothing_from_it() -> None:
    inside = OfficeHours(
        shifts=(Shift(start=time(8), end=time(12)),),
        extra={"mon": (Shift(start=time(9), end=time(10)),)},
        source="test",
    )
    assert CALENDAR.openings(date(2024, 4, 15), inside) == [
        (at("2024-04-15", "08:00"), at("2024-04-15", "12:00"))
    ]


def test_extended_hours_open_on_ordinary_saturdays_and_not_on_holidays() -> None:
    centre = TOWNSHIP.stations["bianmin"].hours
    assert CALENDAR.is_open(at("2024-04-20"), centre)
    assert not CALENDAR.is_open(at("2024-04-20"))
    assert not CALENDAR.is_open(at("2024-10-05"), centre)
    assert not with_overlay(off=(date(2024, 4, 20),)).is_open(at("2024-04-20"), centre)


def test_a_limit_in_hours_does_not_run_on_an_extended_saturday() -> None:
    centre = TOWNSHIP.stations["bianmin"].hours
    due = CALENDAR.due(at("2024-04-19", "17:30"), hours(1), centre)
    assert due.at == at("2024-04-22", "09:30")


@pytest.mark.parametrize(
    ("moment", "goes_out"),
    [
        (at("2024-04-15", "08:30"), at("2024-04-15", "08:30")),
        (at("2024-04-15", "12:00"), at("2024-04-15", "14:30")),
        (at("2024-04-15", "17:30"), at("2024-04-16", "08:30")),
        (at("2024-04-04", "09:00"), at("2024-04-07", "08:30")),
    ],
)
def test_a_reminder_waits_for_the_office_to_open(moment: datetime, goes_out: datetime) -> None:
    assert CALENDAR.within_hours(moment) == goes_out


def test_one_day_overdue_ends_with_the_first_working_day_after_the_last() -> None:
    due = CALENDAR.due(at("2024-04-02"), days(1))
    assert CALENDAR.overdue(due.at, days(1)).last_day == date(2024, 4, 7)
    assert CALENDAR.overdue(at("2024-04-02", "15:00"), days(1)).last_day == date(2024, 4, 3)
    assert CALENDAR.overdue(due.at, hours(1)).at == at("2024-04-07", "09:30")


def test_whoever_has_an_office_at_night_is_late_by_its_own_hours() -> None:
    night = OfficeHours(shifts=(Shift(start=time(20), end=time(22)),), source="test")
    assert CALENDAR.overdue(at("2024-04-15", "00:00"), hours(1), night).at == at("2024-04-15", "21:00")


def test_people_read_the_time_of_the_town() -> None:
    assert CALENDAR.local_time(at("2024-04-18", "00:00").astimezone(UTC)) == "2024-04-18 00:00"


def test_a_town_elsewhere_has_its_own_zone_and_weekends() -> None:
    start = at("2020-03-06", "10:00", ZoneInfo("America/Los_Angeles"))
    due = LOS_ANGELES.due(start, days(1))  # clocks go forward on Sunday the 8th
    assert due.at == datetime(2020, 3, 10, 7, tzinfo=UTC)
    assert not LOS_ANGELES.is_working(date(2020, 1, 20))
    assert not LOS_ANGELES.is_provisional(date(2040, 1, 2))
    assert LOS_ANGELES.version == "weekdays"


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        CALENDAR.due(datetime(2024, 4, 15), days(1))  # noqa: DTZ001


moments = st.datetimes(datetime(2015, 1, 1), datetime(2027, 6, 1), timezones=st.just(UTC))  # noqa: DTZ001
limits = st.builds(Limit, amount=st.integers(0, 40), unit=st.sampled_from(Unit))


@given(moments, limits)
def test_nothing_is_ever_due_on_a_day_off_or_before_it_began(start: datetime, limit: Limit) -> None:
    due = CALENDAR.due(start, limit)
    assert CALENDAR.is_working(due.last_day)
    assert due.at >= start
    assert (due.at - timedelta(microseconds=1)).astimezone(SHANGHAI).date() <= due.last_day


@given(moments, st.integers(1, 30), st.integers(0, 30))
def test_working_days_add_up(start: datetime, first: int, second: int) -> None:
    halfway = CALENDAR.due(start, days(first))
    assert CALENDAR.overdue(halfway.at, days(second)).at == CALENDAR.due(start, days(first + second)).at


@given(moments, st.integers(0, 40), st.integers(0, 40))
def test_working_hours_add_up(start: datetime, first: int, second: int) -> None:
    halfway = CALENDAR.due(start, hours(first)).at
    if second:
        assert CALENDAR.due(halfway, hours(second)).at == CALENDAR.due(start, hours(first + second)).at


@given(moments, st.integers(0, 30))
def test_late_by_a_number_of_days_means_that_many_whole_working_days(start: datetime, amount: int) -> None:
    deadline = CALENDAR.due(start, days(1)).at
    late = CALENDAR.overdue(deadline, days(amount)).at
    first, last = (moment.astimezone(SHANGHAI).date() for moment in (deadline, late))
    between = [first + timedelta(days=ahead) for ahead in range((last - first).days)]
    assert sum(map(CALENDAR.is_working, between)) == amount


@given(moments)
def test_the_next_opening_is_open_and_stays_put(moment: datetime) -> None:
    opening = CALENDAR.within_hours(moment)
    assert opening >= moment
    assert CALENDAR.is_open(opening)
    assert CALENDAR.within_hours(opening) == opening

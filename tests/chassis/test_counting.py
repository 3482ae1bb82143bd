"""How a limit is counted over the time in which nothing paused it."""

from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import hypothesis.strategies as st
import pytest
from hypothesis import example, given

from duban_contracts.charter import Limit, OfficeHours, Shift, Unit
from duban_contracts.due import DayReason
from services.chassis import counting as counting_module
from services.chassis.calendar import WorkingCalendar
from services.chassis.charter_file import read_charter
from services.chassis.counting import Counter, Step

TOWN = read_charter(Path(__file__).parents[2] / "deploy/charters/township-2024.yaml")
CALENDAR = WorkingCalendar(TOWN)
ZONE = ZoneInfo(TOWN.timezone)
HOUR = timedelta(hours=1)


def local(text):
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


def due(start, amount, unit=Unit.WORKING_DAYS, pauses=(), *more, hours=None):
    limits = [Limit(amount=amount, unit=unit), *more]
    return Counter(CALENDAR, hours, tuple(pauses)).due(local(start), limits)


def last_day(*args, **named):
    return due(*args, **named).last_day.isoformat()


moments = st.integers(0, 24 * 4 * 400).map(lambda n: local("2024-01-02T00:00") + n * timedelta(minutes=15))
units = st.sampled_from(Unit)
limits = st.builds(Limit, amount=st.integers(0, 20), unit=units)
lengths = st.integers(1, 24 * 20).map(lambda hours: hours * HOUR)
pauses = st.builds(lambda start, length: (start, start + length), moments, lengths)
AN_HOUR_BEFORE = (local("2024-01-02T00:00"), local("2024-01-02T01:00"))
pause_lists = st.lists(pauses, max_size=4).map(tuple)


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


@pytest.mark.parametrize(("start", "days", "last"), GOLDEN)
def test_the_golden_vectors_are_counted_day_by_day(start, days, last):
    counting = due(f"{start}T10:00", days)
    assert counting.last_day.isoformat() == last
    assert sum(step.counted for step in counting.days) == days


@given(moments, limits)
def test_without_a_pause_it_is_the_calendars_own_due_date(start, limit):
    counting, plain = Counter(CALENDAR).due(start, [limit]), CALENDAR.due(start, limit)
    assert (counting.at, counting.last_day, counting.provisional) == (
        plain.at,
        plain.last_day,
        plain.provisional,
    )


@given(moments, limits, pause_lists, pauses)
def test_a_due_date_never_moves_earlier_by_a_pause(start, limit, some, one_more):
    before = Counter(CALENDAR, None, some).due(start, [limit])
    after = Counter(CALENDAR, None, (*some, one_more)).due(start, [limit])
    assert after.at >= before.at


@given(moments, limits, pause_lists, limits)
def test_a_due_date_never_moves_earlier_by_an_extension(start, limit, some, extension):
    counter = Counter(CALENDAR, None, some)
    assert counter.due(start, [limit, extension]).at >= counter.due(start, [limit]).at


@given(moments, st.dates(local("2024-01-05").date(), local("2024-12-20").date()), pause_lists, pauses)
def test_a_day_set_elsewhere_never_moves_earlier_by_a_pause(start, last, some, one_more):
    before = Counter(CALENDAR, None, some).until(start, last)
    assert before.last_day >= last
    assert Counter(CALENDAR, None, (*some, one_more)).until(start, last).at >= before.at


@given(moments, moments, moments, pause_lists)
def test_elapsed_working_time_is_additive_over_any_split(one, two, three, some):
    start, middle, end = sorted((one, two, three))
    counter = Counter(CALENDAR, None, some)
    assert counter.worked(start, end) == counter.worked(start, middle) + counter.worked(middle, end)


@given(moments, limits, pauses)
def test_a_pause_cut_in_two_is_the_same_pause(start, limit, pause):
    middle = pause[0] + (pause[1] - pause[0]) / 2
    whole = Counter(CALENDAR, None, (pause,)).due(start, [limit])
    halves = Counter(CALENDAR, None, ((pause[0], middle), (middle, pause[1]))).due(start, [limit])
    assert halves == whole


@given(moments, st.integers(1, 60), pause_lists)
def test_a_limit_in_hours_ends_when_so_many_hours_were_worked(start, hours, some):
    counter = Counter(CALENDAR, None, some)
    end = counter.due(start, [Limit(amount=hours, unit=Unit.WORKING_HOURS)]).at
    assert counter.worked(start, end) == hours * HOUR


def test_a_pause_of_two_working_days_moves_it_by_two_working_days():
    pause = (local("2024-04-16T00:00"), local("2024-04-18T00:00"))
    assert last_day("2024-04-15T10:00", 5) == "2024-04-22"
    assert last_day("2024-04-15T10:00", 5, Unit.WORKING_DAYS, [pause]) == "2024-04-24"
    assert last_day("2024-04-15T10:00", 5, Unit.CALENDAR_DAYS, [pause]) == "2024-04-22"


def test_parts_of_days_add_up_to_days():
    """From ten to ten is one working day, whichever days it touches; two mornings are not two days."""
    day = (local("2024-04-16T10:00"), local("2024-04-17T10:00"))
    mornings = [(local(f"2024-04-{n}T08:30"), local(f"2024-04-{n}T12:00")) for n in (16, 17)]
    assert last_day("2024-04-15T10:00", 5, Unit.WORKING_DAYS, [day]) == "2024-04-23"
    assert last_day("2024-04-15T10:00", 5, Unit.WORKING_DAYS, mornings) == "2024-04-24"
    assert last_day("2024-04-15T10:00", 5, Unit.WORKING_DAYS, mornings[:1]) == "2024-04-23"


def test_extensions_of_one_unit_are_added_to_the_limit():
    assert last_day("2024-04-15T10:00", 5, Unit.WORKING_DAYS, (), Limit(amount=10)) == "2024-05-08"


def test_a_stations_own_hours_count():
    longer = OfficeHours(
        shifts=(Shift.model_validate({"start": "08:00", "end": "20:00"}),), source="a station's"
    )
    start = "2024-04-15T08:00"
    assert due(start, 12, Unit.WORKING_HOURS, hours=longer).at == local("2024-04-15T20:00")
    assert due(start, 12, Unit.WORKING_HOURS).last_day.isoformat() == "2024-04-16"


def test_each_day_says_why_it_was_counted_or_was_not():
    pause = (local("2024-04-30T00:00"), local("2024-05-01T00:00"))
    reasons = {
        step.day.isoformat()[5:]: step.reason for step in due("2024-04-26T10:00", 4, pauses=[pause]).days
    }
    assert reasons == {
        "04-26": DayReason.START,
        "04-27": DayReason.WEEKEND,
        "04-28": DayReason.MAKE_UP,
        "04-29": DayReason.COUNTED,
        "04-30": DayReason.PAUSED,
        "05-01": DayReason.HOLIDAY,
        "05-02": DayReason.HOLIDAY,
        "05-03": DayReason.HOLIDAY,
        "05-04": DayReason.HOLIDAY,
        "05-05": DayReason.HOLIDAY,
        "05-06": DayReason.COUNTED,
        "05-07": DayReason.COUNTED,
    }


def test_a_last_calendar_day_off_moves_on_and_says_so():
    days = due("2024-04-26T10:00", 5, Unit.CALENDAR_DAYS).days
    assert [step.day.day for step in days if step.reason is DayReason.MOVED] == [2, 3, 4, 5, 6]
    assert [step.day.day for step in days if step.reason is DayReason.COUNTED] == [27, 28, 29, 30, 1], (
        "days off, too"
    )


def test_a_limit_in_hours_tells_the_hours_that_each_day_gave():
    pauses = [
        (local("2024-04-30T09:00"), local("2024-05-06T15:30")),
        (local("2024-05-07T00:00"), local("2024-05-08T00:00")),
    ]
    counting = due("2024-04-29T16:30", 6, Unit.WORKING_HOURS, pauses)
    assert [(step.day.isoformat()[5:], step.reason, float(step.counted)) for step in counting.days] == [
        ("04-29", DayReason.COUNTED, 1),
        ("04-30", DayReason.PARTLY_PAUSED, 0.5),
        ("05-01", DayReason.HOLIDAY, 0),
        ("05-02", DayReason.HOLIDAY, 0),
        ("05-03", DayReason.HOLIDAY, 0),
        ("05-04", DayReason.HOLIDAY, 0),
        ("05-05", DayReason.HOLIDAY, 0),
        ("05-06", DayReason.PARTLY_PAUSED, 2),
        ("05-07", DayReason.PAUSED, 0),
        ("05-08", DayReason.COUNTED, 2.5),
    ]
    assert counting.at == local("2024-05-08T11:00")


def test_a_day_gives_the_hours_of_all_its_shifts():
    counting = due("2024-04-15T08:30", 8, Unit.WORKING_HOURS)
    assert [float(step.counted) for step in counting.days] == [6.5, 1.5]


def test_a_day_that_ran_in_part_says_so():
    pause = (local("2024-04-16T14:30"), local("2024-04-16T17:30"))
    [_, day, *_] = due("2024-04-15T10:00", 3, pauses=[pause]).days
    assert (day.reason, round(float(day.counted), 3)) == (DayReason.PARTLY_PAUSED, 0.538)


def test_overtime_on_a_day_off_is_no_working_time():
    saturdays = OfficeHours(
        shifts=(Shift.model_validate({"start": "08:30", "end": "12:00"}),),
        extra={"sat": (Shift.model_validate({"start": "09:00", "end": "11:00"}),)},
        source="a station's",
    )
    assert due("2024-04-19T10:00", 1, hours=saturdays).last_day == date(2024, 4, 22)
    friday_to_monday = due("2024-04-19T11:00", 2, Unit.WORKING_HOURS, hours=saturdays)
    assert friday_to_monday.at == local("2024-04-22T09:30")


def test_every_day_of_a_year_without_a_notice_is_provisional():
    """2027 has no notice yet; the last day of 2026 has one."""
    pause = (local("2027-01-04T00:00"), local("2027-01-05T00:00"))
    for unit in (Unit.WORKING_DAYS, Unit.CALENDAR_DAYS):
        steps = due("2026-12-31T10:00", 10, unit, [pause]).days
        assert {step.day.year: step.provisional for step in steps} == {2026: False, 2027: True}
        assert all(step.provisional == (step.day.year == 2027) for step in steps)
    [start, *_] = due("2027-01-04T10:00", 1).days
    assert (start.reason, start.provisional) == (DayReason.START, True)
    moved = [
        step for step in due("2027-01-01T10:00", 1, Unit.CALENDAR_DAYS).days if step.reason is DayReason.MOVED
    ]
    assert moved
    assert all(step.provisional for step in moved)


def test_hours_after_days_begin_where_the_days_end():
    counting = due("2024-04-15T10:00", 1, Unit.WORKING_DAYS, (), Limit(amount=2, unit=Unit.WORKING_HOURS))
    assert [(step.day.day, step.reason) for step in counting.days] == [
        (15, DayReason.START),
        (16, DayReason.COUNTED),
        (17, DayReason.COUNTED),
    ]
    assert counting.at == local("2024-04-17T10:30")


def test_hours_in_a_year_without_a_notice_are_provisional_too():
    assert due("2026-12-31T17:00", 1, Unit.WORKING_HOURS).provisional
    assert not due("2026-12-31T16:00", 1, Unit.WORKING_HOURS).provisional


def test_a_day_set_elsewhere_is_told_as_such_and_moves_on_only_by_a_pause():
    last, start = date(2024, 4, 22), local("2024-04-15T10:00")
    fixed = Counter(CALENDAR).until(start, last)
    assert fixed.days == (Step(last, DayReason.SET_ELSEWHERE),)
    lunch = ((local("2024-04-16T12:00"), local("2024-04-16T14:30")),)
    over_lunch = Counter(CALENDAR, None, lunch).until(start, last)
    assert over_lunch.days == (Step(start.date(), DayReason.START), Step(last, DayReason.SET_ELSEWHERE))
    day = ((local("2024-04-16T00:00"), local("2024-04-17T00:00")),)
    moved = Counter(CALENDAR, None, day).until(start, last)
    assert (moved.at, moved.last_day) == (local("2024-04-24T00:00"), date(2024, 4, 23))
    assert [(step.day.day, step.reason) for step in moved.days] == [
        (15, DayReason.START),
        (16, DayReason.PAUSED),
        (17, DayReason.COUNTED),
        (18, DayReason.COUNTED),
        (19, DayReason.COUNTED),
        (20, DayReason.WEEKEND),
        (21, DayReason.WEEKEND),
        (22, DayReason.COUNTED),
        (23, DayReason.COUNTED),
    ]


@pytest.mark.parametrize("last", [date(2024, 4, 12), date(2024, 4, 15)])
def test_a_day_set_elsewhere_that_was_over_before_the_start_is_told_alone_whatever_was_paused(last):
    day = ((local("2024-04-18T00:00"), local("2024-04-19T00:00")),)
    passed = Counter(CALENDAR, None, day).until(local("2024-04-15T10:00"), last)
    assert (passed.last_day, passed.days) == (last, (Step(last, DayReason.SET_ELSEWHERE),))


def test_a_day_set_elsewhere_moves_on_by_the_stations_own_hours():
    """A pause of half an evening is half a day of the cleaners, and none of the office."""
    evening = OfficeHours(
        shifts=(Shift.model_validate({"start": "18:00", "end": "22:00"}),), source="a station's"
    )
    pause = ((local("2024-04-16T20:00"), local("2024-04-16T22:00")),)
    until = (local("2024-04-15T10:00"), date(2024, 4, 22))
    assert Counter(CALENDAR, evening, pause).until(*until).last_day == date(2024, 4, 23)
    assert Counter(CALENDAR, None, pause).until(*until).last_day == date(2024, 4, 22)


def test_the_charters_own_days_are_told_from_the_nations():
    overlay = {"off": ("2024-04-16",), "working": ("2024-04-20",), "source": "the town"}
    town = TOWN.model_copy(update={"calendar": TOWN.calendar.model_validate(overlay)})
    days = Counter(WorkingCalendar(town)).due(local("2024-04-15T10:00"), [Limit(amount=5)]).days
    reasons = {step.day.day: step.reason for step in days}
    assert (reasons[16], reasons[20]) == (DayReason.OVERLAY_OFF, DayReason.OVERLAY_WORKING)


def test_a_year_without_a_notice_is_provisional():
    assert due("2026-12-30T10:00", 5).provisional
    assert not due("2026-12-14T10:00", 5).provisional


@given(moments, moments, pause_lists, st.integers(1, 99))
def test_a_share_of_the_work_is_used_when_so_much_of_it_was_worked(one, two, some, percent):
    start, end = sorted((one, two))
    counter = Counter(CALENDAR, None, some)
    whole, at = counter.worked(start, end), counter.used(start, end, percent)
    if at is None:
        assert not whole
    else:
        assert start <= at <= end
        assert abs(counter.worked(start, at) - whole * percent / 100) <= timedelta(microseconds=1)


def test_most_of_the_work_is_used_later_over_a_holiday_and_after_a_pause():
    """Five days over the May holiday: 32.5 hours are worked, and 26 of them are over on 6 May at 17:30."""
    start, end = local("2024-04-26T17:30"), local("2024-05-08T00:00")
    assert Counter(CALENDAR).used(start, end, 80) == local("2024-05-06T17:30")
    pause = (local("2024-05-06T00:00"), local("2024-05-07T00:00"))
    assert Counter(CALENDAR, None, (pause,)).used(start, end, 50) == local("2024-04-29T17:30")
    assert Counter(CALENDAR).used(local("2024-05-01T00:00"), local("2024-05-06T00:00"), 80) is None


@pytest.mark.case("A2")
@example(
    local("2024-01-06T00:00"), 0, ((local("2024-01-02T00:00"), local("2024-01-02T01:00")),), Limit(amount=1)
)
@given(moments, st.integers(0, 60), pause_lists, limits)
def test_a_far_day_is_moved_on_by_a_pause_as_a_near_one_is(start, ahead, some, extension):
    last = CALENDAR.day_of(start) + timedelta(days=ahead)
    counter = Counter(CALENDAR, None, some)
    near = counter.until(start, last, [extension])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counting_module, "FAR", timedelta(days=-1))
        far = counter.until(start, last, [extension])
    assert (far.at, far.last_day) == (near.at, near.last_day)


@pytest.mark.case("A2")
@given(moments, st.integers(1, 99), pause_lists)
def test_the_share_of_a_far_time_is_about_the_share_of_its_work(start, percent, some):
    end = start + timedelta(days=4 * 365)
    counter = Counter(CALENDAR, None, some)
    used = counter.used(start, end, percent)
    worked = counter.worked(start, used) / counter.worked(start, end)
    assert abs(worked - percent / 100) < 0.05


@pytest.mark.case("A2")
def test_the_last_days_that_there_are_end_and_can_be_extended():
    for day in (date.max, date.max - timedelta(days=1), date.max - timedelta(days=5)):
        counting = Counter(CALENDAR).until(local("2024-04-15T10:00"), day, [Limit(amount=20)])
        assert counting.at <= datetime.max.replace(tzinfo=ZoneInfo("UTC"))

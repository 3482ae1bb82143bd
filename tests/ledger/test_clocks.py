"""What time alone brings about, each thing once and at the time it fell due."""

from datetime import timedelta
from typing import Any

import pytest

from duban_contracts.charter import Limit, Unit
from duban_contracts.ledger import AcceptanceOverdue, EntryDueSoon, EntryOverdue
from services.chassis.decider import Wake
from services.ledger.decider import Withdraw, ledger
from tests.given import Given
from tests.ledger.matters import hold, resume
from tests.ledger.register import (
    ACCEPT_BY,
    DUE,
    EARLY,
    NUMBER,
    ONE_MOMENT,
    OPENED,
    TOWN,
    accept,
    day,
    given,
    kinds,
    local,
    open_,
    register,
    resolve,
    story,
    verify,
)

SOON = local("2024-04-19", "16:30")
"""37.5 hours are worked until the due date; 30 of them, 80 %, are over on Friday an hour before closing."""
DUE_DAY = local("2024-04-22", "08:30")
MUCH_LATER = local("2025-04-01")


def clock(history: list[Any]) -> Any:
    return register.wake_at(given(*history).state)


def times(events: Any) -> list[Any]:
    return [(type(event), event.at) for event in events]


def reminders(*commands: Any) -> list[Any]:
    events = story(*commands)
    return [(event.at, event.on_due_day) for event in events if isinstance(event, EntryDueSoon)]


def test_everything_missed_is_caught_up_in_the_order_of_time() -> None:
    events = given(*story(open_())).when(Wake(MUCH_LATER))
    assert times(events) == [
        (AcceptanceOverdue, ACCEPT_BY),
        (EntryDueSoon, SOON),
        (EntryDueSoon, DUE_DAY),
        (EntryOverdue, DUE),
    ]
    assert given(*story(open_()), *events).when(Wake(MUCH_LATER)) == []


def test_an_entry_is_overdue_at_the_due_instant_and_not_before() -> None:
    history = story(open_(), accept())
    assert "EntryOverdue" not in kinds(given(*history).when(Wake(DUE - ONE_MOMENT)))
    overdue = given(*history).when(Wake(DUE))[-1]
    assert (overdue.at, overdue.station, overdue.entry, overdue.round) == (DUE, "xincunban", NUMBER, 1)


def test_an_unsigned_entry_is_told_when_the_time_to_accept_is_over() -> None:
    history = story(open_())
    assert given(*history).when(Wake(ACCEPT_BY - ONE_MOMENT)) == []
    assert given(*history).when(Wake(ACCEPT_BY)) == [
        AcceptanceOverdue(at=ACCEPT_BY, station="xincunban", entry=NUMBER)
    ]
    assert clock(story(open_(), accept())) == SOON


def test_it_can_still_be_accepted_after_that() -> None:
    events = story(open_(), accept(ACCEPT_BY))
    assert kinds(events) == ["EntryOpened", "AcceptanceOverdue", "EntryAccepted"]


def test_reminders_come_at_the_charters_share_of_the_time_and_on_the_due_day() -> None:
    assert reminders(open_(), accept(), Wake(DUE)) == [(SOON, False), (DUE_DAY, True)]


def test_a_share_of_the_time_is_a_share_of_what_is_worked_in_it_and_holidays_are_not() -> None:
    friday = local("2024-04-26", "10:00")  # five working days end on 7 May
    assert reminders(open_(friday), accept(friday), Wake(MUCH_LATER)) == [
        (local("2024-05-06", "16:30"), False),
        (local("2024-05-07", "08:30"), True),
    ]


def test_a_share_of_the_time_is_not_used_up_by_a_hold() -> None:
    held = (hold(local("2024-04-16")), resume(local("2024-04-23")))
    assert reminders(open_(), accept(), *held, Wake(MUCH_LATER)) == [
        (local("2024-04-26", "16:30"), False),
        (local("2024-04-28", "08:30"), True),
    ]


def test_a_hold_that_moves_no_due_date_brings_no_second_reminder() -> None:
    lunch = (hold(local("2024-04-22", "12:00")), resume(local("2024-04-22", "14:00")))
    assert reminders(open_(), accept(), *lunch, Wake(MUCH_LATER)) == [(SOON, False), (DUE_DAY, True)]


def test_where_both_reminders_meet_one_is_enough() -> None:
    after_closing = local("2024-04-15", "18:00")  # 80 % is used as the office closes on Friday
    assert reminders(open_(after_closing), accept(after_closing), Wake(MUCH_LATER)) == [(DUE_DAY, True)]


@pytest.mark.parametrize(
    ("opened", "reminded"),
    [
        ("10:00", [("10:00", True), ("16:30", False)]),
        ("13:00", [("14:30", True), ("16:54", False)]),
        ("18:00", []),
    ],
)
def test_what_is_due_on_the_same_day_is_reminded_of_as_soon_as_the_office_is_open(
    opened: str, reminded: list[tuple[str, bool]]
) -> None:
    at = local("2024-04-15", opened)
    for short in (open_(at, limit=Limit(amount=0)), open_(at, due_on=day("2024-04-15"))):
        told = reminders(short, accept(at), Wake(MUCH_LATER))
        assert told == [(local("2024-04-15", clock), on_due_day) for clock, on_due_day in reminded]


def test_a_limit_of_hours_is_reminded_of_at_once_where_it_ends_on_its_first_day() -> None:
    two_hours = Limit(amount=2, unit=Unit.WORKING_HOURS)
    told = reminders(open_(limit=two_hours), accept(), Wake(MUCH_LATER))
    assert told == [(OPENED, True), (local("2024-04-15", "11:36"), False)]


def test_what_is_due_on_a_day_off_is_reminded_of_on_the_last_working_day_before_it() -> None:
    told = story(open_(due_on=day("2024-04-21")), accept(), Wake(MUCH_LATER))
    reminders = [event for event in told if isinstance(event, EntryDueSoon)]
    assert [event.at for event in reminders if event.on_due_day] == [local("2024-04-19", "08:30")]


def test_the_charter_can_do_without_the_reminder_on_the_due_day() -> None:
    reminder = TOWN.ladder.reminder.model_copy(update={"on_due_day": False})
    ladder = TOWN.ladder.model_copy(update={"reminder": reminder})
    quiet = Given(ledger(TOWN.model_copy(update={"ladder": ladder})))
    events = quiet(*story(open_(), accept())).when(Wake(DUE - ONE_MOMENT))
    assert [(event.at, event.on_due_day) for event in events] == [(SOON, False)]


def test_no_reminder_comes_before_the_entry_or_after_its_due_date() -> None:
    for due_on in ("2024-04-10", "2024-04-15", "2024-04-20"):  # long past, the same day, a Saturday
        events = story(open_(due_on=day(due_on)), accept(OPENED), Wake(MUCH_LATER))
        due = events[0].due.at
        assert all(OPENED <= event.at < due for event in events if isinstance(event, EntryDueSoon))
        assert (EntryOverdue, max(due, OPENED)) in times(events)


def test_a_limit_in_hours_is_due_within_the_day() -> None:
    history = story(open_(limit=Limit.model_validate({"amount": 2, "unit": "working_hours"})), accept())
    assert history[0].due.at < local("2024-04-16")
    assert "EntryOverdue" in kinds(given(*history).when(Wake(local("2024-04-16"))))


def test_without_a_due_date_only_the_acceptance_is_timed() -> None:
    assert kinds(given(*story(open_(limit=None))).when(Wake(MUCH_LATER))) == ["AcceptanceOverdue"]


def test_resolving_striking_off_and_taking_back_stop_every_clock() -> None:
    struck_off = story(open_(), accept(), resolve(), verify(EARLY + timedelta(hours=1)))
    resolved = story(open_(), resolve())
    withdrawn = story(open_(), Withdraw(EARLY, NUMBER, "xincunban"))
    for history in ([], resolved, struck_off, withdrawn):
        assert clock(history) is None
        assert given(*history).when(Wake(MUCH_LATER)) == []


def test_a_redo_round_after_the_due_date_is_overdue_at_once() -> None:
    rejected_at = DUE + timedelta(hours=10)
    history = story(open_(), accept(), resolve(), verify(rejected_at, passed=False, reason="不亮"))
    assert clock(history) == rejected_at
    overdue = given(*history).when(Wake(rejected_at))
    assert [(event.at, event.round, event.due.at) for event in overdue] == [(rejected_at, 2, DUE)]
    assert clock([*history, *overdue]) is None


def test_a_round_that_was_overdue_does_not_excuse_the_next_one() -> None:
    rejected_at = DUE + timedelta(hours=10)
    late = (open_(), accept(), resolve(DUE), verify(rejected_at, passed=False, reason="不亮"))
    events = story(*late, Wake(MUCH_LATER))
    overdue = [(event.round, event.at) for event in events if isinstance(event, EntryOverdue)]
    assert overdue == [(1, DUE), (2, rejected_at)]


def test_a_redo_round_within_the_due_date_is_reminded_of_and_overdue_again() -> None:
    rejected_at = OPENED + timedelta(days=1)
    history = story(open_(), accept(), resolve(), verify(rejected_at, passed=False, reason="不亮"))
    events = given(*history).when(Wake(MUCH_LATER))
    assert kinds(events) == ["EntryDueSoon", "EntryDueSoon", "EntryOverdue"]
    assert events[-1].round == 2


def test_what_came_due_before_a_command_is_told_before_it_is_answered() -> None:
    events = given(*story(open_(), accept())).when(resolve(DUE))
    assert kinds(events) == ["EntryDueSoon", "EntryDueSoon", "EntryOverdue", "EntryResolved"]

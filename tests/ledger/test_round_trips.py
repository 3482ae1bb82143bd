"""An entry that comes back to a station finds that station's own clock again: nobody gains by passing on."""

from datetime import timedelta
from typing import Any

import pytest

from duban_contracts.charter import Limit
from duban_contracts.due import Pause
from duban_contracts.handling import EntryReturned
from duban_contracts.ledger import Due, EntryDueSoon, EntryOverdue
from services.chassis.decider import Wake
from services.ledger.decider import ledger
from tests.given import Given
from tests.ledger.matters import (
    adjudicate,
    apply_extension,
    decide_extension,
    give_back,
    hold,
    resume,
    transfer,
)
from tests.ledger.register import (
    DUE,
    OPENED,
    SHIPPED,
    accept,
    day,
    given,
    kinds,
    local,
    open_,
    reopen,
    resolve,
    story,
    verify,
)
from tests.ledger.test_recomputed import with_limit

MINUTES = timedelta(minutes=10)
MUCH_LATER = local("2024-06-01")
MONDAY, TUESDAY, THURSDAY = local("2024-04-15", "14:30"), local("2024-04-16"), local("2024-04-18")
LATE = local("2024-04-23", "10:00")


def away(at: Any, back: Any) -> list[Any]:
    """To nongye at `at`, and given back at `back`."""
    return [transfer("nongye", at), accept(at, "nongye"), give_back(back, "nongye")]


def due_of(history: list[Any]) -> Due:
    due: Due = given(*history).state.entry.due
    return due


def overdue(events: list[Any]) -> list[Any]:
    return [(event.station, event.at) for event in events if isinstance(event, EntryOverdue)]


ROUND_TRIPS = [
    away(LATE, LATE + 2 * MINUTES),
    [
        transfer("nongye", LATE),
        accept(LATE, "nongye"),
        transfer("xincunban", LATE + MINUTES, "nongye"),
        accept(LATE + 2 * MINUTES),
    ],
    [transfer("nongye", LATE), accept(LATE, "nongye"), adjudicate("xincunban", LATE + 2 * MINUTES)],
]


@pytest.mark.parametrize("round_trip", ROUND_TRIPS)
def test_what_was_late_when_it_left_is_late_when_it_comes_back(round_trip: list[Any]) -> None:
    history = story(open_(), accept(), *round_trip)
    assert due_of(history).at == DUE
    assert overdue(history) == [("xincunban", DUE)]
    answered = given(*history).when(resolve(LATE + 3 * MINUTES))
    struck_off = given(*history, *answered).when(verify(LATE + 4 * MINUTES))[-1]
    assert (struck_off.late, struck_off.due.at) == (True, DUE)


def test_only_the_time_that_it_was_with_somebody_else_stands_still() -> None:
    history = story(open_(), accept(), *away(TUESDAY, local("2024-04-16", "23:00")))
    fact = history[-1]
    assert isinstance(fact, EntryReturned)
    assert fact.due
    assert fact.due.start == OPENED
    assert fact.due.pauses == (Pause(start=TUESDAY, end=local("2024-04-16", "23:00")),)
    assert fact.due.last_day.isoformat() == "2024-04-23", "Tuesday was not theirs"


def test_the_time_in_which_nobody_had_it_is_not_held_against_whoever_gets_it_again() -> None:
    history = story(open_(), give_back(MONDAY), adjudicate("xincunban", THURSDAY))
    assert due_of(history).pauses == (Pause(start=MONDAY, end=THURSDAY),)
    assert due_of(history).last_day.isoformat() == "2024-04-24", "two working days later than the 22nd"


def test_pauses_and_extensions_that_it_had_come_back_with_it() -> None:
    extended = (apply_extension(), decide_extension(MONDAY), hold(TUESDAY), resume(local("2024-04-17")))
    history = story(open_(), accept(), *extended, *away(THURSDAY, THURSDAY))
    assert [each.length.amount for each in due_of(history).extensions] == [5]
    assert due_of(history).pauses[0] == Pause(start=TUESDAY, end=local("2024-04-17"))
    assert due_of(history).last_day.isoformat() == "2024-04-29"


def test_it_is_not_reminded_of_again_for_the_same_date() -> None:
    at = local("2024-04-22", "18:00")
    history = story(open_(), accept(), *away(at, at + MINUTES), Wake(MUCH_LATER))
    told = [(e.at, e.on_due_day) for e in history if isinstance(e, EntryDueSoon)]
    assert told == [(local("2024-04-19", "16:30"), False), (local("2024-04-22", "08:30"), True)]
    assert overdue(history) == [("xincunban", DUE)]


def test_each_station_has_its_own_clock_however_often_it_goes_round() -> None:
    there = [transfer("nongye", TUESDAY), accept(TUESDAY, "nongye")]
    back = [transfer("xincunban", THURSDAY, "nongye"), accept(THURSDAY)]
    history = story(open_(), accept(), *there, *back, adjudicate("nongye", LATE))
    assert due_of(history).start == TUESDAY
    assert due_of(history).pauses == (Pause(start=THURSDAY, end=LATE),)
    assert [each.station for each in given(*history).state.entry.former] == ["xincunban"]


def test_a_round_trip_opens_no_second_window_to_return_it() -> None:
    history = story(open_(), accept(), *away(LATE, LATE + MINUTES))
    refusal = given(*history).when(give_back(LATE + 2 * MINUTES))[-1]
    assert "could be returned until 2024-04-17 00:00" in refusal.detail


def test_a_limit_that_changed_meanwhile_is_the_one_that_counts() -> None:
    history = story(open_(), accept(), transfer("nongye", TUESDAY), accept(TUESDAY, "nongye"))
    back = Given(ledger(with_limit(8)))(*history).when(give_back(local("2024-04-17", "10:00"), "nongye"))[-1]
    assert (back.due.limit, back.due.start) == (Limit(amount=8), OPENED)


def test_a_redo_round_is_late_anew_where_it_comes_back_late() -> None:
    history = story(
        *(open_(), accept(), transfer("nongye", LATE), accept(LATE, "nongye")),
        *(resolve(LATE, "nongye"), verify(LATE, passed=False, reason="不亮")),
        adjudicate("xincunban", LATE + MINUTES),
        Wake(LATE + MINUTES),
    )
    assert overdue(history) == [("xincunban", DUE), ("xincunban", LATE + MINUTES)]


def test_a_reopening_gives_everybody_a_new_clock() -> None:
    at = LATE + timedelta(days=1)
    history = story(
        *(open_(), accept(), transfer("nongye", LATE), accept(LATE, "nongye")),
        *(resolve(LATE, "nongye"), verify(LATE), reopen(at), adjudicate("xincunban", at)),
    )
    assert due_of(history).start == at


# A day set elsewhere, and what the citizen was promised


def test_a_day_set_elsewhere_stands_whoever_has_it_and_for_how_long() -> None:
    due_on = day("2024-04-26")
    held = (hold(MONDAY), resume(local("2024-04-16", "12:00")))
    history = story(open_(due_on=due_on), accept(), *held, give_back(local("2024-04-16", "12:00")))
    paused = story(open_(due_on=due_on), accept(), *held)
    again = given(*history).when(adjudicate("xincunban", THURSDAY))[-1]
    assert again.due.at == due_of(paused).at


@pytest.mark.parametrize("to", ["nongye", "xincunban"])
def test_whoever_gets_what_is_overdue_already_is_told_so_once(to: str) -> None:
    passed_on = [transfer("nongye", MONDAY), accept(MONDAY, "nongye")]
    back = [] if to == "nongye" else [give_back(MONDAY + MINUTES, "nongye")]
    history = story(open_(due_on=day("2024-04-10")), accept(), *passed_on, *back, Wake(MUCH_LATER))
    assert overdue(history) == [("xincunban", OPENED), ("nongye", MONDAY)]


def test_an_extension_granted_while_a_transfer_is_open_goes_with_the_entry() -> None:
    promised = (apply_extension(MONDAY), transfer("nongye", MONDAY + MINUTES))
    granted = decide_extension(MONDAY + 2 * MINUTES)
    for taken in (accept(TUESDAY, "nongye"), adjudicate("nongye", TUESDAY)):
        history = story(open_(), accept(), *promised, granted, taken)
        assert [each.length.amount for each in due_of(history).extensions] == [5]
        assert due_of(history).at >= due_of(story(open_(), accept(), *promised, granted)).at


def test_an_extension_of_a_station_that_had_it_before_stays_with_that_station() -> None:
    extended = (apply_extension(MONDAY), decide_extension(MONDAY))
    history = story(open_(), accept(), *extended, transfer("nongye", TUESDAY), accept(TUESDAY, "nongye"))
    assert due_of(history).extensions == ()


def test_the_citizen_waits_on_while_it_goes_round() -> None:
    history = story(open_(), accept(), *away(TUESDAY, local("2024-04-17", "12:00")), charter=SHIPPED)
    assert kinds(history)[-1] == "EntryReturned"
    assert given(*history).state.entry.citizen == history[0].citizen

"""What makes a due date later: extensions that somebody else grants, pauses that end by themselves."""

from datetime import timedelta
from typing import Any

import pytest

from duban_contracts.charter import Limit, Unit
from duban_contracts.handling import EntryHeld, EntryResumed, ExtensionApplied, ExtensionDecided
from duban_contracts.ledger import EntryDueSoon, EntryOverdue
from duban_contracts.message import Refusal
from services.chassis.calendar import WorkingCalendar
from services.chassis.decider import Wake
from services.ledger.views import row
from tests.ledger.matters import (
    apply_extension,
    decide_extension,
    hold,
    refused,
    resume,
    transfer,
)
from tests.ledger.register import (
    DUE,
    EARLY,
    ONE_MOMENT,
    OPENED,
    SHIPPED,
    TOWN,
    accept,
    day,
    given,
    kinds,
    local,
    open_,
    resolve,
    story,
    verify,
)

CALENDAR = WorkingCalendar(TOWN)
LATER = EARLY + timedelta(hours=1)
TUESDAY, THURSDAY = local("2024-04-16"), local("2024-04-18")
HELD_UNTIL = local("2024-04-29")  # the tenth working day is Sunday the 28th, a make-up day
in_hand = story(open_(), accept())
applied = story(open_(), accept(), apply_extension())
extended = story(open_(), accept(), apply_extension(), decide_extension(LATER))


# Extensions


def test_an_extension_is_applied_for_with_its_length_and_shows_what_it_would_come_to() -> None:
    [fact] = given(*in_hand).when(apply_extension())
    assert isinstance(fact, ExtensionApplied)
    assert fact.would_be.last_day.isoformat() == "2024-04-28"
    assert given(*applied).state.entry.due.at == DUE


def test_it_is_applied_for_before_expiry_and_not_at_the_due_instant() -> None:
    assert kinds(given(*in_hand).when(apply_extension(DUE - ONE_MOMENT)))[-1] == "ExtensionApplied"
    assert refused(given(*in_hand).when(apply_extension(DUE))) is Refusal.TOO_LATE


def test_a_granted_extension_moves_both_clocks_and_the_citizen_is_told() -> None:
    history = story(open_(), accept(), apply_extension(), charter=SHIPPED)
    [fact] = given(*history).when(decide_extension(LATER))
    assert isinstance(fact, ExtensionDecided)
    assert fact.due
    assert fact.citizen
    assert (fact.due.last_day.isoformat(), fact.citizen.last_day.isoformat()) == ("2024-04-28", "2024-04-30")
    assert fact.notice == "extended by 5 working days, until 2024-04-28: 理由成立"
    [extension] = fact.due.extensions
    assert (extension.by, extension.length.amount) == ("office", 5)


def test_a_declined_extension_moves_nothing_and_tells_the_citizen_nothing() -> None:
    [fact] = given(*applied).when(decide_extension(LATER, granted=False))
    assert (fact.due.at, fact.notice) == (DUE, "")
    assert kinds(given(*applied, fact).when(apply_extension(LATER))) == ["ExtensionApplied"]


def test_nobody_extends_their_own_time() -> None:
    assert refused(given(*applied).when(decide_extension(LATER, actor="xincunban"))) is Refusal.OWN_WORK
    assert refused(given(*applied).when(decide_extension(LATER, actor="leader"))) is Refusal.NOT_ALLOWED
    assert refused(given(*in_hand).when(decide_extension(LATER))) is Refusal.WRONG_STATE


def test_at_most_as_often_and_as_long_as_the_charter_says() -> None:
    assert refused(given(*extended).when(apply_extension(LATER))) is Refusal.NOT_ALLOWED
    assert refused(given(*applied).when(apply_extension(LATER))) is Refusal.ALREADY_DONE
    assert kinds(given(*in_hand).when(apply_extension(days=25))) == ["ExtensionApplied"]
    assert refused(given(*in_hand).when(apply_extension(days=26))) is Refusal.NOT_ALLOWED
    assert refused(given(*in_hand).when(apply_extension(days=0))) is Refusal.NOT_ALLOWED


def test_only_the_handler_applies_and_only_for_what_is_open_and_timed() -> None:
    assert refused(given(*in_hand).when(apply_extension(actor="qingjieban"))) is Refusal.NOT_THE_HANDLER
    resolved = story(open_(), accept(), resolve())
    assert refused(given(*resolved).when(apply_extension(LATER))) is Refusal.WRONG_STATE
    assert refused(story(open_(limit=None), accept(), apply_extension())) is Refusal.WRONG_STATE


def test_after_an_extension_it_is_reminded_of_and_overdue_by_the_new_date() -> None:
    events = given(*extended).when(Wake(local("2024-05-10")))
    assert [type(e) for e in events] == [EntryDueSoon, EntryDueSoon, EntryOverdue]
    assert events[-1].at == local("2024-04-29")


def test_an_extension_that_was_decided_after_expiry_makes_it_overdue_again_later() -> None:
    late = given(*applied).when(decide_extension(DUE + timedelta(hours=9)))
    assert kinds(late) == ["EntryDueSoon", "EntryDueSoon", "EntryOverdue", "ExtensionDecided"]
    again = given(*applied, *late).when(Wake(local("2024-05-10")))
    assert [e.at for e in again if isinstance(e, EntryOverdue)] == [local("2024-04-29")]


# Pauses


def test_a_pause_is_an_interval_beside_the_rule_and_moves_both_clocks_by_what_it_took() -> None:
    history = story(open_(), accept(), hold(TUESDAY), charter=SHIPPED)
    [fact] = given(*history).when(resume(THURSDAY))
    assert isinstance(fact, EntryResumed)
    assert fact.due
    assert fact.citizen
    assert (fact.paused.start, fact.paused.end) == (TUESDAY, THURSDAY)
    assert fact.due.pauses == (fact.paused,)
    assert (fact.due.last_day.isoformat(), fact.citizen.last_day.isoformat()) == ("2024-04-24", "2024-04-26")
    assert fact.due.limit == history[0].due.limit


def test_a_pause_that_nobody_ends_ends_at_the_charters_longest() -> None:
    held = story(open_(), accept(), hold())
    assert isinstance(held[-1], EntryHeld)
    assert held[-1].until == HELD_UNTIL
    [fact] = given(*held).when(Wake(HELD_UNTIL))
    assert (fact.at, fact.by) == (HELD_UNTIL, None)
    assert given(*held).when(Wake(HELD_UNTIL - ONE_MOMENT)) == []


def test_the_longest_hold_is_counted_by_the_hours_of_the_station() -> None:
    """Ten o'clock and four hours: the service centre is open over lunch, the new village office is not."""
    rule = TOWN.matters.hold
    assert rule
    hours = rule.model_copy(update={"longest": Limit(amount=4, unit=Unit.WORKING_HOURS)})
    town = TOWN.model_copy(update={"matters": TOWN.matters.model_copy(update={"hold": hours})})
    for station, until in (("bianmin", "14:00"), ("xincunban", "16:30")):
        accepted = (open_(station=station), accept(OPENED, station))
        held = story(*accepted, hold(OPENED, station), charter=town)
        assert held[-1].until == local("2024-04-15", until)


def test_while_it_is_held_nothing_but_the_end_of_the_hold_falls_due() -> None:
    held = story(open_(), accept(), hold())
    assert given.decider.wake_at(given(*held).state) == HELD_UNTIL
    found = row(given(*held).state)
    assert found
    assert (found["held"], found["status"]) == (True, "accepted")


def test_only_the_handler_or_the_office_holds_and_only_what_was_signed_for_and_is_not_late() -> None:
    assert kinds(given(*in_hand).when(hold(actor="office"))) == ["EntryHeld"]
    assert refused(given(*in_hand).when(hold(actor="qingjieban"))) is Refusal.NOT_THE_HANDLER
    assert refused(story(open_(), hold())) is Refusal.WRONG_STATE
    assert refused(story(open_(), accept(), transfer("nongye"), hold(LATER))) is Refusal.WRONG_STATE
    assert refused(given(*in_hand).when(hold(DUE))) is Refusal.TOO_LATE


def test_an_entry_is_held_at_most_as_often_as_the_charter_says() -> None:
    twice = story(open_(), accept(), hold(), resume(LATER), hold(LATER), resume(LATER))
    assert refused(given(*twice).when(hold(LATER))) is Refusal.NOT_ALLOWED
    assert refused(given(*twice).when(resume(LATER))) is Refusal.WRONG_STATE


def test_without_a_rule_in_the_charter_nothing_is_held_or_extended() -> None:
    none = TOWN.matters.model_copy(update={"hold": None, "extension": None})
    town = TOWN.model_copy(update={"matters": none})
    for request in (hold(), apply_extension(), decide_extension(LATER)):
        assert refused(story(open_(), accept(), request, charter=town)) is Refusal.NOT_ALLOWED


def test_resolving_what_is_held_ends_the_hold_first() -> None:
    held = story(open_(), accept(), hold(TUESDAY))
    events = given(*held).when(resolve(THURSDAY))
    assert kinds(events) == ["EntryResumed", "EntryResolved"]
    struck_off = given(*held, *events).when(verify(THURSDAY))
    assert (struck_off[0].late, struck_off[0].due.at) == (False, events[0].due.at)


def test_a_day_set_elsewhere_moves_on_by_the_working_time_that_was_paused() -> None:
    due_on = day("2024-04-20")
    history = story(open_(due_on=due_on), accept(), hold(TUESDAY))
    [fact] = given(*history).when(resume(THURSDAY))
    assert fact.due.last_day.isoformat() == "2024-04-23", "Friday's week had four days after the start"


@pytest.mark.parametrize(
    ("opened", "held_at", "due"),
    [
        ({}, local("2024-04-22", "18:30"), DUE),
        ({"due_on": day("2024-04-15")}, local("2024-04-15", "18:30"), local("2024-04-16")),
        ({"limit": Limit(amount=0)}, local("2024-04-15", "18:30"), local("2024-04-16")),
    ],
)
def test_nobody_is_late_by_being_held_over_the_end_of_the_last_day(
    opened: Any, held_at: Any, due: Any
) -> None:
    """What goes on later goes on until the end of that day: no office time was left, but the evening was."""
    held = story(open_(**opened), accept(), hold(held_at))
    assert given(*held).state.entry.due.at == due
    goes_on = held_at + timedelta(days=2)
    [resumed] = given(*held).when(resume(goes_on))
    assert resumed.due.at == CALENDAR.ends(CALENDAR.day_of(goes_on))
    assert "EntryOverdue" not in kinds(given(*held, resumed).when(Wake(resumed.due.at - ONE_MOMENT)))
    assert kinds(given(*held, resumed).when(Wake(resumed.due.at)))[-1] == "EntryOverdue"

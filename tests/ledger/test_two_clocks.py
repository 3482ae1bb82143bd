"""The citizen's clock, from submission to strike-off, beside the station's, from assignment to its answer."""

from datetime import timedelta
from typing import Any

from duban_contracts.handling import CitizenOverdue
from duban_contracts.ledger import DueClock, EntryDueSoon, EntryOverdue
from services.chassis.decider import Wake
from services.ledger.decider import Withdraw, ledger
from tests.given import Given
from tests.ledger.matters import give_back, transfer
from tests.ledger.register import (
    DUE,
    EARLY,
    NUMBER,
    OPENED,
    SHIPPED,
    TOWN,
    accept,
    day,
    kinds,
    local,
    open_,
    reopen,
    resolve,
    verify,
)
from tests.ledger.register import story as story_under
from tests.ledger.test_recomputed import recomputed, with_limit

given = Given(ledger(SHIPPED.model_copy(update={"revision": 7})))
MUCH_LATER = local("2025-04-01")
CITIZEN = local("2024-04-25")
"""Five working days for the station and two to verify: Wednesday 24 April is the last one."""
LATER = EARLY + timedelta(hours=1)


def story(*commands: Any) -> list[Any]:
    return story_under(*commands, charter=SHIPPED)


def rings(events: Any) -> list[Any]:
    return [(event.clock, event.station, event.at) for event in events if isinstance(event, EntryDueSoon)] + [
        (type(event), event.station, event.at) for event in events if not isinstance(event, EntryDueSoon)
    ]


def test_a_matter_has_both_clocks_each_explained() -> None:
    [opened] = story(open_())
    assert (opened.due.at, opened.citizen.at) == (DUE, CITIZEN)
    assert opened.citizen.start == opened.due.start == OPENED
    assert opened.citizen.closing.length.amount == 2


def test_the_citizens_clock_starts_with_the_submission_however_long_the_material_took() -> None:
    submitted_at = local("2024-04-11", "10:00")
    events = story(open_(submitted_at=submitted_at), accept(), Wake(DUE - timedelta(days=1)))
    assert (events[0].due.start, events[0].citizen.start) == (OPENED, submitted_at)
    assert events[0].citizen.last_day.isoformat() == "2024-04-22"
    assert [each for each in rings(events[2:]) if DueClock.CITIZEN in each] == [
        (DueClock.CITIZEN, "xincunban", local("2024-04-19", "11:24")),
    ]


def test_a_citizen_who_waited_too_long_before_is_told_of_at_the_opening() -> None:
    events = story(open_(submitted_at=local("2024-04-01", "10:00")), accept())
    assert [(type(event), event.at) for event in events[1:2]] == [(CitizenOverdue, OPENED)]


def test_a_new_revision_counts_the_citizens_clock_from_the_submission_too() -> None:
    submitted_at = local("2024-04-12", "10:00")
    for charter in (SHIPPED, TOWN):
        history = story_under(open_(submitted_at=submitted_at), accept(), charter=charter)
        told = [e for e in recomputed(with_limit(8, SHIPPED), history) if e.type.count("recomputed")]
        assert told[-1].clock is DueClock.CITIZEN
        assert told[-1].new.start == submitted_at


def test_each_clock_has_its_reminders_in_office_hours_only() -> None:
    events = given(*story(open_(), accept())).when(Wake(MUCH_LATER))
    assert rings(events) == [
        (DueClock.STATION, "xincunban", local("2024-04-19", "16:30")),
        (DueClock.STATION, "xincunban", local("2024-04-22", "08:30")),
        (DueClock.CITIZEN, "xincunban", local("2024-04-23", "11:24")),
        (DueClock.CITIZEN, "xincunban", local("2024-04-24", "08:30")),
        (EntryOverdue, "xincunban", DUE),
        (CitizenOverdue, "xincunban", CITIZEN),
    ]


def test_once_the_station_has_answered_only_the_citizen_waits_and_the_office_has_to_act() -> None:
    events = given(*story(open_(), accept(), resolve())).when(Wake(MUCH_LATER))
    assert rings(events) == [
        (DueClock.CITIZEN, "office", local("2024-04-23", "11:24")),
        (DueClock.CITIZEN, "office", local("2024-04-24", "08:30")),
        (CitizenOverdue, "office", CITIZEN),
    ]


def test_a_station_that_answered_in_time_is_not_late_where_the_office_is() -> None:
    history = story(open_(), accept(), resolve(), verify(CITIZEN))
    assert (history[-1].late, history[-1].citizen_late) == (False, True)


def test_a_transfer_gives_the_new_station_its_time_and_the_citizen_no_more() -> None:
    at = local("2024-04-19", "10:00")
    history = story(open_(), accept(), transfer("nongye", at), accept(at, "nongye"))
    entry = given(*history).state.entry
    assert (entry.due.last_day.isoformat(), entry.citizen.at) == ("2024-04-26", CITIZEN)
    events = given(*history).when(Wake(MUCH_LATER))
    assert [(type(e), e.station) for e in events if not isinstance(e, EntryDueSoon)] == [
        (CitizenOverdue, "nongye"),
        (EntryOverdue, "nongye"),
    ]


def test_the_citizens_clock_runs_on_where_nobody_has_the_entry() -> None:
    events = given(*story(open_(), give_back())).when(Wake(MUCH_LATER))
    assert {event.station for event in events} == {"office"}
    assert kinds(events)[-1] == "CitizenOverdue"


def test_where_nobody_has_the_entry_the_office_answers_for_the_day_that_others_promised() -> None:
    told = given(*story(open_(due_on=day("2024-04-22")), give_back())).when(Wake(local("2024-06-01")))
    assert kinds(told) == ["EntryDueSoon", "EntryDueSoon", "CitizenOverdue"]
    assert {(event.station, event.due.last_day) for event in told} == {("office", day("2024-04-22"))}
    assert told[-1].at == local("2024-04-23")


def test_a_redo_round_gives_the_citizen_no_new_clock_and_no_second_reminder() -> None:
    at = local("2024-04-23", "12:00")
    rejected = story(open_(), accept(), resolve(), verify(at, passed=False, reason="不亮"))
    events = given(*rejected).when(Wake(MUCH_LATER))
    assert rings(events)[:1] == [(DueClock.CITIZEN, "xincunban", local("2024-04-24", "08:30"))]
    assert kinds(events).count("CitizenOverdue") == 1


def test_a_reopening_starts_both_clocks_anew() -> None:
    at = local("2024-04-26", "10:00")
    history = story(open_(), accept(), resolve(), verify(LATER), reopen(at))
    assert history[-1].due.start == history[-1].citizen.start == at
    assert history[-1].citizen.at > history[-1].due.at


def test_a_terminal_state_stops_every_clock() -> None:
    struck_off = story(open_(), accept(), resolve(), verify(LATER))
    withdrawn = story(open_(), Withdraw(EARLY, NUMBER, "xincunban"))
    for history in (struck_off, withdrawn):
        assert given.decider.wake_at(given(*history).state) is None


def test_where_the_charter_has_no_rule_or_the_day_was_set_elsewhere_the_citizen_has_no_clock() -> None:
    assert story(open_(due_on=day("2024-04-20")))[0].citizen is None
    assert story_under(open_())[0].citizen is None

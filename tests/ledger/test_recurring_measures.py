"""日产日清: what recurs is reported for each place on its day, or missed when that day is over."""

from datetime import date, timedelta
from typing import Any

import pytest

from duban_contracts.ledger import (
    EntryResolved,
    LedgerCommandRefused,
)
from duban_contracts.measures import (
    OccurrenceMissed,
    OccurrenceReported,
)
from duban_contracts.message import Refusal
from services.chassis.decider import Wake
from services.ledger.measures import Retire
from tests.ledger.plan import (
    NOON,
    NUMBER,
    given,
    occur,
    resolve,
    story,
    want,
)
from tests.ledger.register import local

LATER = NOON + timedelta(hours=1)
RETIRE = Retire(LATER, NUMBER, "2024", "notice")


def refused(events: Any) -> Refusal:
    event = events[-1]
    assert isinstance(event, LedgerCommandRefused)
    assert len(event.detail.split()) > 4, "a refusal says what to do"
    return event.reason


def missed(events: Any) -> list[tuple[date, str | None]]:
    return [(event.day, event.village) for event in events if isinstance(event, OccurrenceMissed)]


def test_a_day_that_nobody_reported_is_missed_at_every_place_when_it_ends() -> None:
    opened = given(*story(want("cleaning")))
    assert opened.decider.wake_at(opened.state) == local("2024-04-17")
    facts = opened.when(Wake(local("2024-04-17")))
    assert missed(facts) == [(date(2024, 4, 16), "dongcun"), (date(2024, 4, 16), "xicun")]
    assert {fact.at for fact in facts} == {local("2024-04-17")}


def test_only_the_places_that_did_not_report_are_missed() -> None:
    facts = story(want("cleaning"), occur("dongcun"), Wake(local("2024-04-17")))
    assert missed(facts) == [(date(2024, 4, 16), "xicun")]


def test_days_that_were_reported_everywhere_wake_nobody() -> None:
    reported = story(want("cleaning"), occur("dongcun"), occur("xicun", LATER))
    assert [fact.complete for fact in reported if isinstance(fact, OccurrenceReported)] == [False, True]
    state = given(*reported).state
    assert given.decider.wake_at(state) == local("2024-04-18"), "the end of the next day"
    assert state.work.percent == 100


def test_after_downtime_every_missed_day_is_told_in_order_at_its_own_time() -> None:
    facts = given(*story(want("cleaning"))).when(Wake(local("2024-04-20", "08:00")))
    times = [fact.at for fact in facts]
    assert times == sorted(times)
    assert len(missed(facts)) == 2 * 4
    assert {day for day, _ in missed(facts)} == {date(2024, 4, day) for day in (16, 17, 18, 19)}


def test_working_days_only_and_until_the_hour_of_the_day() -> None:
    facts = given(*story(want("roster"))).when(Wake(local("2024-04-23")))
    days = [16, 17, 18, 19, 22]  # the 20th and 21st are a weekend
    assert [(fact.day.day, fact.at) for fact in facts if isinstance(fact, OccurrenceMissed)] == [
        (day, local(f"2024-04-{day}", "09:00")) for day in days
    ]


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (occur("beicun"), Refusal.UNKNOWN_VILLAGE),
        (occur(None), Refusal.UNKNOWN_VILLAGE),
        (occur("dongcun", day=date(2024, 4, 17)), Refusal.TOO_EARLY),
        (occur("dongcun", day=date(2024, 4, 15)), Refusal.TOO_LATE),
        (occur("dongcun", local("2024-04-17", "00:00"), date(2024, 4, 16)), Refusal.TOO_LATE),
    ],
)
def test_an_occurrence_is_reported_for_its_place_on_its_own_day(command: Any, reason: Refusal) -> None:
    assert refused(given(*story(want("cleaning"))).when(command)) is reason


def test_an_occurrence_is_reported_once() -> None:
    reported = story(want("cleaning"), occur("dongcun"))
    assert refused(given(*reported).when(occur("dongcun", LATER))) is Refusal.ALREADY_DONE


def test_a_recurring_measure_ends_with_its_last_day_and_not_before() -> None:
    early = story(want("cleaning", due=date(2024, 4, 16)), occur("dongcun"), occur("xicun"))
    assert refused(given(*early).when(resolve(LATER))) is Refusal.INCOMPLETE
    after = local("2024-04-18", "09:00")
    facts = given(*early).when(resolve(after))
    assert isinstance(facts[-1], EntryResolved)
    assert not missed(facts)


def test_what_is_kept_of_a_recurring_measure_does_not_grow_with_its_days() -> None:
    facts = story(want("cleaning", due=None))
    for ahead in range(60):
        day = NOON + timedelta(days=ahead)
        facts += given(*facts).when(occur("dongcun", day))
        facts += given(*facts).when(occur("xicun", day))
    state = given(*facts).state
    assert (state.work.kept, state.work.reported) == (120, ("dongcun", "xicun"))

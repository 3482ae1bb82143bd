"""日产日清: what recurs is reported for each place on its day, or missed when that day is over."""

from datetime import date, time, timedelta
from typing import Any

import pytest

from duban_contracts.ledger import EntryOverdue, EntryResolved, EntryStruckOff, LedgerCommandRefused
from duban_contracts.measures import OccurrenceMissed, OccurrenceReported
from duban_contracts.message import Refusal
from duban_contracts.plan import Recurring
from services.chassis.decider import Wake
from services.ledger.register_kinds import register
from services.ledger.views import row
from tests.given import Given
from tests.ledger.plan import NOON, given, occur, progress, resolve, story, verify, want
from tests.ledger.register import TOWN, kinds, local

LATER = NOON + timedelta(hours=1)


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


def test_a_missed_day_changes_the_share_that_is_shown_and_so_when_it_last_changed() -> None:
    reported = story(want("cleaning"), occur("dongcun"))
    facts = [*reported, *given(*reported).when(Wake(local("2024-04-17")))]
    before, after = row(given(*reported).state), row(given(*facts).state)
    assert before
    assert after
    assert (before["percent"], after["percent"]) == (100, 50)
    assert after["updated_at"] == local("2024-04-17") > before["updated_at"]


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


TUESDAY = date(2024, 4, 16)


def test_it_is_done_with_the_last_occurrence_and_not_before() -> None:
    begun = story(want("cleaning", due=TUESDAY), occur("dongcun"))
    assert refused(given(*begun).when(resolve(LATER))) is Refusal.INCOMPLETE
    ended = story(want("cleaning", due=TUESDAY), occur("dongcun"), occur("xicun"), resolve(LATER))
    assert isinstance(ended[-1], EntryResolved)
    [fact] = given(*ended).when(verify(local("2024-04-25")))
    assert isinstance(fact, EntryStruckOff)
    assert fact.late is False


def test_it_is_not_late_by_ending_whatever_was_missed_of_it() -> None:
    morning = local("2024-04-17", "09:00")
    facts = story(want("cleaning", due=TUESDAY), progress(), resolve(morning), verify(morning))
    assert missed(facts) == [(TUESDAY, "dongcun"), (TUESDAY, "xicun")]
    assert kinds(facts[-3:]) == ["EntryDueSoon", "EntryResolved", "EntryStruckOff"]
    assert facts[-1].late is False


def test_left_alone_it_is_overdue_one_working_day_after_its_last_day() -> None:
    """The last day of April is followed by a holiday: the next working day is Monday, 6 May."""
    [opened] = story(want("cleaning"))
    due = opened.due
    assert (due.at, due.last_day) == (local("2024-05-07"), date(2024, 5, 6))
    assert due.rule == "1 working day to say that it is done, after its last day 2024-04-30 (Plan)"
    facts = [fact for fact in story(want("cleaning"), Wake(due.at)) if not isinstance(fact, OccurrenceMissed)]
    assert kinds(facts) == ["MeasureOpened", "EntryDueSoon", "EntryOverdue"]
    assert (facts[1].at, facts[1].on_due_day) == (local("2024-05-06", "08:30"), True)
    assert facts[2].at == due.at


def test_it_is_reminded_of_only_when_it_has_to_be_said_to_be_done() -> None:
    facts = story(want("cleaning", due=None), Wake(local("2024-05-30")))
    assert {type(fact) for fact in facts[1:]} == {OccurrenceMissed}


def test_it_is_done_with_evidence_however_often_it_was_reported() -> None:
    bare = [occur("dongcun", evidence=()), occur("xicun", evidence=())]
    facts = story(want("cleaning", due=TUESDAY), *bare)
    assert refused(given(*facts).when(resolve(LATER))) is Refusal.EVIDENCE_MISSING
    proven = story(want("cleaning", due=TUESDAY), *bare, progress(LATER), resolve(LATER))
    assert isinstance(proven[-1], EntryResolved)


def test_an_hour_that_the_plan_sets_later_counts_from_the_next_day_on() -> None:
    at = local("2024-04-16", "10:00")
    by_nine = want("cleaning", at, shape=Recurring(villages=("dongcun", "xicun"), by=time(9)))
    facts = story(want("cleaning"), by_nine, Wake(local("2024-04-17", "12:00")))
    assert [fact.at for fact in facts if isinstance(fact, OccurrenceMissed)] == [
        local("2024-04-17", "09:00")
    ] * 2
    assert missed(facts) == [(date(2024, 4, 17), "dongcun"), (date(2024, 4, 17), "xicun")]


def test_what_recurs_in_more_places_counts_there_from_the_next_day_on() -> None:
    wider = want("cleaning", NOON, shape=Recurring(villages=("dongcun", "xicun", "beicun")))
    facts = story(want("cleaning"), wider)
    assert refused(given(*facts).when(occur("beicun", LATER))) is Refusal.TOO_EARLY
    tomorrow = given(*facts).when(occur("beicun", LATER + timedelta(days=1)))
    assert kinds(tomorrow) == ["OccurrenceReported"]


def test_a_last_day_that_is_put_off_changes_nothing_of_the_days_before_it() -> None:
    facts = story(want("cleaning"), want("cleaning", NOON, due=None), Wake(local("2024-04-17")))
    assert missed(facts) == [(TUESDAY, "dongcun"), (TUESDAY, "xicun")]


def test_it_goes_on_from_the_next_day_where_the_plan_wants_it_again_after_it_ended() -> None:
    again = want("cleaning", local("2024-04-20", "10:00"), due=date(2024, 4, 22))
    facts = story(want("cleaning", due=TUESDAY), again, Wake(local("2024-04-23")))
    assert {day.day for day, _ in missed(facts)} == {16, 21, 22}


def test_a_last_day_that_is_past_when_the_plan_sets_it_leaves_a_working_day_to_say_so() -> None:
    at = local("2024-04-19", "15:00")  # a Friday
    facts = story(want("cleaning", due=None), want("cleaning", at, due=TUESDAY), Wake(at))
    assert facts[-1].due.at == local("2024-04-23")
    assert not any(isinstance(fact, EntryOverdue) for fact in facts)


def test_a_day_off_that_a_later_charter_makes_a_working_day_is_missed_after_what_was_told_before() -> None:
    facts = story(want("roster"), occur(None, local("2024-04-19", "08:00")))
    noon = local("2024-04-20", "12:00")  # a Saturday
    facts += given(*facts).when(progress(noon))
    overlay = {"working": ("2024-04-20",), "source": "a later notice"}
    later = TOWN.model_copy(update={"calendar": TOWN.calendar.model_validate(overlay)})
    [fact] = Given(register(later))(*facts).when(Wake(noon))
    assert (fact.day, fact.at) == (date(2024, 4, 20), noon)


def test_what_is_kept_of_a_recurring_measure_does_not_grow_with_its_days() -> None:
    facts = story(want("cleaning", due=None))
    for ahead in range(60):
        day = NOON + timedelta(days=ahead)
        facts += given(*facts).when(occur("dongcun", day))
        facts += given(*facts).when(occur("xicun", day))
    state = given(*facts).state
    assert (state.work.kept, state.work.reported) == (120, ("dongcun", "xicun"))


def test_the_day_to_say_that_it_is_done_is_counted_anew_by_a_new_calendar() -> None:
    """Its last day is 30 April, and after the May holiday its lead has the 6th: now that is off, too."""
    opened = story(want("cleaning"))
    assert opened[0].due.at == local("2024-05-07")
    overlay = {"country": "CN", "off": ("2024-05-06", "2024-05-07"), "source": "a notice of the town"}
    calendar = TOWN.calendar.model_validate(overlay)
    later = Given(register(TOWN.model_copy(update={"revision": 8, "calendar": calendar})))
    [fact] = later(*opened).when(want("cleaning", NOON))
    assert (fact.changed, fact.due.at, fact.due.revision) == ((), local("2024-05-09"), 8)
    assert kinds(later(*opened, fact).when(want("cleaning", LATER))) == ["PlanSeen"]
    assert later(*opened, fact).state.work.next_day == opened[0].first_day

"""What users of comparable systems complained of (domain.md §4), and what this register does instead."""

from datetime import date, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from duban_contracts import ledger as contracts
from duban_contracts.charter import Limit, Unit
from duban_contracts.intake import Outcome
from duban_contracts.ledger import EntryDueSoon, EntryOverdue, EntryStruckOff, ReopenReason
from duban_contracts.message import Refusal
from services.chassis.calendar import WorkingCalendar
from services.chassis.decider import Wake
from services.chassis.limits import choose_limit
from services.ledger.decider import LinkRecurrence, ReopenForRating, Withdraw, ledger
from services.ledger.views import row
from tests.given import Given
from tests.ledger.matters import (
    apply_extension,
    decide_extension,
    hold,
    interim_answer,
    refused,
    report_up,
    resume,
    transfer,
)
from tests.ledger.register import (
    ACCEPT_BY,
    DUE,
    EARLY,
    NUMBER,
    ONE_MOMENT,
    SHANGHAI,
    SHIPPED,
    TOWN,
    accept,
    day,
    given,
    kinds,
    local,
    open_,
    progress,
    reopen,
    resolve,
    story,
    verify,
)
from tests.ledger.test_recomputed import PUBLISHED, recomputed, with_limit

CALENDAR = WorkingCalendar(SHIPPED)
LATER = EARLY + timedelta(hours=1)
MUCH_LATER = local("2024-06-01")
TUESDAY, THURSDAY = local("2024-04-16"), local("2024-04-18")
in_hand = story(open_(), accept())
struck_off = story(open_(), accept(), resolve(), verify(LATER))


def clocks_of(*commands: Any) -> list[Any]:
    return [event for event in story(*commands) if isinstance(event, EntryDueSoon | EntryOverdue)]


def due_after(*commands: Any) -> Any:
    return given(*story(*commands)).state.entry.due


# CCRS / DIGIT


def test_ccrs_925_the_time_to_reopen_is_kept_by_the_register_and_not_by_a_screen() -> None:
    until = CALENDAR.due(LATER, SHIPPED.matters.reopen_within).at
    assert kinds(given(*struck_off).when(reopen(until - ONE_MOMENT, "gateway"))) == ["EntryReopened"]
    assert refused(given(*struck_off).when(reopen(until, "gateway"))) is Refusal.TOO_LATE


def test_ccrs_1252_the_window_to_reopen_has_one_source_the_charter() -> None:
    matters = TOWN.matters.model_copy(update={"reopen_within": Limit(amount=1)})
    town = TOWN.model_copy(update={"matters": matters})
    at = LATER + timedelta(days=2)
    assert refused(Given(ledger(town))(*struck_off).when(reopen(at))) is Refusal.TOO_LATE
    assert kinds(given(*struck_off).when(reopen(at))) == ["EntryReopened"]


@pytest.mark.parametrize("category", SHIPPED.categories)
def test_ccrs_1028_every_category_of_the_town_has_a_time_limit(category: str) -> None:
    kind = SHIPPED.categories[category].kind
    assert choose_limit(SHIPPED, category, kind, False).limit is not None
    assert choose_limit(SHIPPED, category, kind, True).limit == SHIPPED.matters.urgent


def test_ccrs_1462_a_day_is_the_towns_day_and_not_the_last_24_hours() -> None:
    late_at_night, early = local("2024-04-15", "23:30"), local("2024-04-15", "00:10")
    assert due_after(open_(late_at_night)).at == due_after(open_(early)).at == DUE


def test_ccrs_an_edit_does_not_reset_the_clock() -> None:
    history = story(open_(), accept(), progress(), progress(DUE - timedelta(hours=9)))
    assert given(*history).state.entry.due == history[0].due
    assert kinds(given(*history).when(Wake(DUE)))[-1] == "EntryOverdue"


def test_ccrs_904_whoever_is_assigned_is_the_one_that_is_told() -> None:
    assert story(open_())[0].station == "xincunban"
    assert given(*in_hand).when(transfer("nongye"))[0].station == "nongye"


# Zammad


def test_zammad_390_the_calendar_knows_working_days_from_holidays() -> None:
    assert CALENDAR.is_working(day("2024-04-28")), "a make-up Sunday"
    assert not CALENDAR.is_working(day("2024-05-03")), "a Friday of the May holiday"


def test_zammad_4432_nobody_is_reminded_at_midnight_or_on_a_day_off() -> None:
    for hour in range(0, 24 * 12, 5):
        at = local("2024-04-24") + timedelta(hours=hour)
        for event in story(open_(at), accept(at), Wake(MUCH_LATER)):
            assert not isinstance(event, EntryDueSoon) or CALENDAR.is_open(event.at)


def test_zammad_4348_a_later_reminder_is_not_taken_for_a_repetition_of_the_first() -> None:
    extended = (apply_extension(DUE - timedelta(hours=12)), decide_extension(DUE - timedelta(hours=11)))
    reminders = clocks_of(open_(), accept(), *extended, Wake(MUCH_LATER))[:-1]
    assert [event.due.last_day.isoformat() for event in reminders] == [
        "2024-04-22",
        "2024-04-22",
        "2024-04-28",
        "2024-04-28",
    ]


def test_zammad_904_what_was_taken_back_does_not_escalate() -> None:
    history = story(open_(), accept(), Withdraw(LATER, NUMBER, "xincunban"))
    assert given(*history).when(Wake(MUCH_LATER)) == []


def test_zammad_5841_an_entry_opened_twice_has_its_clocks_once() -> None:
    once, twice = story(open_(), accept()), story(open_(), open_(EARLY), accept())
    assert given(*once).when(Wake(MUCH_LATER)) == given(*twice).when(Wake(MUCH_LATER))


def test_zammad_3180_no_minute_is_lost_at_midnight() -> None:
    assert "EntryOverdue" not in kinds(given(*in_hand).when(Wake(DUE - ONE_MOMENT)))
    assert kinds(given(*in_hand).when(Wake(DUE)))[-1] == "EntryOverdue"


def test_zammad_1322_the_clock_goes_on_whoever_resumes_it() -> None:
    for actor in ("xincunban", "office"):
        history = story(open_(), accept(), hold(TUESDAY), resume(THURSDAY, actor))
        assert kinds(given(*history).when(Wake(MUCH_LATER)))[-1] == "EntryOverdue"


# GLPI


def test_glpi_15605_changing_the_limit_keeps_the_pauses() -> None:
    history = story(open_(), accept(), hold(TUESDAY), resume(PUBLISHED - timedelta(hours=1)))
    told, _ = recomputed(with_limit(8), history)
    assert told.new.pauses == history[-1].due.pauses != ()
    assert told.new.at > due_after(open_(limit=Limit(amount=8))).at


def test_glpi_6902_a_changed_limit_still_counts_from_the_same_start() -> None:
    told, _ = recomputed(with_limit(8), in_hand)
    assert told.new.start == in_hand[0].due.start


def test_glpi_24481_nothing_is_breached_while_it_is_on_hold() -> None:
    held = story(open_(), accept(), hold(TUESDAY))
    assert given(*held).when(Wake(DUE)) == []
    assert clocks_of(open_(), accept(), hold(TUESDAY), resolve(DUE), verify(DUE)) == []


def test_glpi_23359_waiting_for_verification_is_no_pause_and_reopening_counts_from_itself() -> None:
    rejected_at = local("2024-04-18", "10:00")
    rejected = story(open_(), accept(), resolve(), verify(rejected_at, passed=False, reason="不亮"))
    assert given(*rejected).state.entry.due.pauses == ()
    assert given(*rejected).state.entry.due.at == DUE
    reopened = [*struck_off, *given(*struck_off).when(reopen(rejected_at))]
    assert given(*reopened).state.entry.due.start == rejected_at


def test_glpi_5319_every_missed_step_is_caught_up_after_downtime() -> None:
    events = given(*story(open_())).when(Wake(MUCH_LATER))
    assert kinds(events) == ["AcceptanceOverdue", "EntryDueSoon", "EntryDueSoon", "EntryOverdue"]
    assert [event.at for event in events] == sorted(event.at for event in events)


def test_glpi_22678_a_reminder_stands_at_an_opening_and_not_at_midnight() -> None:
    reminders = [e for e in clocks_of(open_(), accept(), Wake(DUE)) if isinstance(e, EntryDueSoon)]
    assert reminders[-1].at == local("2024-04-22", "08:30")


def test_glpi_1911_one_clock_runs_per_station_and_one_from_the_submission() -> None:
    at = local("2024-04-19", "10:00")
    handed_on = story(open_(), accept(), transfer("nongye", at), accept(at, "nongye"), charter=SHIPPED)
    entry = Given(ledger(SHIPPED))(*handed_on).state.entry
    assert (entry.due.start, entry.citizen.start) == (at, handed_on[0].at)


# Frappe Helpdesk


def test_frappe_1554_what_is_paused_does_not_tick() -> None:
    paused = due_after(open_(), accept(), hold(TUESDAY), resume(THURSDAY))
    assert paused.last_day.isoformat() == "2024-04-24", "two working days later than the 22nd"


def test_frappe_1675_a_pause_moves_the_date_for_the_answer_and_the_one_for_the_citizen() -> None:
    history = story(open_(), accept(), hold(TUESDAY), resume(THURSDAY), charter=SHIPPED)
    entry = Given(ledger(SHIPPED))(*history).state.entry
    assert entry.due.at > history[0].due.at
    assert entry.citizen.at > history[0].citizen.at


def test_frappe_2212_a_pause_over_lunch_takes_no_working_time() -> None:
    lunch = (hold(local("2024-04-16", "12:00")), resume(local("2024-04-16", "14:30")))
    hours = Limit(amount=10, unit=Unit.WORKING_HOURS)
    for limit in (Limit(amount=5), hours):
        unpaused = due_after(open_(limit=limit))
        assert due_after(open_(limit=limit), accept(), *lunch).at == unpaused.at


def test_frappe_1542_saying_something_is_not_solving_it() -> None:
    talked = story(open_(), accept(), report_up(), interim_answer(LATER), progress(LATER))
    assert kinds(given(*talked).when(Wake(DUE)))[-1] == "EntryOverdue"


def test_frappe_47884_holding_twice_adds_up_to_what_both_took() -> None:
    first = (hold(TUESDAY), resume(local("2024-04-17")))
    second = (hold(THURSDAY), resume(local("2024-04-19")))
    assert due_after(open_(), accept(), *first, *second).last_day.isoformat() == "2024-04-24"


# Chatwoot


def test_chatwoot_13392_a_limit_in_hours_counts_office_hours_only() -> None:
    friday = local("2024-04-19", "16:30")
    due = due_after(open_(friday, limit=Limit(amount=2, unit=Unit.WORKING_HOURS)))
    assert due.at == local("2024-04-22", "09:30")


def test_chatwoot_14009_a_day_may_have_several_shifts() -> None:
    morning = local("2024-04-16", "11:00")
    due = due_after(open_(morning, limit=Limit(amount=2, unit=Unit.WORKING_HOURS)))
    assert due.at == local("2024-04-16", "15:30")


def test_chatwoot_10178_no_clock_of_the_station_runs_after_it_resolved() -> None:
    assert given(*story(open_(), accept(), resolve())).when(Wake(MUCH_LATER)) == []


# FixMyStreet, Signalen


def test_fixmystreet_2357_a_reopening_says_why_and_to_whom() -> None:
    with pytest.raises(ValidationError):
        contracts.Reopen(reason="")
    [fact] = given(*struck_off).when(reopen(LATER))
    assert (fact.station, fact.detail) == ("xincunban", "又不亮了")


def test_fixmystreet_897_a_citizens_not_solved_reaches_the_station_with_its_reason() -> None:
    rated = ReopenForRating(LATER, 1, "round 1 was rated dissatisfied")
    [fact] = given(*struck_off).when(rated)
    assert (fact.station, fact.reason, fact.detail) == (
        "xincunban",
        ReopenReason.NEGATIVE_RATING,
        "round 1 was rated dissatisfied",
    )


@pytest.mark.parametrize("outcome", [Outcome.EXPLAINED, Outcome.NOT_FEASIBLE, Outcome.NOT_OURS])
def test_fixmystreet_285_what_was_closed_and_not_solved_says_so(outcome: Outcome) -> None:
    answer = resolve()
    history = story(open_(), accept(), type(answer)(answer.asked, outcome, "已说明"), verify(LATER))
    found = row(given(*history).state)
    assert found
    assert (history[-1].outcome, found["outcome"], found["status"]) == (outcome, outcome.value, "struck_off")


def test_fixmystreet_2613_the_handler_does_not_say_by_itself_that_it_is_solved() -> None:
    resolved = story(open_(), accept(), resolve())
    assert refused(given(*resolved).when(verify(LATER, "xincunban"))) is Refusal.OWN_WORK


def test_signalen_273_every_round_that_closes_is_told_as_a_round_of_its_own() -> None:
    again = story(
        *(open_(), accept(), resolve(), verify(LATER), reopen(LATER)),
        *(resolve(LATER), verify(LATER + timedelta(hours=1))),
    )
    assert [fact.round for fact in again if isinstance(fact, EntryStruckOff)] == [1, 2]


def test_signalen_a_limit_in_working_days_knows_the_holidays() -> None:
    before_may = local("2024-04-29", "10:00")
    assert due_after(open_(before_may)).last_day.isoformat() == "2024-05-09", "the 1st to the 5th are off"


def test_signalen_frontend_24_the_contract_says_who_may_reopen() -> None:
    assert {role.value for role in contracts.Reopen.by} == {"office", "gateway"}


# Open311


def test_open311_20_whatever_is_asked_is_answered_by_a_fact_that_anybody_may_listen_to() -> None:
    for history, command in [
        ((), progress()),
        (in_hand, progress()),
        (in_hand, resolve()),
        (in_hand, hold(TUESDAY)),
        (struck_off, accept(LATER)),
        (struck_off, reopen(LATER)),
    ]:
        assert given(*history).when(command)


def test_open311_10_what_is_said_of_the_work_is_told_with_who_said_it() -> None:
    [note] = given(*in_hand).when(progress())
    assert (note.by, note.note) == ("xincunban", progress().note)


# GoAlert, OnCall


def test_goalert_3378_signing_for_it_does_not_make_it_forgotten() -> None:
    assert kinds(given(*in_hand).when(Wake(MUCH_LATER)))[-1] == "EntryOverdue"


def test_goalert_3245_who_is_told_is_whoever_has_it_when_it_is_told() -> None:
    moved = (transfer("nongye", TUESDAY), accept(TUESDAY, "nongye"))
    clocks = clocks_of(open_(), accept(), *moved, Wake(MUCH_LATER))
    assert {event.station for event in clocks} == {"nongye"}


@pytest.mark.parametrize("opened", ["2024-04-25", "2024-04-26", "2024-04-28", "2024-04-29", "2024-04-30"])
def test_oncall_558_4752_1761_nobody_is_reminded_on_a_day_off_and_a_made_up_sunday_counts(
    opened: str,
) -> None:
    at = local(opened, "10:00")
    reminders = [e for e in clocks_of(open_(at), accept(at), Wake(MUCH_LATER)) if isinstance(e, EntryDueSoon)]
    assert reminders
    assert all(CALENDAR.is_working(event.at.astimezone(SHANGHAI).date()) for event in reminders)
    assert due_after(open_(at)).last_day == sorted(working_days_after(at.astimezone(SHANGHAI).date()))[4]


def working_days_after(start: date) -> list[date]:
    """By the notice for 2024: 1 to 5 May are off, 28 April and 11 May are made up."""
    off = {date(2024, 5, n) for n in range(1, 6)}
    made_up = {date(2024, 4, 28), date(2024, 5, 11)}
    days = (start + timedelta(days=n) for n in range(1, 30))
    return [each for each in days if each in made_up or (each.weekday() < 5 and each not in off)]


def test_oncall_1206_what_waits_goes_on_by_itself_after_a_restart() -> None:
    held = story(open_(), accept(), hold(TUESDAY))
    state = given(*held).state
    assert given.decider.wake_at(state) == state.entry.held.until
    assert kinds(given(*held).when(Wake(MUCH_LATER)))[0] == "EntryResumed"


def test_oncall_4654_nobody_is_told_of_a_missing_signature_after_it_was_given() -> None:
    history = story(open_(), accept(ACCEPT_BY - ONE_MOMENT))
    assert "AcceptanceOverdue" not in kinds(given(*history).when(Wake(MUCH_LATER)))


# Keep, 12345


def test_keep_6567_what_comes_back_is_linked_and_not_swallowed() -> None:
    again = "2024-000456"
    link = LinkRecurrence(LATER, again, "rural_road", "dongcun")
    [fact] = given(*struck_off).when(link)
    assert (fact.entry, fact.again) == (NUMBER, again)
    assert given(*struck_off, fact).when(link) == []
    [new] = story(open_(recurs=NUMBER))
    assert (new.recurs, new.due.at) == (NUMBER, DUE), "the new one is an entry of its own"


@pytest.mark.parametrize(
    "other",
    [
        LinkRecurrence(LATER, "2024-000456", "sewage", "dongcun"),
        LinkRecurrence(LATER, "2024-000456", "rural_road", "xicun"),
        LinkRecurrence(LATER + timedelta(days=100), "2024-000456", "rural_road", "dongcun"),
    ],
)
def test_keep_4766_what_only_resembles_it_is_not_taken_for_the_same(other: LinkRecurrence) -> None:
    assert given(*struck_off).when(other) == []


def test_12345_what_goes_round_between_stations_is_stopped() -> None:
    there = (transfer("nongye"), accept(EARLY, "nongye"))
    back = (transfer("xincunban", LATER, "nongye"), accept(LATER, "xincunban"))
    events = story(open_(), accept(), *there, *back, transfer("nongye", LATER))
    assert kinds(events)[-1] == "PingPongDetected"

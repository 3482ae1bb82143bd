"""Whose an entry is: returned, transferred, taken over, adjudicated."""

from datetime import timedelta

import pytest

from duban_contracts.charter import Limit, Unit
from duban_contracts.handling import (
    Adjudicated,
    EntryReturned,
    EntryTransferred,
    PingPongDetected,
    TransferLapsed,
)
from duban_contracts.ledger import EntryAccepted
from duban_contracts.message import Refusal
from services.chassis.decider import Wake
from services.ledger.decider import Handling, Returned
from services.ledger.views import row
from tests.ledger.matters import (
    add_co_handler,
    adjudicate,
    apply_extension,
    decide_extension,
    give_back,
    hold,
    interim_answer,
    refused,
    report_up,
    transfer,
)
from tests.ledger.register import (
    ACCEPT_BY,
    DUE,
    EARLY,
    NUMBER,
    ONE_MOMENT,
    TOWN,
    accept,
    given,
    kinds,
    local,
    open_,
    progress,
    resolve,
    story,
    verify,
)

HOUR = timedelta(hours=1)
LATER = EARLY + HOUR
opened = story(open_())
in_hand = story(open_(), accept())
offered = story(open_(), accept(), transfer("nongye"))
returned = story(open_(), give_back())


# Returning


def test_the_station_gives_back_what_is_not_its_own_within_a_working_day_and_the_office_has_it() -> None:
    [fact] = given(*opened).when(give_back())
    assert isinstance(fact, EntryReturned)
    assert (fact.station, fact.to, fact.was_responsible) == ("xincunban", None, True)
    assert fact.legal_ground == "职责清单第三条"
    assert isinstance(given(*returned).state, Returned)


def test_the_time_to_return_is_counted_by_the_hours_of_the_station() -> None:
    """The service centre is open over lunch, the town is not: its four hours end at 14:00, not at 16:30."""
    handover = TOWN.matters.handover
    assert handover
    hours = handover.model_copy(update={"return_within": Limit(amount=4, unit=Unit.WORKING_HOURS)})
    town = TOWN.model_copy(update={"matters": TOWN.matters.model_copy(update={"handover": hours})})
    for station, until in (("bianmin", "14:00"), ("xincunban", "16:30")):
        at = local("2024-04-15", until)
        in_time = story(open_(station=station), give_back(at - ONE_MOMENT, station), charter=town)
        assert kinds(in_time)[-1] == "EntryReturned"
        too_late = story(open_(station=station), give_back(at, station), charter=town)
        assert refused(too_late) is Refusal.TOO_LATE
        assert f"until 2024-04-15 {until};" in too_late[-1].detail


def test_the_time_to_return_is_half_open_and_runs_from_the_assignment() -> None:
    assert kinds(given(*in_hand).when(give_back(ACCEPT_BY - ONE_MOMENT))) == ["EntryReturned"]
    assert refused(given(*in_hand).when(give_back(ACCEPT_BY))) is Refusal.TOO_LATE


def test_a_return_needs_a_legal_ground_and_the_station_that_has_it() -> None:
    assert refused(given(*opened).when(give_back(ground=" "))) is Refusal.REASON_MISSING
    assert refused(given(*opened).when(give_back(actor="qingjieban"))) is Refusal.NOT_THE_HANDLER
    assert refused(given(*returned).when(give_back(LATER))) is Refusal.NOT_THE_HANDLER


def test_what_was_given_back_is_nobodys_to_handle_until_the_office_says_whose_it_is() -> None:
    for request in (accept(LATER), resolve(LATER), progress(LATER), hold(LATER)):
        assert refused(given(*returned).when(request)) is Refusal.NOT_THE_HANDLER
    [fact] = given(*returned).when(adjudicate("nongye", LATER))
    assert isinstance(fact, Adjudicated)
    assert (fact.station, fact.from_station, fact.moved) == ("nongye", None, True)


def test_a_returned_entry_has_no_station_clock() -> None:
    assert given(*returned).when(Wake(DUE + timedelta(days=30))) == []
    found = row(given(*returned).state)
    assert found
    assert (found["status"], found["open"], found["due_at"]) == ("open", True, None)


# Transferring


def test_a_transfer_asks_another_station_and_responsibility_stays_until_it_accepts() -> None:
    [fact] = given(*in_hand).when(transfer("nongye"))
    assert isinstance(fact, EntryTransferred)
    assert (fact.station, fact.from_station, fact.by) == ("nongye", "xincunban", "xincunban")
    state = given(*offered).state
    assert isinstance(state, Handling)
    assert state.entry.station == "xincunban"
    overdue = [e for e in given(*offered).when(Wake(DUE)) if type(e).__name__ == "EntryOverdue"]
    assert [event.station for event in overdue] == ["xincunban"]


def test_whoever_accepts_the_transfer_is_responsible_and_its_clock_starts_with_the_transfer() -> None:
    [fact] = given(*offered).when(accept(LATER, "nongye"))
    assert isinstance(fact, EntryAccepted)
    assert (fact.station, fact.taken_over, fact.taken_from) == ("nongye", True, "xincunban")
    assert fact.due
    assert (fact.due.start, fact.due.at) == (EARLY, DUE)
    assert refused(given(*offered, fact).when(resolve(LATER))) is Refusal.NOT_THE_HANDLER
    assert kinds(given(*offered, fact).when(resolve(LATER, "nongye"))) == ["EntryResolved"]


def test_whoever_was_asked_may_return_it_and_the_first_station_still_has_it() -> None:
    [fact] = given(*offered).when(give_back(LATER, "nongye"))
    assert isinstance(fact, EntryReturned)
    assert (fact.station, fact.to, fact.was_responsible) == ("nongye", "xincunban", False)
    assert kinds(given(*offered, fact).when(resolve(LATER))) == ["EntryResolved"]


def test_whoever_took_it_over_may_still_return_it_within_a_working_day() -> None:
    taken = story(open_(), accept(), transfer("nongye"), accept(LATER, "nongye"))
    [fact] = given(*taken).when(give_back(LATER + HOUR, "nongye"))
    assert (fact.to, fact.was_responsible) == ("xincunban", True)
    assert kinds(given(*taken, fact).when(resolve(LATER + HOUR))) == ["EntryResolved"]


def test_a_transfer_that_nobody_answers_is_told_of_the_station_that_was_asked() -> None:
    events = given(*offered).when(Wake(ACCEPT_BY))
    assert [(type(e).__name__, e.station, e.at) for e in events] == [
        ("AcceptanceOverdue", "nongye", ACCEPT_BY)
    ]


def test_a_signature_that_is_missing_when_a_transfer_ends_is_told_then_and_not_as_of_before() -> None:
    asked_on, after = local("2024-04-16", "17:00"), local("2024-04-17", "15:00")
    unsigned = story(open_(), transfer("nongye", asked_on))
    for ended in (give_back(after, "nongye"), adjudicate("xincunban", after)):
        events = given(*unsigned).when(ended)
        overdue = given(*unsigned, *events).when(Wake(after))
        assert [(type(e).__name__, e.station, e.at) for e in overdue] == [
            ("AcceptanceOverdue", "xincunban", after)
        ]


def test_only_the_holder_or_the_office_transfers_and_one_transfer_at_a_time() -> None:
    assert refused(given(*in_hand).when(transfer("nongye", actor="minzheng"))) is Refusal.NOT_THE_HANDLER
    assert kinds(given(*in_hand).when(transfer("nongye", actor="office"))) == ["EntryTransferred"]
    assert refused(given(*offered).when(transfer("minzheng", LATER))) is Refusal.WRONG_STATE
    assert refused(given(*in_hand).when(transfer("xincunban"))) is Refusal.ALREADY_DONE
    assert refused(given(*in_hand).when(transfer("nongye", reason=""))) is Refusal.REASON_MISSING


@pytest.mark.parametrize("settled", [resolve(LATER), adjudicate("xincunban", LATER)])
def test_a_transfer_lapses_where_the_entry_is_settled_otherwise(settled: object) -> None:
    events = given(*offered).when(settled)
    assert events[0] == TransferLapsed(at=LATER, station="nongye", entry=NUMBER)
    assert given(*offered, *events).state.entry.offer is None


def test_without_a_rule_in_the_charter_nothing_is_handed_over() -> None:
    town = TOWN.model_copy(update={"matters": TOWN.matters.model_copy(update={"handover": None})})
    for request in (give_back(), transfer("nongye")):
        assert refused(story(open_(), request, charter=town)) is Refusal.NOT_ALLOWED


# Ping-pong and adjudication


def going_round() -> list[object]:
    there = (transfer("nongye"), accept(EARLY, "nongye"))
    back = (transfer("xincunban", LATER, "nongye"), accept(LATER, "xincunban"))
    return story(open_(), accept(), *there, *back)


def test_the_third_hand_over_is_ping_pong_and_the_entry_stays_where_it_is() -> None:
    round_again = LATER + HOUR
    [fact] = given(*going_round()).when(transfer("nongye", round_again))
    assert isinstance(fact, PingPongDetected)
    assert (fact.station, fact.handovers) == ("xincunban", 3)
    assert fact.stations == ("xincunban", "nongye", "xincunban")
    disputed = [*going_round(), fact]
    assert refused(given(*disputed).when(transfer("minzheng", round_again))) is Refusal.WRONG_STATE
    assert refused(given(*disputed).when(give_back(round_again))) is Refusal.WRONG_STATE
    assert refused(given(*disputed).when(transfer("minzheng", round_again, "office"))) is Refusal.WRONG_STATE
    assert kinds(given(*disputed).when(resolve(round_again))) == ["EntryResolved"]


def test_three_returns_are_ping_pong_too() -> None:
    events = story(
        open_(),
        give_back(),
        transfer("nongye", EARLY, "office"),
        give_back(LATER, "nongye"),
        transfer("minzheng", LATER, "office"),
        give_back(LATER, "minzheng"),
    )
    assert kinds(events)[-2:] == ["TransferLapsed", "PingPongDetected"]
    assert isinstance(given(*events).state, Returned)


def test_an_adjudication_moves_it_for_good_with_a_clock_of_its_own() -> None:
    at = local("2024-04-17", "09:00")
    events = story(open_(), accept(), adjudicate("nongye", at))
    fact = events[-1]
    assert (fact.station, fact.from_station, fact.by) == ("nongye", "xincunban", "office")
    assert (fact.due.start, fact.due.last_day.isoformat()) == (at, "2024-04-24")
    assert refused(given(*events).when(give_back(at, "nongye"))) is Refusal.WRONG_STATE
    assert kinds(given(*events).when(accept(at, "nongye"))) == ["EntryAccepted"]


def test_adjudicated_to_whoever_has_it_nothing_moves_and_no_clock_starts_anew() -> None:
    [fact] = given(*in_hand).when(adjudicate("xincunban", LATER))
    assert (fact.moved, fact.from_station, fact.due) == (False, None, in_hand[0].due)
    assert given(*in_hand, fact).state.entry.accepted


def test_only_the_office_adjudicates_and_never_in_its_own_case() -> None:
    assert refused(given(*in_hand).when(adjudicate("nongye", LATER, "leader"))) is Refusal.NOT_ALLOWED
    office = TOWN.actors["office"].model_copy(update={"station": "xincunban"})
    town = TOWN.model_copy(update={"actors": {**TOWN.actors, "office": office}})
    own = story(open_(), accept(), adjudicate("nongye", LATER), charter=town)
    assert refused(own) is Refusal.OWN_CASE


def test_where_the_office_is_itself_a_party_the_leaders_decide() -> None:
    office = TOWN.actors["office"].model_copy(update={"station": "xincunban"})
    town = TOWN.model_copy(update={"actors": {**TOWN.actors, "office": office}})
    own = story(open_(), accept(), adjudicate("nongye", LATER), charter=town)
    assert refused(own) is Refusal.OWN_CASE
    assert own[-1].detail == "office is a party to it; somebody else has to decide: leader"
    above = story(open_(), accept(), adjudicate("nongye", LATER, "leader"), charter=town)
    assert kinds(above)[-1] == "Adjudicated"
    others = story(open_(station="nongye"), adjudicate("minzheng", LATER, "leader"), charter=town)
    assert refused(others) is Refusal.NOT_ALLOWED, "where the office is none, it decides"


def test_the_leaders_also_verify_and_extend_where_the_office_is_the_handler() -> None:
    office = TOWN.actors["office"].model_copy(update={"station": "xincunban"})
    town = TOWN.model_copy(update={"actors": {**TOWN.actors, "office": office}})
    resolved = (open_(), accept(), resolve())
    assert refused(story(*resolved, verify(LATER), charter=town)) is Refusal.OWN_WORK
    assert kinds(story(*resolved, verify(LATER, "leader"), charter=town))[-1] == "EntryStruckOff"
    applied = (open_(), accept(), apply_extension())
    assert refused(story(*applied, decide_extension(LATER), charter=town)) is Refusal.OWN_WORK
    granted = story(*applied, decide_extension(LATER, actor="leader"), charter=town)
    assert kinds(granted)[-1] == "ExtensionDecided"


# Co-handlers, and the level above


def test_a_co_handler_answers_to_the_lead() -> None:
    helped = story(open_(), accept(), add_co_handler("nongye"))
    assert kinds(given(*helped).when(progress(LATER, "nongye"))) == ["ProgressRecorded"]
    for request in (resolve(LATER, "nongye"), transfer("minzheng", LATER, "nongye")):
        assert refused(given(*helped).when(request)) is Refusal.NOT_THE_HANDLER
    assert refused(given(*helped).when(add_co_handler("nongye", LATER))) is Refusal.ALREADY_DONE
    by_helper = given(*helped).when(add_co_handler("minzheng", LATER, "nongye"))
    assert refused(by_helper) is Refusal.NOT_THE_HANDLER


def test_a_co_handler_does_not_verify_what_it_helped_with() -> None:
    helped = story(open_(), accept(), add_co_handler("nongye"), resolve(LATER))
    assert refused(given(*helped).when(verify(LATER, "nongye"))) is Refusal.OWN_WORK


def test_what_is_reported_up_still_owes_the_citizen_an_interim_answer() -> None:
    reported = story(open_(), accept(), report_up())
    assert reported[-1].interim.last_day.isoformat() == "2024-04-22"
    answered = given(*reported).when(interim_answer(LATER))
    assert answered[-1].interim_answer
    later = reported[-1].interim.at
    assert "InterimAnswerOverdue" in kinds(given(*reported).when(Wake(later)))
    assert "InterimAnswerOverdue" not in kinds(given(*reported, *answered).when(Wake(later)))


def test_the_other_clocks_go_on_while_the_level_above_thinks() -> None:
    reported = story(open_(), accept(), report_up(), interim_answer(LATER))
    assert kinds(given(*reported).when(Wake(DUE)))[-1] == "EntryOverdue"


def test_only_the_lead_reports_up_once_and_gives_the_interim_answer() -> None:
    reported = story(open_(), accept(), report_up())
    assert refused(given(*in_hand).when(report_up(actor="qingjieban"))) is Refusal.NOT_THE_HANDLER
    assert refused(given(*reported).when(report_up(LATER))) is Refusal.ALREADY_DONE
    assert refused(given(*reported).when(interim_answer(LATER, "qingjieban"))) is Refusal.NOT_THE_HANDLER
    assert refused(given(*in_hand).when(interim_answer(LATER))) is Refusal.WRONG_STATE


def test_nothing_is_handed_over_or_extended_while_it_is_on_hold() -> None:
    held = story(open_(), accept(), hold())
    for request in (transfer("nongye", LATER), give_back(LATER), report_up(LATER), apply_extension(LATER)):
        assert refused(given(*held).when(request)) is Refusal.WRONG_STATE

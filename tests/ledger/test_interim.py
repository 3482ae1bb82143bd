"""The interim answer after a report to a higher level: whoever reported it up owes it, and rings once."""

from datetime import timedelta
from typing import Any

from duban_contracts.handling import InterimAnswerOverdue
from duban_contracts.message import Refusal
from services.chassis.decider import Wake
from services.ledger.decider import Withdraw
from services.ledger.why import explain
from tests.ledger.matters import (
    adjudicate,
    give_back,
    hold,
    interim_answer,
    refused,
    report_up,
    transfer,
)
from tests.ledger.register import (
    EARLY,
    NUMBER,
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

LATER = EARLY + timedelta(hours=1)
INTERIM = local("2024-04-23")
"""Five working days, like the due date itself."""
AFTERWARDS = local("2024-04-23", "10:00")
MUCH_LATER = local("2024-06-01")
reported = story(open_(), accept(), report_up())


def unanswered(events: Any) -> list[Any]:
    return [(event.station, event.at) for event in events if isinstance(event, InterimAnswerOverdue)]


def test_an_interim_answer_that_nobody_gave_is_told_once_and_of_whoever_reported_it_up() -> None:
    there = (transfer("nongye", AFTERWARDS), accept(AFTERWARDS, "nongye"))
    for moved in (there, (adjudicate("nongye", AFTERWARDS),)):
        events = story(open_(), accept(), report_up(), *moved, Wake(MUCH_LATER))
        assert unanswered(events) == [("xincunban", INTERIM)]


def test_it_stays_owed_where_the_entry_goes_on_before() -> None:
    moved = adjudicate("nongye", LATER)
    assert unanswered(story(open_(), accept(), report_up(), moved, Wake(MUCH_LATER))) == [
        ("xincunban", INTERIM)
    ]
    state = given(*reported, *given(*reported).when(moved)).state
    assert [each.station for each in explain(NUMBER, state, TOWN).dues if each.clock == "interim"] == [
        "xincunban"
    ]


def test_it_runs_on_while_nobody_has_the_entry_and_while_it_is_on_hold() -> None:
    for waiting in (give_back(LATER), hold(LATER)):
        events = story(open_(), accept(), report_up(), waiting, Wake(INTERIM))
        assert unanswered(events) == [("xincunban", INTERIM)]


def test_whoever_owes_it_gives_it_also_where_the_entry_went_on_or_nobody_has_it() -> None:
    for moved in (adjudicate("nongye", LATER), give_back(LATER)):
        history = [*reported, *given(*reported).when(moved)]
        [fact] = given(*history).when(interim_answer(LATER))
        assert (fact.by, fact.interim_answer) == ("xincunban", True)
        assert unanswered(given(*history, fact).when(Wake(MUCH_LATER))) == []
        assert refused(given(*history).when(progress(LATER))) is Refusal.NOT_THE_HANDLER


def test_the_new_lead_may_give_it_too_and_others_may_not() -> None:
    moved = [*reported, *given(*reported).when(adjudicate("nongye", LATER))]
    [fact] = given(*moved).when(interim_answer(LATER, "nongye"))
    assert fact.interim_answer
    assert refused(given(*moved).when(interim_answer(LATER, "minzheng"))) is Refusal.NOT_THE_HANDLER


def test_the_answer_itself_or_the_petitioner_ends_it() -> None:
    for ended in (resolve(LATER), Withdraw(LATER, NUMBER, "xincunban")):
        events = given(*reported).when(ended)
        assert unanswered(given(*reported, *events).when(Wake(MUCH_LATER))) == []
    redo = (resolve(LATER), verify(LATER, passed=False, reason="不亮"), Wake(MUCH_LATER))
    assert unanswered(story(open_(), accept(), report_up(), *redo)) == []


def test_what_is_reported_up_again_may_be_unanswered_again() -> None:
    again = (interim_answer(AFTERWARDS), report_up(AFTERWARDS), Wake(MUCH_LATER))
    events = story(open_(), accept(), report_up(), *again)
    assert len(unanswered(events)) == 2
    assert kinds(events).count("EntryReportedUp") == 2

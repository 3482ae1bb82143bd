"""An entry that moves counts against the station that has it: on the ladder, and in the report."""

from datetime import timedelta
from typing import Any

import pytest

from duban_contracts import handling, ledger
from duban_contracts.escalation import ItemClosed, ItemOpened
from duban_contracts.ledger import Due, DueClock
from services.chassis.heard import Heard
from services.escalation.decider import escalation
from services.escalation.handlers import HEARS
from services.escalation.report import REPORT_HEARS, Scorecard, scorecard
from tests.escalation.town import DUE, ENTRY, OVERDUE, TOWNSHIP, day
from tests.ledger.matters import give_back, transfer
from tests.ledger.register import NUMBER, accept, local, open_, story

NOW = day(4, 19, 9)
FORMER, PRESENT = "qingjieban", "xincunban"
ACCEPTANCE = f"acceptance/{ENTRY}"
LATE = Due(at=DUE, last_day=day(4, 17, 12).date(), rule="3 working days")
AHEAD = Due(at=day(4, 30), last_day=day(4, 29, 12).date(), rule="8 working days")

LADDER, REPORT = escalation(TOWNSHIP), scorecard(TOWNSHIP)


def fact(kind: Any, station: str | None = FORMER, **fields: Any) -> Any:
    return kind(at=NOW, station=station, entry=ENTRY, **fields)


OVERDUE_THERE = fact(ledger.EntryOverdue, due=LATE)
UNSIGNED = fact(ledger.AcceptanceOverdue)
TAKEN_OVER = fact(ledger.EntryAccepted, PRESENT, taken_over=True, taken_from=FORMER, was_late=True)
ADJUDICATED = fact(
    handling.Adjudicated, PRESENT, by="office", reason="r", from_station=FORMER, moved=True, was_late=True
)
RETURNED = fact(handling.EntryReturned, legal_ground="g", was_responsible=True, handovers=1, was_late=True)


def run(decider: Any, handlers: Any, *facts: Any) -> tuple[dict[str, Any], list[Any]]:
    """The state of each station after these facts, and what was told."""
    states, told = dict[str, Any](), list[Any]()
    for n, heard in enumerate(facts):
        for key, command in handlers[type(heard)](Heard(str(n), ENTRY, heard, NOW), TOWNSHIP):
            events, states[key] = decider.answer(command, NOW, states.get(key, decider.initial_state))
            told += events
    return states, told


def open_items(*facts: Any) -> dict[str, set[str]]:
    states, _ = run(LADDER, HEARS, *facts)
    return {station: set(state.items) for station, state in states.items() if state.items}


def dispatched(*facts: Any) -> dict[str, int]:
    states, _ = run(REPORT, REPORT_HEARS, *facts)
    cards: dict[str, Scorecard] = states
    return {station: card.dispatched for station, card in cards.items()}


def test_what_was_overdue_counts_no_more_where_it_was_and_again_only_if_it_is_late_where_it_is() -> None:
    for moved in (TAKEN_OVER, ADJUDICATED, RETURNED):
        assert open_items(OVERDUE_THERE, UNSIGNED) == {FORMER: {OVERDUE, ACCEPTANCE}}
        assert open_items(OVERDUE_THERE, UNSIGNED, moved) == {}
    late_again = fact(ledger.EntryOverdue, PRESENT, due=LATE)
    assert open_items(OVERDUE_THERE, TAKEN_OVER, late_again) == {PRESENT: {OVERDUE}}


def test_lateness_that_is_heard_of_after_the_entry_moved_away_does_not_count_there() -> None:
    assert open_items(TAKEN_OVER, OVERDUE_THERE) == {}


def test_an_entry_that_comes_back_may_be_late_there_again() -> None:
    back = fact(ledger.EntryAccepted, FORMER, taken_over=True, taken_from=PRESENT)
    assert open_items(OVERDUE_THERE, TAKEN_OVER, back, OVERDUE_THERE) == {FORMER: {OVERDUE}}


BACK_LATE = [
    fact(ledger.EntryAccepted, FORMER, taken_over=True, taken_from=PRESENT, due=LATE),
    fact(
        handling.EntryReturned,
        PRESENT,
        to=FORMER,
        legal_ground="g",
        was_responsible=True,
        handovers=2,
        due=LATE,
    ),
    fact(handling.Adjudicated, by="office", reason="r", from_station=PRESENT, moved=True, due=LATE),
]


@pytest.mark.parametrize("back", BACK_LATE)
def test_what_was_late_when_it_left_counts_again_when_it_comes_back(back: Any) -> None:
    states, told = run(LADDER, HEARS, OVERDUE_THERE, TAKEN_OVER, back)
    assert [type(event) for event in told] == [ItemOpened, ItemClosed, ItemOpened]
    assert states[FORMER].items[OVERDUE].fact.since == DUE
    assert open_items(OVERDUE_THERE, TAKEN_OVER, back, TAKEN_OVER) == {}


@pytest.mark.parametrize("back", BACK_LATE)
def test_it_counts_again_also_where_its_lateness_was_heard_of_too_late_before(back: Any) -> None:
    assert open_items(TAKEN_OVER, OVERDUE_THERE, back) == {FORMER: {OVERDUE}}


@pytest.mark.parametrize("back", BACK_LATE)
def test_what_comes_back_with_time_left_counts_against_nobody(back: Any) -> None:
    in_time = back.model_copy(update={"due": AHEAD})
    assert open_items(OVERDUE_THERE, TAKEN_OVER, in_time) == {}


def test_the_round_trip_of_a_late_entry_ends_where_it_began() -> None:
    """Xincunban is a day late, nongye has it for ten minutes: every fact as the ledger tells it."""
    at = local("2024-04-23", "10:00")
    there = (transfer("nongye", at), accept(at, "nongye"))
    told = story(open_(), accept(), *there, give_back(at + timedelta(minutes=10), "nongye"))
    opened = open_items(*(event for event in told if type(event) in HEARS))
    assert opened == {"xincunban": {f"overdue/{NUMBER}"}}


def test_a_transfer_that_lapsed_is_held_against_nobody() -> None:
    assert open_items(UNSIGNED, fact(handling.TransferLapsed)) == {}


def test_signing_for_it_closes_no_more_than_the_missing_signature() -> None:
    assert open_items(OVERDUE_THERE, UNSIGNED, fact(ledger.EntryAccepted)) == {FORMER: {OVERDUE}}


def test_a_due_date_that_lies_ahead_again_closes_what_was_overdue_and_may_open_it_again() -> None:
    granted = fact(handling.ExtensionDecided, granted=True, by="office", reason="r", due=AHEAD)
    counted_anew = fact(handling.DeadlineRecomputed, old=LATE, new=AHEAD, why="w")
    no_limit = fact(handling.DeadlineRecomputed, old=LATE, new=None, why="w")
    for moved in (granted, counted_anew, no_limit):
        assert open_items(OVERDUE_THERE, moved) == {}
    _, told = run(LADDER, HEARS, OVERDUE_THERE, granted, OVERDUE_THERE)
    assert [type(event) for event in told] == [ItemOpened, ItemClosed, ItemOpened]


def test_a_time_to_sign_that_lies_ahead_again_is_no_missing_signature() -> None:
    counted_anew = fact(handling.DeadlineRecomputed, clock=DueClock.ACCEPTANCE, old=LATE, new=AHEAD, why="w")
    assert open_items(OVERDUE_THERE, UNSIGNED, counted_anew) == {FORMER: {OVERDUE}}


def test_a_due_date_that_is_past_still_or_the_citizens_closes_nothing() -> None:
    declined = fact(handling.ExtensionDecided, granted=False, by="office", reason="r", due=AHEAD)
    past = fact(handling.DeadlineRecomputed, old=AHEAD, new=LATE, why="w")
    citizens = fact(handling.DeadlineRecomputed, clock=DueClock.CITIZEN, old=LATE, new=AHEAD, why="w")
    for unmoved in (declined, past, citizens):
        assert open_items(OVERDUE_THERE, unmoved) == {FORMER: {OVERDUE}}


def test_the_report_counts_an_entry_for_the_station_that_has_it() -> None:
    assert dispatched(TAKEN_OVER) == {PRESENT: 1, FORMER: -1}
    assert dispatched(ADJUDICATED) == {PRESENT: 1, FORMER: -1}
    assert dispatched(fact(ledger.EntryAccepted)) == {}


def test_what_is_returned_in_time_leaves_the_denominator() -> None:
    assert dispatched(RETURNED) == {FORMER: -1}
    back = RETURNED.model_copy(update={"to": PRESENT})
    assert dispatched(back) == {FORMER: -1, PRESENT: 1}


def test_what_was_only_asked_or_stays_where_it_was_moves_no_count() -> None:
    only_asked = RETURNED.model_copy(update={"was_responsible": False, "to": PRESENT})
    stays = ADJUDICATED.model_copy(update={"moved": False, "from_station": None})
    assert dispatched(only_asked, stays) == {}

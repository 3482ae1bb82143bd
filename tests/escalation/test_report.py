"""The counts of each station and the laggard report made of them."""

from dataclasses import replace
from itertools import permutations

import hypothesis.strategies as st
import pytest
from hypothesis import given as for_all
from pydantic import TypeAdapter

from duban_contracts import ledger, rating
from duban_contracts.charter import Ground
from duban_contracts.escalation import ItemKind, OpenItem, Rung, Standing
from duban_contracts.intake import Channel
from duban_contracts.ledger import Due
from duban_contracts.rating import Level
from duban_contracts.topology import HEARS as TOPOLOGY
from services.chassis.decider import Wake
from services.chassis.heard import Heard
from services.escalation.report import REPORT_HEARS, Scorecard, scorecard
from services.escalation.views import laggard_report
from tests.escalation.town import DUE, ENTRY, STATION, TOWNSHIP, day, finding, late_item

DECIDER = scorecard(TOWNSHIP)
NOW = day(5, 2, 10)
DUE_DATE = Due(at=DUE, last_day=day(4, 17, 12).date(), rule="3 working days")


def fact(type_, **fields):
    return type_(at=NOW, station=STATION, entry=ENTRY, **fields)


def struck_off(late, **fields):
    return fact(ledger.EntryStruckOff, by="office", outcome="solved", late=late, **fields)


OPENED = fact(
    ledger.EntryOpened,
    submission="s",
    title="t",
    category="c",
    kind="help",
    channel=next(iter(Channel)),
    petitioner="p",
)
REOPENED_LATE = fact(ledger.EntryReopened, round=2, reason="office", was_late=True)
LATE = struck_off(True, due=DUE_DATE, resolved_at=day(4, 20, 9))
FACTS = [
    OPENED,
    fact(ledger.EntryOverdue, due=DUE_DATE),
    LATE,
    REOPENED_LATE,
    struck_off(False, round=2),
    fact(ledger.EntryClosedUnsolved, outcome="withdrawn"),
    fact(rating.RatingGiven, round=1, level=Level.DISSATISFIED),
    fact(rating.RatingGiven, round=2, level=Level.SATISFIED),
]


def card_of(*facts):
    card = DECIDER.initial_state
    for number, told in enumerate(facts):
        for key, command in REPORT_HEARS[type(told)](Heard(str(number), ENTRY, told, told.at), TOWNSHIP):
            assert key == STATION
            _, card = DECIDER.answer(command, NOW, card)
    return card


def report(cards, standings=None, now=NOW):
    return laggard_report(cards, standings or {}, TOWNSHIP, now)


def row(station, cards, standings=None, now=NOW):
    return next(row for row in report(cards, standings, now).rows if row.station == station)


# Counting


def test_the_report_hears_what_the_topology_lists():
    assert set(REPORT_HEARS) == set(TOPOLOGY["escalation-report"])


def test_every_opened_entry_is_dispatched_and_open():
    card = card_of(OPENED, OPENED)
    assert (card.dispatched, card.open) == (2, 2)


@pytest.mark.parametrize(
    ("late", "counter"), [(False, "closed_on_time"), (True, "closed_late"), (None, "closed_undated")]
)
def test_a_closing_is_on_time_late_or_neither(late, counter):
    card = card_of(OPENED, struck_off(late))
    assert getattr(card, counter) == 1
    assert (card.closed, card.open) == (1, 0)


@pytest.mark.parametrize("late", [False, True, None])
def test_a_reopening_takes_the_closing_back_as_it_was_counted(late):
    reopened = fact(ledger.EntryReopened, round=2, reason="office", was_late=late)
    card = card_of(OPENED, struck_off(late), reopened)
    assert (card.closed, card.open, card.reopened) == (0, 1, 1)


def test_a_withdrawn_entry_is_neither_open_nor_closed():
    card = card_of(OPENED, fact(ledger.EntryClosedUnsolved, outcome="withdrawn"))
    assert (card.open, card.closed, card.withdrawn) == (0, 0, 1)


def test_days_late_are_calendar_days_after_the_last_day_in_time():
    card = card_of(LATE)
    assert (card.days_late, card.late_closings) == (3, 1), "17 April was the last day, 20 April is done"


def test_that_a_closing_took_so_long_stays_true_after_a_reopening():
    card = card_of(LATE, REOPENED_LATE)
    assert (card.closed_late, card.days_late, card.late_closings) == (0, 3, 1)


def test_without_a_told_due_date_no_days_are_counted():
    assert card_of(struck_off(True)).days_late == 0


def test_ratings_are_counted_by_level():
    card = card_of(*(fact(rating.RatingGiven, round=1, level=level) for level in Level))
    assert (card.ratings, card.negative, card.very_dissatisfied) == (5, 2, 1)


def test_a_fact_about_nobody_counts_for_nobody():
    told = OPENED.model_copy(update={"station": None})
    assert REPORT_HEARS[ledger.EntryOpened](Heard("1", ENTRY, told, NOW), TOWNSHIP) == []


@for_all(st.permutations(FACTS))
def test_counts_are_the_same_in_whatever_order_facts_arrive(facts):
    assert card_of(*facts) == card_of(*FACTS)


def test_a_read_model_is_never_woken_and_survives_being_stored():
    card = card_of(*FACTS)
    assert DECIDER.decide(Wake(NOW), card) == []
    adapter = TypeAdapter(Scorecard)
    assert adapter.validate_json(adapter.dump_json(card)) == card


# The report


def cards(**rates):
    """Scorecards by station: `bianmin=(on time, late)`."""
    return {
        station: Scorecard(dispatched=on_time + late, closed_on_time=on_time, closed_late=late)
        for station, (on_time, late) in rates.items()
    }


def stand(station, rung=Rung.REMINDER, items=(), since=None):
    return Standing(station=station, version=1, at=NOW, rung=rung, items=items, lagging_since=since)


def test_every_station_of_the_charter_has_its_row():
    rows = report({}).rows
    assert {row.station for row in rows} == set(TOWNSHIP.stations)
    assert {row.name for row in rows} == {station.name for station in TOWNSHIP.stations.values()}


def test_a_rate_without_a_denominator_is_no_rate_and_never_all_of_it():
    empty = row(STATION, {})
    assert (empty.close_rate, empty.on_time_rate, empty.dissatisfied_rate) == (None, None, None)
    assert (empty.average_days_late, empty.average_days_closed_late) == (None, None)


def test_rates_say_what_they_are_shares_of():
    card = Scorecard(
        dispatched=11,
        withdrawn=1,
        closed_on_time=3,
        closed_late=1,
        closed_undated=1,
        late_closings=2,
        days_late=9,
        dissatisfied=1,
        very_satisfied=3,
    )
    made = row(STATION, {STATION: card})
    assert (made.open, made.close_rate, made.on_time_rate) == (5, 0.5, 0.75)
    assert (made.ratings, made.dissatisfied, made.dissatisfied_rate) == (4, 1, 0.25)
    assert made.average_days_closed_late == 4.5


def test_stations_rank_by_on_time_rate_and_equal_rates_share_a_rank():
    ranks = {
        row.station: row.rank
        for row in report(cards(jiwei=(30, 0), bianmin=(15, 15), minzheng=(20, 20), nongye=(0, 52))).rows
    }
    assert [ranks[s] for s in ("jiwei", "bianmin", "minzheng", "nongye")] == [1, 2, 2, 4]


def test_a_small_sample_does_not_rank_and_says_so():
    minimum = TOWNSHIP.rating.minimum_sample
    made = report(cards(jiwei=(minimum - 1, 0), bianmin=(0, minimum)))
    rows = {row.station: row for row in made.rows}
    assert (rows["jiwei"].rank, rows["jiwei"].unranked) == (None, "small sample")
    assert (rows["bianmin"].rank, rows["bianmin"].unranked) == (1, None)
    assert rows["wenhuazhan"].unranked == "small sample"
    assert made.minimum_sample == minimum


def test_the_worst_come_first_by_rung_then_by_rate_and_those_without_a_rate_last():
    counted = cards(jiwei=(30, 0), bianmin=(0, 30), minzheng=(15, 15), nongye=(30, 0))
    standings = {
        "nongye": stand("nongye", Rung.CIRCULAR),
        "minzheng": stand("minzheng", Rung.SUPERVISED),
        "wenhuazhan": stand("wenhuazhan", Rung.SUPERVISED),
    }
    listed = [row.station for row in report(counted, standings).rows]
    assert listed[:5] == ["nongye", "minzheng", "wenhuazhan", "bianmin", "jiwei"]
    assert listed[5:] == sorted(listed[5:])


def test_the_report_is_the_same_in_whatever_order_it_is_asked():
    counted = cards(jiwei=(30, 0), bianmin=(0, 30), minzheng=(15, 15))
    reports = {report(dict(order)).model_dump_json() for order in permutations(counted.items())}
    assert len(reports) == 1


def test_days_late_are_calendar_days_past_due_summed_over_the_open_late_items():
    items = (
        late_item("1", DUE),  # last day 17 April: 15 days on 2 May
        OpenItem(id="acceptance/2", kind=ItemKind.ACCEPTANCE_OVERDUE, since=day(5, 2)),  # one day
        finding("3", Ground.LAGGING, day(4, 1)),  # no time limit: in no sum
    )
    made = row(STATION, {}, {STATION: stand(STATION, Rung.SUPERVISED, items, since=day(4, 19))})
    assert (made.open_items, made.late_items, made.days_late, made.average_days_late) == (3, 2, 16, 8.0)
    assert (made.rung, made.lagging_since) == (Rung.SUPERVISED, day(4, 19))


def test_what_is_due_at_an_hour_of_today_is_not_a_day_late_yet():
    items = (late_item("1", day(5, 2, 9)),)
    assert row(STATION, {}, {STATION: stand(STATION, items=items)}).days_late == 0


# Who is not a station of the charter


OPEN_ITEM = OpenItem(id="2024-000001 entry_overdue", kind=ItemKind.ENTRY_OVERDUE, since=NOW)


def lagging(token):
    return Standing(
        station=token, version=1, at=NOW, rung=Rung.SUPERVISED, lagging_since=NOW, items=(OPEN_ITEM,)
    )


@pytest.mark.case("A6")
def test_a_station_that_left_the_charter_keeps_its_row_while_anything_is_open():
    standings = {"gone": lagging("gone")}
    [found] = [each for each in report({}, standings).rows if each.station == "gone"]
    assert (found.name, found.left_charter, found.open_items, found.rung) == (
        "gone",
        True,
        1,
        Rung.SUPERVISED,
    )
    with_entries = report({"gone": Scorecard(dispatched=40)}).rows
    assert [(each.open, each.left_charter) for each in with_entries if each.station == "gone"] == [(40, True)]


@pytest.mark.case("A6")
def test_a_station_that_left_with_nothing_open_has_no_row_and_never_ranks():
    closed = Scorecard(dispatched=40, closed_on_time=40)
    assert all(each.station != "gone" for each in report({"gone": closed}).rows)
    both = report(
        {"gone": replace(closed, dispatched=41), STATION: replace(closed, closed_on_time=30, closed_late=10)}
    )
    ranks = {each.station: (each.rank, each.unranked) for each in both.rows}
    assert ranks["gone"] == (None, "left the charter")
    assert ranks[STATION] == (1, None)


@pytest.mark.case("A6")
def test_the_office_that_is_late_itself_has_a_row_under_its_name():
    [found] = [each for each in report({}, {"office": lagging("office")}).rows if each.station == "office"]
    assert (found.name, found.left_charter) == ("镇营商办", False)

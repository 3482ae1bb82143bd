"""Fields of facts and corners of rules that no other story looks at; mutants found them."""

from datetime import time, timedelta
from typing import Any

import pytest

from duban_contracts.charter import Limit, OfficeHours, Shift, Unit
from duban_contracts.handling import DeadlineRecomputed, EntryResumed, PingPongDetected
from duban_contracts.intake import Priority
from duban_contracts.ledger import DueClock, EntryAccepted
from services.chassis.calendar import WorkingCalendar
from services.chassis.decider import Wake
from services.ledger.decider import LinkRecurrence, ledger
from tests.given import Given
from tests.ledger.matters import (
    apply_extension,
    decide_extension,
    give_back,
    hold,
    report_up,
    resume,
    transfer,
)
from tests.ledger.register import (
    DUE,
    EARLY,
    NUMBER,
    ONE_MOMENT,
    OPENED,
    SHIPPED,
    accept,
    given,
    local,
    open_,
    reopen,
    resolve,
    story,
    verify,
)
from tests.ledger.test_recomputed import PUBLISHED, TUESDAY, next_revision, recomputed, with_limit

LATER = EARLY + timedelta(hours=1)
STRUCK_OFF = story(open_(), accept(), resolve(), verify(LATER))


def only(kind: type, events: Any) -> Any:
    (found,) = (event for event in events if isinstance(event, kind))
    return found


@pytest.mark.parametrize(
    "events",
    [
        story(open_(solved_on_the_spot="已清运")),
        story(open_(), accept(), apply_extension(), decide_extension(LATER)),
        story(open_(), accept(), report_up()),
        story(open_(), accept(), hold(TUESDAY), resume(PUBLISHED)),
        [
            *STRUCK_OFF,
            *given(*STRUCK_OFF).when(LinkRecurrence(LATER, "2024-000456", "rural_road", "dongcun")),
        ],
    ],
)
def test_every_fact_says_whose_the_entry_is(events: list[Any]) -> None:
    assert {event.station for event in events} == {"xincunban"}


def test_every_clock_that_is_counted_anew_says_whose_it_is_and_what_it_was() -> None:
    matters = SHIPPED.matters
    slower = {
        "limits": dict.fromkeys(matters.limits, Limit(amount=8)),
        "accept_within": Limit(amount=3),
        "report_up": matters.report_up
        and matters.report_up.model_copy(update={"interim_within": Limit(amount=9)}),
    }
    revision = next_revision(SHIPPED, matters=matters.model_copy(update=slower))
    signed = story(open_(), accept(), report_up(), charter=SHIPPED)
    offered = [*signed, *Given(ledger(SHIPPED))(*signed).when(transfer("nongye", TUESDAY))]
    unsigned = story(open_(), charter=SHIPPED)
    at = TUESDAY + timedelta(hours=1)
    revision = revision.model_copy(update={"published_at": at})
    for history, expected in (
        (
            offered,
            [
                (DueClock.STATION, "xincunban"),
                (DueClock.CITIZEN, "xincunban"),
                (DueClock.ACCEPTANCE, "nongye"),
                (DueClock.INTERIM, "xincunban"),
            ],
        ),
        (
            unsigned,
            [
                (DueClock.STATION, "xincunban"),
                (DueClock.CITIZEN, "xincunban"),
                (DueClock.ACCEPTANCE, "xincunban"),
            ],
        ),
    ):
        *told, seen = recomputed(revision, history, at)
        assert [(each.clock, each.station) for each in told] == expected
        assert seen.station == "xincunban"
        assert all(each.old.at < each.new.at for each in told)
        words = {each.clock: each.new.rule for each in told}
        assert "to sign for it" in words[DueClock.ACCEPTANCE]
        if DueClock.INTERIM in words:
            assert "for the interim answer" in words[DueClock.INTERIM]


def test_an_interim_answer_that_a_revision_does_not_touch_is_not_counted_anew() -> None:
    history = story(open_(), accept(), report_up())
    told, _ = recomputed(with_limit(8), history)
    assert isinstance(told, DeadlineRecomputed)
    assert told.clock is DueClock.STATION


def test_what_goes_on_says_by_whom_and_what_ended_by_itself_by_nobody() -> None:
    held = story(open_(), accept(), hold(TUESDAY))
    assert only(EntryResumed, given(*held).when(resume(PUBLISHED, "office"))).by == "office"
    assert only(EntryResumed, given(*held).when(Wake(local("2024-06-01")))).by is None


def test_a_station_that_takes_over_has_its_time_from_the_asking_on() -> None:
    asked_at, taken_at = TUESDAY + timedelta(hours=9), TUESDAY + timedelta(hours=33)
    history = story(open_(), accept(), transfer("nongye", asked_at), accept(taken_at, "nongye"))
    taken = history[-1]
    assert isinstance(taken, EntryAccepted)
    assert (taken.due.start, taken.round, taken.was_late) == (asked_at, 1, False)
    entry = given(*history).state.entry
    assert (entry.assigned_at, entry.accepted, entry.came_from) == (asked_at, True, "xincunban")
    late = story(open_(), accept(), transfer("nongye", DUE - timedelta(hours=9)), accept(DUE, "nongye"))
    assert late[-1].was_late


def test_the_third_hand_over_says_to_whom_it_would_have_gone() -> None:
    there = (transfer("nongye"), accept(EARLY, "nongye"))
    back = (transfer("xincunban", LATER, "nongye"), accept(LATER, "xincunban"))
    events = story(open_(), accept(), *there, *back, transfer("minzheng", LATER))
    assert only(PingPongDetected, events).to == "minzheng"
    events = story(open_(), accept(), *there, *back, give_back(LATER))
    assert only(PingPongDetected, events).to is None


def test_a_category_that_left_the_charter_keeps_the_limit_that_it_gave() -> None:
    rest = {name: each for name, each in SHIPPED.categories.items() if name != "rural_road"}
    assert len(recomputed(next_revision(categories=rest), story(open_(), accept()))) == 1
    at = local("2024-04-18", "10:00")
    moved = story(open_(), accept(), transfer("nongye", at))
    [taken] = Given(ledger(next_revision(categories=rest, published_at=OPENED)))(*moved).when(
        accept(at, "nongye")
    )[-1:]
    assert (taken.due.limit, taken.due.rule) == (moved[0].due.limit, moved[0].due.rule)


def test_an_urgent_matter_is_counted_anew_by_the_urgent_limit() -> None:
    urgent = SHIPPED.matters.model_copy(update={"urgent": Limit(amount=2), "citizen": None})
    told, _ = recomputed(next_revision(matters=urgent), story(open_(priority=Priority.URGENT), accept()))
    assert told.new.limit == Limit(amount=2)


def test_a_matter_whose_limit_is_new_counts_both_clocks_with_what_paused_and_extended_it() -> None:
    """It had no limit when it was held: the pause is kept all the same, for the citizen's clock, too."""
    none = story(open_(limit=None), accept(), hold(TUESDAY), resume(PUBLISHED), charter=SHIPPED)
    revision = next_revision(SHIPPED, published_at=local("2024-04-18", "09:00"))
    station, citizen, _ = recomputed(revision, none, local("2024-04-18", "09:00"))
    for told in (station, citizen):
        assert [(pause.start, pause.end) for pause in told.new.pauses] == [(TUESDAY, PUBLISHED)]
        assert told.old is None


def test_after_a_reopening_the_citizens_clock_counts_from_it_under_a_new_revision_too() -> None:
    at = local("2024-04-16", "10:00")
    history = story(open_(), accept(), resolve(), verify(LATER), reopen(at), charter=SHIPPED)
    rating = SHIPPED.rating.model_copy(update={"rectify_within": Limit(amount=9)})
    told = recomputed(next_revision(SHIPPED, rating=rating), history)
    assert [(each.clock, each.new.start) for each in told[:-1]] == [
        (DueClock.STATION, at),
        (DueClock.CITIZEN, at),
    ]


EVENING = OfficeHours(shifts=(Shift(start=time(18), end=time(20)),), source="a station's own")


@pytest.mark.parametrize("limit", [Limit(amount=2, unit=Unit.WORKING_HOURS)])
def test_whoever_gets_it_counts_by_its_own_hours(limit: Limit) -> None:
    stations = {
        **SHIPPED.stations,
        "nongye": SHIPPED.stations["nongye"].model_copy(update={"hours": EVENING}),
    }
    matters = SHIPPED.matters.model_copy(
        update={"limits": dict.fromkeys(SHIPPED.matters.limits, limit), "citizen": None}
    )
    town = SHIPPED.model_copy(update={"stations": stations, "matters": matters, "revision": 7})
    moved = (open_(limit=limit), accept(), transfer("nongye", EARLY), accept(EARLY, "nongye"))
    history = story(*moved, charter=town)
    assert history[-1].due.at == local("2024-04-15", "20:00")
    again = matters.model_copy(
        update={"limits": dict.fromkeys(matters.limits, Limit(amount=3, unit=Unit.WORKING_HOURS))}
    )
    published = local("2024-04-15", "19:00")
    told, _ = recomputed(
        town.model_copy(update={"revision": 8, "published_at": published, "matters": again}),
        history,
        published,
    )
    assert told.new.at == local("2024-04-16", "19:00")


def test_nothing_recurs_from_the_end_of_the_charters_time_on() -> None:
    rule = SHIPPED.matters.recurrence
    assert rule
    end = WorkingCalendar(SHIPPED).due(given(*STRUCK_OFF).state.at, rule.within).at
    at_the_end, before = (
        LinkRecurrence(at, "2024-000456", "rural_road", "dongcun") for at in (end, end - ONE_MOMENT)
    )
    assert given(*STRUCK_OFF).when(at_the_end) == []
    assert [event.entry for event in given(*STRUCK_OFF).when(before)] == [NUMBER]

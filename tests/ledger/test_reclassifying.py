"""A matter under another category: whose it is and how long it may take, and who may say so."""

from datetime import timedelta
from typing import Any

import pytest

from duban_contracts.charter import Actor, Limit, Role
from duban_contracts.due import DueClock
from duban_contracts.handling import DeadlineRecomputed
from duban_contracts.ledger import EntryOverdue
from duban_contracts.message import Refusal
from duban_contracts.reclassifying import ClockEffect, EntryReclassified, ReclassifyMatter
from services.chassis.decider import Wake
from services.ledger.decider import Handling, Reclassify, ledger
from services.ledger.views import row
from services.ledger.why import explain
from tests.given import Given
from tests.ledger.matters import (
    adjudicate,
    apply_extension,
    decide_extension,
    give_back,
    hold,
    refused,
    transfer,
)
from tests.ledger.register import (
    DUE,
    EARLY,
    NUMBER,
    OPENED,
    SHIPPED,
    TOWN,
    accept,
    asked,
    given,
    kinds,
    local,
    open_,
    resolve,
    story,
    verify,
)

pytestmark = pytest.mark.case("A9")

GARBAGE = {"category": "garbage", "station": "qingjieban", "limit": Limit(amount=1), "co_handlers": ()}
GARBAGE_DUE = local("2024-04-17")  # one working day after Monday 15 April
LATE = GARBAGE_DUE + timedelta(hours=10)  # Wednesday 17 April, 10:00
ROAD_DUE = local("2024-04-25")  # five working days from Wednesday 17 April
opened = story(open_(**GARBAGE))
signed = story(open_(**GARBAGE), accept(actor="qingjieban"))


def reclassify(
    category: str = "rural_road",
    now: Any = EARLY,
    actor: str = "office",
    reason: str = "是路面塌陷",
    **more: Any,
) -> Reclassify:
    return Reclassify(asked(actor, now, "reclassify_matter"), category, more.get("kind"), reason)


def with_office_station(charter: Any = TOWN) -> Any:
    office = charter.actors["office"].model_copy(update={"station": "qingjieban"})
    return charter.model_copy(update={"actors": {**charter.actors, "office": office}, "revision": 7})


# Category, station and limit


def test_category_station_and_limit_are_chosen_again_by_the_charter() -> None:
    [fact] = given(*signed).when(reclassify())
    assert isinstance(fact, EntryReclassified)
    assert (fact.was, fact.category, fact.kind) == ("garbage", "rural_road", "help")
    assert (fact.from_station, fact.station, fact.moved) == ("qingjieban", "xincunban", True)
    assert fact.due is not None
    assert fact.due.limit == TOWN.matters.limits[fact.kind]
    assert "xincunban leads category rural_road" in fact.rule
    assert "kind help" in fact.rule
    found = row(given(*signed, fact).state)
    assert found is not None
    assert (found["category"], found["station"], found["reclassified_from"]) == (
        "rural_road",
        "xincunban",
        "garbage",
    )


def test_the_new_station_has_its_whole_limit_and_has_to_sign() -> None:
    events = story(open_(**GARBAGE), accept(actor="qingjieban"), reclassify(now=LATE))
    fact = events[-1]
    assert fact.due.start == LATE
    assert fact.due.at == ROAD_DUE
    assert fact.acceptance.start == LATE
    assert fact.station_clock is ClockEffect.WHOLE_LIMIT
    assert not given(*events).state.entry.accepted
    assert [type(e).__name__ for e in given(*events).when(Wake(ROAD_DUE)) if isinstance(e, EntryOverdue)] == [
        "EntryOverdue"
    ]


def test_lateness_stays_with_the_station_that_was_late() -> None:
    fact = story(open_(**GARBAGE), reclassify(now=LATE))[-1]
    assert fact.was_late
    assert fact.late_due.at == GARBAGE_DUE
    in_time = story(open_(**GARBAGE), reclassify(now=EARLY))[-1]
    assert not in_time.was_late
    assert in_time.late_due is None


def test_the_citizens_clock_counts_from_the_submission() -> None:
    town = SHIPPED.model_copy(update={"revision": 7})
    before = story(open_(**GARBAGE), charter=SHIPPED)[0]
    fact = story(open_(**GARBAGE), reclassify(now=EARLY), charter=SHIPPED)[-1]
    assert fact.citizen.start == before.citizen.start == OPENED
    assert fact.citizen.at > before.citizen.at
    assert fact.citizen_clock is ClockEffect.SAME_START
    assert Given(ledger(town))(before, fact).state.entry.citizen == fact.citizen


def test_a_passed_date_of_the_citizen_stands() -> None:
    much_later = local("2024-04-30", "10:00")
    fact = story(open_(**GARBAGE), reclassify(now=much_later), charter=SHIPPED)[-1]
    assert fact.citizen.at <= much_later
    assert fact.citizen_clock is ClockEffect.UNCHANGED


# The same station


def test_a_longer_limit_of_the_same_station_counts_from_the_old_start() -> None:
    fact = story(open_(**GARBAGE), accept(actor="qingjieban"), reclassify("littering"))[-1]
    assert not fact.moved
    assert fact.from_station is None
    assert fact.due.start == OPENED
    assert fact.due.at == DUE  # five working days from the opening
    assert fact.station_clock is ClockEffect.SAME_START
    assert given(*signed, fact).state.entry.accepted


def test_a_shorter_limit_of_the_same_station_counts_from_now_and_not_beyond_the_old_date() -> None:
    littering = {**GARBAGE, "category": "littering", "limit": Limit(amount=5)}
    early = story(open_(**littering), reclassify("garbage", now=EARLY + timedelta(days=1)))[-1]
    assert early.due.start == EARLY + timedelta(days=1)
    assert early.due.at == local("2024-04-18")
    assert early.station_clock is ClockEffect.FROM_NOW
    last_day = DUE - timedelta(hours=12)
    late = story(open_(**littering), reclassify("garbage", now=last_day))[-1]
    assert late.due.at == DUE
    assert late.station_clock is ClockEffect.UNCHANGED


def test_the_same_station_that_is_late_stays_late_under_any_later_charter() -> None:
    events = story(open_(**GARBAGE), accept(actor="qingjieban"), reclassify("littering", now=LATE))
    fact = events[-1]
    assert fact.due.at == GARBAGE_DUE
    assert fact.station_clock is ClockEffect.UNCHANGED
    longer = TOWN.categories["littering"].model_copy(update={"limit": Limit(amount=30)})
    later = TOWN.model_copy(
        update={
            "categories": {**TOWN.categories, "littering": longer},
            "revision": 8,
            "published_at": LATE + timedelta(hours=1),
        }
    )
    told = Given(ledger(later))(*events).when(Wake(LATE + timedelta(hours=2)))
    assert not [e for e in told if isinstance(e, DeadlineRecomputed) and e.clock is DueClock.STATION]


def test_a_late_station_stays_late_after_a_round_trip() -> None:
    handed = story(
        open_(**GARBAGE),
        accept(actor="qingjieban"),
        reclassify("littering", now=LATE),
        adjudicate("xincunban", LATE + timedelta(hours=1)),
        adjudicate("qingjieban", LATE + timedelta(hours=2)),
    )
    assert handed[-1].due.at == GARBAGE_DUE


def test_a_day_set_elsewhere_stands_unless_it_has_passed() -> None:
    set_day = {**GARBAGE, "limit": None, "due_on": local("2024-04-19").astimezone().date()}
    ahead = story(open_(**set_day), reclassify(now=EARLY))[-1]
    assert ahead.due.set_for == set_day["due_on"]
    assert ahead.station_clock is ClockEffect.UNCHANGED
    set_instant = {**GARBAGE, "limit": None, "due_at": local("2024-08-01", "12:00")}
    ahead = story(open_(**set_instant), reclassify(now=EARLY))[-1]
    assert (ahead.due.set_at, ahead.station_clock) == (set_instant["due_at"], ClockEffect.UNCHANGED)
    passed = story(open_(**set_day), reclassify(now=local("2024-04-25", "10:00")))[-1]
    assert passed.due.limit == TOWN.matters.limits[passed.kind]
    assert passed.was_late


def test_a_category_without_a_limit_is_never_late() -> None:
    unlimited = TOWN.model_copy(update={"matters": TOWN.matters.model_copy(update={"limits": {}})})
    fact = story(open_(**GARBAGE), reclassify(), charter=unlimited)[-1]
    assert fact.due is None
    assert fact.station_clock is ClockEffect.NONE


# What is under way


def test_an_open_transfer_lapses_and_stations_may_hand_over_again() -> None:
    events = story(open_(**GARBAGE), accept(actor="qingjieban"), transfer("nongye", actor="qingjieban"))
    assert kinds(given(*events).when(reclassify(now=EARLY + timedelta(hours=1)))) == [
        "TransferLapsed",
        "EntryReclassified",
    ]
    bound = story(open_(**GARBAGE), adjudicate("qingjieban", EARLY), reclassify(now=LATE))
    assert kinds(given(*bound).when(give_back(LATE + timedelta(hours=1)))) == ["EntryReturned"]


def test_what_was_returned_goes_to_the_lead_of_the_new_category() -> None:
    fact = story(open_(**GARBAGE), give_back(actor="qingjieban"), reclassify())[-1]
    assert (fact.from_station, fact.station, fact.moved) == (None, "xincunban", True)


def test_an_application_for_more_time_goes_on_with_the_same_station_only() -> None:
    littering = {**GARBAGE, "category": "littering", "limit": Limit(amount=5)}
    waiting = story(
        open_(**littering), accept(actor="qingjieban"), apply_extension(actor="qingjieban", days=1)
    )
    same = given(*waiting, *given(*waiting).when(reclassify("garbage")))
    assert isinstance(same.state, Handling)
    decided = same.when(decide_extension(EARLY + timedelta(hours=2)))
    assert kinds(decided)[-1] == "ExtensionDecided"
    moved = given(*waiting, *given(*waiting).when(reclassify("rural_road")))
    assert refused(moved.when(decide_extension(EARLY + timedelta(hours=2)))) is Refusal.WRONG_STATE


# Who may, and when


def test_a_station_never_reclassifies() -> None:
    assert refused(given(*signed).when(reclassify(actor="xincunban"))) is Refusal.NOT_ALLOWED
    assert refused(given(*signed).when(reclassify(actor="qingjieban"))) is Refusal.OWN_CASE
    assert Role.STATION not in ReclassifyMatter.by


def test_a_gateway_reclassifies_only_where_the_charter_lets_it_choose_stations() -> None:
    assert refused(given(*signed).when(reclassify(actor="gateway"))) is Refusal.NOT_BELIEVED
    routing = Actor(name="12345", role=Role.GATEWAY, may_route=True)
    town = TOWN.model_copy(update={"actors": {**TOWN.actors, "routing": routing}, "revision": 7})
    [fact] = Given(ledger(town))(*signed).when(reclassify(actor="routing"))
    assert fact.by == "routing"


def test_the_offices_own_late_matter_is_for_the_leaders() -> None:
    town = with_office_station()
    assert refused(Given(ledger(town))(*signed).when(reclassify())) is Refusal.OWN_CASE
    [fact] = Given(ledger(town))(*signed).when(reclassify(actor="leader"))
    assert fact.by == "leader"
    assert refused(given(*signed).when(reclassify(actor="leader"))) is Refusal.NOT_ALLOWED


def test_what_cannot_be_done_is_refused_with_what_to_do() -> None:
    def no(*history: Any, **request: Any) -> Refusal:
        return refused(given(*history).when(reclassify(**request)))

    later = EARLY + timedelta(hours=3)
    assert no(*signed, category="rural_raod") is Refusal.UNKNOWN_CATEGORY
    assert "rural_road" in given(*signed).when(reclassify("rural_raod"))[-1].detail
    assert no(*signed, category="garbage") is Refusal.ALREADY_DONE
    assert no(*signed, category="minimum_living") is Refusal.WRONG_STATE
    assert no(*signed, reason=" ") is Refusal.REASON_MISSING
    assert no(*story(open_(**GARBAGE), resolve(actor="qingjieban")), now=later) is Refusal.WRONG_STATE
    done = story(open_(**GARBAGE), resolve(actor="qingjieban"), verify(later))
    assert no(*done, now=later) is Refusal.WRONG_STATE
    held = story(open_(**GARBAGE), accept(actor="qingjieban"), hold(actor="qingjieban"))
    assert no(*held, now=later) is Refusal.WRONG_STATE
    assert no() is Refusal.NO_SUCH_ENTRY


def test_the_kind_alone_may_change() -> None:
    [fact] = given(*signed).when(reclassify("garbage", kind="complaint"))
    assert (fact.was, fact.category, fact.kind) == ("garbage", "garbage", "complaint")
    assert not fact.moved


# Conduct matters


def test_a_matter_may_become_a_conduct_matter_and_is_hidden_from_then_on() -> None:
    [fact] = given(*signed).when(reclassify("conduct"))
    assert (fact.station, fact.restricted) == ("jiwei", True)
    found = row(given(*signed, fact).state)
    assert found is not None
    assert found["restricted"]


def test_a_conduct_matter_never_stops_being_one_and_is_unknown_to_others() -> None:
    conduct = story(open_(category="conduct", station="jiwei", restricted=True))
    assert refused(given(*conduct).when(reclassify("garbage"))) is Refusal.NOT_ALLOWED
    [fact] = given(*conduct).when(reclassify("soliciting"))
    assert fact.restricted
    for other in ("gateway", "leader", "xincunban"):
        [refusal] = given(*conduct).when(reclassify("garbage", actor=other))
        assert refusal.reason is Refusal.NO_SUCH_ENTRY
        assert refusal.detail == f"the register has no number {NUMBER}; check the number"


# Why


def test_why_shows_the_old_category_and_what_elapsed_time_counts() -> None:
    events = story(open_(**GARBAGE), accept(actor="qingjieban"), reclassify(now=LATE), charter=SHIPPED)
    town = SHIPPED.model_copy(update={"revision": 7})
    why = explain(NUMBER, Given(ledger(town))(*events).state, town)
    [done] = why.reclassified
    assert (done.was, done.category, done.at, done.by) == ("garbage", "rural_road", LATE, "office")
    assert (done.from_station, done.station) == ("qingjieban", "xincunban")
    assert (done.station_clock, done.citizen_clock) == (ClockEffect.WHOLE_LIMIT, ClockEffect.SAME_START)
    station = next(each for each in why.dues if each.clock is DueClock.STATION)
    assert station.due.start == LATE
    assert station.agrees


def test_an_entry_of_the_earlier_release_is_reclassified_too() -> None:
    """It has neither a revision nor a start in its due date."""
    [old] = [replace_due(event) for event in opened]
    [fact] = given(old).when(reclassify())
    assert fact.due.at > GARBAGE_DUE


def replace_due(event: Any) -> Any:
    due = event.due.model_copy(update={"start": None, "limit": None, "calendar": None, "hours_of": None})
    return event.model_copy(update={"due": due, "acceptance": None, "revision": None})

"""What an operator is told of a consumer, and that it is forgotten when it is over."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from services.chassis import settle as settle_module
from services.chassis.clock_guard import BOUND, ClockGuard
from services.chassis.decider import Decider
from services.chassis.settle import Settler
from services.chassis.troubles import OFTEN, REMEMBERED, SLOW_SECONDS, Troubles
from tests.chassis.world import Reminded, Summed, Total, World, add, decide, evolve

NOW = datetime(2026, 4, 15, 1, tzinfo=UTC)


class Clock:
    def __init__(self):
        self.wall, self.steady = NOW, 1_000.0

    def passes(self, seconds):
        self.wall += timedelta(seconds=seconds)
        self.steady += seconds


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def guard(clock):
    made = ClockGuard(lambda: clock.wall, lambda: clock.steady)
    made.heard(NOW.isoformat(), clock.steady)
    return made


@pytest.mark.case("A15")
def test_a_message_that_is_given_back_often_is_told_until_it_is_answered():
    troubles = Troubles("intake")
    for deliveries in range(1, OFTEN):
        troubles.given_back("INTAKE_CMD", 7, "cmd.x", deliveries, "KeyError")
    assert troubles.redelivery is None
    troubles.given_back("INTAKE_CMD", 7, "cmd.x", OFTEN, "KeyError")
    assert f"1 messages were given back, up to {OFTEN} times" in troubles.redelivery
    assert [(each.sequence, each.fault) for each in troubles.messages] == [(7, "KeyError")]
    troubles.over("INTAKE_CMD", 7)
    assert (troubles.redelivery, troubles.messages) == (None, [])


@pytest.mark.case("A2")
def test_a_slow_decision_is_told_for_a_while(clock):
    troubles = Troubles("ledger", lambda: clock.steady)
    troubles.decided("Open", SLOW_SECONDS / 2)
    assert troubles.slow is None
    troubles.decided("Open", 175.0)
    assert troubles.slow == "Open took 175.0 s to decide"
    clock.passes(REMEMBERED + 1)
    assert troubles.slow is None


@pytest.mark.case("A2")
def test_every_decision_is_measured(monkeypatch):
    ticks = iter(range(0, 1_000, 3))
    monkeypatch.setattr(settle_module, "perf_counter", lambda: next(ticks))
    told, world = [], World()
    decider = Decider(decide, evolve, Total(), (Total,), (Summed, Reminded), wake_at=lambda s: s.remind_at)
    settler = Settler(decider, world, world.tell, decided=lambda name, took: told.append((name, took)))
    asyncio.run(settler.settle([add("m1", "a", 1), add("m2", "b", 1), add("m1", "a", 1)]))
    assert told == [("Add", 3), ("Add", 3)]


@pytest.mark.case("B15")
@pytest.mark.parametrize("wrong", [timedelta(days=90), timedelta(days=-90), BOUND + timedelta(seconds=1)])
def test_a_clock_that_leaps_or_departs_is_told_until_it_agrees_again(clock, guard, wrong):
    assert guard.trouble is None
    clock.passes(30)
    assert guard.trouble is None
    clock.wall += wrong
    assert "the broker's" in guard.trouble
    clock.passes(10)
    guard.heard((clock.wall - wrong).isoformat(), clock.steady)
    assert "nothing is woken" in guard.trouble
    clock.wall -= wrong
    assert guard.trouble is None


@pytest.mark.case("B15")
def test_a_clock_that_was_never_compared_wakes_nothing(clock):
    guard = ClockGuard(lambda: clock.wall, lambda: clock.steady)
    assert guard.trouble == "not compared with the broker's yet"
    guard.heard(None, clock.steady)
    guard.heard(NOW.isoformat(), clock.steady - 60)  # an answer that took a minute says nothing
    assert guard.departure is None

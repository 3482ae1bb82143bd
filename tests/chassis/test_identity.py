"""A command is who sent it, from which source, under which id: nothing else is a copy of it."""

import asyncio
import json
from datetime import timedelta
from itertools import permutations

import pytest

from duban_contracts.charter import Role
from duban_contracts.identity import Cause, cause_of, digest_of, identity, reuse
from duban_contracts.message import CATALOGUE, CommandRefused, Refusal
from duban_contracts.queries import WhatBecameOf
from duban_contracts.readers import Reader
from services.chassis import settle as settle_module
from services.chassis.decider import Asked, Decider
from services.chassis.documents import Answer, Change, Event, Snapshot
from services.chassis.queries import what_became_of
from services.chassis.settle import Item, Settler
from services.chassis.snapshots import Snapshots
from tests.chassis.world import START, Add, Reminded, Summed, Total, World, decide, evolve


class Refused(CommandRefused, service="test", message_name="test_refused"):
    pass


del CATALOGUE[Refused.type]


def evolved(state, event):
    return state if isinstance(event, Refused) else evolve(state, event)


DECIDER = Decider(
    decide,
    evolved,
    Total(),
    (Total,),
    (Summed, Reminded, Refused),
    Refused,
    wake_at=lambda s: s.remind_at,
)


class Town(World):
    def settler(self):
        return Settler(DECIDER, self, self.tell)

    @property
    def facts(self):
        return [(event.type.split(".")[2], json.loads(event.data)) for event in self.told.values()]


def command(id_="1", amount=1, actor="station", source="/station", minute=0):
    now = START + timedelta(minutes=minute)
    asked = Asked(now, actor, "a", "add")
    digest = digest_of("test.add", str(amount).encode())
    return Item(identity(actor, source, id_), "a", Add(amount, now), now, asked=asked, digest=digest)


def run(town, *batches):
    town.run([list(batch) for batch in batches])
    return town


def sums(town):
    return sorted(fact["total"] for name, fact in town.facts if name == "test_summed")


def refusals(town):
    return [fact["reason"] for name, fact in town.facts if name == "test_refused"]


@pytest.mark.case("A3", "B7")
@pytest.mark.parametrize("batches", [1, 2])
@pytest.mark.parametrize("other", [{"source": "/office"}, {"actor": "office"}, {"id_": "2"}])
def test_another_source_actor_or_id_is_another_command(other, batches):
    both = [command(), command(**other)]
    town = run(Town(), *([both] if batches == 1 else [[each] for each in both]))
    assert (sums(town), refusals(town)) == ([1, 2], [])


@pytest.mark.case("A3")
@pytest.mark.parametrize("batches", [1, 2])
def test_a_copy_is_not_decided_again_whatever_time_it_carries(batches):
    both = [command(), command(minute=5)]
    town = run(Town(), *([both] if batches == 1 else [[each] for each in both]))
    assert (sums(town), refusals(town)) == ([1], [])


@pytest.mark.case("A3")
@pytest.mark.parametrize("batches", [1, 2])
def test_one_identity_for_two_commands_is_refused_and_told_once(batches):
    first, second = command(), command(amount=5, minute=1)
    town = run(Town(), *([[first, second]] if batches == 1 else [[first], [second]]), [second], [first])
    assert (sums(town), refusals(town)) == ([1], [Refusal.ID_REUSED])
    assert len(town.answered) == 2


@pytest.mark.case("A3")
def test_the_sender_is_shown_the_answer_to_the_first_and_the_refusal_of_the_second():
    first, second = command(), command(amount=5)
    town, reader = run(Town(), [first], [second]), Reader("station", Role.STATION)

    def answer(digest):
        asked = WhatBecameOf(asked=(("a", "1"),), source="/station", digest=digest)
        [given] = asyncio.run(what_became_of(town, reader, asked)).answers
        return given.message, given.digest, given.facts[0].type

    assert answer(None) == ("1", first.digest, Summed.type)
    assert answer(second.digest) == ("1", second.digest, Refused.type)


@pytest.mark.case("A3")
def test_an_identity_in_the_archive_is_still_known(monkeypatch):
    monkeypatch.setattr(settle_module, "KEEP", 2)
    town = run(Town(), *([command(str(n))] for n in range(12)))
    assert town.archive
    run(town, [command("0")], [command("0", amount=7)])
    assert (max(sums(town)), refusals(town)) == (12, [Refusal.ID_REUSED])


@pytest.mark.case("A3", "B7")
def test_a_repeat_in_other_words_is_still_a_copy():
    spelt = [b'{"a": 1, "b": "\\u7532"}', '{"b":"甲","a":1}'.encode(), b' {"b" : "\\u7532" , "a":1 }\n']
    assert len({digest_of("t", body) for body in spelt}) == 1
    assert digest_of("t", b'{"a": 2}') != digest_of("t", b'{"a": 1}') != digest_of("u", b'{"a": 1}')
    assert digest_of("t", b'{"a": ' + b"9" * 5_000 + b"}")


def test_no_two_identities_are_written_alike():
    parts = [("a", "b", "c"), ("a", "b/c", ""), ("a b", "c", "d"), *permutations(("x", "y", "z"))]
    assert len({identity(*each) for each in parts}) == len(set(parts))
    assert cause_of(identity("office", "/desk", "7")) == Cause("7", "/desk", "office")
    assert cause_of(reuse(identity("office", "/desk", "7"), "d")) == Cause("7", "/desk", "office")
    assert cause_of("0123456789abcdef") == Cause("0123456789abcdef")


async def of_the_earlier_release(town, *events, to="1"):
    """A document that knows a command by its bare id."""
    state = Snapshots(DECIDER).freeze(Total(1))
    change = Change(
        "a",
        0,
        Snapshot(state.shape, state.kind, state.state),
        None,
        None,
        None,
        (Answer(to, to, events=events),),
    )
    assert not await town.save([change])
    return town


SUMMED = Event(Summed.type, "-", "2024-04-15T01:00:00Z", '{"at":"2024-04-15T01:00:00Z","total":1}')


@pytest.mark.case("A3", "B7")
def test_a_command_that_the_earlier_release_answered_is_still_a_copy():
    town = asyncio.run(of_the_earlier_release(Town(), SUMMED))
    run(town, [command()])
    assert (sums(town), town.documents["a"].version) == ([1], 1)


@pytest.mark.case("A3", "B7")
@pytest.mark.parametrize("events", [(SUMMED,), ()])
def test_nobody_is_suppressed_by_an_id_of_the_earlier_release(events):
    town = asyncio.run(of_the_earlier_release(Town(), *events))
    run(town, [command(minute=1)])
    assert 2 in sums(town)


@pytest.mark.case("B7")
def test_the_id_of_a_fact_suppresses_no_command():
    fact = Item("0123456789abcdef", "a", Add(1, START), START)
    town = run(Town(), [fact], [command("0123456789abcdef", minute=1)])
    assert sums(town) == [1, 2]

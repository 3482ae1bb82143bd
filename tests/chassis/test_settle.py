"""Whatever dies, wherever it dies: what is stored is told, and is decided once."""

import asyncio
import json
from datetime import timedelta

import hypothesis.strategies as st
import pytest
from hypothesis import given as for_all

from services.chassis import settle as settle_module
from services.chassis.decider import Decider, StuckError, Wake
from services.chassis.settle import Item, Settler, wake_id
from tests.chassis.world import START, Add, Died, Reminded, Summed, Total, World, add, decide, evolve, total

STORY = [
    add("m1", "a", 5),
    add("m2", "a", 0),
    add("m3", "b", 7, minute=1),
    add("m4", "a", 2, minute=2),
    add("m5", "a", 1, minute=90),
]
BATCHES = [STORY[:3], STORY[3:]]
LATER = START + timedelta(hours=9)
CALM = World().run(BATCHES, until=LATER)


def totals(world):
    return sorted((e.type.split(".")[2], json.loads(e.data)["total"], e.time) for e in world.told.values())


def test_each_key_keeps_its_own_account_and_is_woken_when_it_is_due():
    assert totals(CALM) == [
        ("test_reminded", 7, "2024-04-15T02:01:00Z"),
        ("test_reminded", 7, "2024-04-15T02:02:00Z"),
        ("test_reminded", 8, "2024-04-15T03:30:00Z"),
        ("test_summed", 5, "2024-04-15T01:00:00Z"),
        ("test_summed", 7, "2024-04-15T01:01:00Z"),
        ("test_summed", 7, "2024-04-15T01:02:00Z"),
        ("test_summed", 8, "2024-04-15T02:30:00Z"),
    ]


@pytest.mark.parametrize("dies_at", range(1, CALM.steps + 1))
def test_a_death_at_any_outside_step_changes_nothing_in_the_end(dies_at):
    world = World(dies_at).run(BATCHES, until=LATER)
    assert world.told == world.stored
    assert totals(world) == totals(CALM)
    assert sorted(world.answered) == sorted(CALM.answered)


@for_all(
    st.lists(st.lists(st.sampled_from(STORY), min_size=1, max_size=4), max_size=6),
    st.integers(0, 80),
    st.booleans(),
)
def test_copies_disorder_and_a_death_never_part_the_stored_from_the_told(batches, dies_at, poll):
    world = World(dies_at).run(batches, until=LATER if poll else None)
    assert world.told == world.stored
    answered = [to for to in world.answered if not to.startswith("wake:")]
    assert sorted(answered) == sorted({item.id for batch in batches for item in batch})


@for_all(st.lists(st.sampled_from(STORY), max_size=6, unique=True), st.lists(st.integers(0, 600), max_size=5))
def test_the_outcome_never_depends_on_when_a_poller_ran(items, polls):
    items = sorted(items, key=lambda item: item.now)
    lazy = World().run([[item] for item in items], until=LATER)
    eager = World()
    for item in items:
        for minute in sorted(polls):
            if START + timedelta(minutes=minute) < item.now:
                eager._survive(lambda minute=minute: eager.poll(START + timedelta(minutes=minute)))
        eager.run([[item]])
    eager._survive(lambda: eager.poll(LATER))
    assert totals(eager) == totals(lazy)


def test_what_fell_due_before_a_message_is_decided_before_it():
    world = World().run([[add("m1", "a", 5)], [add("m2", "a", 1, minute=61)]])
    kinds = [event.type.split(".")[2] for event in world.told.values()]
    assert kinds == ["test_summed", "test_reminded", "test_summed"]


def test_a_copy_is_told_again_with_the_same_ids_and_not_decided_again():
    world = World().run([[add("m1", "a", 5)], [add("m1", "a", 5)]])
    assert (len(world.told), world.tellings) == (1, 2)
    assert world.documents["a"].version == 1


def test_a_copy_of_an_answer_that_moved_to_the_archive_is_still_a_copy(monkeypatch):
    monkeypatch.setattr(settle_module, "KEEP", 3)
    messages = [add(f"m{n}", "a", 1) for n in range(20)]
    world = World().run([[message] for message in messages])
    assert len(world.documents["a"].answered) <= 6
    world.run([[messages[0]], [messages[-1]]])
    assert max(json.loads(event.data)["total"] for event in world.told.values()) == 20
    assert sorted(world.answered) == sorted(item.id for item in messages)


CROWD = [[add(f"m{n}", "a", 1) for n in range(6)], [add(f"m{n}", "a", 1) for n in range(6, 12)]]


@pytest.mark.parametrize("dies_at", range(1, 80))
def test_a_death_while_answers_move_to_the_archive_leaves_no_answer_that_was_never_folded(
    monkeypatch, dies_at
):
    monkeypatch.setattr(settle_module, "KEEP", 2)
    world = World(dies_at).run(CROWD)
    assert world.told == world.stored
    state = json.loads(world.documents["a"].snapshot.state)
    assert state["total"] == 12


def test_a_writer_who_was_slower_is_told_so_and_nothing_of_his_is_told():
    class Slow(World):
        async def save(self, changes):
            await fast.deliver([add("fast", "a", 1)])
            return await super().save(changes)

    world, fast = Slow(), World()
    fast.documents = world.documents
    settled = asyncio.run(world.settler().settle([add("slow", "a", 5), add("other", "b", 2)]))
    assert settled.conflicts == {"a"}
    assert {event.data for event in world.told.values()} == {'{"at":"2024-04-15T01:00:00Z","total":2}'}


def test_a_decider_that_raises_spoils_its_own_key_only():
    def broken(command, state):
        if isinstance(command, Add) and command.amount == 13:
            raise ZeroDivisionError
        return decide(command, state)

    world = World()
    decider = Decider(broken, evolve, Total(), (Total,), (Summed, Reminded), wake_at=lambda s: s.remind_at)
    settled = asyncio.run(Settler(decider, world, world.tell).settle([add("m1", "a", 13), add("m2", "b", 1)]))
    assert list(settled.failures) == ["a"]
    assert list(world.documents) == ["b"]


def test_a_decider_that_is_woken_and_changes_nothing_is_a_bug_not_a_busy_loop():
    stuck = Decider(lambda *_: [], evolve, Total(1, START), (Total,), (), wake_at=lambda s: s.remind_at)
    with pytest.raises(StuckError):
        stuck.up_to(START, stuck.initial_state)


def test_a_wake_that_was_stored_and_not_told_is_told_even_if_a_message_came_between():
    world = World()
    world.run([[add("m1", "a", 5)]])
    later = START + timedelta(hours=2)

    async def die_while_telling():
        async def nobody_hears(_):
            raise Died

        [(key, at)] = await world.due(later, 10)
        await Settler(total, world, nobody_hears).settle([Item(wake_id(key, at), key, Wake(later), later)])

    with pytest.raises(Died):
        asyncio.run(die_while_telling())
    world.run([[add("m2", "a", 1, minute=120)]], until=START + timedelta(hours=2))
    assert world.told == world.stored
    assert [event.type.split(".")[2] for event in world.told.values()].count("test_reminded") == 1


def test_a_wake_that_was_told_and_not_shown_is_shown_after_all():
    world = World().run([[add("m1", "a", 5)]])
    later, shown = START + timedelta(hours=2), {}

    async def die_while_showing(_):
        raise Died

    async def show(states):
        shown.update(states)

    async def wake(showing):
        [(key, at)] = await world.due(later, 10)
        settler = Settler(total, world, world.tell, show=showing)
        await settler.settle([Item(wake_id(key, at), key, Wake(later), later)])

    with pytest.raises(Died):
        asyncio.run(wake(die_while_showing))
    asyncio.run(wake(show))
    assert shown["a"] == (2, Total(5, None))


def test_a_state_written_by_older_code_is_folded_anew_from_what_was_told():
    world = World().run([[add("m1", "a", 5)], [add("m2", "a", 2)]])
    document = world.documents["a"]
    old = document.snapshot.__class__("another shape", "Gone", "{}")
    world.documents["a"] = document._replace(snapshot=old)
    world.run([[add("m3", "a", 1)]])
    assert json.loads(list(world.told.values())[-1].data)["total"] == 8


def test_who_was_woken_at_an_instant_and_wants_to_be_woken_at_it_again_is_not_taken_for_a_copy():
    """A replica under the old charter answered the wake with nothing; under the new one there is a fact."""
    world = World().run([[add("m1", "a", 5)]])
    at = START + timedelta(hours=1)
    deaf = Decider(decide, evolve, Total(), (Total,), (Summed, Reminded))
    wake = [Item(wake_id("a", at), "a", Wake(at), at)]
    asyncio.run(Settler(deaf, world, world.tell).settle(wake))
    assert world.documents["a"].wake_at is None
    world.documents["a"] = world.documents["a"]._replace(wake_at=at)
    world.run([], until=at)
    assert [event.type.split(".")[2] for event in world.told.values()] == ["test_summed", "test_reminded"]
    assert world.told == world.stored
    first = wake_id("a", at)
    assert world.documents["a"].answered == ("m1", first, f"{first}:2"), "a name of its own, by the version"


def twice_at_one_instant(dies_at=0):
    """A message that is believed about its own time makes the key want to be woken at that instant again."""
    at = START + timedelta(hours=1)
    world = World(dies_at).run([[add("m1", "a", 5)]], until=at)
    return world.run([[add("m2", "a", 1)]], until=at)


@pytest.mark.parametrize("dies_at", range(1, twice_at_one_instant().steps + 1))
def test_a_wake_that_comes_twice_at_one_instant_is_told_twice_whoever_died_meanwhile(dies_at):
    world = twice_at_one_instant(dies_at)
    assert world.told == world.stored
    assert totals(world) == totals(twice_at_one_instant())

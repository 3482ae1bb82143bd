"""What every service can be asked: what became of messages, and all that ever happened to a key."""

import json

from services.chassis import settle as settle_module
from services.chassis.decider import KEPT
from services.chassis.documents import Answer, Change, Event, Snapshot
from services.chassis.memory import MemoryDocuments
from services.chassis.queries import HistoryOf, WhatBecameOf, history_of, what_became_of
from services.chassis.settle import Settler
from tests.chassis.world import World, add, total


async def nobody_listens(_tellings):
    pass


async def test_only_what_was_answered_is_in_the_answer():
    world = World()
    await world.deliver([add("m1", "a", 5), add("m2", "b", 1)])
    asked = WhatBecameOf(asked=(("a", "m1"), ("a", "m2"), ("b", "m2"), ("nobody", "m1")))
    given = (await what_became_of(world, asked)).answers
    assert [(answer.key, answer.message) for answer in given] == [("a", "m1"), ("b", "m2")]
    assert json.loads(given[0].facts[0].data)["total"] == 5


async def test_an_answer_in_the_archive_is_found_and_the_history_is_whole(monkeypatch):
    monkeypatch.setattr(settle_module, "KEEP", 2)
    documents = MemoryDocuments()
    for n in range(12):
        await Settler(total, documents, nobody_listens).settle([add(f"m{n}", "a", 1)])
    assert len(documents.answers["a"]) < 12
    given = await what_became_of(documents, WhatBecameOf(asked=(("a", "m0"),)))
    assert json.loads(given.answers[0].facts[0].data)["total"] == 1
    history = await history_of(documents, HistoryOf(key="a"))
    assert [answer.message for answer in history.answers] == [f"m{n}" for n in range(12)]


async def test_what_is_kept_is_shown_to_nobody():
    documents = MemoryDocuments()
    events = (Event(f"{KEPT}Person", "-", "t", '{"name": "nobody"}'), Event("duban.x.y.v1", "-", "t", "{}"))
    answer = Answer("m1", "m1", None, None, events)
    await documents.save([Change("a", 0, Snapshot("s", "k", "{}"), None, False, None, (answer,))])
    [given] = (await what_became_of(documents, WhatBecameOf(asked=(("a", "m1"),)))).answers
    [remembered] = (await history_of(documents, HistoryOf(key="a"))).answers
    assert [fact.type for fact in given.facts] == [fact.type for fact in remembered.facts] == ["duban.x.y.v1"]

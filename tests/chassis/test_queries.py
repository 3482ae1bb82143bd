"""What every service can be asked: what became of messages, and all that ever happened to a key."""

import json

import pytest
from pydantic import ValidationError

from services.chassis import queries as queries_module
from services.chassis import settle as settle_module
from services.chassis.decider import KEPT
from services.chassis.documents import Answer, Change, Event, Snapshot
from services.chassis.memory import MemoryDocuments
from services.chassis.queries import (
    HistoryOf,
    Nothing,
    WhatBecameOf,
    bookmark,
    faults,
    fitting,
    history_of,
    what_became_of,
)
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


async def test_answers_that_do_not_fit_together_are_had_by_asking_again(monkeypatch):
    monkeypatch.setattr(queries_module, "MOST_BYTES", 500)
    world = World()
    await world.deliver([add(f"m{n}", "a", 1) for n in range(12)])
    missing, times = {f"m{n}" for n in range(12)}, 0
    while missing:
        asked = WhatBecameOf(asked=tuple(("a", message) for message in sorted(missing)))
        given = await what_became_of(world, asked)
        assert given.answers
        missing -= {answer.message for answer in given.answers}
        times += 1
    assert times > 2


async def test_a_history_that_is_too_long_for_one_answer_goes_on_and_nothing_of_it_is_lost(monkeypatch):
    monkeypatch.setattr(queries_module, "MOST_BYTES", 500)
    documents = MemoryDocuments()
    for n in range(12):
        await Settler(total, documents, nobody_listens).settle([add(f"m{n}", "a", 1)])
    pages = [await history_of(documents, HistoryOf(key="a"))]
    while mark := pages[-1].next:
        pages.append(await history_of(documents, HistoryOf(key="a", after=mark)))
    assert len(pages) > 2
    assert [answer.message for page in pages for answer in page.answers] == [f"m{n}" for n in range(12)]


@pytest.mark.parametrize("mark", ["nonsense", "¾", bookmark("soon"), bookmark("-1")])
async def test_a_place_in_a_history_that_was_never_given_is_refused(mark):
    with pytest.raises(ValueError, match="of an earlier page"):
        await history_of(MemoryDocuments(), HistoryOf(key="a", after=mark))


def test_one_piece_goes_out_however_large_it_is(monkeypatch):
    monkeypatch.setattr(queries_module, "MOST_BYTES", 30)
    large, small = HistoryOf(key="k" * 100), HistoryOf(key="k")
    assert fitting([large, small]) == [large]
    assert fitting([small, large]) == [small]
    assert fitting([]) == []


@pytest.mark.parametrize("question", [HistoryOf, WhatBecameOf, Nothing])
def test_a_question_with_a_field_that_nobody_knows_is_refused_and_told_which_ones_there_are(question):
    with pytest.raises(ValidationError) as refused:
        question.model_validate({"colour": "red"})
    known = ", ".join(question.model_fields) or "none"
    told = f"colour: there is no such field; this question knows {known}"
    assert told in faults(refused.value, question)


async def test_what_is_kept_is_shown_to_nobody():
    documents = MemoryDocuments()
    events = (Event(f"{KEPT}Person", "-", "t", '{"name": "nobody"}'), Event("duban.x.y.v1", "-", "t", "{}"))
    answer = Answer("m1", "m1", None, None, events)
    await documents.save([Change("a", 0, Snapshot("s", "k", "{}"), None, False, None, (answer,))])
    [given] = (await what_became_of(documents, WhatBecameOf(asked=(("a", "m1"),)))).answers
    [remembered] = (await history_of(documents, HistoryOf(key="a"))).answers
    assert [fact.type for fact in given.facts] == [fact.type for fact in remembered.facts] == ["duban.x.y.v1"]

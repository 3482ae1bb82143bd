"""What every service can be asked: what became of messages, and all that ever happened to a key."""

import json
from datetime import datetime

import pytest
from pydantic import ValidationError

from duban_contracts.charter import Role
from duban_contracts.identity import identity
from duban_contracts.ledger import EntryOverdue, LedgerCommandRefused
from duban_contracts.message import Refusal
from duban_contracts.queries import (
    AskCharter,
    Found,
    HistoryOf,
    Nothing,
    QueryFault,
    WhatBecameOf,
)
from duban_contracts.query_catalogue import CATALOGUE
from duban_contracts.readers import Program, Reader
from services.chassis import queries as queries_module
from services.chassis import settle as settle_module
from services.chassis.decider import KEPT, Audience
from services.chassis.documents import Answer, Change, Event, Snapshot
from services.chassis.memory import MemoryDocuments
from services.chassis.queries import (
    COULD_NOT,
    FORBIDDEN,
    MALFORMED,
    BadQuery,
    answer_for,
    as_reply,
    bookmark,
    faults,
    fitting,
    history_of,
    what_became_of,
)
from services.chassis.settle import Settler, as_event
from tests.chassis.world import World, add, total

SOMEBODY = Reader("office", Role.OFFICE)
AT = "2024-04-20T02:00:00Z"
STATION = Reader("qingjieban", Role.STATION)


async def nobody_listens(_tellings):
    pass


async def test_only_what_was_answered_is_in_the_answer():
    world = World()
    await world.deliver([add("m1", "a", 5), add("m2", "b", 1)])
    asked = WhatBecameOf(asked=(("a", "m1"), ("a", "m2"), ("b", "m2"), ("nobody", "m1")))
    given = (await what_became_of(world, SOMEBODY, asked)).answers
    assert [(answer.key, answer.message) for answer in given] == [("a", "m1"), ("b", "m2")]
    assert json.loads(given[0].facts[0].data)["total"] == 5


async def test_an_answer_in_the_archive_is_found_and_the_history_is_whole(monkeypatch):
    monkeypatch.setattr(settle_module, "KEEP", 2)
    documents = MemoryDocuments()
    for n in range(12):
        await Settler(total, documents, nobody_listens).settle([add(f"m{n}", "a", 1)])
    assert len(documents.answers["a"]) < 12
    given = await what_became_of(documents, SOMEBODY, WhatBecameOf(asked=(("a", "m0"),)))
    assert json.loads(given.answers[0].facts[0].data)["total"] == 1
    history = await history_of(documents, None, HistoryOf(key="a"))
    assert [answer.message for answer in history.answers] == [f"m{n}" for n in range(12)]


async def test_answers_that_do_not_fit_together_are_had_by_asking_again(monkeypatch):
    monkeypatch.setattr(queries_module, "MOST_BYTES", 500)
    world = World()
    await world.deliver([add(f"m{n}", "a", 1) for n in range(12)])
    missing, times = {f"m{n}" for n in range(12)}, 0
    while missing:
        asked = WhatBecameOf(asked=tuple(("a", message) for message in sorted(missing)))
        given = await what_became_of(world, SOMEBODY, asked)
        assert given.answers
        missing -= {answer.message for answer in given.answers}
        times += 1
    assert times > 2


async def test_a_history_that_is_too_long_for_one_answer_goes_on_and_nothing_of_it_is_lost(monkeypatch):
    monkeypatch.setattr(queries_module, "MOST_BYTES", 500)
    documents = MemoryDocuments()
    for n in range(12):
        await Settler(total, documents, nobody_listens).settle([add(f"m{n}", "a", 1)])
    pages = [await history_of(documents, None, HistoryOf(key="a"))]
    while mark := pages[-1].next:
        pages.append(await history_of(documents, None, HistoryOf(key="a", after=mark)))
    assert len(pages) > 2
    assert [answer.message for page in pages for answer in page.answers] == [f"m{n}" for n in range(12)]


@pytest.mark.parametrize("mark", ["nonsense", "¾", bookmark("soon"), bookmark("-1")])
async def test_a_place_in_a_history_that_was_never_given_is_refused(mark):
    with pytest.raises(ValueError, match="of an earlier page"):
        await history_of(MemoryDocuments(), None, HistoryOf(key="a", after=mark))


def test_one_piece_goes_out_however_large_it_is(monkeypatch):
    monkeypatch.setattr(queries_module, "MOST_BYTES", 30)
    large, small = HistoryOf(key="k" * 100), HistoryOf(key="k")
    assert fitting([large, small]) == [large]
    assert fitting([small, large]) == [small]
    assert fitting([]) == []


@pytest.mark.parametrize("question", [HistoryOf, WhatBecameOf, Nothing, AskCharter])
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
    [given] = (await what_became_of(documents, SOMEBODY, WhatBecameOf(asked=(("a", "m1"),)))).answers
    [remembered] = (await history_of(documents, None, HistoryOf(key="a"))).answers
    assert [fact.type for fact in given.facts] == [fact.type for fact in remembered.facts] == ["duban.x.y.v1"]


def drawn(station: str) -> Event:
    """An unannounced inspection of `station`."""
    data = {
        "at": "2024-04-20T02:00:00Z",
        "station": station,
        "campaign": "2024",
        "day": "2024-04-22",
        "seed": 7,
    }
    return Event("duban.supervision.inspection_drawn.v1", station, data["at"], json.dumps(data))


def found(station: str, ground: str = "lagging") -> Event:
    finding = {"at": AT, "station": station, "finding": "f", "ground": ground, "text": "t"}
    return Event("duban.supervision.finding_recorded.v1", station, AT, json.dumps(finding))


async def stored(*answers: Answer) -> MemoryDocuments:
    documents = MemoryDocuments()
    await documents.save([Change("a", 0, Snapshot("s", "k", "{}"), None, None, None, answers)])
    return documents


@pytest.mark.case("B4")
async def test_answers_are_given_to_the_sender_of_the_command_only() -> None:
    documents = await stored(Answer(identity("office", "/desk", "m1"), "m1", events=(found("qingjieban"),)))
    asked = WhatBecameOf(asked=(("a", "m1"),), source="/desk")
    [given] = (await what_became_of(documents, SOMEBODY, asked)).answers
    assert (given.message, given.source, given.actor) == ("m1", "/desk", "office")
    elsewhere = WhatBecameOf(asked=(("a", "m1"),), source="/other")
    assert (await what_became_of(documents, SOMEBODY, elsewhere)).answers == ()
    for other in (STATION, Reader("discipline", Role.DISCIPLINE)):
        assert (await what_became_of(documents, other, asked)).answers == ()


@pytest.mark.case("B4")
@pytest.mark.parametrize("reader", [STATION, Reader("nobody-known", Program.ADMIN)])
async def test_who_was_refused_is_not_shown_what_had_fallen_due_of_a_conduct_matter(reader: Reader) -> None:
    moment = datetime.fromisoformat(AT)
    secret = as_event(
        EntryOverdue.model_construct(at=moment, station="jiwei", entry="2024-000001"),
        Audience(restricted=True),
    )
    refused = as_event(
        LedgerCommandRefused(
            at=moment,
            station=reader.actor,
            key="a",
            command="accept",
            actor=reader.actor,
            reason=Refusal.NO_SUCH_ENTRY,
        )
    )
    documents = await stored(Answer(identity(reader.actor, "/a", "m1"), "m1", events=(secret, refused)))
    [given] = (
        await what_became_of(documents, reader, WhatBecameOf(asked=(("a", "m1"),), source="/a"))
    ).answers
    assert [fact.type for fact in given.facts] == [refused.type]


@pytest.mark.case("B4")
async def test_of_an_answer_without_a_known_sender_only_visible_facts_are_given() -> None:
    events = (found("qingjieban"), found("bianmin"), found("qingjieban", "integrity"), drawn("qingjieban"))
    documents = await stored(Answer("m1", "m1", events=events))
    [given] = (await what_became_of(documents, STATION, WhatBecameOf(asked=(("a", "m1"),)))).answers
    assert [fact.data for fact in given.facts] == [events[0].data]
    [given] = (await what_became_of(documents, SOMEBODY, WhatBecameOf(asked=(("a", "m1"),)))).answers
    assert len(given.facts) == 4


@pytest.mark.case("B4")
async def test_a_history_holds_what_the_reader_may_see() -> None:
    secret = Answer("m1", "m1", events=(drawn("qingjieban"), drawn("bianmin")))
    documents = await stored(secret, Answer("m2", "m2", events=(found("qingjieban"),)))

    async def seen(reader: Reader) -> list[str]:
        told = await history_of(documents, reader, HistoryOf(key="a"))
        return [fact.type for answer in told.answers for fact in answer.facts]

    assert await seen(STATION) == await seen(Reader("leader", Role.LEADER)) == [found("").type]
    assert len(await seen(SOMEBODY)) == 3
    assert await seen(Reader("bianmin", Role.STATION)) == await seen(Reader("admin", Program.ADMIN)) == []


def reader_of(actor: str) -> Reader | None:
    return {"qingjieban": STATION, "office": SOMEBODY}.get(actor)


async def shown(_: Reader, __: object) -> Found:
    return Found(entry="2024-000001")


@pytest.mark.case("B4")
@pytest.mark.parametrize(
    ("asker", "code", "sentence"),
    [
        ("qingjieban", FORBIDDEN, "'qingjieban' may not ask query.ledger.hot_list.v1; these may: discipline"),
        ("stranger", FORBIDDEN, "the charter knows no actor 'stranger'"),
        ("office", MALFORMED, "colour: there is no such field"),
    ],
)
async def test_a_question_that_is_not_answered_is_refused_in_words(
    asker: str, code: int, sentence: str
) -> None:
    contract = CATALOGUE["query.ledger.hot_list.v1"]
    fault = await answer_for(asker, b'{"colour": "red"}', contract, shown, reader_of)
    assert isinstance(fault, QueryFault)
    assert fault.code == code
    assert sentence in fault.error
    _, headers = as_reply(fault)
    assert (headers or {})["Nats-Service-Error-Code"] == str(code)
    assert await answer_for("office", b"", contract, shown, reader_of) == Found(entry="2024-000001")


@pytest.mark.case("B9")
async def test_a_failure_is_told_in_words_that_name_no_exception() -> None:
    async def fails(_: Reader, __: object) -> Found:
        raise RuntimeError("dup key: 张三 13800000000")

    fault = await answer_for("office", b"", CATALOGUE["query.ledger.hot_list.v1"], fails, reader_of)
    assert isinstance(fault, QueryFault)
    assert fault.error == COULD_NOT


@pytest.mark.case("B5")
async def test_a_history_with_facts_larger_than_a_message_can_be_read_whole(monkeypatch):
    monkeypatch.setattr(queries_module, "MOST_BYTES", 3_000)
    bodies = [json.dumps({"text": text * 2_000}, ensure_ascii=False) for text in ("a", '"', "字")]
    events = tuple(Event("duban.x.y.v1", "-", AT, body) for body in bodies)
    documents = await stored(Answer("m1", "m1", events=events), Answer("m2", "m2", events=events[:1]))
    page = await history_of(documents, None, HistoryOf(key="a"))
    pieces = list(page.answers)
    while page.next:
        assert len(page.model_dump_json().encode()) < 2 * 3_000
        page = await history_of(documents, None, HistoryOf(key="a", after=page.next))
        pieces += page.answers
    whole, begun = [], ""
    for fact in (fact for answer in pieces for fact in answer.facts):
        begun += fact.data
        if not fact.continues:
            whole, begun = [*whole, begun], ""
    assert whole == [*bodies, bodies[0]]


@pytest.mark.parametrize("mark", ["1.x", "1.2.3", ".", "٣", "9" * 20, "1.-2"])
async def test_a_place_within_an_answer_that_was_never_given_is_refused(mark):
    with pytest.raises(ValueError, match="of an earlier page"):
        await history_of(MemoryDocuments(), None, HistoryOf(key="a", after=bookmark(mark)))


@pytest.mark.case("C2")
async def test_an_answer_is_found_by_identity_under_whatever_key_it_was_filed() -> None:
    mine = identity("office", "/desk", "m1")
    documents = await stored(Answer(mine, "m1", events=(found("qingjieban"),)))
    asked = WhatBecameOf(asked=(("qingjieban-2024-1", "m1"), ("a", "m1")), source="/desk")
    [given] = (await what_became_of(documents, SOMEBODY, asked)).answers
    assert given.key == "a"
    await documents.note_keys([(mine, "a")])
    both = (await what_became_of(documents, SOMEBODY, asked)).answers
    assert [each.message for each in both] == ["m1", "m1"]
    assert (await what_became_of(documents, STATION, asked)).answers == ()


@pytest.mark.case("C2")
async def test_an_archived_answer_under_another_key_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settle_module, "KEEP", 2)
    documents = MemoryDocuments()
    name = identity("office", "/desk", "m0")
    for n in range(12):
        await Settler(total, documents, nobody_listens).settle([add(name if n == 0 else f"m{n}", "a", 1)])
    assert (("a", name)) in documents.archive
    await documents.note_keys([(name, "a")])
    asked = WhatBecameOf(asked=(("other", "m0"),), source="/desk")
    [given] = (await what_became_of(documents, SOMEBODY, asked)).answers
    assert (given.key, given.message) == ("a", "m0")


async def test_a_question_without_source_that_finds_nothing_is_refused_in_words() -> None:
    with pytest.raises(BadQuery, match="source: missing"):
        await what_became_of(await stored(), SOMEBODY, WhatBecameOf(asked=(("a", "m1"),)))

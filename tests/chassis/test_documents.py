"""What every store of documents must do: the same tests, over memory and over a real mongod."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from services.chassis.documents import Answer, Change, Document, Event, Snapshot
from services.chassis.memory import MemoryDocuments
from services.chassis.mongo import MongoDocuments, connect

NOW = datetime(2024, 4, 15, 1, tzinfo=UTC)
STATE = Snapshot("shape", "Open", '{"n":1}')


def answer(to, *events):
    return Answer(
        to, f"correlation of {to}", 7, None, tuple(Event("duban.x.y.v1", "-", "t", e) for e in events)
    )


def change(key, version, *answers, spilled=(), archived=0, kept=100, wake_at=None, owes=None):
    return Change(key, version, STATE, wake_at, owes, {"n": 1}, answers, spilled, archived, kept)


@pytest.fixture(params=["memory", "mongo"])
async def documents(request):
    if request.param == "memory":
        yield MemoryDocuments()
        return
    client = connect(request.getfixturevalue("mongo").url)
    made = MongoDocuments(client[f"test_{uuid4().hex}"], "keys", indexes=[[("n", 1)]])
    await made.prepare()
    yield made
    client.close()


async def test_a_key_that_never_was_is_absent(documents):
    assert await documents.load(["a"]) == {}
    assert await documents.history("a") == []


async def test_what_was_saved_comes_back_whole_and_in_order(documents):
    first, second = answer("m1", "one", "two"), answer("m2")
    assert await documents.save([change("a", 0, first, wake_at=NOW), change("b", 0, second)]) == set()
    assert await documents.save([change("a", 1, answer("m3", "three"), wake_at=NOW)]) == set()
    found = await documents.load(["a", "b", "c"])
    assert found["b"] == Document("b", 1, STATE, None, None, 0, ("m2",))
    assert found["a"].answered == ("m1", "m3")
    held = await documents.held([("a", "m1"), ("a", "m3"), ("b", "m2"), ("b", "m1"), ("c", "m1")])
    assert held == {("a", "m1"): first, ("a", "m3"): answer("m3", "three"), ("b", "m2"): second}
    assert (found["a"].version, found["a"].wake_at) == (2, NOW)


@pytest.mark.parametrize("version", [0, 2, 7])
async def test_a_writer_who_read_another_version_is_refused_and_his_neighbours_are_not(documents, version):
    await documents.save([change("a", 0, answer("m1"))])
    conflicts = await documents.save([change("a", version, answer("late")), change("b", 0, answer("fine"))])
    assert conflicts == {"a"}
    found = await documents.load(["a", "b"])
    assert found["a"].answered == ("m1",)
    assert found["b"].answered == ("fine",)


async def test_of_many_writers_at_once_one_wins(documents):
    outcomes = await asyncio.gather(*(documents.save([change("a", 0, answer(f"m{n}"))]) for n in range(30)))
    assert sorted(map(len, outcomes)) == [0] + [1] * 29
    assert len((await documents.load(["a"]))["a"].answered) == 1


async def test_answers_that_leave_the_document_are_found_in_the_archive(documents):
    answers = [answer(f"m{n}", str(n)) for n in range(6)]
    await documents.save([change("a", 0, *answers[:4])])
    await documents.save([change("a", 1, *answers[4:], spilled=("m0", "m1", "m2"), kept=3)])
    document = (await documents.load(["a"]))["a"]
    assert (document.answered, document.archived) == (("m3", "m4", "m5"), 3)
    found = await documents.older([("a", "m1"), ("a", "m4"), ("b", "m1")])
    assert found == {("a", "m1"): answers[1]}
    assert await documents.history("a") == answers


async def test_what_is_due_is_found_oldest_first_and_no_more_than_asked_for(documents):
    times = {"later": 2, "first": 0, "second": 1, "tomorrow": 24}
    await documents.save(
        [change(k, 0, answer("m"), wake_at=NOW + timedelta(hours=h)) for k, h in times.items()]
    )
    await documents.save([change("never", 0, answer("m"))])
    due = await documents.due(NOW + timedelta(hours=2), 10)
    assert [key for key, _ in due] == ["first", "second", "later"]
    assert due[0] == ("first", NOW)
    assert len(await documents.due(NOW + timedelta(days=9), 2)) == 2


async def test_a_wake_is_acknowledged_only_at_the_version_that_was_told(documents):
    await documents.save([change(key, 0, answer("m"), wake_at=NOW, owes="wake") for key in "ab"])
    await documents.rest([("a", 1, NOW + timedelta(hours=1)), ("b", 9, None)])
    found = await documents.load(["a", "b"])
    assert (found["a"].wake_at, found["a"].owes_wake) == (NOW + timedelta(hours=1), None)
    assert (found["b"].wake_at, found["b"].owes_wake) == (NOW, "wake")


def counted_under(revision, key="a", is_open=True, wake_at=None, owes=None):
    row = {"open": is_open, "revision": revision}
    return Change(key, 0, STATE, wake_at, owes, row, (answer("m"),), (), 0, 100)


async def test_what_is_open_and_was_counted_under_an_older_revision_is_woken_once(documents):
    later = NOW + timedelta(days=1)
    await documents.save(
        [
            counted_under(7, "asleep"),
            counted_under(7, "woken later", wake_at=later),
            counted_under(7, "woken sooner", wake_at=NOW - timedelta(days=1)),
            counted_under(7, "owes a wake", wake_at=later, owes="wake"),
            counted_under(8, "counted already", wake_at=later),
            counted_under(7, "closed", is_open=False),
            counted_under(None, "before any charter"),
        ]
    )
    assert await documents.recall(8, NOW) == 2
    woken = {key: document.wake_at for key, document in (await documents.load(ALL)).items()}
    assert woken == {
        "asleep": NOW,
        "woken later": NOW,
        "woken sooner": NOW - timedelta(days=1),
        "owes a wake": later,
        "counted already": later,
        "closed": None,
        "before any charter": None,
    }
    assert await documents.recall(8, NOW) == 0


ALL = (
    "asleep",
    "woken later",
    "woken sooner",
    "owes a wake",
    "counted already",
    "closed",
    "before any charter",
)


async def test_who_is_recalled_can_still_be_written_at_the_version_it_had(documents):
    await documents.save([counted_under(7)])
    await documents.recall(8, NOW)
    assert await documents.save([change("a", 1, answer("m2"))]) == set()


@pytest.mark.case("C2")
async def test_keys_noted_for_a_command_are_found_by_its_identity(documents):
    await documents.note_keys([("a\n/s\n1", "bianmin"), ("a\n/s\n2", "qingjieban")])
    await documents.note_keys([("a\n/s\n1", "bianmin")])
    assert await documents.noted_keys(["a\n/s\n1", "a\n/s\n3"]) == {"a\n/s\n1": ("bianmin",)}

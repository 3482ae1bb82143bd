"""Facts reach the event stream once, in order, many with one sync, whatever the broker knows already."""

import json

import pytest

from duban_contracts.envelope import decode
from duban_contracts.ledger import EntryAccepted
from services.chassis import telling as telling_module
from services.chassis.decider import KEPT
from services.chassis.documents import Answer, Event
from services.chassis.settle import Telling
from services.chassis.telling import NatsTeller, event_id
from tests.chassis.broker import broker, client, stored

__all__ = ["broker", "client"]
STREAM = "LEDGER_EVT"


@pytest.fixture
def tell(client):
    return NatsTeller(client, "duban/ledger")


def accepted(entry):
    body = {"at": "2024-04-15T01:00:00Z", "station": "bianmin", "entry": entry}
    return Event(EntryAccepted.type, "bianmin", "2024-04-15T01:00:00Z", json.dumps(body))


def answered(to, *entries, fresh=True):
    events = tuple(map(accepted, entries))
    return Telling("key", Answer(to, f"correlation of {to}", 7, "00-1-2-01", events), fresh)


def entries(msgs):
    return [json.loads(msg.data)["entry"] for msg in msgs]


async def test_a_fact_is_told_under_an_id_that_follows_from_what_it_answers(client, tell):
    await tell([answered("m1", "2024-000001")])
    [msg] = await stored(client, STREAM)
    about = decode(msg.subject, msg.headers, msg.data).attributes
    assert msg.subject == "evt.ledger.entry_accepted.v1.bianmin"
    assert about.id == msg.headers["Nats-Msg-Id"] == event_id("m1", "key", 0)
    assert (about.causation, about.correlation, about.revision) == ("m1", "correlation of m1", 7)
    assert (about.key, about.traceparent) == ("key", "00-1-2-01")
    assert about.time.isoformat() == "2024-04-15T01:00:00+00:00"


async def test_the_facts_of_a_batch_are_told_whole_and_in_order(client, tell):
    await tell([answered("m1", "a", "b"), answered("m2", "c")])
    msgs = await stored(client, STREAM)
    assert entries(msgs) == ["a", "b", "c"]
    assert len({msg.headers["Nats-Batch-Id"] for msg in msgs}) == 1


async def test_a_batch_of_which_the_broker_knows_one_already_is_told_all_the_same(client, tell):
    await tell([answered("m1", "a")])
    await tell([answered("m1", "a"), answered("m2", "b"), answered("m3", "c")])
    assert sorted(entries(await stored(client, STREAM))) == ["a", "b", "c"]


async def test_copies_are_told_again_and_the_broker_drops_what_it_knows(client, tell):
    await tell([answered("m1", "a", "b")])
    await tell([answered("m1", "a", "b", fresh=False), answered("m2", "c", fresh=False)])
    assert entries(await stored(client, STREAM)) == ["a", "b", "c"]


async def test_more_facts_than_fit_one_atomic_batch_are_told_in_several(client, tell, monkeypatch):
    monkeypatch.setattr(telling_module, "BATCH", 3)
    names = [f"{n}" for n in range(8)]
    await tell([answered("m1", *names)])
    msgs = await stored(client, STREAM)
    assert entries(msgs) == names
    assert len({msg.headers.get("Nats-Batch-Id") for msg in msgs}) == 3


async def test_kept_facts_are_never_told_and_the_others_keep_their_ids(client, tell):
    kept = Event(f"{KEPT}Person", "-", "2024-04-15T01:00:00Z", '{"name": "nobody"}')
    await tell([Telling("key", Answer("m1", "c", None, None, (kept, accepted("a"))), True)])
    [msg] = await stored(client, STREAM)
    assert msg.headers["ce-id"] == event_id("m1", "key", 1)


async def test_nothing_to_tell_asks_nothing_of_the_broker(client, tell):
    await tell([])
    await tell([answered("m1")])
    assert await stored(client, STREAM) == []

"""What becomes of a message between the broker and its acknowledgement: each of the three outcomes."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from time import monotonic

import pytest

from duban_contracts.charter import Role
from duban_contracts.escalation import AcknowledgeOrder
from duban_contracts.intake import SubmitMatter
from duban_contracts.ledger import Accept
from duban_contracts.queries import WhatBecameOf
from duban_contracts.readers import Reader
from duban_contracts.supervision import StartCampaign
from duban_contracts.time import SupervisionPassTime
from services.chassis.consumer import TRIES, Consumer
from services.chassis.dead_letters import DeadLetters
from services.chassis.documents import Change, Snapshot
from services.chassis.memory import MemoryDocuments
from services.chassis.queries import what_became_of
from services.console.client import Duban, Order
from services.console.demo.play import ACTOR, with_timelapse
from services.escalation.app import SERVICE as ESCALATION
from services.intake.app import SERVICE as INTAKE
from services.ledger.app import SERVICE as LEDGER
from services.supervision.app import SERVICE as SUPERVISION
from tests.chassis.broker import broker, client, waiting

__all__ = ["broker", "client"]
BEGIN = datetime(2024, 4, 15, 1, tzinfo=UTC)


@pytest.fixture
def charter(township):
    """The township's, with an end to its campaign and an actor who is believed about times."""
    campaign = township.campaign.model_copy(update={"ends": date(2024, 7, 15)})
    return with_timelapse(township.model_copy(update={"campaign": campaign}))


def matter(key):
    return Order(SubmitMatter(title="村口垃圾没有清运", category="garbage"), key, "gateway")


def consumer(service, client, charter, documents=None, tell=None):
    async def nobody_listens(_tellings):
        pass

    letters = DeadLetters(client, service.name, service.part_of, 100)
    return Consumer(service, documents or MemoryDocuments(), tell or nobody_listens, letters, lambda: charter)


async def left(client, stream, name):
    """How many messages the broker still holds for the consumer, in work or waiting."""
    info = await client.jetstream().consumer_info(stream, name)
    return (info.num_pending or 0) + (info.num_ack_pending or 0)


async def test_what_is_stored_and_told_is_acknowledged(client, charter):
    told = []

    async def tell(tellings):
        told.extend(tellings)
        assert await left(client, "INTAKE_CMD", "intake") == 3  # nothing is acknowledged before it is told

    await Duban(client, "test").send_all([matter(f"test:{n}") for n in range(3)])
    msgs = await waiting(client, "INTAKE_CMD", "intake", 3)
    await consumer(INTAKE, client, charter, tell=tell).process(msgs)
    assert len(told) == 3
    await client.flush()
    async with asyncio.timeout(10):
        while await left(client, "INTAKE_CMD", "intake"):
            pass


@pytest.mark.case("C2")
async def test_a_command_answered_under_another_key_is_found_by_its_id(client, charter):
    documents = MemoryDocuments()
    order = Order(AcknowledgeOrder(order="bianmin-2024-1"), "bianmin-2024-1", "bianmin")
    await Duban(client, "/test").send(order)
    msgs = await waiting(client, "ESCALATION_CMD", "escalation", 1)
    await consumer(ESCALATION, client, charter, documents).process(msgs)
    assert documents.noted == {order.identity("/test"): ("bianmin",)}
    asked = WhatBecameOf(asked=((order.key, order.id),), source="/test")
    [given] = (await what_became_of(documents, Reader("bianmin", Role.STATION), asked)).answers
    assert (given.key, given.message) == ("bianmin", order.id)


async def test_the_next_batch_does_not_overtake_one_that_has_something_to_give_back(client, charter):
    told = []

    def submit_matter(heard, charter):
        if heard.data.title == "spoilt":
            raise RuntimeError("a handler with a bug")
        return INTAKE.handlers[SubmitMatter](heard, charter)

    async def tell(tellings):
        told.extend(telling.key for telling in tellings)

    service = replace(INTAKE, handlers={**INTAKE.handlers, SubmitMatter: submit_matter})
    spoilt = Order(SubmitMatter(title="spoilt", category="garbage"), "test:spoilt", "gateway")
    await Duban(client, "test").send_all([spoilt, matter("test:1"), matter("test:2")])
    msgs = await waiting(client, "INTAKE_CMD", "intake", 3)
    consuming = consumer(service, client, charter, tell=tell)
    await asyncio.gather(consuming.process(msgs[:2]), consuming.process(msgs[2:]))
    assert told == ["test:1", "test:2"]
    assert [msg.metadata.num_delivered for msg in await waiting(client, "INTAKE_CMD", "intake", 1)] == [2]


async def test_what_is_open_is_recalled_after_what_was_decided_under_the_old_revision(client, charter):
    order, saving, may_save = [], asyncio.Event(), asyncio.Event()

    class Slow(MemoryDocuments):
        async def save(self, changes):
            saving.set()
            await may_save.wait()
            order.append("saved")
            return await super().save(changes)

        async def recall(self, revision, at):
            order.append("recalled")
            return await super().recall(revision, at)

    await Duban(client, "test").send(Order(Accept(), "2024-000001", "bianmin"))
    msgs = await waiting(client, "LEDGER_CMD", "ledger", 1)
    published = charter.model_copy(update={"revision": 2, "published_at": BEGIN})
    consuming = consumer(LEDGER, client, published, Slow())
    batch = asyncio.create_task(consuming.process(msgs))
    await saving.wait()
    wake = asyncio.create_task(consuming.wake(BEGIN))
    await asyncio.sleep(0)
    may_save.set()
    await asyncio.gather(batch, wake)
    assert order == ["saved", "recalled"]


async def test_where_no_letter_can_be_kept_poison_comes_again_and_its_neighbours_are_answered(
    client, charter
):
    jetstream = client.jetstream()
    dead = (await jetstream.stream_info("DEAD")).config
    await jetstream.update_stream(dead.evolve(max_bytes=1))
    await jetstream.publish("cmd.intake.submit_matter.v1.gateway", b"poison")
    await Duban(client, "test").send(matter("test:neighbour"))
    documents = MemoryDocuments()
    service = consumer(INTAKE, client, charter, documents)
    await service.process(await waiting(client, "INTAKE_CMD", "intake", 2))
    assert list(documents.documents) == ["test:neighbour"]
    await jetstream.update_stream(dead.evolve(max_bytes=-1))
    [again] = await waiting(client, "INTAKE_CMD", "intake", 1)
    await service.process([again])
    assert (again.data, (await jetstream.stream_info("DEAD")).state.messages) == (b"poison", 1)


async def test_what_fails_comes_again_each_time_later(client, charter):
    async def nobody_is_there(_tellings):
        raise ConnectionError("the broker does not take it")

    await Duban(client, "test").send(matter("test:again"))
    failing, deliveries = consumer(INTAKE, client, charter, tell=nobody_is_there), []
    for number in (1, 2, 3):
        [msg] = await waiting(client, "INTAKE_CMD", "intake", 1)
        deliveries.append(monotonic())
        assert msg.metadata.num_delivered == number
        with pytest.raises(ConnectionError):
            await failing.process([msg])
    first, second = (after - before for before, after in pairwise(deliveries))
    assert 0.4 < first < second
    assert second > 0.9


async def test_a_conflict_is_tried_again_three_times_and_then_goes_back_to_the_broker(client, charter):
    class Contested(MemoryDocuments):
        tries = 0

        async def save(self, changes):
            self.tries += 1
            return {change.key for change in changes}

    documents = Contested()
    await Duban(client, "test").send(matter("test:contested"))
    msgs = await waiting(client, "INTAKE_CMD", "intake", 1)
    await consumer(INTAKE, client, charter, documents).process(msgs)
    assert documents.tries == TRIES == 4
    assert await left(client, "INTAKE_CMD", "intake") == 1


async def test_a_conflict_that_passes_is_settled_at_once_and_its_neighbours_never_wait(client, charter):
    class OnceContested(MemoryDocuments):
        contested = False

        async def save(self, changes):
            if self.contested:
                return await super().save(changes)
            self.contested = True
            mine = [change for change in changes if change.key == "test:a"]
            return {"test:a"} | await super().save([c for c in changes if c not in mine])

    documents = OnceContested()
    await Duban(client, "test").send_all([matter("test:a"), matter("test:b")])
    msgs = await waiting(client, "INTAKE_CMD", "intake", 2)
    await consumer(INTAKE, client, charter, documents).process(msgs)
    assert sorted(documents.documents) == ["test:a", "test:b"]
    assert {document.version for document in documents.documents.values()} == {1}


async def test_time_that_is_told_to_pass_comes_after_what_was_told_before_it(client, charter):
    told = []

    async def tell(tellings):
        told.extend(event.type.split(".")[2] for each in tellings for event in each.answer.events)

    key = f"campaign/{charter.campaign.id}"
    after = BEGIN + timedelta(days=500)
    duban = Duban(client, "test")
    await duban.send(Order(StartCampaign(), key, ACTOR, at=BEGIN, acting_for="office"))
    await duban.send(Order(SupervisionPassTime(), "clock", ACTOR, at=after))
    msgs = await waiting(client, "SUPERVISION_CMD", "supervision", 2)
    await consumer(SUPERVISION, client, charter, tell=tell).process(msgs)
    assert told[0] == "campaign_started"
    assert told[-1] == "coverage_reported"


async def test_everything_that_fell_due_while_nobody_ran_is_caught_up_oldest_first(client, charter):
    told = []

    async def tell(tellings):
        told.extend(event.time for each in tellings for event in each.answer.events)

    service = consumer(SUPERVISION, client, charter, tell=tell)
    key = f"campaign/{charter.campaign.id}"
    await Duban(client, "test").send(Order(StartCampaign(), key, ACTOR, at=BEGIN, acting_for="office"))
    await service.process(await waiting(client, "SUPERVISION_CMD", "supervision", 1))
    told.clear()
    assert await service.wake(BEGIN + timedelta(days=500)) == 1
    assert told == sorted(told)
    assert told[-1] < (BEGIN + timedelta(days=499)).isoformat()
    assert await service.wake(BEGIN + timedelta(days=500)) == 0


async def test_keys_that_fail_keep_nobody_behind_them_waiting(client, charter, monkeypatch):
    documents, tried = MemoryDocuments(), []
    for n in range(5):
        change = Change(f"k{n}", 0, Snapshot("s", "k", "{}"), BEGIN + timedelta(minutes=n), None, None, ())
        await documents.save([change])
    service = consumer(SUPERVISION, client, charter, documents)

    async def settle(items):
        tried.extend(item.key for item in items)
        await documents.rest([(item.key, 1, None) for item in items if item.key > "k2"])
        return {item.key: ValueError() for item in items if item.key <= "k2"}

    monkeypatch.setattr(service, "_settle", settle)
    assert await service.wake(BEGIN + timedelta(hours=1), limit=2) == 2
    assert sorted(tried) == ["k0", "k1", "k2", "k3", "k4"]
    assert sorted(service.troubles.unwoken) == ["k0", "k1", "k2"]

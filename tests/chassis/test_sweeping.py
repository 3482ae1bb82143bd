"""Answered commands vanish from the broker, and nothing else does."""

import asyncio

import pytest
from nats.js.errors import NotFoundError

from duban_contracts.intake import SubmitMatter
from services.chassis.provision import provision
from services.chassis.sweeping import Sweeper
from services.console.client import Duban, Full, Order
from tests.chassis.broker import broker, client, stored, waiting

__all__ = ["broker", "client"]
STREAM, SERVICE = "INTAKE_CMD", "intake"


@pytest.fixture
async def msgs(client):
    """Five commands, delivered."""
    matter = SubmitMatter(title="村口垃圾没有清运", category="garbage")
    await Duban(client, "test").send_all([Order(matter, f"test:{n}", "gateway") for n in range(5)])
    return await waiting(client, STREAM, SERVICE, 5)


async def answered(sweeper, msg):
    await msg.ack_sync()
    sweeper.answered(msg.metadata.sequence.stream, msg.metadata.timestamp)


async def left(client):
    return [msg.seq for msg in await stored(client, STREAM)]


async def test_what_was_answered_is_gone_and_what_was_not_is_there(client, msgs):
    sweeper = Sweeper(client, SERVICE)
    await sweeper.sweep()
    assert await left(client) == [1, 2, 3, 4, 5]
    for msg in msgs[:3]:
        await answered(sweeper, msg)
    await sweeper.sweep()
    assert await left(client) == [4, 5]


async def test_what_another_replica_answered_is_swept_too(client, msgs):
    for msg in msgs:
        await msg.ack_sync()
    await Sweeper(client, SERVICE).sweep()
    assert (await client.jetstream().stream_info(STREAM)).state.messages == 0


async def test_a_message_that_cannot_be_answered_keeps_no_other_body_alive(client, msgs):
    """At the next sweep: the first one does not know yet whether it is only slow."""
    sweeper = Sweeper(client, SERVICE)
    for msg in (msgs[0], msgs[2], msgs[4]):
        await answered(sweeper, msg)
    await sweeper.sweep()
    assert (await client.jetstream().stream_info(STREAM)).state.messages == 4
    await sweeper.sweep()
    state = (await client.jetstream().stream_info(STREAM)).state
    assert (state.messages, state.first_seq, state.last_seq) == (2, 2, 5)
    assert [(await client.jetstream().get_msg(STREAM, seq)).seq for seq in (2, 4)] == [2, 4]


async def test_what_somebody_else_removed_meanwhile_is_no_trouble(client, msgs):
    sweeper = Sweeper(client, SERVICE)
    await answered(sweeper, msgs[1])
    await sweeper.sweep()
    await client.jetstream().delete_msg(STREAM, 2)
    await sweeper.sweep()
    assert (await client.jetstream().stream_info(STREAM)).state.messages == 4


async def test_what_another_replica_purged_meanwhile_is_no_trouble(client, msgs):
    sweeper = Sweeper(client, SERVICE)
    for msg in msgs[1:4]:
        await answered(sweeper, msg)
    await sweeper.sweep()
    consumer_info = sweeper._jetstream.consumer_info

    async def floor_before_the_other_one_purged(*place):
        info = await consumer_info(*place)
        await client.jetstream().purge_stream(STREAM, seq=4)
        return info

    sweeper._jetstream.consumer_info = floor_before_the_other_one_purged
    await sweeper.sweep()
    assert await left(client) == [5]


async def test_where_the_stream_was_made_anew_nothing_goes_for_the_sequence_of_an_old_command(client, msgs):
    sweeper = Sweeper(client, SERVICE)
    for msg in msgs:
        await answered(sweeper, msg)
    await client.jetstream().delete_stream(STREAM)
    await provision(client)
    sweeper.answered(3, msgs[2].metadata.timestamp)  # of the old stream, answered only now
    matter = SubmitMatter(title="村口垃圾没有清运", category="garbage")
    await Duban(client, "test").send_all([Order(matter, f"new:{n}", "gateway") for n in range(5)])
    for _ in range(3):
        await sweeper.sweep()
    assert await left(client) == [1, 2, 3, 4, 5]


async def test_a_stream_that_is_missing_is_an_error_and_made_anew_it_is_swept_again(client, msgs):
    sweeper = Sweeper(client, SERVICE)
    await client.jetstream().delete_stream(STREAM)
    with pytest.raises(NotFoundError):
        await sweeper.sweep()
    await provision(client)
    matter = SubmitMatter(title="村口垃圾没有清运", category="garbage")
    await Duban(client, "test").send(Order(matter, "new:1", "gateway"))
    [msg] = await waiting(client, STREAM, SERVICE, 1)
    await answered(sweeper, msg)
    await sweeper.sweep()
    assert await left(client) == []


@pytest.mark.case("B6", "B8")
async def test_who_sends_more_than_may_wait_is_told_and_goes_on_as_they_are_answered(client):
    """The client waits by itself; others have room meanwhile."""
    jetstream, sweeper = client.jetstream(timeout=10), Sweeper(client, SERVICE)
    commands = (await jetstream.stream_info(STREAM)).config
    await jetstream.update_stream(commands.evolve(max_msgs_per_subject=5))
    matter, duban = SubmitMatter(title="村口垃圾没有清运", category="garbage"), Duban(client, "test")
    orders = [Order(matter, f"test:{n}", "import") for n in range(20)]
    await duban.send_all(orders[:5])
    with pytest.raises(Full, match="import has as many unanswered") as full:
        await duban.send(orders[5], patience=0)
    assert full.value.code == "too_many_waiting"
    await duban.send(Order(matter, "test:other", "gateway"), patience=0)

    sending = asyncio.create_task(duban.send_all(orders[5:]))
    for _ in range(7):
        for msg in await waiting(client, STREAM, SERVICE, 3):
            await answered(sweeper, msg)
        await sweeper.sweep()
    await sending
    assert await left(client) == []


async def test_so_many_answered_are_swept_before_it_is_time(client, msgs, monkeypatch):
    monkeypatch.setattr("services.chassis.sweeping.MANY", 2)
    sweeper = Sweeper(client, SERVICE)
    await answered(sweeper, msgs[0])
    assert not sweeper.many.is_set()
    await answered(sweeper, msgs[1])
    assert sweeper.many.is_set()
    await sweeper.sweep()
    assert not sweeper.many.is_set()

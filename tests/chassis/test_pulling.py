"""Taking messages from a real broker: at once what waits, and again after whatever befell it."""

import asyncio
from time import monotonic

import pytest

from services.chassis.provision import provision
from services.chassis.pulling import ConsumerMissing, Puller
from services.console.embedded import embedded_nats
from tests.chassis.broker import broker, client, connected

__all__ = ["broker", "client"]
STREAM, CONSUMER = "INTAKE_CMD", "intake"
LONG = 30.0


async def publish(client, *bodies):
    jetstream = client.jetstream(timeout=10)
    for body in bodies:
        await jetstream.publish("cmd.intake.submit_matter.v1.gateway", body.encode())


async def taken(puller, count):
    """The bodies of that many messages, acknowledged; as many takes as it needs."""
    bodies = []
    async with asyncio.timeout(LONG):
        while len(bodies) < count:
            for msg in await puller.take(1.0):
                bodies.append(msg.data.decode())
                await msg.ack()
    return bodies


async def test_what_waits_is_taken_at_once_and_in_order(client):
    names = [f"{n}" for n in range(50)]
    await publish(client, *names)
    async with Puller(client, STREAM, CONSUMER, 500) as puller:
        started = monotonic()
        assert await taken(puller, 50) == names
        assert monotonic() - started < 2


async def test_what_comes_later_is_taken_when_it_comes(client):
    async with Puller(client, STREAM, CONSUMER, 500) as puller:
        assert await puller.take(0.05) == []
        waiting = asyncio.create_task(puller.take(LONG))
        await publish(client, "late")
        started = monotonic()
        assert [msg.data for msg in await waiting] == [b"late"]
        assert monotonic() - started < 2


async def test_no_batch_is_larger_than_asked_for_and_nothing_is_left_out(client):
    await publish(client, *(f"{n}" for n in range(25)))
    async with Puller(client, STREAM, CONSUMER, 10) as puller:
        sizes, seen = [], 0
        async with asyncio.timeout(LONG):
            while seen < 25:
                msgs = await puller.take(1.0)
                sizes.append(len(msgs))
                seen += len(msgs)
                for msg in msgs:
                    await msg.ack()
    assert max(sizes) <= 10


async def test_what_comes_while_a_batch_gathers_goes_with_it(client):
    await publish(client, "alone")
    async with Puller(client, STREAM, CONSUMER, 500, gathers=1.0) as puller:
        assert [msg.data for msg in await puller.take(LONG)] == [b"alone"]  # nothing came before: at once
        waiting = asyncio.create_task(puller.take(LONG))
        for name in ("first", "second", "third"):
            await publish(client, name)
        assert [msg.data for msg in await waiting] == [b"first", b"second", b"third"]


async def test_a_full_batch_has_nothing_to_wait_for(client):
    await publish(client, *(f"{n}" for n in range(6)))
    async with Puller(client, STREAM, CONSUMER, 3, gathers=10 * LONG) as puller, asyncio.timeout(LONG):
        while not await puller.take(1.0):
            pass


async def test_what_was_taken_ahead_and_not_worked_on_is_given_back_at_the_end(client):
    await publish(client, *(f"{n}" for n in range(6)))
    async with Puller(client, STREAM, CONSUMER, 3) as puller:
        async with asyncio.timeout(LONG):
            while not (first := await puller.take(1.0)):
                pass
            info = await client.jetstream().consumer_info(STREAM, CONSUMER)
            while (info.num_ack_pending or 0) <= len(first):  # the next ones are on their way already
                info = await client.jetstream().consumer_info(STREAM, CONSUMER)
        for msg in first:
            await msg.ack()
    async with Puller(client, STREAM, CONSUMER, 10) as other:
        started = monotonic()
        assert len(await taken(other, 6 - len(first))) == 6 - len(first)
        assert monotonic() - started < 10  # much sooner than the 30 seconds of an unacknowledged message


async def test_a_consumer_that_is_not_there_is_told_so_and_not_asked_in_a_busy_loop(client):
    async with Puller(client, STREAM, "nobody", 10) as puller:
        with pytest.raises(ConsumerMissing, match="nobody"):
            await puller.take(LONG)


async def test_a_consumer_that_is_deleted_meanwhile_is_told_so(client):
    async with Puller(client, STREAM, CONSUMER, 10) as puller:
        waiting = asyncio.create_task(puller.take(LONG))
        async with asyncio.timeout(LONG):
            while not (await client.jetstream().consumer_info(STREAM, CONSUMER)).num_waiting:
                pass
        await client.jetstream().delete_consumer(STREAM, CONSUMER)
        with pytest.raises(ConsumerMissing, match="deleted"):
            await waiting


async def test_a_request_that_is_lost_with_its_server_is_made_again():
    with embedded_nats() as server:
        again = asyncio.Event()
        client = await connected(server, again)
        await provision(client)
        async with Puller(client, STREAM, CONSUMER, 10) as puller:
            assert await puller.take(0.05) == []  # now a request is open
            server.kill()
            server.start()
            await asyncio.wait_for(again.wait(), LONG)
            await publish(client, "after the restart")
            assert await taken(puller, 1) == ["after the restart"]
        await client.close()

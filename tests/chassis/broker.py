"""A real nats-server of a test module's own, with streams and consumers as `provision` makes them."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence

import nats
import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import RawStreamMsg

from services.chassis import nats_client
from services.chassis.provision import provision
from services.console.embedded import NatsServer, embedded_nats


@pytest.fixture(scope="module")
def broker() -> Iterator[NatsServer]:
    with embedded_nats() as server:
        yield server


async def connected(server: NatsServer, again: asyncio.Event | None = None) -> Client:
    """`again` is set when the connection was lost and is back."""

    nats_client.survive_any_bytes()  # as every service and the command line do

    async def quietly(_: Exception) -> None:
        """A server that is killed in a test is no news."""

    async def reconnected() -> None:
        if again:
            again.set()

    return await nats.connect(
        server.url,
        max_reconnect_attempts=-1,
        reconnect_time_wait=0.2,
        error_cb=quietly,
        reconnected_cb=reconnected,
    )


@pytest.fixture
async def client(broker: NatsServer) -> AsyncIterator[Client]:
    """Provisioned anew for each test, so that the broker knows no ids of an earlier one."""
    client = await connected(broker)
    await provision(client)
    yield client
    jetstream = client.jetstream(timeout=10)
    for stream in await jetstream.streams_info():
        await jetstream.delete_stream(stream.config.name or "")
    await client.close()


async def waiting(client: Client, stream: str, consumer: str, count: int) -> Sequence[Msg]:
    """That many messages of a consumer, in order."""
    subscription = await client.jetstream(timeout=10).pull_subscribe_bind(consumer, stream)
    msgs: list[Msg] = []
    while len(msgs) < count:
        try:
            msgs += await subscription.fetch(count - len(msgs), timeout=5)
        except TimeoutError:
            raise AssertionError(f"{len(msgs)} of {count} came") from None
    await subscription.unsubscribe()
    return msgs


async def stored(client: Client, stream: str) -> list[RawStreamMsg]:
    """Everything in a stream, in order."""
    jetstream = client.jetstream(timeout=10)
    state = (await jetstream.stream_info(stream)).state
    if not state.messages:
        return []
    return [await jetstream.get_msg(stream, n) for n in range(state.first_seq, state.last_seq + 1)]

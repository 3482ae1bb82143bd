"""What a stream holds now, and every message after, in order, without gaps, through restarts of the broker.

For the demo only, which plays everybody at once on a server without credentials: it makes consumers, which
nobody but a service may on a guarded one. People follow facts by `console/following.py`.

Not the client's own means: its ordered consumer, before its first message, starts over at the beginning of
the stream when the broker restarts; and its watch of a bucket takes messages that are on their way for none,
so that a snapshot is empty now and then.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

RETRY_SECONDS = 1.0
SILENCE_SECONDS = 2.0
"""After so long without a message we look whether the broker still knows us."""

Troubled = Callable[[Exception], None]


class _Gap(NatsError):
    """A message was lost on the way."""


async def last_sequence(client: Client, stream: str) -> int:
    info = await client.jetstream(timeout=5).stream_info(stream)
    return info.state.last_seq


async def latest(client: Client, stream: str) -> list[Msg]:
    """The last message of each subject: as many as the broker says there are, however slowly they come."""
    subscription = await _subscribe(client.jetstream(timeout=5), stream, DeliverPolicy.LAST_PER_SUBJECT)
    try:
        info = await subscription.consumer_info()
        sent = info.delivered.consumer_seq if info.delivered else 0
        return [await subscription.next_msg(timeout=5) for _ in range(sent + (info.num_pending or 0))]
    finally:
        with suppress(NatsError, TimeoutError):
            await subscription.unsubscribe()


async def follow(client: Client, stream: str, after: int, troubled: Troubled) -> AsyncGenerator[Msg, None]:
    """Runs until cancelled. `troubled` is called for each try that failed."""
    while True:
        try:
            async for msg in _connected(client, stream, after):
                after = msg.metadata.sequence.stream
                yield msg
        except (NatsError, TimeoutError) as error:
            troubled(error)
            await asyncio.sleep(RETRY_SECONDS)


async def _connected(client: Client, stream: str, after: int) -> AsyncGenerator[Msg, None]:
    """Until something is amiss: then it raises, and one starts anew."""
    jetstream = client.jetstream(timeout=5)
    # A broker that lost its disk counts from one again.
    start = min(after, await last_sequence(client, stream)) + 1
    subscription = await _subscribe(jetstream, stream, DeliverPolicy.BY_START_SEQUENCE, start)
    expected = 1
    try:
        while True:
            msg = await _next(subscription)
            if msg is None:
                await subscription.consumer_info()
                continue
            if msg.metadata.sequence.consumer != expected:
                raise _Gap(f"message {expected} of the consumer is missing")
            expected += 1
            yield msg
    finally:
        with suppress(NatsError, TimeoutError):
            await subscription.unsubscribe()


async def _subscribe(
    jetstream: JetStreamContext, stream: str, policy: DeliverPolicy, start: int | None = None
) -> JetStreamContext.PushSubscription:
    config = ConsumerConfig(
        deliver_policy=policy,
        opt_start_seq=start,
        ack_policy=AckPolicy.NONE,
        mem_storage=True,
        inactive_threshold=30.0,
    )
    return await jetstream.subscribe(">", stream=stream, config=config)


async def _next(subscription: JetStreamContext.PushSubscription) -> Msg | None:
    try:
        return await subscription.next_msg(timeout=SILENCE_SECONDS)
    except TimeoutError:
        return None

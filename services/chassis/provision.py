"""The one step that creates and updates streams, consumers and buckets; services never do.

Idempotent: run it as often as you like, also over an older installation.
"""

from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DiscardPolicy,
    KeyValueConfig,
    RetentionPolicy,
    StorageType,
    StreamConfig,
)
from nats.js.errors import BadRequestError, NotFoundError

from duban_contracts.fields import MAX_COMMAND_BYTES
from duban_contracts.message import SERVICES
from duban_contracts.subjects import (
    CHARTER_BUCKET,
    DEAD_STREAM,
    FACTS,
    STANDINGS_BUCKET,
    command_stream,
    fact_stream,
)
from duban_contracts.topology import HEARS, streams_heard
from services.chassis.charter_bucket import CHARTER_HISTORY

MINUTE = 60.0
DAY = 24 * 60 * MINUTE
ACK_WAIT = 30.0
"""Seconds until a message that nobody acknowledged is delivered again."""
MAX_ACK_PENDING = 4_000
LARGEST_COMMAND = MAX_COMMAND_BYTES
"""Bytes, with headers: so that the largest fact of the largest command still fits into one message."""
STORE_GB = 8.0
"""Of a deployment by default: less than `max_file` of `deploy/nats/nats.conf`, for buckets and overhead."""
COMMANDS_SHARE, DEAD_SHARE = 0.25, 0.05
FACTS_SHARE = {"intake": 0.1, "ledger": 0.3, "rating": 0.1, "supervision": 0.05, "escalation": 0.15}
"""Of the store: commands wait a short while, facts stay for ever."""
SHORTEST_WINDOW = 0.1
"""The shortest duplicate window that the server allows: no id of a command may suppress another one. It
compares ids without regard to who sends; the services recognise copies themselves."""


class OldStream(Exception):
    """An older version made this stream as another kind, which the broker cannot turn into ours."""


async def provision(
    client: Client, replicas: int = 1, ack_wait: float = ACK_WAIT, store_bytes: int | None = None
) -> None:
    """`store_bytes` is divided among the streams; None: no stream has a limit but that of the server."""
    jetstream = client.jetstream(timeout=10)
    for config in _streams(replicas, store_bytes):
        await _stream(jetstream, config)
    for bucket, history in ((CHARTER_BUCKET, CHARTER_HISTORY), (STANDINGS_BUCKET, 1)):
        await _bucket(jetstream, KeyValueConfig(bucket, history=history, replicas=replicas))
    for consumer in HEARS:
        for stream, filters in streams_heard(consumer).items():
            await jetstream.add_consumer(stream, _consumer(consumer, filters, ack_wait))


def _share(store_bytes: int | None, share: float) -> int:
    return -1 if store_bytes is None else int(store_bytes * share)


def _streams(replicas: int, store_bytes: int | None) -> list[StreamConfig]:
    streams = [
        StreamConfig(
            name=DEAD_STREAM,
            subjects=["dead.>"],
            retention=RetentionPolicy.LIMITS,
            max_age=90 * DAY,
            max_bytes=_share(store_bytes, DEAD_SHARE),
            discard=DiscardPolicy.NEW,  # where there is no room, what cannot be read comes again
            storage=StorageType.FILE,
            num_replicas=replicas,
        )
    ]
    for service in SERVICES:
        # Commands vanish once they are answered: the service sweeps them (`sweeping.py`). No atomic batches
        # from outside: the server answers an unfinished one with an empty message.
        commands = StreamConfig(
            name=command_stream(service),
            subjects=[f"cmd.{service}.>"],
            max_msg_size=LARGEST_COMMAND,
            max_bytes=_share(store_bytes, COMMANDS_SHARE / len(SERVICES)),
            duplicate_window=SHORTEST_WINDOW,
            allow_atomic=False,
        )
        # Facts are kept, restricted ones too, and are told in atomic batches.
        facts = StreamConfig(
            name=fact_stream(service),
            subjects=[f"{kind}.{service}.>" for kind in FACTS],
            max_bytes=_share(store_bytes, FACTS_SHARE[service]),
            duplicate_window=10 * MINUTE,
            allow_atomic=True,
            allow_direct=True,  # pages of the past, for the question `facts`
        )
        streams += [
            config.evolve(
                retention=RetentionPolicy.LIMITS,
                # A full stream says so to the publisher; it never drops what was acknowledged.
                discard=DiscardPolicy.NEW,
                storage=StorageType.FILE,
                num_replicas=replicas,
            )
            for config in (commands, facts)
        ]
    return streams


def _consumer(name: str, filters: list[str], ack_wait: float) -> ConsumerConfig:
    return ConsumerConfig(
        durable_name=name,
        filter_subjects=filters,
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=ack_wait,
        max_deliver=-1,  # redelivery is what tells the rest after a death, so it has no end
        max_ack_pending=MAX_ACK_PENDING,
    )


async def _stream(jetstream: JetStreamContext, config: StreamConfig) -> None:
    try:
        await jetstream.add_stream(config)
    except BadRequestError:
        name = config.name or ""
        if (await jetstream.stream_info(name)).config.retention is not config.retention:
            raise OldStream(name) from None
        await jetstream.update_stream(config)


async def _bucket(jetstream: JetStreamContext, config: KeyValueConfig) -> None:
    try:
        await jetstream.key_value(config.bucket)
    except NotFoundError:
        await jetstream.create_key_value(config)

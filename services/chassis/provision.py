"""The one step that creates and updates streams, consumers and buckets; services never do.

Idempotent: run it as often as you like, also over an older installation. What differs from what we want is
updated; what the broker cannot update stays as it is, and is reported.
"""

from collections.abc import Awaitable
from dataclasses import fields, replace
from enum import Enum
from typing import Any, NamedTuple

from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DiscardPolicy,
    RetentionPolicy,
    StorageType,
    StoreCompression,
    StreamConfig,
)
from nats.js.errors import APIError, NotFoundError

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
MOST_WAITING = 4_000
"""Commands on one subject, that is of one kind by one actor, that a command stream holds: more are refused
until some are answered. So many at most stand before others' (ADR 0015); an import sends half of it ahead."""
SHORTEST_WINDOW = 0.1
"""The shortest duplicate window that the server allows: no id of a command may suppress another one. It
compares ids without regard to who sends; the services recognise copies themselves."""


BUCKET_HISTORY = {CHARTER_BUCKET: CHARTER_HISTORY, STANDINGS_BUCKET: 1}

SERVER_DEFAULTS: dict[str, Any] = {
    "retention": RetentionPolicy.LIMITS,
    "discard": DiscardPolicy.OLD,
    "storage": StorageType.FILE,
    "compression": StoreCompression.NONE,
    "max_consumers": -1,
    "max_msgs": -1,
    "max_bytes": -1,
    "max_msgs_per_subject": -1,
    "max_msg_size": -1,
    "max_age": 0,
    "duplicate_window": 120,
    "persist_mode": "default",
}
"""What nats-server stores for a setting that a request leaves out or gives as zero; for any other: none."""
NOT_COMPARED = {
    "name",
    "description",
    "metadata",
    "placement",
    "first_seq",
    "template_owner",
    "consumer_limits",
}
"""The server adds to some, and where copies are placed is for an administrator to choose."""
NOT_UPDATABLE = ("retention", "storage", "deny_delete", "deny_purge", "allow_msg_ttl", "persist_mode")
"""nats-server refuses to change these, in one direction at least. A stream that keeps them still works."""

WAITS = "max_msgs_per_subject"
"""Kept only while more commands wait than it would leave."""


class Kept(NamedTuple):
    """A setting of a stream that cannot be updated, or not yet, with which the stream goes on."""

    stream: str
    setting: str
    present: str
    wanted: str


class NotUpdatable(Exception):
    """The broker refuses what a stream or consumer needs; `reason` is in the broker's words."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name, self.reason = name, reason


class NoRoom(NotUpdatable):
    """The server may store less than what the streams shall hold together."""


NO_STORAGE = 10047
"""The server's number for storage that it may not give."""


async def provision(
    client: Client,
    replicas: int | None = None,
    ack_wait: float = ACK_WAIT,
    store_bytes: int | None = None,
) -> list[Kept]:
    """Returns what stays as an older installation made it. Raises NotUpdatable, or NoRoom.

    `replicas`: copies on a cluster; None leaves those of a stream that is there, and makes others with one.
    `store_bytes` is divided among the streams; None: no stream has a limit but that of the server.
    """
    jetstream = client.jetstream(timeout=10)
    kept: list[Kept] = []
    for config in [*_streams(store_bytes), *map(_bucket, BUCKET_HISTORY)]:
        kept += await _stream(jetstream, config, replicas)
    for consumer in HEARS:
        for stream, filters in streams_heard(consumer).items():
            try:
                await jetstream.add_consumer(stream, _consumer(consumer, filters, ack_wait))
            except APIError as refused:
                raise NotUpdatable(f"{stream}/{consumer}", _reason(refused)) from None
    return kept


def _share(store_bytes: int | None, share: float) -> int:
    return -1 if store_bytes is None else int(store_bytes * share)


def _streams(store_bytes: int | None) -> list[StreamConfig]:
    streams = [
        StreamConfig(
            name=DEAD_STREAM,
            subjects=["dead.>"],
            retention=RetentionPolicy.LIMITS,
            max_age=90 * DAY,
            max_bytes=_share(store_bytes, DEAD_SHARE),
            discard=DiscardPolicy.NEW,  # where there is no room, what cannot be read comes again
            storage=StorageType.FILE,
        )
    ]
    for service in SERVICES:
        # Commands vanish once they are answered: the service sweeps them (`sweeping.py`). No atomic batches
        # from outside: the server answers an unfinished one with an empty message.
        commands = StreamConfig(
            name=command_stream(service),
            subjects=[f"cmd.{service}.>"],
            max_msg_size=LARGEST_COMMAND,
            max_msgs_per_subject=MOST_WAITING,
            discard_new_per_subject=True,
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
            allow_direct=False,  # a direct get sends what is stored wherever `reply` says (`past_facts.py`)
        )
        streams += [
            config.evolve(
                retention=RetentionPolicy.LIMITS,
                # A full stream says so to the publisher; it never drops what was acknowledged.
                discard=DiscardPolicy.NEW,
                storage=StorageType.FILE,
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


def _bucket(bucket: str) -> StreamConfig:
    """The stream behind a key-value bucket, as nats-py makes it."""
    return StreamConfig(
        name=f"KV_{bucket}",
        subjects=[f"$KV.{bucket}.>"],
        max_msgs_per_subject=BUCKET_HISTORY[bucket],
        discard=DiscardPolicy.NEW,
        storage=StorageType.FILE,
        allow_rollup_hdrs=True,
        allow_msg_ttl=True,
        deny_delete=True,
    )


async def _stream(jetstream: JetStreamContext, wanted: StreamConfig, replicas: int | None) -> list[Kept]:
    name = wanted.name or ""
    try:
        present = (await jetstream.stream_info(name)).config
    except NotFoundError:
        await _refusable(name, jetstream.add_stream(replace(wanted, num_replicas=replicas or 1)))
        return []
    wanted = replace(wanted, num_replicas=replicas or present.num_replicas, placement=present.placement)
    kept: list[Kept] = []
    if (
        wanted.discard_new_per_subject
        and present.max_msgs_per_subject != wanted.max_msgs_per_subject
        and await _most_on_a_subject(jetstream, name) > MOST_WAITING // 2
    ):
        present_most, most = (_written(config, WAITS) for config in (present, wanted))
        kept.append(Kept(name, WAITS, present_most, most))
        wanted = replace(
            wanted,
            max_msgs_per_subject=present.max_msgs_per_subject,
            discard_new_per_subject=present.discard_new_per_subject,
        )
    differing = _differences(present, wanted)
    if not differing:
        return kept
    try:
        await jetstream.update_stream(wanted)
    except APIError:
        keeping = {setting: getattr(present, setting) for setting in NOT_UPDATABLE if setting in differing}
        await _refusable(name, jetstream.update_stream(replace(wanted, **keeping)))
        kept += [
            Kept(name, setting, _written(present, setting), _written(wanted, setting)) for setting in keeping
        ]
    return kept


async def _most_on_a_subject(jetstream: JetStreamContext, stream: str) -> int:
    """Where a subject holds more than a new limit, the server removes the oldest, acknowledged or not."""
    held = (await jetstream.stream_info(stream, subjects_filter=">")).state.subjects or {}
    return max(held.values(), default=0)


async def _refusable(name: str, request: Awaitable[object]) -> None:
    try:
        await request
    except APIError as refused:
        kind = NoRoom if refused.err_code == NO_STORAGE else NotUpdatable
        raise kind(name, _reason(refused)) from None


def _reason(refused: APIError) -> str:
    return refused.description or str(refused)


def _differences(present: StreamConfig, wanted: StreamConfig) -> list[str]:
    """Settings, whether we ask for them or leave them to the server: both are what we want."""
    compared = [field.name for field in fields(StreamConfig) if field.name not in NOT_COMPARED]
    return [name for name in compared if _valued(present, name) != _valued(wanted, name)]


def _valued(config: StreamConfig, setting: str) -> Any:
    return getattr(config, setting) or SERVER_DEFAULTS.get(setting)


def _written(config: StreamConfig, setting: str) -> str:
    value = _valued(config, setting)
    return str(value.value if isinstance(value, Enum) else value or False).lower()

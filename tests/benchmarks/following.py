"""Facts as they are told, with the moment at which the broker stored each."""

import json
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import DeliverPolicy

from duban_contracts.subjects import parse_subject


@dataclass(frozen=True)
class Told:
    name: str
    station: str
    answers: str
    """The id of the message that led to it."""
    at: float
    """Seconds since 1970, by the broker, which has our clock: it runs on this machine."""
    body: dict[str, Any]


@asynccontextmanager
async def following(
    client: Client, subjects: Iterable[tuple[str, str]], heard: Callable[[Told], None]
) -> AsyncIterator[None]:
    """From now on; `subjects` are (stream, subject filter), and each costs one subscription."""

    async def arrived(msg: Msg) -> None:
        heard(told(msg))

    jetstream = client.jetstream(timeout=10)
    async with AsyncExitStack() as stack:
        for stream, subject in subjects:
            subscription = await jetstream.subscribe(
                subject, stream=stream, ordered_consumer=True, deliver_policy=DeliverPolicy.NEW, cb=arrived
            )
            stack.push_async_callback(subscription.unsubscribe)
        yield


def told(msg: Msg) -> Told:
    subject, headers = parse_subject(msg.subject), msg.headers or {}
    return Told(
        subject.name,
        subject.last,
        headers.get("ce-causationid", ""),
        msg.metadata.timestamp.timestamp(),
        json.loads(msg.data),
    )

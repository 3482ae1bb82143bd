"""The question `facts`: what was stored after a place in the service's event stream, for whoever may hear it.

Read message by message; no consumer is made for anybody. Each page looks at a bounded number of messages, for
a bounded time.

Not by direct gets, which would be fewer requests: the broker answers them with the stored headers and body as
they are, wherever `reply` says, so that a service could send what it stored in anybody's name. The answer of
`STREAM.MSG.GET` is JSON without headers, which nobody takes for a command or a fact.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from time import monotonic

from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import RawStreamMsg, StreamInfo
from nats.js.errors import NotFoundError
from pydantic import ValidationError

from duban_contracts.message import CATALOGUE, Fact
from duban_contracts.queries import AskFacts, FactsPage, HeardFact
from duban_contracts.readers import INSPECTORS, Reader
from duban_contracts.subjects import NOBODY, fact_stream
from duban_contracts.visibility import is_restricted, may_see
from services.chassis.queries import MOST_BYTES, BadQuery
from services.chassis.telling import CHANNEL_HEADER, VISIBILITY_HEADER

LOOK = 1_000
"""Messages that one page looks at, at most."""
PATIENCE = 5.0
EVERYTHING = ">"
READ_BYTES = MOST_BYTES // 2
"""Of the messages of one page: with JSON around them they fit into one answer."""
LOOK_SECONDS = 1.0
"""After which a page ends with what it has: whoever asks waits for 5."""
AT_ONCE = 50
"""Messages that are asked for at the same time."""


async def page_of_facts(client: Client, service: str, reader: Reader, asked: AskFacts) -> FactsPage:
    """Raises what NATS raises."""
    stream = fact_stream(service)
    end = await _end(client, stream)
    if asked.after is None:
        return FactsPage(next=end)
    if asked.after > end:  # also where a broker lost its disk, and counts from one again
        raise BadQuery(
            f"`after` is {asked.after}, and the stream ends at {end}; use the `next` of a page of this "
            "service, or leave `after` out to learn where the stream ends now"
        )
    after = asked.after
    heard: list[HeardFact] = []
    looked, taken, ends_at = 0, 0, monotonic() + LOOK_SECONDS
    async for msg in _between(client, stream, after, end):
        taken += len(msg.data or b"") + len(msg.hdrs or "")
        enough = len(heard) == asked.limit or looked == LOOK or monotonic() > ends_at
        if looked and (enough or taken > READ_BYTES):
            return FactsPage(facts=tuple(heard), next=after, more=True)
        after, looked = msg.seq or after, looked + 1
        if may_hear(reader, service, msg):
            heard.append(_heard(msg))
    # Nothing more that this reader hears, up to the end as it was before the look.
    return FactsPage(facts=tuple(heard), next=max(after, end))


async def _end(client: Client, stream: str) -> int:
    info: StreamInfo = await client.jetstream(timeout=PATIENCE).stream_info(stream)
    return info.state.last_seq


async def _between(client: Client, stream: str, after: int, end: int) -> AsyncIterator[RawStreamMsg]:
    """What is stored after one sequence up to another, in order. Whom a fact reaches is not in its subject
    alone (a station may have brought a matter that another one handles), so every message is looked at."""
    jetstream = client.jetstream(timeout=PATIENCE)
    while after < end:
        at_once = min(AT_ONCE, end - after)
        wanted = (_next(jetstream, stream, after + 1 + n) for n in range(at_once))
        for msg in await asyncio.gather(*wanted):
            if msg is None:
                return
            if (msg.seq or 0) > after:  # two that were asked for may have the same message after them
                after = msg.seq or 0
                yield msg


async def _next(jetstream: JetStreamContext, stream: str, start: int) -> RawStreamMsg | None:
    """The first from that sequence on; None where there is none."""
    try:
        return await jetstream.get_msg(stream, seq=start, next=True, subject=EVERYTHING)
    except NotFoundError:
        return None


def may_hear(reader: Reader, service: str, msg: RawStreamMsg) -> bool:
    subject = msg.subject or ""
    kind, told_by, name, version, station = subject.split(".")
    if told_by != service:
        return False  # put there by a service that was taken over: `docs/decisions/0011-accounts-apart.md`
    if reader.role in INSPECTORS:
        return True
    headers: Mapping[str, str] = msg.headers or {}
    about = None if station == NOBODY else station
    told_open = headers.get(VISIBILITY_HEADER) == "open"
    restricted = kind == "restricted" or (
        not told_open and _was_restricted(service, name, version, msg.data or b"")
    )
    if not told_open and kind == "evt" and not (service == "escalation" or reader.handles(about)):
        return False  # an earlier release told facts about conduct matters like any other
    channel = headers.get(CHANNEL_HEADER)
    return may_see(reader, service, about, restricted=restricted, channel=channel)


def _was_restricted(service: str, name: str, version: str, data: bytes) -> bool:
    model = CATALOGUE.get(f"duban.{service}.{name}.{version}")
    if model is None or not issubclass(model, Fact):
        return True
    try:
        return is_restricted(model.model_validate_json(data))
    except ValidationError:
        return True  # whatever it says, nobody but an inspector has to look at it


def _heard(msg: RawStreamMsg) -> HeardFact:
    headers = {
        name: str(value)
        for name, value in (msg.headers or {}).items()
        if not name.lower().startswith("nats-")
    }
    return HeardFact(
        sequence=msg.seq or 0, subject=msg.subject or "", headers=headers, data=(msg.data or b"").decode()
    )

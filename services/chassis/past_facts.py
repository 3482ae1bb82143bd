"""The question `facts`: what was stored after a place in the service's event stream, for whoever may hear it.

Read by direct gets in batches, by the broker's index of subjects where a reader hears one subject only. No
consumer is made for anybody. Each page looks at a bounded number of messages.
"""

import asyncio
import json
from collections.abc import Mapping

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import StreamInfo
from pydantic import ValidationError

from duban_contracts.charter import Role
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
READ_BYTES = MOST_BYTES // 2
"""Of the messages of one batch: with JSON around them they fit into one answer."""


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
    looked = await _batch(client, stream, after + 1, _filter(service, reader), min(LOOK, 4 * asked.limit))
    heard: list[HeardFact] = []
    for msg in looked:
        sequence = int(_headers(msg)["Nats-Sequence"])
        if len(heard) == asked.limit:
            return FactsPage(facts=tuple(heard), next=after, more=True)
        after = sequence
        if _may_hear(reader, service, msg):
            heard.append(_heard(sequence, msg))
    if not looked:  # nothing more that this reader hears, up to the end as it was before the look
        return FactsPage(facts=(), next=max(after, end))
    return FactsPage(facts=tuple(heard), next=after, more=after < end)


async def _end(client: Client, stream: str) -> int:
    info: StreamInfo = await client.jetstream(timeout=PATIENCE).stream_info(stream)
    return info.state.last_seq


def _filter(service: str, reader: Reader) -> str:
    own = reader.role is Role.STATION and reader.station in (None, reader.actor)
    return f"evt.{service}.*.*.{reader.actor}" if own else ">"


async def _batch(client: Client, stream: str, start: int, subjects: str, most: int) -> list[Msg]:
    """Raises TimeoutError where the broker does not end it."""
    inbox = client.new_inbox()
    subscription = await client.subscribe(inbox)
    try:
        request = {"seq": start, "batch": most, "max_bytes": READ_BYTES, "next_by_subj": subjects}
        await client.publish(f"$JS.API.DIRECT.GET.{stream}", json.dumps(request).encode(), reply=inbox)
        found: list[Msg] = []
        async with asyncio.timeout(PATIENCE):
            while "Status" not in _headers(msg := await subscription.next_msg(timeout=PATIENCE)):
                found.append(msg)
        return found
    finally:
        await subscription.unsubscribe()


def _headers(msg: Msg) -> Mapping[str, str]:
    return msg.headers or {}


def _may_hear(reader: Reader, service: str, msg: Msg) -> bool:
    if reader.role in INSPECTORS:
        return True
    headers = _headers(msg)
    subject = headers["Nats-Subject"]
    kind, _, name, version, station = subject.split(".")
    about = None if station == NOBODY else station
    told_open = headers.get(VISIBILITY_HEADER) == "open"
    restricted = kind == "restricted" or (not told_open and _was_restricted(service, name, version, msg.data))
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


def _heard(sequence: int, msg: Msg) -> HeardFact:
    headers = {
        name: str(value) for name, value in _headers(msg).items() if not name.lower().startswith("nats-")
    }
    return HeardFact(
        sequence=sequence, subject=_headers(msg)["Nats-Subject"], headers=headers, data=msg.data.decode()
    )

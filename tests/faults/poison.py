"""Messages that nobody can read, each with a mark by which its dead letter is recognised."""

import asyncio
from collections.abc import Iterator
from random import Random

from nats.aio.client import Client

from duban_contracts.intake import SubmitMatter
from duban_contracts.ledger import EntryOverdue
from duban_contracts.message import SERVICES
from duban_contracts.subjects import DEAD_STREAM, subject_of
from services.console.client import Duban
from tests.faults.kept import FOREIGN, messages

MARK = "x-mark"
Poison = tuple[str, dict[str, str], bytes]


def poison(seed: int, count: int, random: Random) -> Iterator[Poison]:
    """Subject, headers and body; of every kind that could be thought of, for every service."""
    for n in range(count):
        mark = f"{FOREIGN}{seed}-{n}"
        service = SERVICES[n % len(SERVICES)]
        subject, headers, body = random.choice(list(_kinds(service, mark)))
        yield subject, {**headers, MARK: mark}, body


def _kinds(service: str, mark: str) -> Iterator[Poison]:
    submit = subject_of(SubmitMatter, "gateway")
    whole = {"ce-id": mark, "ce-source": "faults", "ce-type": SubmitMatter.type, "ce-subject": mark}
    yield submit, whole, b"\xff\xfe not even text"
    yield submit, whole, b'{"title": 7}'
    yield submit, {}, b"{}"
    yield submit, {**whole, "Status": "100"}, b""  # looks like the broker's own heartbeat
    yield submit, {**whole, "Status": "503"}, b""
    yield f"cmd.{service}.sing.v1.gateway", {**whole, "ce-type": f"duban.{service}.sing.v1"}, b"{}"
    yield f"cmd.{service}.nonsense", whole, b"[" * 10_000
    late = {**whole, "ce-type": EntryOverdue.type}
    yield subject_of(EntryOverdue, "bianmin"), late, b'{"at": "never"}'


async def publish(town: Duban, messages: list[Poison]) -> None:
    jetstream = town.client.jetstream(timeout=10)
    await asyncio.gather(*(jetstream.publish(subject, body, headers=h) for subject, h, body in messages))


async def buried(client: Client) -> set[str]:
    """The marks of all dead letters."""
    return {msg.headers[MARK] async for msg in messages(client, DEAD_STREAM) if MARK in (msg.headers or {})}

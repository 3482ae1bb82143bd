"""Whatever bytes a message has for its subject and its headers, the client goes on reading."""

import asyncio
from urllib.parse import urlsplit

import pytest

from duban_contracts.intake import SubmitMatter
from services.chassis import nats_client
from services.chassis.consumer import Consumer
from services.chassis.dead_letters import DeadLetters
from services.chassis.memory import MemoryDocuments
from services.console.client import Duban, Order
from services.intake.app import SERVICE as INTAKE
from tests.chassis.broker import broker, client, stored, waiting

__all__ = ["broker", "client"]
SUBJECT = b"cmd.intake.submit_matter.v1.gateway"
WEIRD = [
    (b"cmd.intake.\xff\xfe.v1.gateway", b""),
    (b"cmd.intake.submit_matter.v1.\xd6\xd0", b""),
    (SUBJECT, b"NATS/1.0"),
    (SUBJECT, b"NATS/1.0 \xff\xff\xff\r\n\r\n"),
    (SUBJECT, b"NATS/1.0 503 \xff\r\n\r\n"),
    (SUBJECT, b"NATS/1.0\r\nce-id: \xd6\xd0\r\n\xff: x\r\nce-source\r\n: \r\n\r\n"),
]


async def publish_raw(url, messages):
    """As a client of one's own making would: the server does not look at headers or into tokens."""
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    await reader.readline()
    writer.write(b'CONNECT {"verbose":false,"pedantic":false,"headers":true,"no_responders":true}\r\n')
    for subject, headers in messages:
        if headers:
            writer.write(b"HPUB %b %d %d\r\n%b\r\n" % (subject, len(headers), len(headers), headers))
        else:
            writer.write(b"PUB %b 0\r\n\r\n" % subject)
    writer.write(b"PING\r\n")
    async with asyncio.timeout(10):
        assert await reader.readline() == b"PONG\r\n"
    writer.close()


@pytest.mark.case("A1", "B6")
async def test_bytes_that_are_no_text_become_dead_letters_and_neighbours_go_on(broker, client, township):
    nats_client.survive_any_bytes()
    await publish_raw(broker.url, WEIRD)
    await Duban(client, "test").send(Order(SubmitMatter(title="t", category="garbage"), "test:1", "gateway"))
    documents = MemoryDocuments()

    async def tell(_tellings):
        pass

    letters = DeadLetters(client, "intake", "intake", 3)
    consumer = Consumer(INTAKE, documents, tell, letters, lambda: township)
    await consumer.process(await waiting(client, "INTAKE_CMD", "intake", len(WEIRD) + 1))
    assert list(documents.documents) == ["test:1"]
    assert len(await stored(client, "DEAD")) == len(WEIRD)
    assert not consumer.stopped

"""Whatever bytes a message has for its subject and its headers, the client goes on reading."""

import asyncio
from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from nats.aio.client import Client
from nats.js.api import Header

from duban_contracts.intake import SubmitMatter
from services.chassis import nats_client
from services.chassis.consumer import Consumer
from services.chassis.dead_letters import DeadLetters
from services.chassis.memory import MemoryDocuments
from services.console.client import Duban, Order
from services.intake.app import SERVICE as INTAKE
from tests.chassis.broker import broker, client, stored, waiting

__all__ = ["broker", "client"]
READ_BY_THE_CLIENT, SENT_BY_THE_CLIENT = nats_client._any_header_lines, nats_client._send_publish
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


LINES = st.lists(
    st.one_of(st.binary(max_size=12), st.sampled_from([b"ce-id", b": ", b":", b"\r\n", b"\t", b"\x1f", b"x"]))
)


@given(LINES.map(b"".join))
@example(b"ce-id: 4711\r\nce-source:/station\r\n\r\n")
@example(b"ce id: 1\r\nb\x1f:\x1f2\x1f\r\n: 3\r\nnone\r\n")
@example("ce-subject: 桥\r\n".encode())
def test_header_lines_are_read_as_the_client_reads_them(raw):
    assert nats_client._header_lines(raw) == READ_BY_THE_CLIENT(raw)


def sent(publish, headers):
    """The bytes that go out, or the error's name."""
    client, out = Client(), []

    async def send(command):
        out.append(bytes(command))

    client._send_command = send
    try:
        asyncio.run(publish(client, "evt.a", "reply", b"body", 4, headers))
    except Exception as error:
        return type(error).__name__
    return out, dict(client.stats)


NAMES = st.one_of(st.sampled_from(["ce-id", "Nats-Msg-Id", "traceparent"]), st.text(max_size=4))


@given(st.dictionaries(NAMES, st.text(max_size=8), max_size=4))
@example({"ce-id": " 4711 ", "ce-subject": "%E6%A1%A5"})
@example({"": "x", "ce-id": "y"})
@example({"ce-id": "a\nb"})
@example({Header.EXPECTED_LAST_SUBJECT_SEQUENCE: "7"})  # the lock of a bucket: its name is an enumeration's
def test_headers_are_sent_as_the_client_sends_them(headers):
    assert sent(nats_client._publish, headers) == sent(SENT_BY_THE_CLIENT, headers)


@pytest.mark.case("B8")
async def test_more_headers_than_anybody_needs_are_not_read(client):
    """Half a million bytes of them would take a twentieth of a second, before anybody is refused."""
    nats_client.survive_any_bytes()
    few = {f"X-{n}": "x" * 100 for n in range(500)}
    subscription = await client.subscribe("headers")
    for headers in (few, few | {f"Y-{n}": "y" * 100 for n in range(500)}):
        await client.publish("headers", b"body", headers=headers)
    small, large = [await subscription.next_msg(10) for _ in range(2)]
    assert small.headers == few
    assert (large.headers, large.data) == (None, b"body")

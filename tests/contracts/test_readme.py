"""What the README shows to other programs is what works."""

import asyncio
import os
import sys

import nats
import pytest

from duban_contracts.envelope import decode
from duban_contracts.intake import SubmitMatter
from duban_contracts.subjects import command_stream, subject_of
from services.chassis.provision import provision
from services.console.embedded import embedded_nats
from tests.contracts.catalogue import README

SNIPPET = README.parent / "examples" / "publish_matter.py"


@pytest.fixture
async def jetstream(nats_server):
    client = await nats.connect(nats_server.url)
    await provision(client)
    jetstream = client.jetstream(timeout=10)
    yield jetstream
    await jetstream.purge_stream(command_stream("intake"))
    await client.close()


async def run_snippet(url: str) -> str:
    """Runs it as a user would; returns what it complains about."""
    program = await asyncio.create_subprocess_exec(
        sys.executable, SNIPPET, env={**os.environ, "NATS_URL": url}, stderr=asyncio.subprocess.PIPE
    )
    _, complaints = await program.communicate()
    assert program.returncode == 0, complaints.decode()
    return complaints.decode()


def test_the_readme_shows_the_snippet_word_for_word():
    assert f"```python\n{SNIPPET.read_text('utf-8')}```\n" in README.read_text("utf-8")


async def test_the_snippet_brings_a_matter_in(nats_server, jetstream):
    assert await run_snippet(nats_server.url) == ""
    message = await jetstream.get_last_msg(command_stream("intake"), subject_of(SubmitMatter, "gateway"))
    received = decode(message.subject, message.headers, message.data)
    assert isinstance(received.data, SubmitMatter)
    assert received.data.title == "村口公厕堵塞"
    assert received.attributes.key == "gateway:20240416-0032"


@pytest.mark.case("B7")
async def test_the_snippet_run_twice_brings_the_matter_in_once(nats_server, jetstream):
    """The service knows the second by its identity (`test_identity.py`); the broker keeps both."""
    stream, runs = command_stream("intake"), []
    for _ in range(2):
        await run_snippet(nats_server.url)
        message = await jetstream.get_last_msg(stream, subject_of(SubmitMatter, "gateway"))
        assert "Nats-Msg-Id" not in message.headers
        received = decode(message.subject, message.headers, message.data)
        runs.append((received.last, received.attributes.source, received.attributes.id, received.data))
    assert runs[0] == runs[1]


async def test_the_snippet_fails_aloud_where_nothing_keeps_the_matter():
    with embedded_nats() as unprovisioned, pytest.raises(AssertionError, match="NoStreamResponseError"):
        await run_snippet(unprovisioned.url)

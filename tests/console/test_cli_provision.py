"""`duban provision` over what an older version left."""

import asyncio

import nats
import pytest
from nats.js.api import RetentionPolicy, StreamConfig

from services.console.embedded import embedded_nats
from tests.console.conftest import Run

OLD = StreamConfig("INTAKE_CMD", subjects=["cmd.intake.>"], retention=RetentionPolicy.WORK_QUEUE)


def test_a_stream_of_the_older_kind_is_named_with_what_to_do_and_loses_nothing(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def made(url: str) -> None:
        client = await nats.connect(url)
        await client.jetstream().add_stream(OLD)
        await client.jetstream().publish("cmd.intake.submit_matter.v1.gateway", b"{}")
        await client.close()

    async def held(url: str) -> int:
        client = await nats.connect(url)
        state = (await client.jetstream().stream_info("INTAKE_CMD")).state
        await client.close()
        return int(state.messages)

    with embedded_nats() as server:
        monkeypatch.setenv("DUBAN_NATS_URL", server.url)
        asyncio.run(made(server.url))
        ran = run("provision")
        assert ran.status == 1
        assert "INTAKE_CMD" in ran.err
        assert "delete the stream" in ran.err
        assert asyncio.run(held(server.url)) == 1

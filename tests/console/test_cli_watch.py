"""`duban watch`: a snapshot, then everything as it comes, also after the broker was killed."""

import asyncio
import json
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from nats.errors import Error as NatsError
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from duban_contracts.envelope import Attributes, encode
from duban_contracts.escalation import OrderAcknowledged, Rung, Standing, StationRecovered
from duban_contracts.message import Fact
from duban_contracts.subjects import STANDINGS_BUCKET, fact_stream, subject_of
from services.chassis.provision import provision
from services.console.client import Duban, duban
from services.console.embedded import NatsServer, embedded_nats
from services.console.following import follow, last_sequence
from tests.console.conftest import Run
from tests.interrupts import interruptible

AT = datetime(2024, 4, 15, 1, 30, tzinfo=UTC)
STREAM = fact_stream("escalation")
patiently = retry(
    retry=retry_if_exception_type((NatsError, TimeoutError)), wait=wait_fixed(0.1), stop=stop_after_delay(30)
)


@pytest.fixture
def broker() -> Iterator[NatsServer]:
    """One of our own: it is killed."""
    with embedded_nats() as server:
        yield server


@pytest.fixture
async def town(broker: NatsServer) -> AsyncIterator[Duban]:
    async with duban(broker.url) as system:
        await provision(system.client)
        await stand(system, "bianmin", Rung.SUPERVISED)
        yield system


async def stand(system: Duban, station: str, rung: Rung) -> None:
    bucket = await system.client.jetstream(timeout=5).key_value(STANDINGS_BUCKET)
    standing = Standing(station=station, version=1, at=AT, rung=rung, lagging_since=AT, order=f"{station}-1")
    await bucket.put(station, standing.model_dump_json().encode())


@patiently
async def tell(system: Duban, number: int) -> None:
    fact: Fact = OrderAcknowledged(at=AT, station="bianmin", order=f"bianmin-{number}")
    attributes = Attributes(
        id=f"fact-{number}", source="test", type=fact.type, time=AT, key="bianmin", correlation="test"
    )
    await system.client.jetstream(timeout=2).publish(
        subject_of(fact, fact.station), fact.model_dump_json().encode(), headers=encode(attributes)
    )


@asynccontextmanager
async def watching(broker: NatsServer, *more: str) -> AsyncIterator[Process]:
    words = ("-m", "services.console.cli", "--nats", broker.url, "watch", "--format", "json", *more)
    with interruptible():
        process = await asyncio.create_subprocess_exec(sys.executable, *words, stdout=PIPE, stderr=PIPE)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def line(process: Process) -> dict[str, Any]:
    assert process.stdout
    told: dict[str, Any] = json.loads(await asyncio.wait_for(process.stdout.readline(), 30))
    return told


def test_once_shows_where_the_stations_stand_and_ends(broker: NatsServer, run: Run) -> None:
    async def prepared() -> None:
        async with duban(broker.url) as system:
            await provision(system.client)
            await stand(system, "nongye", Rung.SUPERVISED)
            await stand(system, "bianmin", Rung.CIRCULAR)

    asyncio.run(prepared())
    ran = run("watch", "--once", "--nats", broker.url)
    assert ran.status == 0
    assert ran.out.index("town-wide circular") < ran.out.index("supervised handling")
    lines = run("watch", "--once", "--format", "json", "--nats", broker.url).out.splitlines()
    assert [json.loads(each)["station"] for each in lines] == ["bianmin", "nongye"]


def test_a_broker_that_was_not_provisioned_is_told_so(broker: NatsServer, run: Run) -> None:
    ran = run("watch", "--once", "--nats", broker.url)
    assert ran.status == 3
    assert "duban provision" in ran.err


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
async def test_it_goes_on_after_the_broker_was_killed_and_ctrl_c_ends_it_with_0(
    broker: NatsServer, town: Duban
) -> None:
    await tell(town, 0)  # before we watch: not told
    async with watching(broker) as process:
        assert (await line(process))["rung"] == Rung.SUPERVISED
        await tell(town, 1)
        told = await line(process)
        assert (told["kind"], told["data"]["order"]) == ("fact", "bianmin-1")
        assert told["sentence"] == "bianmin acknowledged order bianmin-1"
        broker.kill()
        broker.start()
        await tell(town, 2)
        assert (await line(process))["data"]["order"] == "bianmin-2"
        await patiently(stand)(town, "nongye", Rung.CIRCULAR)
        assert (await line(process))["station"] == "nongye"
        process.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(process.wait(), 30) == 0


async def test_a_follower_misses_nothing_and_repeats_nothing_over_a_crash(
    broker: NatsServer, town: Duban
) -> None:
    await tell(town, 0)
    after = await last_sequence(town.client, STREAM)
    troubles: list[Exception] = []
    followed = follow(town.client, STREAM, after, troubles.append)
    first = asyncio.ensure_future(anext(followed))
    await tell(town, 1)
    heard = [await asyncio.wait_for(first, 30)]
    for number in (2, 3):
        await tell(town, number)
    broker.kill()
    broker.start()
    for number in (4, 5):
        await tell(town, number)
    heard += [await asyncio.wait_for(anext(followed), 30) for _ in range(4)]
    await followed.aclose()
    assert [msg.headers["Nats-Msg-Id"] for msg in heard if msg.headers] == [f"fact-{n}" for n in range(1, 6)]


async def test_a_message_that_nobody_can_read_does_not_end_it(broker: NatsServer, town: Duban) -> None:
    async with watching(broker) as process:
        await line(process)
        await town.client.jetstream().publish(subject_of(StationRecovered, "bianmin"), b"{}")
        await tell(town, 1)
        assert (await line(process))["data"]["order"] == "bianmin-1"

"""`duban watch`: a snapshot, then everything as it comes, also after the broker was killed."""

import asyncio
import json
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from duban_contracts.charter import Charter
from duban_contracts.envelope import Attributes, encode
from duban_contracts.escalation import OrderAcknowledged, Rung, Standing, StationRecovered
from duban_contracts.message import Fact
from duban_contracts.queries import AskCharter, AskFacts, AskStandings, FactsPage, Following, Standings
from duban_contracts.query_catalogue import CATALOGUE, QueryContract
from duban_contracts.readers import Reader, reader_of
from duban_contracts.subjects import asker_of, subject_of
from services.chassis.past_facts import page_of_facts
from services.chassis.provision import provision
from services.chassis.queries import answer_for
from services.console.client import Duban, duban
from services.console.embedded import NatsServer, embedded_nats
from services.console.following import follow, last_sequence
from tests.console.conftest import Run
from tests.interrupts import interruptible

AT = datetime(2024, 4, 15, 1, 30, tzinfo=UTC)
patiently = retry(
    retry=retry_if_exception_type((NatsError, TimeoutError)), wait=wait_fixed(0.1), stop=stop_after_delay(30)
)


@pytest.fixture
def broker() -> Iterator[NatsServer]:
    """One of our own: it is killed."""
    with embedded_nats() as server:
        yield server


@dataclass
class Escalation:
    """Answers what `watch` asks, as the service does; what stands in its database is given by the test."""

    charter: Charter
    standing: dict[str, Standing] = field(default_factory=dict)

    def stand(self, station: str, rung: Rung) -> None:
        self.standing[station] = Standing(
            station=station, version=1, at=AT, rung=rung, lagging_since=AT, order=f"{station}-1"
        )

    async def listen(self, system: Duban) -> None:
        async def facts(reader: Reader, asked: AskFacts) -> FactsPage:
            return await page_of_facts(system.client, "escalation", reader, asked)

        async def standings(_: Reader, asked: AskStandings) -> Standings:
            found = (each for each in self.standing.values() if asked.station in (None, each.station))
            return Standings(standings=tuple(sorted(found, key=lambda each: -each.rung)))

        async def charter(_: Reader, __: AskCharter) -> Following:
            return Following(revision=1, charter=self.charter)

        answers: dict[str, Any] = {"facts": facts, "standings": standings, "charter": charter}
        for name, respond in answers.items():
            contract = CATALOGUE[f"query.escalation.{name}.v1"]

            async def answer(msg: Msg, contract: QueryContract = contract, respond: Any = respond) -> None:
                reply = await answer_for(asker_of(msg.subject), msg.data, contract, respond, self.reader)
                await msg.respond(reply.model_dump_json().encode())

            await system.client.subscribe(contract.subject("*"), cb=answer)

    def reader(self, actor: str) -> Reader | None:
        return reader_of(actor, self.charter.everyone())


@pytest.fixture
def escalation(township: Charter) -> Escalation:
    escalation = Escalation(township)
    escalation.stand("bianmin", Rung.SUPERVISED)
    return escalation


@pytest.fixture
async def town(broker: NatsServer, escalation: Escalation) -> AsyncIterator[Duban]:
    async with duban(broker.url) as system:
        await provision(system.client)
        await escalation.listen(system)
        await system.client.flush()
        yield system


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


async def test_once_shows_where_the_stations_stand_and_ends(
    broker: NatsServer, town: Duban, escalation: Escalation
) -> None:
    escalation.stand("nongye", Rung.CIRCULAR)
    async with watching(broker, "--once") as process:
        shown = [await line(process), await line(process)]
        assert await asyncio.wait_for(process.wait(), 30) == 0
    assert [each["station"] for each in shown] == ["nongye", "bianmin"]


def test_a_broker_where_no_service_runs_is_told_so(broker: NatsServer, run: Run) -> None:
    ran = run("watch", "--once", "--nats", broker.url)
    assert ran.status == 3
    assert "escalation does not answer" in ran.err


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
async def test_it_goes_on_after_the_broker_was_killed_and_ctrl_c_ends_it_with_0(
    broker: NatsServer, town: Duban, escalation: Escalation
) -> None:
    await tell(town, 0)  # before we watch: not told
    async with watching(broker) as process:
        assert (await line(process))["rung"] == Rung.SUPERVISED
        await tell(town, 1)
        told = await line(process)
        assert (told["kind"], told["data"]["order"]) == ("fact", "bianmin-1")
        assert "order bianmin-1" in told["sentence"]
        broker.kill()
        broker.start()
        await tell(town, 2)
        assert (await line(process))["data"]["order"] == "bianmin-2"
        escalation.stand("bianmin", Rung.CIRCULAR)
        await tell(town, 3)
        told = {each["kind"]: each for each in (await line(process), await line(process))}
        assert told["fact"]["data"]["order"] == "bianmin-3"
        assert told["standing"]["rung"] == Rung.CIRCULAR
        process.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(process.wait(), 30) == 0


async def test_a_follower_misses_nothing_and_repeats_nothing_over_a_crash(
    broker: NatsServer, town: Duban
) -> None:
    await tell(town, 0)
    after = await last_sequence(town, "escalation")
    troubles: list[Exception] = []
    followed = follow(town, "escalation", after, troubles.append)
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
    assert [fact.headers["ce-id"] for fact in heard] == [f"fact-{n}" for n in range(1, 6)]


async def test_a_message_that_nobody_can_read_does_not_end_it(broker: NatsServer, town: Duban) -> None:
    async with watching(broker) as process:
        await line(process)
        await town.client.jetstream().publish(subject_of(StationRecovered, "bianmin"), b"{}")
        await tell(town, 1)
        assert (await line(process))["data"]["order"] == "bianmin-1"

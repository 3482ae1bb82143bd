"""Whole lives: submitted, accepted, opened, signed for, resolved, verified, struck off, invited, rated.

The generator sits in the benchmark's own process; all five services are processes of their own. It hears
every fact as it is told and sends what a citizen, a station or the office would send next.
"""

import asyncio
import itertools
import os
from collections import defaultdict
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from hashlib import sha256
from time import monotonic, sleep, time
from typing import Any

from duban_contracts.charter import Charter
from duban_contracts.intake import SubmitMatter
from duban_contracts.ledger import Accept, Resolve, Verify
from duban_contracts.message import SERVICES, Command
from duban_contracts.rating import Level, Rate
from duban_contracts.subjects import fact_stream
from services.chassis.charter_file import read_charter
from services.console.client import Duban, Order
from services.console.system import System
from tests.benchmarks.figures import Figure, percentile
from tests.benchmarks.following import Told, following
from tests.benchmarks.linux import cpu_seconds
from tests.benchmarks.stage import CHARTER, on_system, stage

SECONDS, LIGHT_SECONDS, IDLE_SECONDS = 30.0, 20.0, 20.0
IN_FLIGHT = 200
"""Lives under way at once while as many as possible are played."""
WARM_UP = 5.0
PATIENCE = 60.0
LED_TO = {
    "matter_accepted": "submit_matter",
    "entry_opened": "matter_accepted",
    "entry_accepted": "accept",
    "entry_resolved": "resolve",
    "entry_struck_off": "verify",
    "rating_invited": "entry_struck_off",
    "rating_given": "rate",
}
"""Each fact of a life, and the command or fact before it: the hops that are timed."""


def figures(scale: int = 1) -> list[Figure]:
    with stage(services=SERVICES) as system:
        full, light, idle = (seconds / scale for seconds in (SECONDS, LIGHT_SECONDS, IDLE_SECONDS))
        name = f"2 whole lives, {IN_FLIGHT} under way"
        per_second, cost = on_system(system, lambda town: sustained(town, system, full, WARM_UP / scale))
        hops = on_system(system, lambda town: at_rate(town, per_second / 10, light))
        share = idling(system, idle)
    note = f"over {full:.0f} s and until nothing was left to handle{cost_of(cost)}"
    return [
        Figure(name, per_second, "lives/s", 100, note=note),
        *latencies(hops, per_second / 10),
        *([] if share is None else [idle_figure(share)]),
    ]


def latencies(hops: dict[str, list[float]], per_second: float) -> list[Figure]:
    """The slowest kind of hop is judged; whole lives are seven hops and are told without a goal."""
    medians = {hop: percentile(spans, 50) * 1000 for hop, spans in hops.items() if hop != "life"}
    slowest = max(medians, key=medians.__getitem__)
    runs = {hop: [percentile(spans, 50) * 1000, percentile(spans, 99) * 1000] for hop, spans in hops.items()}
    name = f"2 light load, {per_second:.0f} lives/s"
    note = f"slowest of {len(medians)} kinds: {slowest}; p99 {runs[slowest][1]:.1f} ms"
    whole = f"p99 {runs['life'][1]:.0f} ms; {len(medians)} hops"
    return [
        Figure(f"{name}: p50 of a hop", medians[slowest], "ms", 20, at_least=False, note=note, runs=runs),
        Figure(f"{name}: p50 of a life", runs["life"][0], "ms", note=whole),
    ]


def cost_of(cpu_per_life: float | None) -> str:
    return (
        "" if cpu_per_life is None else f"; {cpu_per_life * 1000:.1f} ms CPU each, servers and load included"
    )


def idle_figure(share: float) -> Figure:
    return Figure("2 idle, all five services", share * 100, "% of a core", 3, at_least=False)


def idling(system: System, seconds: float) -> float | None:
    """The share of one core that the services use while nothing happens."""
    pids = [service.child.pid for service in system.services]
    before = cpu_seconds(pids)
    sleep(seconds)
    after = cpu_seconds(pids)
    return None if before is None or after is None else (after - before) / seconds


@dataclass
class Life:
    key: str
    entry: str = ""
    over: asyncio.Event = field(default_factory=asyncio.Event)
    moments: dict[str, float] = field(default_factory=dict)
    """When each command was published, and each fact stored."""


class Town:
    """Everybody outside the services, as a load."""

    def __init__(self, town: Duban, charter: Charter) -> None:
        self._client, self._jetstream = town.client, town.client.jetstream(timeout=30)
        self._categories = itertools.cycle(
            name for name, category in charter.categories.items() if not category.required
        )
        self._count, self._run = itertools.count(), f"{time():.0f}"
        self._lives: dict[str, Life] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.hops: dict[str, list[float]] = defaultdict(list)
        self.done = 0

    def heard(self, told: Told) -> None:
        body = told.body
        life = self._lives.get(body.get("submission") or body.get("entry", ""))
        if life is None or told.name not in LED_TO:
            return
        life.moments[told.name] = told.at
        match told.name:
            case "entry_opened":
                life.entry, self._lives[body["entry"]] = body["entry"], life
                self._send(life, Accept(), body["entry"], told.station)
            case "entry_accepted":
                self._send(life, Resolve(answer="办理完毕"), body["entry"], told.station)
            case "entry_resolved":
                self._send(life, Verify(passed=True), body["entry"], "office")
            case "rating_invited":
                key = f"{body['entry']}/{body['round']}"
                self._send(life, Rate(level=Level.SATISFIED), key, "gateway")
        if LED_TO.keys() <= life.moments.keys():  # facts of two streams may be heard in another order
            self._over(life)

    async def live(self) -> None:
        """One life from the submission to the last fact."""
        life = Life(f"bench:{self._run}-{next(self._count)}")
        self._lives[life.key] = life
        matter = SubmitMatter(title=self._title(life), category=next(self._categories))
        self._send(life, matter, life.key, "gateway")
        await asyncio.wait_for(life.over.wait(), PATIENCE)

    def _title(self, life: Life) -> str:
        """Each brings something else: with one title for all, each would be suspected of being another."""
        return f"路灯不亮 {sha256(life.key.encode()).hexdigest()[:16]}"

    def _over(self, life: Life) -> None:
        self.hops["life"].append(life.moments["rating_given"] - life.moments["submit_matter"])
        for fact, before in LED_TO.items():
            self.hops[f"{before} → {fact}"].append(life.moments[fact] - life.moments[before])
        del self._lives[life.key], self._lives[life.entry]
        self.done += 1
        life.over.set()

    def _send(self, life: Life, command: Command, key: str, actor: str) -> None:
        life.moments[command.message_name] = time()
        order = Order(command, key, actor)
        body = command.model_dump_json(exclude_defaults=True).encode()
        self._spawn(self._publish(order.subject, body, order.headers("duban/bench")))

    async def _publish(self, subject: str, body: bytes, headers: dict[str, str]) -> None:
        await self._jetstream.publish(subject, body, headers=headers)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        task.result()


async def played(town: Duban, story: Callable[[Town], Coroutine[Any, Any, None]]) -> Town:
    streets = Town(town, read_charter(CHARTER))
    kinds = ("evt", "restricted")  # conduct matters are lives, too
    subjects = [(fact_stream(service), f"{kind}.{service}.>") for service in SERVICES for kind in kinds]
    async with following(town.client, subjects, streets.heard):
        await story(streets)
    return streets


async def sustained(
    town: Duban, system: System, seconds: float, warm_up: float
) -> tuple[float, float | None]:
    """Lives per second, and CPU seconds per life.

    A new one whenever one ends, until every consumer has handled what they led to.
    """
    told: list[tuple[float, float | None]] = []

    async def story(streets: Town) -> None:
        deadline = monotonic() + warm_up + seconds

        async def one_after_another() -> None:
            while monotonic() < deadline:
                await streets.live()

        async with asyncio.TaskGroup() as everybody:
            for _ in range(IN_FLIGHT):
                everybody.create_task(one_after_another())
            await asyncio.sleep(warm_up)
            started, before, used = monotonic(), streets.done, cpu_seconds(everything(system))
        await town.caught_up()
        lives, used_at_end = streets.done - before, cpu_seconds(everything(system))
        cost = None if used is None or used_at_end is None else (used_at_end - used) / lives
        told.append((lives / (monotonic() - started), cost))

    await played(town, story)
    return told[0]


def everything(system: System) -> list[int]:
    """Services, servers of our own, and the load, which is this process."""
    servers = [server.pid for server in (system.nats, system.mongo) if not server.borrowed]
    return [os.getpid(), *servers, *(service.child.pid for service in system.services)]


async def at_rate(town: Duban, per_second: float, seconds: float) -> dict[str, list[float]]:
    """Lives begun at even intervals, whether others have ended or not: seconds per kind of hop."""

    async def story(streets: Town) -> None:
        async with asyncio.TaskGroup() as everybody:
            for _ in range(round(per_second * seconds)):
                everybody.create_task(streets.live())
                await asyncio.sleep(1 / per_second)

    return (await played(town, story)).hops

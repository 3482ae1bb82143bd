"""Catch-up after an outage: a long queue, and a hundred thousand keys that fell due meanwhile."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from time import monotonic, time
from typing import NamedTuple

from duban_contracts.envelope import encode
from duban_contracts.subjects import subject_of
from services.console.client import Duban
from services.console.system import System
from tests.benchmarks.account import Post
from tests.benchmarks.figures import Figure, compared, percentile
from tests.benchmarks.filled import account_store, due, insert
from tests.benchmarks.following import Told, following
from tests.benchmarks.linux import peak_megabytes
from tests.benchmarks.stage import (
    FACTS,
    STATION,
    attributes,
    drained,
    emptied,
    on_system,
    posts,
    process,
    publish,
    stage,
)
from tests.benchmarks.throughput import KEYS, MESSAGES, ROUNDS

WAITING = 200_000
WAKES = 100_000
COMMANDS_PER_SECOND = 50
BOUND_SECONDS = 2.0
"""What a person at a window would put up with while a service catches up."""
PATIENCE = 180.0


def figures(scale: int = 1) -> list[Figure]:
    with stage() as system:
        return [*outage(system, scale), *woken_at_once(system, scale)]


def outage(system: System, scale: int) -> list[Figure]:
    """Five messages for each key, as in figure 1."""
    few, many = MESSAGES // scale, WAITING // scale
    usual, after = list[Drained](), list[Drained]()
    for _ in range(ROUNDS):
        usual.append(drain_of(system, few, KEYS // scale))
        after.append(drain_of(system, many, many * KEYS // MESSAGES))
    name, against = f"4 catch-up: {many:,} waiting", f"{few:,} waiting, as in 1"
    rate = compared(
        name, [each.per_second for each in after], [each.per_second for each in usual], against, 0.9
    )
    memory = [each.megabytes for each in after if each.megabytes is not None]
    if not memory:
        return [rate]
    return [rate, Figure(f"{name}, peak memory", max(memory), "MB", 300, at_least=False)]


class Drained(NamedTuple):
    per_second: float
    megabytes: float | None
    """The most memory that the service held."""


def drain_of(system: System, messages: int, keys: int) -> Drained:
    async def fill(town: Duban) -> None:
        await emptied(town.client)
        await publish(town.client, posts(messages, keys))

    async def drain(town: Duban) -> float:
        return (await drained(town.client, messages)).per_second

    on_system(system, fill)
    with process(system, "tests.benchmarks.account") as service:
        return Drained(on_system(system, drain), peak_megabytes(service.pid))


def woken_at_once(system: System, scale: int) -> list[Figure]:
    wakes = WAKES // scale
    database, document = account_store(system, 2)
    at = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
    insert(system, database, due(document, keys(wakes), at))
    on_system(system, lambda town: emptied(town.client))
    with process(system, "tests.benchmarks.account", database=database):
        seen = on_system(system, lambda town: crowded(town, wakes))
    spans = [seen.told[id_] - sent for id_, sent in seen.sent.items()]
    p50, p99 = percentile(spans, 50) * 1000, percentile(spans, 99) * 1000
    name = f"4 catch-up: {wakes:,} wakes at once"
    note = f"{len(spans):,} commands meanwhile, p50 {p50:.0f} ms"
    return [
        Figure(f"{name}, a command's p99", p99, "ms", BOUND_SECONDS * 1000, at_least=False, note=note),
        Figure(f"{name}, handled", seen.woken, "wakes", wakes, note=f"{seen.woken / seen.seconds:,.0f}/s"),
    ]


def keys(many: int) -> Iterator[str]:
    return (f"due-{n}" for n in range(many))


@dataclass
class Crowd:
    sent: dict[str, float] = field(default_factory=dict)
    told: dict[str, float] = field(default_factory=dict)
    woken: int = 0
    first: float = 0.0
    seconds: float = 0.0

    nothing_open: asyncio.Event = field(default_factory=asyncio.Event)

    def heard(self, told: Told) -> None:
        self.told[told.answers] = told.at
        if len(self.told) == len(self.sent):
            self.nothing_open.set()


async def crowded(town: Duban, wakes: int) -> Crowd:
    """New commands at even intervals from the first wake told to the last; who waits longest is seen."""
    crowd, jetstream = Crowd(), town.client.jetstream(timeout=30)
    async with following(town.client, [(FACTS, f"evt.rating.bench_posted.v1.{STATION}")], crowd.heard):
        deadline = monotonic() + PATIENCE
        while crowd.woken < wakes and monotonic() < deadline:
            state = (await jetstream.stream_info(FACTS)).state.messages
            crowd.woken = state - len(crowd.told)
            if crowd.woken > 0:
                crowd.first = crowd.first or monotonic()
                await command(town, crowd)
            await asyncio.sleep(1 / COMMANDS_PER_SECOND)
        crowd.seconds = monotonic() - crowd.first
        await asyncio.wait_for(crowd.nothing_open.wait(), PATIENCE)
    return crowd


async def command(town: Duban, crowd: Crowd) -> None:
    post = Post(amount=1)
    described = attributes(f"new-{len(crowd.sent)}", post)
    crowd.sent[described.id] = time()
    crowd.nothing_open.clear()
    body = post.model_dump_json().encode()
    await town.client.publish(subject_of(post, STATION), body, headers=encode(described))

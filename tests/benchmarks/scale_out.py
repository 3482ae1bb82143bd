"""Scale-out: two replicas of one service next to one."""

import os
import random
import urllib.request
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median

from services.console.client import Duban
from services.console.embedded.servers import free_port
from services.console.system import System
from tests.benchmarks.account import Post
from tests.benchmarks.figures import Figure, compared
from tests.benchmarks.linux import cpu_seconds
from tests.benchmarks.stage import drained, emptied, new_database, on_system, process, publish, stage

MESSAGES, KEYS, ROUNDS = 50_000, 10_000, 2
GOAL = 1.5
ENOUGH_CORES = 6
"""Two services, two servers, the benchmark, and one to breathe."""


@dataclass(frozen=True)
class Share:
    """What some replicas did together."""

    per_second: float
    per_cpu_second: float | None
    conflicts: int


def figures(scale: int = 1) -> list[Figure]:
    with stage() as system:
        one, two = [], []
        for n in range(ROUNDS if scale == 1 else 1):
            one.append(shared(system, 1, scale, seed=n))
            two.append(shared(system, 2, scale, seed=n))
    return judged(one, two)


def judged(one: Sequence[Share], two: Sequence[Share]) -> list[Figure]:
    """By the clock where there are cores for it, else by what each CPU second gets done."""
    conflicts = f"{median(share.conflicts for share in two):.0f} conflicts, {os.cpu_count()} cores"
    by_clock = [share.per_second for share in two], [share.per_second for share in one]
    name = "5 scale-out: two replicas"
    if (os.cpu_count() or 1) >= ENOUGH_CORES or one[0].per_cpu_second is None:
        return [compared(name, *by_clock, "one replica", GOAL, note=conflicts)]
    clock = f"by the clock {median(a / b for a, b in zip(*by_clock, strict=True)):.2f} of one"
    twice = [2 * (share.per_cpu_second or 0) for share in two], [share.per_cpu_second or 0 for share in one]
    of = "one replica with a core"
    return [
        compared(f"{name} with a core each", *twice, of, GOAL, unit="/CPU s", note=f"{conflicts}; {clock}")
    ]


def shared(system: System, replicas: int, scale: int, seed: int) -> Share:
    """Keys at random, so that two replicas meet on some of them."""
    messages, chance, database = MESSAGES // scale, random.Random(seed), new_database()
    some = [
        (f"account-{chance.randrange(KEYS // scale)}", Post(amount=n % 7, note=f"第{n}笔"))
        for n in range(messages)
    ]

    async def fill(town: Duban) -> None:
        await emptied(town.client)
        await publish(town.client, some)

    on_system(system, fill)
    ports = [free_port() for _ in range(replicas)]
    with ExitStack() as stack:
        services = [
            stack.enter_context(
                process(system, "tests.benchmarks.account", database=database, http_port=port)
            )
            for port in ports
        ]
        pids = [service.pid for service in services]
        per_second, per_cpu_second = on_system(system, lambda town: worked(town, messages, pids))
        return Share(per_second, per_cpu_second, sum(map(conflicts_of, ports)))


async def worked(town: Duban, messages: int, pids: Sequence[int]) -> tuple[float, float | None]:
    """Messages per second, and per CPU second of the services; their start is not counted."""
    await drained(town.client, messages // 10)
    before = cpu_seconds(pids)
    rate = await drained(town.client, messages)
    after = cpu_seconds(pids)
    return rate.per_second, None if before is None or after is None else rate.messages / (after - before)


def conflicts_of(port: int) -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    counted = [line for line in lines if line.startswith("duban_conflicts_total{")]
    return sum(int(float(line.rpartition(" ")[2])) for line in counted)

"""Service throughput: the chassis next to the same work by hand, and to idiomatic FastStream."""

from dataclasses import replace

from services.console.client import Duban
from services.console.system import System
from tests.benchmarks.figures import Figure, compared
from tests.benchmarks.stage import Rate, drained, emptied, on_system, posts, process, publish, stage

CHASSIS = ("tests.benchmarks.account",)
FLOOR = ("tests.benchmarks.by_hand", "floor")
ONE_BY_ONE = ("tests.benchmarks.by_hand", "faststream", "1")
IN_FLIGHT = ("tests.benchmarks.by_hand", "faststream", "100")
MESSAGES, KEYS, ROUNDS = 50_000, 10_000, 2
SHARE = {CHASSIS: 1, FLOOR: 1, IN_FLIGHT: 5, ONE_BY_ONE: 16}
"""The slow ones get so many times fewer messages: their rate is steady."""


def figures(scale: int = 1) -> list[Figure]:
    rates: dict[tuple[str, ...], list[float]] = {variant: [] for variant in SHARE}
    with stage() as system:
        for _ in range(ROUNDS):
            for variant, share in SHARE.items():
                rate = measured(system, variant, MESSAGES // share // scale, KEYS // scale)
                rates[variant].append(rate.per_second)
    ours, name = rates[CHASSIS], "1 service throughput"
    return [
        compared(name, ours, rates[FLOOR], "by hand, no framework", 1.8),
        compared(name, ours, rates[ONE_BY_ONE], "FastStream, one at a time", 15),
        compared(name, ours, rates[IN_FLIGHT], "FastStream, 100 in flight", 4.5),
    ]


def measured(system: System, command: tuple[str, ...], messages: int, keys: int) -> Rate:
    async def fill(town: Duban) -> None:
        await emptied(town.client)
        await publish(town.client, posts(messages, keys))

    async def drain(town: Duban) -> Rate:
        return await drained(town.client, messages)

    on_system(system, fill)
    with process(system, *command):
        return replace(on_system(system, drain), name=" ".join(command))

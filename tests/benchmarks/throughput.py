"""Service throughput: the chassis next to the same work by hand, and to idiomatic FastStream."""

from dataclasses import replace

from services.console.client import Duban
from services.console.system import System
from tests.benchmarks.stage import Rate, drained, emptied, on_system, posts, process, publish

CHASSIS = ("tests.benchmarks.account",)
FLOOR = ("tests.benchmarks.by_hand", "floor")
ONE_BY_ONE = ("tests.benchmarks.by_hand", "faststream", "1")
IN_FLIGHT = ("tests.benchmarks.by_hand", "faststream", "100")


def throughput(system: System, messages: int = 50_000, keys: int = 10_000) -> dict[str, Rate]:
    """By variant. The slow ones get fewer messages: their rate is steady."""
    return {
        "chassis": measured(system, CHASSIS, messages, keys),
        "by hand": measured(system, FLOOR, messages, keys),
        "faststream, 100 in flight": measured(system, IN_FLIGHT, messages // 5, keys),
        "faststream, one at a time": measured(system, ONE_BY_ONE, messages // 16, keys),
        "chassis again": measured(system, CHASSIS, messages, keys),
        "by hand again": measured(system, FLOOR, messages, keys),
    }


def measured(system: System, command: tuple[str, ...], messages: int, keys: int) -> Rate:
    async def fill(town: Duban) -> None:
        await emptied(town.client)
        await publish(town.client, posts(messages, keys))

    async def drain(town: Duban) -> Rate:
        return await drained(town.client, messages)

    on_system(system, fill)
    with process(system, *command):
        return replace(on_system(system, drain), name=" ".join(command))

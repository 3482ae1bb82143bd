"""Flatness: a full store must not be slower than an empty one, nor a long-lived key than a young one."""

from collections.abc import Sequence
from itertools import chain

from services.chassis.documents import KEEP
from services.console.client import Duban
from services.console.system import System
from tests.benchmarks.account import NAME
from tests.benchmarks.figures import Figure, compared
from tests.benchmarks.filled import account_store, archived, copied, insert
from tests.benchmarks.stage import drained, emptied, on_system, posts_to, process, publish, stage

SMALL, LARGE = 10_000, 1_000_000
MESSAGES = 30_000
YOUNG, OLD = 10, 1_000
LIVED = 500
"""So many keys with that many events each."""
ROUNDS = 2


def figures(scale: int = 1) -> list[Figure]:
    with stage() as system:
        return [*full_stores(system, scale), long_lives(system, scale)]


def full_stores(system: System, scale: int) -> list[Figure]:
    """Worked on are ten thousand entries: the newest of the million, or ones spread over all of it."""
    small, large, messages = SMALL // scale, LARGE // scale, MESSAGES // scale
    few, many = store(system, small), store(system, large)
    all_of_few, newest = names(range(small)), names(range(large - small, large))
    spread = names(range(0, large, large // small))
    rates: dict[str, list[float]] = {"few": [], "newest": [], "spread": []}
    for _ in range(ROUNDS):
        rates["few"].append(rate(system, few, all_of_few, messages))
        rates["newest"].append(rate(system, many, newest, messages))
        rates["spread"].append(rate(system, many, spread, messages))
    name, against = "3 flatness: {:,} entries, {}", f"{small:,} entries"
    return [
        compared(name.format(large, "newest in work"), rates["newest"], rates["few"], against, 0.9),
        compared(name.format(large, "any in work"), rates["spread"], rates["few"], against, 0.9),
    ]


def long_lives(system: System, scale: int) -> Figure:
    """Seconds per message for keys with a thousand events, next to keys with ten."""
    lived, messages = LIVED // scale, 10 * LIVED // scale
    database, document = account_store(system, 2 * KEEP)
    young, old = [f"young-{n}" for n in range(ROUNDS * lived)], [f"old-{n}" for n in range(lived)]
    insert(system, database, copied(document, young, lambda _: YOUNG))
    # Trimmed at twice KEEP: spread over the stages of that, so that all of it is in what is measured.
    aged = document | {"archived": OLD}
    insert(system, database, copied(aged, old, lambda n: KEEP + n % KEEP))
    archive = chain.from_iterable(archived(document, key, OLD) for key in old)
    insert(system, database, archive, f"{NAME}_archive")
    costs: dict[str, list[float]] = {"old": [], "young": []}
    for n in range(ROUNDS):
        costs["old"].append(1e6 / rate(system, database, old, messages))
        costs["young"].append(1e6 / rate(system, database, young[n * lived : (n + 1) * lived], messages))
    return compared(
        f"3 flatness: a key with {OLD:,} events",
        costs["old"],
        costs["young"],
        f"a key with {YOUNG}",
        2,
        unit="µs/message",
        at_least=False,
    )


def names(numbers: range) -> list[str]:
    return [f"account-{n:07d}" for n in numbers]


def store(system: System, size: int) -> str:
    database, document = account_store(system, 2)
    insert(system, database, copied(document, names(range(size)), lambda _: 2))
    return database


def rate(system: System, database: str, keys: Sequence[str], messages: int) -> float:
    async def fill(town: Duban) -> None:
        await emptied(town.client)
        await publish(town.client, posts_to(keys, messages))

    async def drain(town: Duban) -> float:
        return (await drained(town.client, messages)).per_second

    on_system(system, fill)
    with process(system, "tests.benchmarks.account", database=database):
        return on_system(system, drain)

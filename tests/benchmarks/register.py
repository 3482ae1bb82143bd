"""Flatness of reading: the ledger's questions and its poll, a million entries next to ten thousand."""

import asyncio

from services.console.embedded import embedded_mongo
from tests.benchmarks.figures import Figure
from tests.benchmarks.reading import LARGE, MOST_TIMES_SLOWER, SMALL, Measured, compare


def figures(scale: int = 1) -> list[Figure]:
    """Of all questions the one that suffers most; the poll of what is due by itself."""
    small, large = SMALL // scale, LARGE // scale
    with embedded_mongo() as mongo:
        measured = asyncio.run(compare(mongo.url, (small, large)))
    polls = [each for each in measured if each.name.startswith("poll")]
    asked = [each for each in measured if each not in polls]
    name = f"3 flatness: {large:,} entries, "
    worst = max(asked, key=lambda each: each.ratio)
    unbound = sum(not each.index_bound for each in measured)
    note = f"slowest of {len(asked)}: {worst.name}; {unbound} not by index"
    runs = {each.name: [each.small, each.large] for each in measured}
    return [
        figure(f"{name}a question", worst, small, note, runs),
        *(figure(name + poll.name, poll, small, "", {}) for poll in polls),
    ]


def figure(name: str, each: Measured, small: int, note: str, runs: dict[str, list[float]]) -> Figure:
    against = f"{small:,} entries"
    return Figure(
        name, each.large, "ms", MOST_TIMES_SLOWER, against, each.small, each.ratio, False, note, runs
    )

"""Reading the register with ten thousand entries and with a million: by index, and hardly slower.

python -m tests.benchmarks.reading [--entries 1000000]
"""

import argparse
import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from functools import partial
from statistics import median
from time import perf_counter
from typing import Any

from duban_contracts.reading import AskDisclosure, EntryStatus, ListEntries
from services.chassis.charter_file import read_charter
from services.chassis.mongo import MongoDocuments, connect, waiting
from services.chassis.queries import history_of
from services.chassis.service import Reading
from services.console.embedded import embedded_mongo
from services.ledger.views import INDEXES, PARTIAL_INDEXES, QUERIES
from services.ledger.views.indexes import IN_PUBLIC
from services.ledger.views.listing import walking
from tests.benchmarks.explaining import Explained, explained, walk_explained
from tests.benchmarks.fill_ledger import CHARTER, fill

SMALL, LARGE = 10_000, 1_000_000
MOST_TIMES_SLOWER = 1.5
NOW = datetime(2024, 12, 28, 1, tzinfo=UTC)
LAST_MONTH = datetime(2024, 12, 1, tzinfo=UTC)
OPEN = (EntryStatus.OPEN, EntryStatus.ACCEPTED)
LISTS: Mapping[str, ListEntries] = {
    "all": ListEntries(),
    "by station": ListEntries(station="xincunban"),
    "by status": ListEntries(statuses=OPEN),
    "by station and status": ListEntries(station="bianmin", statuses=OPEN),
    "by kind": ListEntries(kind="complaint"),
    "by category": ListEntries(category="garbage"),
    "by category and village": ListEntries(category="sewage", village="xicun"),
    "by village": ListEntries(village="dongcun"),
    "by village and status": ListEntries(village="dongcun", statuses=OPEN),
    "by due date": ListEntries(due_from=date(2024, 6, 1), due_until=date(2024, 6, 30)),
    "changed since": ListEntries(updated_since=LAST_MONTH),
    "changed since, of a station": ListEntries(updated_since=LAST_MONTH, station="minzheng"),
    "changed since, by three filters": ListEntries(
        updated_since=LAST_MONTH, category="garbage", village="xicun", statuses=OPEN
    ),
    "changed since and due later": ListEntries(updated_since=LAST_MONTH, due_from=date(2024, 12, 1)),
    "measures": ListEntries(entry_kind="measure"),
    "matters of a station": ListEntries(entry_kind="matter", station="xincunban"),
    "by station, village and kind": ListEntries(station="xincunban", village="dongcun", kind="consult"),
    "overdue of a station": ListEntries(overdue=True, station="xincunban"),
    "by text": ListEntries(text="卫生室旁"),
    "by text and station": ListEntries(text="卫生室旁", station="xincunban"),
    "by text and what nobody has": ListEntries(text="卫生室旁", entry_kind="measure"),
}


@dataclass(frozen=True)
class Measured:
    """Milliseconds for one operation, the median of many, in the small register and in the large one."""

    name: str
    small: float
    large: float
    index_bound: bool

    @property
    def ratio(self) -> float:
        return self.large / self.small

    @property
    def passed(self) -> bool:
        return self.index_bound and self.ratio <= MOST_TIMES_SLOWER


Operation = Callable[[Reading], Awaitable[Any]]


def operations() -> dict[str, Operation]:
    def lists(question: ListEntries) -> Operation:
        return lambda reading: QUERIES["list"].answer(reading, question)

    return {
        **{f"list {name}": lists(question) for name, question in LISTS.items()},
        "export": lambda reading: QUERIES["export"].answer(reading, LISTS["by station"]),
        "disclosure": lambda reading: QUERIES["disclosure"].answer(reading, AskDisclosure()),
        "poll of what is due": lambda reading: MongoDocuments(reading.database, "ledger").due(NOW, 50),
    }


async def explanations(reading: Reading) -> dict[str, Explained]:
    """Of each operation, what the server says that it reads for one page."""
    ledger = reading.database["ledger"]
    told = {}
    for name, question in LISTS.items():
        walk = await walking(reading, question, restricted=False)
        told[f"list {name}"] = await walk_explained(ledger, walk, 50)
    told["export"] = told["list by station"]
    public = {"row.entry_kind": "application", "row.public_key": {"$gt": ""}}
    told["disclosure"] = await explained(ledger, public, ("row.public_key", -1), 50, IN_PUBLIC)
    told["poll of what is due"] = await explained(ledger, waiting(NOW), ("wake_at", 1), 50, None)
    return told


async def compare(url: str, sizes: tuple[int, int] = (SMALL, LARGE), times: int = 60) -> list[Measured]:
    """Fills a register of each size, and asks both in turn, so that whatever else goes on disturbs both."""
    registers = [await register(url, size) for size in sizes]
    bound = [await explanations(reading) for reading in registers]
    measured = []
    for name, operation in operations().items():
        seconds: tuple[list[float], list[float]] = ([], [])
        for turn in range(times + 5):
            for reading, spent in zip(registers, seconds, strict=True):
                started = perf_counter()
                await operation(reading)
                if turn >= 5:  # the first ones fill the caches
                    spent.append(perf_counter() - started)
        small, large = (median(spent) * 1000 for spent in seconds)
        measured.append(Measured(name, small, large, all(told[name].index_bound for told in bound)))
    return measured


async def register(url: str, size: int) -> Reading:
    name, charter = f"duban_bench_{size}", read_charter(CHARTER)
    await asyncio.to_thread(fill, url, name, size)
    database = connect(url)[name]
    await unhurried(database)

    async def none(*_: Any) -> dict[str, Any]:
        return {}

    history = partial(history_of, MongoDocuments(database, "ledger"))
    return Reading(database, none, charter, lambda: NOW, history)


async def unhurried(database: Any) -> None:
    """The server indexes a million entries for longer than our connections wait: ask until it is done."""
    documents = MongoDocuments(database, "ledger", INDEXES, PARTIAL_INDEXES)
    while True:
        try:
            return await documents.prepare()
        except Exception as error:
            if "timed out" not in str(error):
                raise
            await asyncio.sleep(5)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=LARGE)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    with embedded_mongo() as mongo:
        measured = asyncio.run(compare(mongo.url, (SMALL, given.entries)))
    for each in measured:
        words = f"{each.name:34} {each.small:8.2f} ms {each.large:8.2f} ms  x{each.ratio:4.2f}"
        line = json.dumps({**asdict(each), "ratio": each.ratio}, ensure_ascii=False)
        print(line if given.json else f"{words}  {'by index' if each.index_bound else 'NOT BY INDEX'}")  # noqa: T201
    return 0 if all(each.passed for each in measured) else 1


if __name__ == "__main__":
    raise SystemExit(main())

"""The register of numbers: each holder gets one, unique and without gaps within its series.

A number comes in by the door, like time: it is allotted before anything is decided, stored under
its holder, and so the same whatever crashes and however often it is asked for. Numbers of a series
follow each other because a writer takes n only where n-1 is there: inserts are in order, and the
unique index lets one of several writers have it.
"""

from collections.abc import Mapping
from typing import Any

from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo import DESCENDING, IndexModel
from pymongo.errors import BulkWriteError

Raw = dict[str, Any]
TRIES = 1_000
"""Each lost race means that another writer won one, so this bound is never met in earnest."""


class Register:
    def __init__(self, database: "AsyncIOMotorDatabase[Raw]") -> None:
        self._numbers = database["register"]

    async def prepare(self) -> None:
        await self._numbers.create_indexes(
            [IndexModel([("series", DESCENDING), ("n", DESCENDING)], unique=True)]
        )

    async def allot(self, holders: Mapping[str, str]) -> dict[str, str]:
        """Numbers like `2024-000123` for holders, given as holder -> series, e.g. the year."""
        allotted = await self._known(holders)
        for _ in range(TRIES):
            wanting = {holder: series for holder, series in holders.items() if holder not in allotted}
            if not wanting:
                return allotted
            for series in sorted(set(wanting.values())):
                await self._take(series, [holder for holder, of in wanting.items() if of == series])
            allotted |= await self._known(wanting)
        raise RuntimeError(f"no number could be allotted in {TRIES} tries")

    async def _known(self, holders: Mapping[str, str]) -> dict[str, str]:
        found = await self._numbers.find({"_id": {"$in": list(holders)}}).to_list(None)
        return {raw["_id"]: f"{raw['series']}-{raw['n']:06d}" for raw in found}

    async def _take(self, series: str, holders: list[str]) -> None:
        last = await self._numbers.find_one({"series": series}, {"n": True}, sort=[("n", DESCENDING)])
        first = last["n"] + 1 if last else 1
        wanted = [{"_id": holder, "series": series, "n": n} for n, holder in enumerate(holders, first)]
        try:
            await self._numbers.insert_many(wanted, ordered=True)
        except BulkWriteError as error:
            if any(fault["code"] != 11000 for fault in error.details["writeErrors"]):
                raise

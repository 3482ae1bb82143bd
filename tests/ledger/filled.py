"""A register of a whole year in a real MongoDB, and how the tests of reading ask it."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from duban_contracts.charter import Charter, MatterKind, Role
from duban_contracts.readers import NOBODY, Reader
from duban_contracts.reading import ListEntries
from services.chassis.mongo import MongoDocuments
from services.chassis.service import Reading
from services.chassis.settle import state_of
from services.chassis.snapshots import Snapshots
from services.ledger.register_kinds import register
from services.ledger.views import QUERIES
from tests.ledger.register import TOWN

COUNT = 4_000
SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2024, 12, 28, 1, tzinfo=UTC)
LIMITS = {kind: limit for kind, limit in TOWN.matters.limits.items() if kind is not MatterKind.SUGGESTION}
WITHOUT_LIMIT = TOWN.model_copy(
    update={"revision": 1, "matters": TOWN.matters.model_copy(update={"limits": LIMITS})}
)
"""Suggestions have no time limit here, so their entries have no due date."""


def states_of(documents: MongoDocuments, charter: Charter) -> Any:
    """As a service reads them for its questions."""
    decider = register(charter)

    async def states(_: str, keys: Iterable[str]) -> dict[str, tuple[int, Any]]:
        found = await documents.load(keys)
        return {
            key: (each.version, await state_of(each, decider, Snapshots(decider), documents))
            for key, each in found.items()
        }

    return states


OFFICE = Reader("office", Role.OFFICE)


async def ask(reading: Reading, name: str, question: Any, reader: Reader = NOBODY) -> Any:
    return await QUERIES[name].answer(replace(reading, reader=reader), question)


async def every(reading: Reading, **filters: Any) -> list[Any]:
    """All pages, one after the other."""
    found: list[Any] = []
    after: str | None = None
    while True:
        asked = ListEntries(**{"limit": 100, **filters}, after=after)
        page = await ask(reading, "list", asked)
        found += page.entries
        after = page.next
        if after is None:
            return found

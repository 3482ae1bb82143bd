"""However a list is asked for, one page looks at few keys and reads few documents: the server's own count."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import combinations
from typing import Any

import pytest

from duban_contracts.readers import NOBODY
from duban_contracts.reading import AskDisclosure, ListEntries
from services.chassis.service import Reading
from services.ledger.views.indexes import INDEXES, PARTIAL_INDEXES
from services.ledger.views.listing import RARE
from services.ledger.views.walking import MOST_KEYS
from tests.ledger.filled import COUNT, OFFICE, ask, every
from tests.ledger.test_reading import holds

BOUND = 600
"""For these tests: far less than the register holds, and no less than the largest page."""
LIMIT = 20
SINGLE: Mapping[str, dict[str, Any]] = {
    "station": {"station": "xincunban"},
    "status": {"statuses": ("open", "resolved")},
    "measures": {"entry_kind": "measure"},
    "applications": {"entry_kind": "application"},
    "kind": {"kind": "suggestion"},
    "category": {"category": "garbage"},
    "conduct": {"category": "conduct"},
    "village": {"village": "dongcun"},
    "due": {"due_from": date(2024, 12, 20), "due_until": date(2024, 12, 21)},
    "overdue": {"overdue": True},
    "updated": {"updated_since": datetime(2024, 1, 9, tzinfo=UTC)},
    "text": {"text": "卫生室旁"},
}
TOGETHER = [
    names
    for several in (1, 2, 3)
    for names in combinations(SINGLE, several)
    if not {"measures", "applications"} <= set(names) and not {"category", "conduct"} <= set(names)
]


@dataclass
class Cost:
    keys: int = 0
    documents: int = 0
    plans: str = ""


@asynccontextmanager
async def counted(reading: Reading) -> AsyncIterator[Cost]:
    """Everything that the server looks at meanwhile, from whatever operation."""
    database, cost = reading.database, Cost()
    await database.command("profile", 0)
    await database["system.profile"].drop()
    await database.command("profile", 2)
    try:
        yield cost
    finally:
        await database.command("profile", 0)
    async for told in database["system.profile"].find({"ns": f"{database.name}.ledger"}):
        cost.keys += told.get("keysExamined", 0)
        cost.documents += told.get("docsExamined", 0)
        cost.plans += told.get("planSummary", "")


def together(names: tuple[str, ...]) -> dict[str, Any]:
    return {field: value for name in names for field, value in SINGLE[name].items()}


@pytest.fixture
def near(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.ledger.views.walking.MOST_KEYS", BOUND)


@pytest.mark.parametrize("restricted", [False, True])
async def test_no_filters_together_make_one_page_look_at_more_than_its_bound(
    reading: Reading, near: None, restricted: bool
) -> None:
    reader = OFFICE if restricted else NOBODY
    for names in TOGETHER:
        by_text = "text" in names
        async with counted(reading) as cost:
            page = await ask(reading, "list", ListEntries(**together(names), limit=LIMIT), reader)
        counting = 3 * (RARE + 1) if by_text else 0
        assert cost.plans
        # Once to see where the page has to end, once to read it; some keys between one run and the next.
        assert cost.keys <= 2 * BOUND + counting + 100, (names, cost)
        assert cost.documents <= (BOUND if by_text else len(page.entries) + 1), (names, cost)
        assert "COLLSCAN" not in cost.plans, (names, cost)
    assert 2 * BOUND < COUNT


async def test_pages_that_end_at_their_bound_leave_nothing_out(
    reading: Reading, all_entries: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.ledger.views.walking.MOST_KEYS", 150)
    found_some = 0
    for names in TOGETHER[::3]:
        asked = ListEntries(**together(names))
        wanted = {entry.number for entry in all_entries if holds(entry, asked)}
        found = [entry.number for entry in await every(reading, **together(names))]
        assert len(found) == len(set(found))
        assert set(found) == wanted, names
        found_some += bool(found)
    assert found_some > 20


async def test_a_page_may_be_empty_and_go_on(reading: Reading, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.ledger.views.walking.MOST_KEYS", 10)
    rare = {"category": "garbage", "village": "beicun", "due_from": date(2024, 6, 1)}
    page = await ask(reading, "list", ListEntries(**rare, limit=5))
    pages = [page]
    while page.next:
        page = await ask(reading, "list", ListEntries(**rare, limit=5, after=page.next))
        pages.append(page)
    assert any(not page.entries and page.next for page in pages)
    assert pages[-1].next is None
    monkeypatch.undo()
    assert [entry for page in pages for entry in page.entries] == await every(reading, **rare)


async def test_what_is_public_of_one_category_is_bounded_too(
    reading: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def numbers(**asked: Any) -> list[Any]:
        seen: list[Any] = []
        after = None
        while True:
            page = await ask(reading, "disclosure", AskDisclosure(**asked, limit=40, after=after))
            seen += page.applications
            if not (after := page.next):
                return seen

    whole = await numbers(category="temporary_relief")
    monkeypatch.setattr("services.ledger.views.walking.MOST_KEYS", 30)
    async with counted(reading) as cost:
        await ask(reading, "disclosure", AskDisclosure(category="temporary_relief"))
    assert cost.keys <= 2 * 30 + 2
    assert await numbers(category="temporary_relief") == whole
    assert whole


def test_a_page_may_look_at_more_than_it_holds_and_indexes_are_few() -> None:
    assert ListEntries(limit=500).limit < MOST_KEYS
    assert len(INDEXES + PARTIAL_INDEXES) <= 18, "each of them is written with every entry"

"""Asking the register page after page: short and empty pages on the way are nobody's end."""

from types import SimpleNamespace
from typing import Any

from duban_contracts.reading import Disclosed, EntryInFull, EntryPage, ListEntries
from services.console.asking_register import every_page, full_page


def entry(number: int) -> EntryInFull:
    at = "2024-04-15T02:00:00Z"
    told = {"number": f"2024-{number:06d}", "status": "open", "station": "bianmin", "title": "路灯不亮"}
    return EntryInFull.model_validate({**told, "opened_at": at, "updated_at": at})


ENTRIES = tuple(map(entry, range(1, 8)))
WALKS: list[tuple[int, str | None]] = [(2, "a"), (0, "b"), (0, "c"), (3, "d"), (2, None)]
"""How many entries each page holds, at most, and where the next one begins."""


class Register:
    """Answers as the ledger does where hardly anything matches."""

    def __init__(self) -> None:
        self.asked: list[ListEntries] = []

    async def charter(self) -> Any:
        return SimpleNamespace(timezone="Asia/Shanghai", stations={}, actors={}, villages={}, categories={})

    async def ask(self, service: str, name: str, question: ListEntries, reply: Any) -> EntryPage:
        self.asked.append(question)
        marks = [None, *(mark for _, mark in WALKS)]
        at = marks.index(question.after)
        begins = sum(held for held, _ in WALKS[:at])
        held, following = WALKS[at]
        return EntryPage(entries=ENTRIES[begins : begins + held], next=following)


async def test_a_page_is_filled_from_short_and_empty_ones() -> None:
    system: Any = Register()
    page, _ = await full_page(system, "list", ListEntries(limit=5), EntryPage, "entries")
    assert page.entries == ENTRIES[:5]
    assert page.next == "d"
    assert [each.limit for each in system.asked] == [5, 3, 3, 3], "no more than what is still missing"


async def test_a_page_ends_with_the_register() -> None:
    system: Any = Register()
    page, _ = await full_page(system, "list", ListEntries(limit=50), EntryPage, "entries")
    assert (page.entries, page.next) == (ENTRIES, None)


async def test_every_page_goes_on_through_empty_ones() -> None:
    system: Any = Register()
    pages = await every_page(system, "list", ListEntries(limit=50), EntryPage)
    assert tuple(each for page in pages for each in page.entries) == ENTRIES


def test_what_is_paged_has_these_names() -> None:
    assert "applications" in Disclosed.model_fields
    assert "entries" in EntryPage.model_fields

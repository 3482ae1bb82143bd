"""What a release answered, and whether another one still answers so.

Everything here asks as the office, which may see every entry. A later release may add fields; what was
there before must stay as it was.
"""

import json
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from duban_contracts.laggard_report import LaggardReport
from duban_contracts.queries import Answers, HistoryOf, WhoLags, Why, WhyEntry
from duban_contracts.reading import EntryPage, ListEntries, PaperPage
from services.console.client import Duban
from tests.standings import shown_standings

Json = Any
OFFICE = "office"
PAGE = 200
PATIENCE = 30.0


async def answers(system: Duban, asked: Json) -> Json:
    """`asked`: `histories` as pairs of service and key, `why` as numbers, `report_at` as a moment."""
    return {
        "list": await _pages(system, "list", EntryPage, lambda page: page.entries),
        "paper_ledger": await _pages(system, "export", PaperPage, lambda page: page.rows),
        "histories": {
            f"{service} {key}": await history(system, service, key) for service, key in asked["histories"]
        },
        "why": {entry: await _why(system, entry) for entry in asked["why"]},
        "report": await report(system, datetime.fromisoformat(asked["report_at"])),
        "standings": await standings(system),
    }


async def _pages(system: Duban, name: str, kind: type[Any], rows: Callable[[Any], Iterable[Any]]) -> Json:
    found: list[Json] = []
    after = None
    while True:
        question = ListEntries(limit=PAGE, after=after)
        page = await system.ask("ledger", name, question, kind, PATIENCE, OFFICE)
        found += [row.model_dump(mode="json") for row in rows(page)]
        if not (after := page.next):
            return found


async def history(system: Duban, service: str, key: str) -> Json:
    found: list[Json] = []
    after = None
    while True:
        page = await system.ask(
            service, "history", HistoryOf(key=key, after=after), Answers, PATIENCE, OFFICE
        )
        found += [given.model_dump(mode="json") for given in page.answers]
        if not (after := page.next):
            return with_facts(found)


def with_facts(history: list[Json]) -> list[Json]:
    """Whether a message that nothing followed from is shown in a history was never promised."""
    return [given for given in history if given["facts"]]


async def _why(system: Duban, entry: str) -> Json:
    why = await system.ask("ledger", "why", WhyEntry(entry=entry), Why, PATIENCE, OFFICE)
    return why.model_dump(mode="json")


async def report(system: Duban, at: datetime) -> Json:
    found = await system.ask("escalation", "laggards", WhoLags(at=at), LaggardReport, PATIENCE, OFFICE)
    return found.model_dump(mode="json")


async def standings(system: Duban) -> Json:
    """Each station's, as it stands in the bucket."""
    return {station: json.loads(value) for station, value in (await shown_standings(system.client)).items()}


def differences(expected: Json, found: Json, at: str = "") -> list[str]:
    """Where `found` lacks or contradicts what is expected; fields that it has besides do not count."""
    if isinstance(expected, dict) and isinstance(found, dict):
        return [
            fault
            for name, value in expected.items()
            for fault in (
                differences(value, found[name], f"{at}.{name}") if name in found else [f"{at}.{name} is gone"]
            )
        ]
    if isinstance(expected, list) and isinstance(found, list):
        if len(expected) != len(found):
            return [f"{at} has {len(found)} instead of {len(expected)}"]
        return [
            fault
            for n, (one, other) in enumerate(zip(expected, found, strict=True))
            for fault in differences(one, other, f"{at}[{n}]")
        ]
    if at.endswith(".data") and isinstance(expected, str) and isinstance(found, str):
        return differences(json.loads(expected), json.loads(found), f"{at}:") if expected != found else []
    return [] if expected == found else [f"{at} is {found!r} instead of {expected!r}"]

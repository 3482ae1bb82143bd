"""The hot list (举一反三): alike matters of one category and village in one window of time."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from duban_contracts.ledger import EntryKind
from duban_contracts.reading import Alike, AskHotList, Cluster, HotListShown
from services.chassis.queries import NO_BOOKMARK, BadQuery, bookmark, fitting, place
from services.chassis.service import Reading
from services.ledger.views.indexes import BY_OPENING, hint
from services.ledger.views.listing import refuse_unknown
from services.ledger.views.row import Row
from services.ledger.views.text import likeness

MOST = 2_000
"""Matters that are compared at most, the newest ones."""
MOST_ALIKE = 300
"""Of one category and village: each of them is compared with each."""
FIELDS = ("number", "station", "category", "village", "title", "status", "grams", "opened_at")


async def hot_list(reading: Reading, asked: AskHotList) -> HotListShown:
    rules = reading.charter.hot_list
    if rules is None:
        raise BadQuery("the charter has no `hot_list`: it says when matters count as similar")
    since = reading.now() - timedelta(days=asked.within_days or rules.within_days)
    rows = await _newest(reading, {"row.opened_at": {"$gte": since}, **_where(asked)})
    if not rows:
        await refuse_unknown(reading, asked)
    groups = by_place(rows[:MOST])
    compared = [group[:MOST_ALIKE] for group in groups]
    as_like_as, at_least = rules.likeness_percent / 100, asked.at_least or rules.at_least
    # For a second or so; meanwhile the service has to answer others.
    found = await asyncio.to_thread(piled_up, compared, as_like_as, at_least)
    ahead = after(asked.after, found) if asked.after else found
    shown = fitting(ahead[: asked.limit])
    return HotListShown(
        clusters=tuple(shown),
        since=since,
        looked_at=sum(map(len, compared)),
        all_of_them=len(rows) <= MOST and compared == groups,
        next=as_bookmark(shown[-1]) if len(shown) < len(ahead) else None,
    )


def piled_up(groups: Iterable[Sequence[Row]], likeness: float, at_least: int) -> list[Cluster]:
    alike = (members for group in groups for members in clusters(group, likeness))
    return sorted((described(members) for members in alike if len(members) >= at_least), key=order)


def order(cluster: Cluster) -> tuple[int, str]:
    """The largest first. No two begin with the same entry."""
    return -cluster.size, cluster.entries[0]


def as_bookmark(cluster: Cluster) -> str:
    return bookmark(f"{cluster.size}|{cluster.entries[0]}")


def after(mark: str, found: Iterable[Cluster]) -> list[Cluster]:
    """Raises BadQuery for what was never a bookmark of this list."""
    size, _, first = place(mark).partition("|")
    if not size.isdecimal():
        raise BadQuery(NO_BOOKMARK)
    return [cluster for cluster in found if order(cluster) > (-int(size), first)]


def _where(asked: AskHotList) -> dict[str, Any]:
    named = {"category": asked.category, "village": asked.village}
    asked_for = {f"row.{name}": value for name, value in named.items() if value is not None}
    return {"row.entry_kind": EntryKind.MATTER.value, "row.restricted": False, **asked_for}


async def _newest(reading: Reading, where: dict[str, Any]) -> list[Row]:
    shown = {f"row.{field}": True for field in FIELDS}
    cursor = reading.database["ledger"].find(where, shown, hint=hint(BY_OPENING))
    return [kept["row"] for kept in await cursor.sort("row.opened_at", -1).limit(MOST + 1).to_list(None)]


def by_place(rows: Iterable[Row]) -> list[list[Row]]:
    groups: dict[tuple[str, str | None], list[Row]] = defaultdict(list)
    for row in rows:
        groups[row["category"], row["village"]].append(row)
    return list(groups.values())


def clusters(rows: Sequence[Row], at_least: float) -> list[list[Row]]:
    """Each matter with all those that are like it, or like one that is: every row is in one cluster."""
    found: list[list[Row]] = []
    for row in rows:
        alike = [each for each in found if _belongs(row, each, at_least)]
        joined = [row, *(member for each in alike for member in each)]
        found = [each for each in found if each not in alike] + [joined]
    return found


def _belongs(row: Row, members: Iterable[Row], at_least: float) -> bool:
    return any(likeness(row["grams"], member["grams"]) >= at_least for member in members)


def described(rows: Sequence[Row]) -> Cluster:
    ordered = sorted(rows, key=lambda row: (row["opened_at"], row["number"]))
    return Cluster(
        category=ordered[0]["category"],
        village=ordered[0]["village"],
        size=len(ordered),
        entries=tuple(row["number"] for row in ordered),
        titles=tuple(dict.fromkeys(row["title"] for row in ordered))[:10],
        stations=tuple(dict.fromkeys(row["station"] for row in ordered)),
        first_at=ordered[0]["opened_at"],
        last_at=ordered[-1]["opened_at"],
        members=tuple(map(Alike.model_validate, ordered)),
    )

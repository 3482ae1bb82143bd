"""Lists of entries: filtered, sorted and paged by an index, and one entry in full."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from re import escape
from typing import Any
from zoneinfo import ZoneInfo

from duban_contracts.queries import EntryCard, FindEntry, Found, ShowEntry, Shown
from duban_contracts.reading import EntryInFull, EntryPage, ListEntries
from services.chassis.service import Reading
from services.ledger.views.indexes import BY_TEXT, Index, by_due, by_update, hint
from services.ledger.views.row import NEVER, Row, instant
from services.ledger.views.text import grams, plain

RARE = 200
"""A pair of characters that stands in fewer titles than this is rare enough: no rarer one is looked for."""
PAIRS = 8
"""So many pairs of a text are looked at to find a rare one."""


@dataclass(frozen=True)
class Search:
    """What is read: by which index, under which conditions, in the order of which key."""

    where: dict[str, Any]
    index: Index
    sort: str


async def find(reading: Reading, asked: FindEntry) -> Found:
    kept = await reading.database["ledger"].find_one(
        {"row.submission": asked.submission}, {"row.number": True}
    )
    return Found(entry=kept["row"]["number"] if kept else None)


async def show(reading: Reading, asked: ShowEntry) -> Shown:
    """A conduct matter is not shown, as if there were none; see `show_restricted`."""
    shown = await show_restricted(reading, asked)
    return Shown() if shown.entry and shown.entry.restricted else shown


async def show_restricted(reading: Reading, asked: ShowEntry) -> Shown:
    kept = await reading.database["ledger"].find_one({"_id": asked.entry}, {"row": True})
    if not kept or not kept["row"]:
        return Shown()
    row = kept["row"]
    return Shown(card=EntryCard(entry=row["number"], **row), entry=entry_of(row))


async def list_entries(reading: Reading, asked: ListEntries) -> EntryPage:
    rows, following = await page(reading, asked, restricted=False)
    return EntryPage(entries=tuple(map(entry_of, rows)), next=following)


async def list_restricted(reading: Reading, asked: ListEntries) -> EntryPage:
    rows, following = await page(reading, asked, restricted=True)
    return EntryPage(entries=tuple(map(entry_of, rows)), next=following)


def entry_of(row: Row) -> EntryInFull:
    return EntryInFull.model_validate(row)


async def page(reading: Reading, asked: ListEntries, *, restricted: bool) -> tuple[list[Row], str | None]:
    """The rows of one page, and where the next one begins; None after the last."""
    ledger = reading.database["ledger"]
    search = searching(asked, ZoneInfo(reading.charter.timezone), restricted=restricted)
    if asked.text is not None:
        search = await by_rarest(ledger, search, asked.text)
    cursor = ledger.find(search.where, {"row": True}, hint=hint(search.index))
    found = await cursor.sort(search.sort, 1).limit(asked.limit + 1).to_list(None)
    rows = [kept["row"] for kept in found[: asked.limit]]
    key = search.sort.removeprefix("row.")
    return rows, bookmark(rows[-1][key]) if len(found) > asked.limit else None


def searching(asked: ListEntries, zone: ZoneInfo, *, restricted: bool) -> Search:
    """Without the text, whose index depends on what is rare."""
    equal = {
        name: value
        for name in ("station", "kind", "category", "village", "entry_kind")
        if (value := getattr(asked, name)) is not None
    }
    if asked.statuses:
        equal["status"] = {"$in": [status.value for status in asked.statuses]}
    by_changes = asked.updated_since is not None and asked.text is None
    sort = "row.updated_key" if by_changes else "row.due_key"
    index = by_update(equal) if by_changes else by_due(equal)
    where = {f"row.{name}": value for name, value in equal.items()}
    where["row.restricted"] = {"$in": [False, True]} if restricted else False
    return Search(where | ranges(asked, zone, sort), index, sort)


def ranges(asked: ListEntries, zone: ZoneInfo, sort: str) -> dict[str, Any]:
    """Half-open bounds on the keys, of which the bookmark is one.

    NEVER stands after every date, so a lower bound alone would let in what has no due date at all.
    """
    due: dict[str, str] = {}
    if asked.due_from:
        due |= {"$gt": f"{instant(midnight(asked.due_from, zone))}|{NEVER}", "$lt": NEVER}
    if asked.due_until:
        due["$lte"] = f"{instant(midnight(asked.due_until + timedelta(days=1), zone))}|{NEVER}"
    updated = {"$gte": instant(asked.updated_since)} if asked.updated_since else {}
    bounds = {"row.due_key": due, "row.updated_key": updated}
    if asked.after:
        bounds[sort] = {**bounds[sort], "$gt": max(place(asked.after), bounds[sort].get("$gt", ""))}
    # An empty bound keeps the index in order where nothing else is asked of its key.
    bounds[sort] = bounds[sort] or {"$gte": ""}
    return {key: bound for key, bound in bounds.items() if bound}


async def by_rarest(ledger: Any, search: Search, text: str) -> Search:
    """The rarest pair of the text leads through the index; the whole text has to stand in the title."""
    pairs = grams(text)
    if not pairs or len(pairs[0]) < 2:
        raise ValueError("give at least two letters or characters to look for")
    step = -(-len(pairs) // PAIRS)
    counts = [(await how_many(ledger, pair), pair) for pair in pairs[::step]]
    where: Mapping[str, Any] = {
        **search.where,
        "row.grams": min(counts)[1],
        "row.plain": {"$regex": escape(plain(text))},
    }
    return Search(dict(where), BY_TEXT, "row.due_key")


async def how_many(ledger: Any, pair: str) -> int:
    """Counted in the index alone, and not beyond what is rare."""
    counted = await ledger.database.command(
        "count", ledger.name, query={"row.grams": pair}, limit=RARE, hint=dict(hint(BY_TEXT))
    )
    return int(counted["n"])


def midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(0), zone)


def bookmark(key: str) -> str:
    """Opaque: where a page ended, and nothing else about it."""
    return urlsafe_b64encode(key.encode()).decode()


def place(mark: str) -> str:
    """Raises ValueError for what was never a bookmark."""
    try:
        return urlsafe_b64decode(mark.encode()).decode()
    except ValueError:
        raise ValueError("`after` has to be the `next` of an earlier page, as it was given") from None

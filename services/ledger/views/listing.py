"""Lists of entries: filtered, sorted and paged by an index, and one entry in full."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from re import escape
from typing import Any
from zoneinfo import ZoneInfo

from duban_contracts.queries import EntryCard, FindEntry, Found, ShowEntry, Shown
from duban_contracts.reading import (
    AskDisclosure,
    AskHotList,
    EntryInFull,
    EntryPage,
    EntryStatus,
    ListEntries,
)
from services.chassis.queries import Piece, bookmark, fitting, place
from services.chassis.service import Reading
from services.ledger.views.indexes import BY_TEXT, Index, by_due, by_update, hint
from services.ledger.views.row import NEVER, Row, instant
from services.ledger.views.text import grams, plain

RARE = 200
"""A pair of characters that stands in fewer titles than this is rare enough: no rarer one is looked for."""
PAIRS = 8
"""So many pairs of a text are looked at to find a rare one."""

IN_HAND = (EntryStatus.OPEN, EntryStatus.ACCEPTED)
"""What may be overdue: whoever has resolved it waits for somebody else."""


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
    entries, following = await page(reading, asked, entry_of, restricted=False)
    return EntryPage(entries=entries, next=following)


async def list_restricted(reading: Reading, asked: ListEntries) -> EntryPage:
    entries, following = await page(reading, asked, entry_of, restricted=True)
    return EntryPage(entries=entries, next=following)


def entry_of(row: Row) -> EntryInFull:
    return EntryInFull.model_validate(row)


async def page(
    reading: Reading, asked: ListEntries, shown: Callable[[Row], Piece], *, restricted: bool
) -> tuple[tuple[Piece, ...], str | None]:
    """The rows of one page as they are shown, and where the next one begins; None after the last."""
    ledger = reading.database["ledger"]
    search = searching(asked, ZoneInfo(reading.charter.timezone), reading.now(), restricted=restricted)
    if asked.text is not None:
        search = await by_rarest(ledger, search, asked.text)
    cursor = ledger.find(search.where, {"row": True}, hint=hint(search.index))
    found = await cursor.sort(search.sort, 1).limit(asked.limit + 1).to_list(None)
    if not found:
        await refuse_unknown(reading, asked)
    rows = [kept["row"] for kept in found]
    pieces = tuple(fitting(map(shown, rows[: asked.limit])))
    key = search.sort.removeprefix("row.")
    return pieces, bookmark(rows[len(pieces) - 1][key]) if len(pieces) < len(rows) else None


async def refuse_unknown(reading: Reading, asked: ListEntries | AskHotList | AskDisclosure) -> None:
    """Nothing was found: then a misspelt name must not look like work that is all done.

    Raises ValueError. A name of an earlier charter is fine where entries have it.
    """
    charter = reading.charter
    known: dict[str, Collection[str]] = {
        "station": charter.stations,
        "category": charter.categories,
        "village": charter.villages,
    }
    for field, names in known.items():
        name = getattr(asked, field, None)
        if name is None or name in names:
            continue
        kept = await reading.database["ledger"].find_one({f"row.{field}": name}, {"_id": True})
        if kept is None:
            raise ValueError(f"{field}: the charter knows no {name!r}; use one of {', '.join(names)}")


def searching(asked: ListEntries, zone: ZoneInfo, now: datetime, *, restricted: bool) -> Search:
    """Without the text, whose index depends on what is rare."""
    equal = {
        name: value
        for name in ("station", "kind", "category", "village", "entry_kind")
        if (value := getattr(asked, name)) is not None
    }
    if statuses := statuses_of(asked):
        equal["status"] = {"$in": [status.value for status in statuses]}
    if asked.overdue:
        equal["held"] = False
    by_changes = asked.updated_since is not None and asked.text is None
    sort = "row.updated_key" if by_changes else "row.due_key"
    index = by_update(equal) if by_changes else by_due(equal)
    where = {f"row.{name}": value for name, value in equal.items()}
    where["row.restricted"] = {"$in": [False, True]} if restricted else False
    return Search(where | ranges(asked, zone, now, sort), index, sort)


def statuses_of(asked: ListEntries) -> tuple[EntryStatus, ...]:
    """Empty: any. Raises ValueError where none of those asked for can be overdue."""
    if not asked.overdue:
        return asked.statuses
    wanted = tuple(status for status in IN_HAND if status in (asked.statuses or IN_HAND))
    if not wanted:
        raise ValueError(f"only what is {' or '.join(IN_HAND)} can be overdue; ask for no other status")
    return wanted


def ranges(asked: ListEntries, zone: ZoneInfo, now: datetime, sort: str) -> dict[str, Any]:
    """Half-open bounds on the keys, of which the bookmark is one.

    NEVER stands after every date, so a lower bound alone would let in what has no due date at all.
    """
    due: dict[str, str] = {}
    if asked.due_from:
        due |= {"$gt": f"{instant(midnight(asked.due_from, zone))}|{NEVER}", "$lt": NEVER}
    latest = [midnight(asked.due_until + timedelta(days=1), zone)] if asked.due_until else []
    latest += [now] if asked.overdue else []
    if latest:
        due["$lte"] = f"{instant(min(latest))}|{NEVER}"
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

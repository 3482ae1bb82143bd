"""Lists of entries: filtered, sorted and paged by an index, and one entry in full."""

from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime, time, timedelta
from re import escape
from typing import Any
from zoneinfo import ZoneInfo

from duban_contracts.charter import Role
from duban_contracts.queries import EntryCard, FindEntry, Found, ShowEntry, Shown
from duban_contracts.readers import Reader
from duban_contracts.reading import (
    AskDisclosure,
    AskHotList,
    EntryInFull,
    EntryPage,
    EntryStatus,
    ListEntries,
)
from duban_contracts.subjects import NOBODY
from services.chassis.queries import NO_BOOKMARK, BadQuery, Piece, bookmark, fitting, place
from services.chassis.service import Reading
from services.ledger.audience import audience as audience_of
from services.ledger.views.indexes import BY_DUE, BY_SUBMISSION, BY_TEXT, BY_UPDATE, LEADING, hint, led_by
from services.ledger.views.row import NEVER, Row, instant
from services.ledger.views.text import grams, plain
from services.ledger.views.walking import Walk, bounded, following, walked

RARE = 200
"""A pair of characters that stands in fewer titles than this is rare enough: no rarer one is looked for."""
PAIRS = 8
"""So many pairs of a text are looked at to find a rare one."""

IN_HAND = (EntryStatus.OPEN, EntryStatus.ACCEPTED)
"""What may be overdue: whoever has resolved it waits for somebody else."""


async def find(reading: Reading, asked: FindEntry) -> Found:
    """A conduct matter is as good as absent for who may not see it, but for who brought it: its number is
    his receipt, and tells nothing more.

    Entries of the earlier release do not say who brought them; there the gateway counts as who did.
    """
    kept = await reading.database["ledger"].find_one(
        {"row.submission": asked.submission},
        {"row.number": True, "row.restricted": True, "row.station": True},
        hint=hint(BY_SUBMISSION),
    )
    if not kept:
        return Found()
    row, reader = kept["row"], reading.reader
    if not visible(row, reader) and not await _has_brought(reading, row["number"]):
        return Found()
    return Found(entry=row["number"])


async def _has_brought(reading: Reading, number: str) -> bool:
    found = await reading.states("ledger", [number])
    audience = audience_of(reading.charter)(found[number][1]) if number in found else None
    if audience is None:
        return False
    if audience.channel is None:
        return reading.reader.role is Role.GATEWAY
    return audience.channel == reading.actor


async def show(reading: Reading, asked: ShowEntry) -> Shown:
    """A conduct matter is as good as absent for who may not see it."""
    kept = await reading.database["ledger"].find_one({"_id": asked.entry}, {"row": True})
    if not kept or not kept["row"] or not visible(kept["row"], reading.reader):
        return Shown()
    row = kept["row"]
    return Shown(card=EntryCard(entry=row["number"], **row), entry=entry_of(row))


async def list_entries(reading: Reading, asked: ListEntries) -> EntryPage:
    entries, mark = await page(reading, asked, entry_of)
    return EntryPage(entries=entries, next=mark)


def visible(row: Row, reader: Reader) -> bool:
    """Conduct matters: for the office and the commission, and for the station that has them in hand."""
    return not row["restricted"] or reader.sees_restricted or reader.handles(row["station"])


def with_restricted(reader: Reader, asked: ListEntries) -> bool:
    """Whether the list may hold conduct matters. A station finds its own where it asks for its own."""
    return reader.sees_restricted or reader.handles(asked.station)


def entry_of(row: Row) -> EntryInFull:
    return EntryInFull.model_validate(row)


async def page(
    reading: Reading, asked: ListEntries, shown: Callable[[Row], Piece]
) -> tuple[tuple[Piece, ...], str | None]:
    """The rows of one page as they are shown, and where the next one begins; None after the last."""
    ledger = reading.database["ledger"]
    walk = await walking(reading, asked, restricted=with_restricted(reading.reader, asked))
    rows = await walked(ledger, walk, {"row": True}, asked.limit)
    if not rows:
        await refuse_unknown(reading, asked)
    pieces = tuple(fitting(map(shown, rows[: asked.limit])))
    key = following(walk, rows, len(pieces))
    return pieces, bookmark(key) if key else None


async def walking(reading: Reading, asked: ListEntries, *, restricted: bool) -> Walk:
    """By which index the question is answered, from where on and how far.

    The rarest pair of a text leads through the index; the whole text has to stand in the title.
    """
    ledger, equal = reading.database["ledger"], equalities(asked, restricted=restricted)
    if asked.text is not None:
        index, sort, leading = BY_TEXT, "due_key", {"grams": await rarest(ledger, asked.text)}
        equal["plain"] = {"$regex": escape(plain(asked.text))}
    else:
        led = led_by(equal)
        index, sort = (BY_UPDATE[led], "updated_key") if asked.updated_since else (BY_DUE[led], "due_key")
        leading = {name: equal.pop(name) for name in led}
    bounds = ranges(asked, ZoneInfo(reading.charter.timezone), reading.now(), sort)
    along = leading | {sort: bounds.pop(sort)}
    return await bounded(ledger, Walk(in_row(along), in_row(equal | bounds), index, f"row.{sort}"))


def in_row(conditions: Mapping[str, Any]) -> dict[str, Any]:
    return {f"row.{name}": value for name, value in conditions.items()}


async def refuse_unknown(reading: Reading, asked: ListEntries | AskHotList | AskDisclosure) -> None:
    """Nothing was found: then a misspelt name must not look like work that is all done.

    Raises BadQuery. A name of an earlier charter is fine where entries have it.
    """
    charter = reading.charter
    known: dict[str, Collection[str]] = {
        "station": charter.stations,
        "category": charter.categories,
        "village": charter.villages,
    }
    for field, names in known.items():
        name = getattr(asked, field, None)
        if name is None or name in names or name == NOBODY:
            continue
        kept = await reading.database["ledger"].find_one({f"row.{field}": name}, {"_id": True})
        if kept is None:
            raise BadQuery(f"{field}: the charter knows no {name!r}; use one of {', '.join(names)}")


def equalities(asked: ListEntries, *, restricted: bool) -> dict[str, Any]:
    """What has to be equal; status and restriction are always among it, see `ALWAYS`."""
    equal: dict[str, Any] = {name: value for name in LEADING if (value := getattr(asked, name)) is not None}
    if asked.overdue:
        equal["held"] = False
    statuses = statuses_of(asked) or tuple(EntryStatus)
    return equal | {
        "status": {"$in": [status.value for status in statuses]},
        "restricted": {"$in": [False, True]} if restricted else False,
    }


def statuses_of(asked: ListEntries) -> tuple[EntryStatus, ...]:
    """Empty: any. Raises BadQuery where none of those asked for can be overdue."""
    if not asked.overdue:
        return asked.statuses
    wanted = tuple(status for status in IN_HAND if status in (asked.statuses or IN_HAND))
    if not wanted:
        raise BadQuery(f"only what is {' or '.join(IN_HAND)} can be overdue; ask for no other status")
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
    bounds = {"due_key": due, "updated_key": updated}
    if asked.after:
        after = place(asked.after)
        if "|" not in after:
            raise BadQuery(NO_BOOKMARK)
        bounds[sort] = {**bounds[sort], "$gt": max(after, bounds[sort].get("$gt", ""))}
    # An empty bound keeps the index in order where nothing else is asked of its key.
    bounds[sort] = bounds[sort] or {"$gte": ""}
    return {key: bound for key, bound in bounds.items() if bound}


async def rarest(ledger: Any, text: str) -> str:
    """The pair of characters of the text that stands in the fewest titles."""
    pairs = grams(text)
    if not pairs or len(pairs[0]) < 2:
        raise BadQuery("give at least two letters or characters to look for")
    step = -(-len(pairs) // PAIRS)
    return min([(await how_many(ledger, pair), pair) for pair in pairs[::step]])[1]


async def how_many(ledger: Any, pair: str) -> int:
    """Counted in the index alone, and not beyond what is rare."""
    counted = await ledger.database.command(
        "count", ledger.name, query={"row.grams": pair}, limit=RARE, hint=dict(hint(BY_TEXT))
    )
    return int(counted["n"])


def midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(0), zone)

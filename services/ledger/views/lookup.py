"""What a message of the ledger has to know of other entries before it is decided.

A new matter: which open ones look the same. A request to merge: how the other matter stands.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from duban_contracts.charter import Charter
from duban_contracts.intake import MatterAccepted
from duban_contracts.ledger import EntryKind
from duban_contracts.merging import MergeMatter, SuspectedDuplicate
from services.chassis.heard import Heard
from services.ledger.decider import Resembling, Survivor
from services.ledger.views.indexes import NEARBY, hint
from services.ledger.views.row import Row, nearby
from services.ledger.views.text import grams, likeness

MOST_COMPARED = 20
"""Open matters of one category and village that a new one is compared with, the latest ones."""
MOST_NAMED = 5
"""Entries that one hint names."""
FIELDS = ("number", "title", "station", "opened_at")

Place = tuple[str, str | None]


async def look_up(database: Any, charter: Charter, messages: Sequence[Heard[Any]]) -> list[Any]:
    """One answer for each message, None where there is nothing to say."""
    ledger = database["ledger"]
    places = [place_of(heard, charter) for heard in messages]
    wanted = [heard.data.into for heard in messages if isinstance(heard.data, MergeMatter)]
    open_there = await newest_open(ledger, {place for place in places if place is not None})
    survivors = await matters(ledger, wanted)
    found: list[Any] = []
    for heard, place in zip(messages, places, strict=True):
        if isinstance(heard.data, MergeMatter):
            found.append(survivors.get(heard.data.into))
        elif place is None or heard.number is None:
            found.append(None)
        else:
            new = as_row(heard)
            found.append(resembling(new, open_there[place], charter))
            # The next message of this batch may be the same matter again.
            open_there[place] = [new, *open_there[place]][:MOST_COMPARED]
    return found


def place_of(heard: Heard[Any], charter: Charter) -> Place | None:
    """Where to look for the same matter; None for what is no matter, ended, restricted or without a rule.

    Conduct matters give no hints: a hint would name them to readers who may not see them.
    """
    said = heard.data
    if not isinstance(said, MatterAccepted) or charter.hot_list is None:
        return None
    if said.restricted or said.past is not None or said.solved_on_the_spot is not None:
        return None
    category = charter.categories.get(said.category)
    return None if category is None or category.procedure else (said.category, said.village)


async def newest_open(ledger: Any, places: Iterable[Place]) -> dict[Place, list[Row]]:
    """One bounded read for each place, of the index alone: an entry is much larger than what is compared."""
    wanted = list(places)
    found = await asyncio.gather(*(newest(ledger, each).to_list(MOST_COMPARED) for each in wanted))
    rows = ([each["row"] for each in some] for some in found)
    return defaultdict(list, zip(wanted, rows, strict=True))


def newest(ledger: Any, place: Place) -> Any:
    """A cursor over the latest open matters there."""
    shown = {"_id": False} | {f"row.{field}": True for field in FIELDS}
    return (
        ledger.find({"row.nearby": nearby(*place)}, shown, hint=hint(NEARBY))
        .sort("row.number", -1)
        .limit(MOST_COMPARED)
    )


def as_row(heard: Heard[MatterAccepted]) -> Row:
    said = heard.data
    return {
        "number": heard.number,
        "title": said.title,
        "station": said.station,
        "opened_at": heard.now,
    }


def resembling(new: Row, others: Sequence[Row], charter: Charter) -> Resembling | None:
    """By the charter's rule for similar matters (`hot_list`): how alike, and within how many days."""
    rule = charter.hot_list
    if rule is None:
        return None
    since, pairs = new["opened_at"] - timedelta(days=rule.within_days), grams(new["title"])
    alike = [
        SuspectedDuplicate(
            entry=other["number"],
            title=other["title"],
            station=other["station"],
            opened_at=other["opened_at"],
            likeness_percent=percent,
        )
        for other in others
        if other["number"] != new["number"] and other["opened_at"] >= since
        if (percent := int(100 * likeness(pairs, grams(other["title"])))) >= rule.likeness_percent
    ]
    if not alike:
        return None
    alike.sort(key=lambda each: (-each.likeness_percent, each.entry))
    why = (
        f"same category and village, opened within {rule.within_days} days, "
        f"titles alike by {rule.likeness_percent} percent or more ({rule.source})"
    )
    return Resembling(tuple(alike[:MOST_NAMED]), why)


async def matters(ledger: Any, numbers: Sequence[str]) -> dict[str, Survivor]:
    """Those of them that are matters of the register."""
    if not numbers:
        return {}
    cursor = ledger.find({"_id": {"$in": list(set(numbers))}}, {"row": True})
    rows = [each["row"] for each in await cursor.to_list(None) if each["row"]]
    return {row["number"]: survivor(row) for row in rows if row["entry_kind"] == EntryKind.MATTER.value}


def survivor(row: Row) -> Survivor:
    return Survivor(row["number"], row["station"], row["open"], row["restricted"], row.get("merged_into"))

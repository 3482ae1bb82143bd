"""How far one page walks along its index: where hardly anything matches, the page ends before the register.

Filters that do not lead an index are looked at key by key. With a million entries that may be very many for
one page, so a page stops after `MOST_KEYS` of them; it may be short then, or empty, and `next` goes on.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from services.ledger.views.indexes import Index, hint

MOST_KEYS = 1_000
"""More than one page may hold."""
Condition = Mapping[str, Any]


@dataclass(frozen=True)
class Walk:
    """What is read: by which index, from where on, and in the order of which key."""

    along: Condition
    """What leads through the index, the place where it begins among it."""
    skipping: Condition
    """What is looked at on the way."""
    index: Index
    sort: str
    direction: int = 1
    until: str | None = None
    """The last key that this page looks at; None: it may go on to the end."""

    @property
    def where(self) -> dict[str, Any]:
        where = {**self.along, **self.skipping}
        if self.until is None:
            return where
        bound = {"$lte" if self.direction > 0 else "$gte": self.until}
        return where | {self.sort: {**self.along[self.sort], **bound}}


async def bounded(ledger: Any, walk: Walk) -> Walk:
    """Counted off inside the index; no document is read."""
    if not walk.skipping:
        return walk  # whatever stands there is shown
    cursor = ledger.find(dict(walk.along), {"_id": False, walk.sort: True}, hint=hint(walk.index))
    last = await cursor.sort(walk.sort, walk.direction).skip(MOST_KEYS - 1).limit(2).to_list(None)
    return replace(walk, until=key_of(last[0]["row"], walk)) if len(last) == 2 else walk


def key_of(row: Mapping[str, Any], walk: Walk) -> str:
    return str(row[walk.sort.removeprefix("row.")])


async def walked(ledger: Any, walk: Walk, shown: Mapping[str, Any], limit: int) -> list[dict[str, Any]]:
    """The rows on the way: one more than `limit`, if there are so many."""
    cursor = ledger.find(walk.where, shown, hint=hint(walk.index))
    found = await cursor.sort(walk.sort, walk.direction).limit(limit + 1).to_list(None)
    return [kept["row"] for kept in found]


def following(walk: Walk, rows: list[dict[str, Any]], shown: int) -> str | None:
    """The key that the next page begins after; None where this was the last one."""
    return key_of(rows[shown - 1], walk) if shown < len(rows) else walk.until

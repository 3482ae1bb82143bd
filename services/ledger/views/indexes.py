"""The indexes of the register, and which one a question uses: chosen here, so that a plan never flips.

An index of the lists begins with what is asked for equality, goes on with the sort key, and ends with every
other field that can be asked for: what does not match is skipped inside the index and never read. How many
keys one page may skip is bounded in `walking.py`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from duban_contracts.ledger import EntryKind

Index = list[tuple[str, int]]

ALWAYS = ("restricted", "status")
"""Told for equality by every question of a list: a question that wants any status wants each of them."""
LEADING = ("category", "station", "village", "kind", "entry_kind")
"""In the order in which they narrow a list down."""
FILTERS = (*LEADING, "held")


def _index(equal: Sequence[str], sort: str) -> Index:
    rest = [field for field in FILTERS if field not in equal]
    return [(field, 1) for field in (*equal, sort, *rest)]


LEADS = [tuple(filter(None, (lead, *ALWAYS))) for lead in (None, *LEADING)]
BY_DUE: dict[tuple[str, ...], Index] = {equal: _index(equal, "due_key") for equal in LEADS}
BY_UPDATE: dict[tuple[str, ...], Index] = {
    equal: [*_index(equal, "updated_key"), ("due_key", 1)] for equal in LEADS
}
BY_TEXT: Index = [("grams", 1), ("due_key", 1)]
"""Nothing else: a title has some twenty pairs, and each of them would be written anew with every status."""
BY_SUBMISSION: Index = [("submission", 1)]
BY_OPENING: Index = [("opened_at", 1), ("entry_kind", 1), ("category", 1), ("village", 1), ("restricted", 1)]
NEARBY: Index = [("nearby", 1), ("number", -1), ("title", 1), ("station", 1), ("opened_at", 1)]
"""Open matters that a new one is compared with, the latest first, with all that is compared. Only open ones
have `nearby`: the index holds no others."""
IN_PUBLIC: Index = [("entry_kind", 1), ("public_key", 1), ("category", 1)]
RECALLED: Index = [("open", 1), ("revision", 1)]
"""By which the chassis finds what was counted under an older revision of the charter."""

INDEXES: list[Index] = [
    *BY_DUE.values(),
    *BY_UPDATE.values(),
    BY_TEXT,
    BY_SUBMISSION,
    BY_OPENING,
    IN_PUBLIC,
    RECALLED,
]
PARTIAL_INDEXES: list[Index] = [NEARBY]


def led_by(asked: Mapping[str, Any]) -> tuple[str, ...]:
    """Measures are few, whatever else is asked of them; of the other registers everything else is fewer."""
    measures = asked.get("entry_kind") == EntryKind.MEASURE
    lead = "entry_kind" if measures else next((field for field in LEADING if field in asked), None)
    return tuple(filter(None, (lead, *ALWAYS)))


def hint(index: Index) -> Index:
    """As the chassis stores it: every field inside `row`."""
    return [(f"row.{field}", direction) for field, direction in index]

"""The indexes of the register, and which one a question uses: chosen here, so that a plan never flips.

An index begins with what is asked for equality, goes on with the sort key, and ends with every other field
that can be asked for: what does not match is skipped inside the index and never read.
"""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

Index = list[tuple[str, int]]

FILTERS = ("station", "status", "kind", "category", "village", "entry_kind", "restricted", "held")
LEADING = ("category", "station", "village", "kind")
"""In the order in which they narrow a list down."""


def _index(equal: Sequence[str], sort: str) -> Index:
    rest = [field for field in FILTERS if field not in equal]
    return [(field, 1) for field in (*equal, sort, *rest)]


BY_DUE: dict[tuple[str, ...], Index] = {
    equal: _index(equal, "due_key")
    for lead, by_status in product((None, *LEADING), (False, True))
    for equal in [tuple(filter(None, (lead, "status" if by_status else None)))]
}
BY_UPDATE: dict[tuple[str, ...], Index] = {
    equal: [*_index(equal, "updated_key"), ("due_key", 1)] for equal in ((), ("station",))
}
BY_TEXT: Index = [("grams", 1), ("due_key", 1)]
BY_SUBMISSION: Index = [("submission", 1)]
BY_OPENING: Index = [("opened_at", 1), ("entry_kind", 1), ("category", 1), ("village", 1), ("restricted", 1)]
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


def by_due(asked: Mapping[str, Any]) -> Index:
    lead = next((field for field in LEADING if field in asked), None)
    return BY_DUE[tuple(filter(None, (lead, "status" if "status" in asked else None)))]


def by_update(asked: Mapping[str, Any]) -> Index:
    return BY_UPDATE[("station",) if "station" in asked else ()]


def hint(index: Index) -> Index:
    """As the chassis stores it: every field inside `row`."""
    return [(f"row.{field}", direction) for field, direction in index]

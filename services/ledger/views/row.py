"""What an entry can be found by: the row that the chassis keeps and indexes beside its document."""

from typing import Any, assert_never

from duban_contracts.queries import EntryCard, FindEntry, Found, ShowEntry, Shown
from services.chassis.service import Query, Reading
from services.ledger.decider import (
    Closed,
    Handling,
    Known,
    Resolved,
    Returned,
    State,
    StruckOff,
    Unopened,
    WithdrawnEarly,
)

ASCENDING, DESCENDING = 1, -1

INDEXES: list[list[tuple[str, int]]] = [
    [("station", ASCENDING), ("status", ASCENDING), ("due_at", ASCENDING)],
    [("status", ASCENDING), ("due_at", ASCENDING)],
    [("due_at", ASCENDING)],
    [("submission", ASCENDING)],
    [("open", ASCENDING), ("revision", ASCENDING)],
]
"""Lists by station, status and due date, by due date alone, and the entry of a submission.

By `open` and `revision` the chassis finds what was counted under an older revision of the charter.

`due_at` is null where nothing is due; MongoDB sorts those first in an ascending list.
"""


def row(state: State) -> dict[str, Any] | None:
    """BSON's own types only; moments are aware and in UTC. None where there is no entry to be found.

    `restricted` entries (conduct matters) are for the office and the commission only: whoever lists rows
    for others leaves them out.
    """
    if isinstance(state, Unopened | WithdrawnEarly):
        return None
    entry, opened = state.entry, state.entry.opened
    return {
        "number": entry.number,
        "submission": opened.submission,
        "station": entry.station,
        "co_handlers": list(entry.co_handlers),
        "status": status(state),
        "category": opened.category,
        "kind": opened.kind.value,
        "village": opened.village,
        "title": opened.title,
        "priority": opened.priority.value,
        "restricted": opened.restricted,
        "round": entry.round,
        "opened_at": opened.at,
        "due_at": entry.due.at if entry.due else None,
        "due": entry.due.model_dump(mode="json") if entry.due else None,
        "updated_at": entry.updated_at,
        "outcome": None if isinstance(state, Handling | Returned) else state.outcome.value,
        "late": state.late if isinstance(state, StruckOff) else None,
        "held": entry.held is not None,
        "open": not isinstance(state, StruckOff | Closed),
        "revision": entry.revision,
    }


def status(state: Known) -> str:
    """Coarse and stable: `open`, `accepted`, `resolved`, `struck_off`; `closed` where it was taken back."""
    match state:
        case Handling():
            return "accepted" if state.entry.accepted else "open"
        case Returned():
            return "open"
        case Resolved():
            return "resolved"
        case StruckOff():
            return "struck_off"
        case Closed():
            return "closed"
        case _:
            assert_never(state)


async def find(reading: Reading, asked: FindEntry) -> Found:
    kept = await reading.database["ledger"].find_one(
        {"row.submission": asked.submission}, {"row.number": True}
    )
    return Found(entry=kept["row"]["number"] if kept else None)


async def show(reading: Reading, asked: ShowEntry) -> Shown:
    kept = await reading.database["ledger"].find_one({"_id": asked.entry}, {"row": True})
    if not kept or not kept["row"]:
        return Shown()
    row = kept["row"]
    return Shown(card=EntryCard(entry=row["number"], **row))


QUERIES = {"find": Query(FindEntry, find), "show": Query(ShowEntry, show)}

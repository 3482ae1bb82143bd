"""The row beside each entry: what it can be found by, and what a list shows without reading the entry."""

from collections.abc import Callable
from datetime import UTC, date, datetime, tzinfo
from functools import partial
from hashlib import sha256
from typing import Any, assert_never
from zoneinfo import ZoneInfo

from duban_contracts.charter import Charter
from duban_contracts.intake import Outcome
from duban_contracts.ledger import Due, EntryKind
from duban_contracts.reading import EntryStatus, Situation
from services.ledger.applications import ApplicationState, Completed, Concluded, Dropped, Staged
from services.ledger.decider import (
    Closed,
    Entry,
    Handling,
    Merged,
    Resolved,
    Returned,
    State,
    StruckOff,
    Unopened,
    WithdrawnEarly,
)
from services.ledger.measures import (
    Achieved,
    MeasureState,
    PlanInForce,
    PlanState,
    Retired,
    SaidDone,
    Underway,
    Work,
)
from services.ledger.views.text import grams, plain

Row = dict[str, Any]
Matter = Handling | Returned | Resolved | StruckOff | Closed | Merged
Application = Staged | Completed | Concluded | Dropped
Measure = Underway | SaidDone | Achieved | Retired
Ended = StruckOff | Closed | Merged | Concluded | Dropped | Achieved | Retired
NEVER = "~"
"""Stands after every date, so that what is never late comes last."""


def rows(charter: Charter) -> Callable[[Any], Row | None]:
    """In the town's own days."""
    return partial(row, zone=ZoneInfo(charter.timezone))


def row(state: State | MeasureState | ApplicationState | PlanState, zone: tzinfo = UTC) -> Row | None:
    """BSON's own types only; moments are aware and in UTC. None where there is no entry to be found.

    `restricted` entries (conduct matters) are for the office and the commission only: whoever lists rows
    for others leaves them out.
    """
    match state:
        case Unopened() | WithdrawnEarly() | PlanInForce():
            return None
        case Retired(work=None):
            return None
        case Handling() | Returned() | Resolved() | StruckOff() | Closed() | Merged():
            return whole(of_matter(state), state)
        case Staged() | Completed() | Concluded() | Dropped():
            return whole(of_application(state, zone), state)
        case Underway() | SaidDone() | Achieved() | Retired():
            return whole(of_measure(state), state)
        case _:
            assert_never(state)


def whole(special: Row, state: Matter | Application | Measure) -> Row:
    """What every row has: sorted by `due_key` and `updated_key`, whose second half tells entries apart."""
    found = {**EMPTY, **special}
    number, due_at, updated_at = found["number"], found["due_at"], found["updated_at"]
    is_open = not isinstance(state, Ended)
    is_compared = is_open and found["entry_kind"] == EntryKind.MATTER and not found["restricted"]
    return {
        **found,
        "status": status(state).value,
        "situation": situation(state).value,
        "open": is_open,
        "nearby": nearby(found["category"], found["village"]) if is_compared else None,
        "outcome": _outcome(state),
        "late": late(state),
        "ended_at": state.at if isinstance(state, Ended) else None,
        "due_key": f"{instant(due_at) if due_at else NEVER}|{number}",
        "updated_key": f"{instant(updated_at)}|{number}",
        "plain": plain(found["title"]),
        "grams": list(grams(found["title"])),
    }


EMPTY: Row = {
    "submission": None,
    "category": None,
    "kind": None,
    "village": None,
    "priority": None,
    "restricted": False,
    "held": False,
    "stage": None,
    "measure": None,
    "about": "",
    "leader": None,
    "note": "",
    "percent": None,
    "revision": None,
    "public_key": None,
    "reclassified_from": None,
    "resembles": [],
    "merged_into": None,
    "merged": [],
}
"""What not every kind of entry has. `revision` belongs to what has to be counted anew under a later one."""


def of_matter(state: Matter) -> Row:
    entry, opened = state.entry, state.entry.opened
    return {
        "number": entry.number,
        "entry_kind": EntryKind.MATTER.value,
        "submission": opened.submission,
        "station": entry.station,
        "co_handlers": list(entry.co_handlers),
        "category": opened.category,
        "kind": opened.kind.value,
        "village": opened.village,
        "title": opened.title,
        "priority": opened.priority.value,
        "restricted": opened.restricted,
        "round": entry.round,
        "opened_at": opened.at,
        **_due(state.due if isinstance(state, Resolved) else entry.due),
        "updated_at": entry.updated_at,
        "held": entry.held is not None,
        "note": entry.note,
        "percent": entry.percent,
        "revision": entry.revision,
        "reclassified_from": entry.reclassified[-1].was if entry.reclassified else None,
        "resembles": list(entry.resembles),
        "merged_into": entry.merged_into,
        "merged": [each.entry for each in entry.linked],
    }


def of_application(state: Application, zone: tzinfo) -> Row:
    application, opened = state.application, state.application.opened
    secret = f"{application.number}|{opened.submission}|{opened.petitioner}"
    public = None if opened.restricted else public_key(application.updated_at.astimezone(zone).date(), secret)
    return {
        "number": application.number,
        "entry_kind": EntryKind.APPLICATION.value,
        "submission": opened.submission,
        "station": application.station,
        "co_handlers": list(opened.co_handlers),
        "category": opened.category,
        "kind": opened.kind.value,
        "village": opened.village,
        "title": opened.title,
        "priority": opened.priority.value,
        "restricted": opened.restricted,
        "round": application.round,
        "opened_at": opened.at,
        **_due(application.due),
        "updated_at": application.updated_at,
        "held": application.paused_at is not None,
        "stage": application.stage.id if application.stages else None,
        "about": application.stage.name if application.stages else "",
        "note": application.note,
        "revision": application.revision,
        "public_key": public,
    }


def of_measure(state: Measure) -> Row:
    work = state.work
    if work is None:
        raise ValueError("a measure that was never opened has no row")
    planned = work.planned
    return {
        "number": work.number,
        "entry_kind": EntryKind.MEASURE.value,
        "station": work.station,
        "co_handlers": list(planned.stations[1:]),
        "title": planned.name,
        "round": work.round,
        "opened_at": work.opened_at,
        **_due(state.due if isinstance(state, SaidDone) else work.due),
        "updated_at": _last_change(state, work),
        "measure": planned.id,
        "about": planned.about,
        "leader": planned.leader,
        "note": work.note,
        "percent": work.percent,
    }


def _last_change(state: Measure, work: Work) -> datetime:
    return state.at if isinstance(state, Retired) else work.updated_at


def nearby(category: str, village: str | None) -> str:
    """What a new matter is compared with has the same. One text, for MongoDB looks into each entry where it
    is asked for null: an index does not tell null from missing."""
    return f"{category}|{village or ''}"


def public_key(day: date, secret: str) -> str:
    """Sorts what the public sees by the day of its last change, which it is shown, and by nothing else that
    means anything. Whoever may read the history of an entry could make its key, and sees more there."""
    return f"{day:%Y%m%d}|{sha256(secret.encode()).hexdigest()[:24]}"


def public_day(key: str) -> date:
    return date.fromisoformat(key.partition("|")[0])


def status(state: Matter | Application | Measure) -> EntryStatus:
    """Coarse and stable; `closed` where it was taken back, or the plan names it no longer."""
    match state:
        case Handling():
            return EntryStatus.ACCEPTED if state.entry.accepted else EntryStatus.OPEN
        case Returned() | Underway():
            return EntryStatus.OPEN
        case Staged():
            return EntryStatus.ACCEPTED
        case Resolved() | Completed() | SaidDone():
            return EntryStatus.RESOLVED
        case StruckOff() | Concluded() | Achieved():
            return EntryStatus.STRUCK_OFF
        case Closed() | Merged() | Dropped() | Retired():
            return EntryStatus.CLOSED
        case _:
            assert_never(state)


def situation(state: Matter | Application | Measure) -> Situation:
    match state:
        case Handling():
            return in_hand(state.entry)
        case Returned():
            return Situation.RETURNED
        case Staged():
            return Situation.IN_PROCEDURE if state.application.paused_at is None else Situation.OBJECTED
        case Underway():
            return Situation.IN_HAND
        case Resolved() | Completed() | SaidDone():
            return Situation.AWAITING_VERIFICATION
        case StruckOff() | Concluded() | Achieved():
            return Situation.VERIFIED
        case Merged():
            return Situation.MERGED
        case Closed() | Dropped():
            return Situation.TAKEN_BACK
        case Retired():
            return Situation.NOT_IN_PLAN
        case _:
            assert_never(state)


def in_hand(entry: Entry) -> Situation:
    """The one that somebody has to do something about first."""
    if entry.held is not None:
        return Situation.ON_HOLD
    if entry.offer is not None:
        return Situation.OFFERED
    if entry.asking is not None:
        return Situation.EXTENSION_ASKED
    if entry.interim is not None:
        return Situation.REPORTED_UP
    return Situation.IN_HAND if entry.accepted else Situation.UNSIGNED


def late(state: Matter | Application | Measure) -> bool | None:
    """How its answer was; None while there is none, or where nothing can be said."""
    match state:
        case StruckOff() | Concluded() | Achieved():
            return state.late
        case Resolved(at=at, due=due):
            return at >= due.at if due else None
        case Completed(application=application):
            return application.late
        case SaidDone(at=at, due=due):
            return at >= due.late_from if due else None
        case _:
            return None


def instant(moment: datetime) -> str:
    """In UTC, to the second, and in the order of time."""
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%S}"


def _due(due: Due | None) -> Row:
    return {"due_at": due.at if due else None, "due": due.model_dump(mode="json") if due else None}


def _outcome(state: Matter | Application | Measure) -> str | None:
    outcome: Outcome | None = getattr(state, "outcome", None)
    return outcome.value if outcome else None

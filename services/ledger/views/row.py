"""The row beside each entry: what it can be found by, and what a list shows without reading the entry."""

from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, assert_never

from duban_contracts.intake import Outcome
from duban_contracts.ledger import Due, EntryKind
from duban_contracts.reading import EntryStatus
from services.ledger.applications import ApplicationState, Completed, Concluded, Dropped, Staged
from services.ledger.decider import (
    Closed,
    Handling,
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
Matter = Handling | Returned | Resolved | StruckOff | Closed
Application = Staged | Completed | Concluded | Dropped
Measure = Underway | SaidDone | Achieved | Retired
Ended = StruckOff | Closed | Concluded | Dropped | Achieved | Retired
NEVER = "~"
"""Stands after every date, so that what is never late comes last."""


def row(state: State | MeasureState | ApplicationState | PlanState) -> Row | None:
    """BSON's own types only; moments are aware and in UTC. None where there is no entry to be found.

    `restricted` entries (conduct matters) are for the office and the commission only: whoever lists rows
    for others leaves them out.
    """
    match state:
        case Unopened() | WithdrawnEarly() | PlanInForce():
            return None
        case Retired(work=None):
            return None
        case Handling() | Returned() | Resolved() | StruckOff() | Closed():
            return whole(of_matter(state), state)
        case Staged() | Completed() | Concluded() | Dropped():
            return whole(of_application(state), state)
        case Underway() | SaidDone() | Achieved() | Retired():
            return whole(of_measure(state), state)
        case _:
            assert_never(state)


def whole(special: Row, state: Matter | Application | Measure) -> Row:
    """What every row has: sorted by `due_key` and `updated_key`, whose second half tells entries apart."""
    found = {**EMPTY, **special}
    number, due_at, updated_at = found["number"], found["due_at"], found["updated_at"]
    return {
        **found,
        "status": status(state).value,
        "open": not isinstance(state, Ended),
        "outcome": _outcome(state),
        "late": state.late if isinstance(state, StruckOff | Concluded | Achieved) else None,
        "ended_at": state.at if isinstance(state, Ended) else None,
        "due_key": f"{instant(due_at) if due_at else NEVER}|{number}",
        "updated_key": f"{instant(updated_at)}|{number}",
        "plain": plain(found["title"]),
        "grams": grams(found["title"]),
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
        **_due(entry.due),
        "updated_at": entry.updated_at,
        "held": entry.held is not None,
        "note": entry.note,
        "percent": entry.percent,
        "revision": entry.revision,
    }


def of_application(state: Application) -> Row:
    application, opened = state.application, state.application.opened
    public = PublicKey(application.updated_at, application.number, opened.submission, opened.petitioner)
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
        "public_key": None if opened.restricted else str(public),
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
        **_due(work.due),
        "updated_at": _last_change(state, work),
        "measure": planned.id,
        "about": planned.about,
        "leader": planned.leader,
        "note": work.note,
        "percent": work.percent,
    }


def _last_change(state: Measure, work: Work) -> datetime:
    return state.at if isinstance(state, Retired) else work.updated_at


@dataclass(frozen=True)
class PublicKey:
    """Sorts what the public sees by time; nobody outside can tell from it which entry it is."""

    updated_at: datetime
    number: str
    submission: str
    petitioner: str

    def __str__(self) -> str:
        secret = f"{self.number}|{self.submission}|{self.petitioner}"
        return f"{instant(self.updated_at)}|{sha256(secret.encode()).hexdigest()[:24]}"


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
        case Closed() | Dropped() | Retired():
            return EntryStatus.CLOSED
        case _:
            assert_never(state)


def instant(moment: datetime) -> str:
    """In UTC, to the second, and in the order of time."""
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%S}"


def _due(due: Due | None) -> Row:
    return {"due_at": due.at if due else None, "due": due.model_dump(mode="json") if due else None}


def _outcome(state: Matter | Application | Measure) -> str | None:
    outcome: Outcome | None = getattr(state, "outcome", None)
    return outcome.value if outcome else None

"""The facts with which a round ends, and the sentences of a refusal."""

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial

from duban_contracts.intake import Outcome, PastOutcome
from duban_contracts.ledger import (
    Due,
    EntryAccepted,
    EntryOpened,
    EntryOverdue,
    EntryResolved,
    EntryStruckOff,
    LedgerCommandRefused,
    LedgerEvent,
    VerificationRejected,
)
from duban_contracts.message import Refusal
from services.chassis.decider import Asked, refusal
from services.ledger.decider.situations import Closed, Handling, Known, Matter, Resolved, StruckOff, Verify

no: Callable[[Asked, Refusal, str], LedgerCommandRefused] = partial(refusal, LedgerCommandRefused)


def on_the_spot(opened: EntryOpened, matter: Matter, answer: str) -> list[LedgerEvent]:
    """当场解决 (plan 3(3)): accepted and resolved at once, and still to be verified by somebody else."""
    entry, at, station = opened.entry, opened.at, matter.station
    return [
        EntryAccepted(at=at, station=station, entry=entry),
        EntryResolved(
            at=at,
            station=station,
            entry=entry,
            by=station,
            outcome=Outcome.SOLVED,
            answer=answer,
            on_the_spot=True,
        ),
    ]


def closed_elsewhere(opened: EntryOpened, matter: Matter, past: PastOutcome) -> Iterator[LedgerEvent]:
    """A case that ended before it came to this register: struck off without anybody's verification here.

    Where the time of closing was not recorded, it is struck off at its opening, and nothing is said of
    a resolution or of lateness.
    """
    entry, station, closed_at = opened.entry, matter.station, past.closed_at
    late = is_late(closed_at, opened.due)
    if late and opened.due:
        # Its due date may lie before its opening: it is overdue from the opening on, never before.
        at = max(opened.due.at, opened.at)
        yield EntryOverdue(at=at, station=station, entry=entry, due=opened.due)
    if closed_at:
        yield EntryResolved(
            at=closed_at,
            station=station,
            entry=entry,
            by=station,
            outcome=past.outcome,
            answer=matter.solved_on_the_spot or "",
        )
    yield EntryStruckOff(
        at=closed_at or opened.at,
        station=station,
        entry=entry,
        by=matter.source,
        outcome=past.outcome,
        resolved_at=closed_at,
        late=late,
        due=opened.due if closed_at else None,
        past=True,
    )


def is_late(resolved_at: datetime | None, due: Due | None) -> bool | None:
    """Half-open: the due instant itself is too late. None where nothing can be said."""
    return None if resolved_at is None or due is None else resolved_at >= due.at


def struck_off(asked: Asked, state: Resolved) -> EntryStruckOff:
    entry = state.entry
    return EntryStruckOff(
        at=asked.now,
        station=entry.station,
        entry=entry.number,
        round=entry.round,
        by=asked.actor,
        outcome=state.outcome,
        resolved_at=state.at,
        late=is_late(state.at, entry.due),
        due=entry.due,
    )


def rejected(request: Verify, state: Resolved) -> VerificationRejected:
    """The due date stands: what was not solved in time does not gain time."""
    entry = state.entry
    return VerificationRejected(
        at=request.asked.now,
        station=entry.station,
        entry=entry.number,
        round=entry.round + 1,
        by=request.asked.actor,
        reason=request.reason,
        due=entry.due,
    )


def no_such_entry(asked: Asked) -> LedgerCommandRefused:
    return no(asked, Refusal.NO_SUCH_ENTRY, f"the register has no number {asked.key}; check the number")


def not_now(asked: Asked, state: Known) -> LedgerCommandRefused:
    return no(asked, Refusal.WRONG_STATE, f"{asked.key} is {situation(state)}")


def situation(state: Known) -> str:
    match state:
        case Handling():
            return "open; it has to be resolved first"
        case Resolved():
            return "resolved; it waits for somebody else to verify it"
        case StruckOff():
            return "struck off; it can only be reopened"
        case Closed():
            return "taken back by the petitioner; submit a new matter instead"

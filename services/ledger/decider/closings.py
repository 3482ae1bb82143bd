"""How a round ends: resolved, verified by somebody else, struck off or sent back, perhaps reopened."""

from collections.abc import Iterator
from datetime import datetime

from duban_contracts.charter import Role
from duban_contracts.handling import EntryRecurred
from duban_contracts.intake import Outcome, StoredOutcome
from duban_contracts.ledger import (
    Due,
    EntryAccepted,
    EntryOpened,
    EntryOverdue,
    EntryReopened,
    EntryResolved,
    EntryStruckOff,
    LedgerCommandRefused,
    ReopenReason,
    VerificationRejected,
)
from duban_contracts.message import Refusal
from services.chassis.decider import Asked
from services.chassis.wording import wording
from services.ledger.decider.book import Book, Events, blank, impartial, no, not_now
from services.ledger.decider.commands import LinkRecurrence, Matter, Reopen, Resolve, Verify
from services.ledger.decider.handovers import lapsed
from services.ledger.decider.merging import reopen_merged, struck_off_too
from services.ledger.decider.situations import Event, Handling, Known, Merged, Resolved, StruckOff

OF_THE_HANDLER = (Outcome.SOLVED, Outcome.EXPLAINED, Outcome.NOT_FEASIBLE, Outcome.NOT_OURS)
"""What a station may say came of a matter; that it was taken back is the petitioner's to say."""


def on_the_spot(opened: EntryOpened, matter: Matter, answer: str) -> list[Event]:
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


def closed_elsewhere(opened: EntryOpened, matter: Matter, past: StoredOutcome) -> Iterator[Event]:
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
        due=opened.due,
        past=True,
    )


def is_late(resolved_at: datetime | None, due: Due | None) -> bool | None:
    """Half-open: the due instant itself is too late. None where nothing can be said."""
    return None if resolved_at is None or due is None else resolved_at >= due.at


def resolve(book: Book, request: Resolve, state: Known) -> Events:
    """办结, which is not 销号 (domain.md §1). Whoever resolves has signed for it, and ends a hold."""
    asked, entry = request.asked, state.entry
    if objection := book.not_the_handler(asked, entry):
        return [objection]
    if not isinstance(state, Handling):
        return [not_now(asked, state)]
    if request.outcome not in OF_THE_HANDLER:
        detail = wording(
            "only the petitioner takes it back; resolve it as {of_the_handler}",
            of_the_handler=", ".join(OF_THE_HANDLER),
        )
        return [no(asked, Refusal.NOT_ALLOWED, detail)]
    if blank(request.answer):
        return [no(asked, Refusal.REASON_MISSING, wording("say what came of it: the citizen is told"))]
    resumed = [book.clocks.resumed(entry, asked.now, asked.actor)] if entry.held else []
    accepted = EntryAccepted(at=asked.now, station=entry.station, entry=entry.number, round=entry.round)
    resolved = EntryResolved(
        at=asked.now,
        station=entry.station,
        entry=entry.number,
        round=entry.round,
        by=asked.actor,
        outcome=request.outcome,
        answer=request.answer,
    )
    return [*resumed, *lapsed(entry, asked.now), *([] if entry.accepted else [accepted]), resolved]


def verify(book: Book, request: Verify, state: Known) -> Events:
    """销号: somebody other than the handler looks first (domain.md §1, 办结 ≠ 销号)."""
    asked = request.asked
    if objection := may_not_verify(book, asked, state):
        return [objection]
    if not isinstance(state, Resolved):
        return [not_now(asked, state)]
    if request.passed:
        closing = struck_off(asked, state)
        return [closing, *struck_off_too(state.entry, closing)]
    if blank(request.reason):
        detail = wording("say what is not solved yet: the station has to know what to do again")
        return [no(asked, Refusal.REASON_MISSING, detail)]
    return [rejected(request, state)]


def may_not_verify(book: Book, asked: Asked, state: Known) -> LedgerCommandRefused | None:
    """Judged by station, not by token: the commission is itself a station, and so may be the handler."""
    resolved_by = {book.station_behind(state.by)} if isinstance(state, Resolved) else set()
    handlers = {state.entry.station, *state.entry.co_handlers, *resolved_by}
    station = book.station_of(asked)
    roles = impartial(book.charter, book.charter.matters.verify_roles, handlers)
    if station is not None and station in handlers:
        detail = wording(
            "{key} is the work of {station}; somebody else has to verify it: {roles}",
            key=asked.key,
            station=station,
            roles=", ".join(roles),
        )
        return no(asked, Refusal.OWN_WORK, detail)
    if not book.has_role(asked, roles):
        return no(
            asked,
            Refusal.NOT_ALLOWED,
            wording("only {roles} verify {key}; ask one of them", roles=", ".join(roles), key=asked.key),
        )
    return None


def struck_off(asked: Asked, state: Resolved) -> EntryStruckOff:
    """Late is judged by the answer and the due date it was given under; the citizen waited until now."""
    entry = state.entry
    return EntryStruckOff(
        at=asked.now,
        station=entry.station,
        entry=entry.number,
        round=entry.round,
        by=asked.actor,
        outcome=state.outcome,
        resolved_at=state.at,
        late=is_late(state.at, state.due),
        due=state.due,
        citizen_late=is_late(asked.now, entry.citizen),
        restricted=entry.opened.restricted,
        brought_by=entry.opened.brought_by,
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


def reopen(book: Book, request: Reopen, state: Known) -> Events:
    """Back under the old number, as long as the charter allows (domain.md §2, 3(3)d).

    A merged entry is taken out of the one that it was merged into.
    """
    asked = request.asked
    if isinstance(state, Merged):
        return reopen_merged(book, asked, state, request.reason)
    if not isinstance(state, StruckOff):
        return [not_now(asked, state)]
    until = book.dues.calendar.due(state.at, book.charter.matters.reopen_within).at
    if asked.now >= until:
        detail = wording(
            "{key} could be reopened until {until}; submit a new matter instead",
            key=asked.key,
            until=book.said(until),
        )
        return [no(asked, Refusal.TOO_LATE, detail)]
    if blank(request.reason):
        detail = wording("say what is not solved: the station has to know what to do again")
        return [no(asked, Refusal.REASON_MISSING, detail)]
    by_office = book.has_role(asked, (Role.OFFICE,))
    reason = ReopenReason.OFFICE if by_office else ReopenReason.NOT_SOLVED
    return [reopened(book, state, asked.now, reason, request.reason)]


def reopened(book: Book, state: StruckOff, now: datetime, reason: ReopenReason, detail: str) -> EntryReopened:
    """A new round has both clocks anew: what passed since strike-off is nobody's waiting."""
    entry = state.entry
    due = book.dues.of_rectification(now, entry.station)
    return EntryReopened(
        at=now,
        station=entry.station,
        entry=entry.number,
        round=entry.round + 1,
        reason=reason,
        detail=detail,
        was_late=state.late,
        due=due,
        citizen=book.dues.of_citizen(due),
        merged_into=entry.merged_into,
    )


def recurred(book: Book, command: LinkRecurrence, state: StruckOff) -> Events:
    """The same category and place, within the charter's time after strike-off; else it is another matter.

    The submitting channel says so and this register checks it: a new entry cannot see the old one.
    """
    opened, rule = state.entry.opened, book.charter.matters.recurrence
    same = (opened.category, opened.village) == (command.category, command.village)
    if rule is None or not same or command.again in (*state.again, state.entry.number):
        return []
    if not state.at <= command.now < book.dues.calendar.due(state.at, rule.within).at:
        return []
    entry, at = state.entry, state.entry.told_as_of(command.now)
    return [EntryRecurred(at=at, station=entry.station, entry=entry.number, again=command.again)]

"""What follows from each command, in each situation of an entry."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import get_args

from duban_contracts.charter import Charter, Role
from duban_contracts.intake import Outcome
from duban_contracts.ledger import (
    EntryAccepted,
    EntryClosedUnsolved,
    EntryOpened,
    EntryReopened,
    EntryResolved,
    LedgerCommandRefused,
    LedgerEvent,
    ProgressRecorded,
    ReopenReason,
)
from duban_contracts.message import Refusal
from services.chassis.calendar import WorkingCalendar
from services.chassis.decider import Asked, Decider, Wake
from services.ledger.decider.clocks import Clocks
from services.ledger.decider.closings import (
    closed_elsewhere,
    no,
    no_such_entry,
    not_now,
    on_the_spot,
    rejected,
    struck_off,
)
from services.ledger.decider.situations import (
    Accept,
    Command,
    Entry,
    Handling,
    Known,
    Open,
    RecordProgress,
    Reopen,
    ReopenForRating,
    Request,
    Resolve,
    Resolved,
    State,
    StruckOff,
    Unopened,
    Verify,
    Withdraw,
    WithdrawnEarly,
    evolve,
)

Events = Sequence[LedgerEvent]


@dataclass(frozen=True)
class Rules:
    charter: Charter
    clocks: Clocks

    def decide(self, command: Command | Wake, state: State) -> Events:
        match command, state:
            case Wake(now), _:
                return self.clocks.fallen(state, now)
            case Open(), Unopened():
                return self.open(command)
            case Open(), WithdrawnEarly():
                return [self.opened(command)]
            case Withdraw(now, number, station), Unopened() | Handling() | Resolved():
                return [EntryClosedUnsolved(at=now, station=station, entry=number, outcome=Outcome.WITHDRAWN)]
            case ReopenForRating(now, round, detail), StruckOff(entry) if entry.round == round:
                return [self.reopened(state, now, ReopenReason.NEGATIVE_RATING, detail)]
            case Open() | Withdraw() | ReopenForRating(), _:
                return []  # already so, or overtaken by what happened since
            case _, Unopened() | WithdrawnEarly():
                return [no_such_entry(command.asked)]
            case _, _:
                return self.answer(command, state)

    def answer(self, request: Request, state: Known) -> Events:
        match request:
            case Accept(asked):
                return self.accept(asked, state)
            case RecordProgress():
                return self.record_progress(request, state)
            case Resolve():
                return self.resolve(request, state)
            case Verify():
                return self.verify(request, state)
            case Reopen():
                return self.reopen(request, state)

    def open(self, command: Open) -> Events:
        """Never refused: what intake accepted stands in the register, whatever else is known of it."""
        opened, matter = self.opened(command), command.matter
        if matter.past is not None:
            return [opened, *closed_elsewhere(opened, matter, matter.past)]
        if matter.solved_on_the_spot is not None:
            return [opened, *on_the_spot(opened, matter, matter.solved_on_the_spot)]
        return [opened]

    def opened(self, command: Open) -> EntryOpened:
        now, matter = command.now, command.matter
        settled = matter.past is not None or matter.solved_on_the_spot is not None
        return EntryOpened(
            at=now,
            station=matter.station,
            entry=command.number,
            submission=matter.submission,
            title=matter.title,
            category=matter.category,
            kind=matter.kind,
            co_handlers=matter.co_handlers,
            village=matter.village,
            channel=matter.channel,
            priority=matter.priority,
            restricted=matter.restricted,
            petitioner=matter.petitioner,
            due=self.clocks.due_of(matter, now),
            accept_by=None if settled else self.clocks.accept_by(now),
        )

    def accept(self, asked: Asked, state: Known) -> Events:
        """签收: only the responsible station signs, once (domain.md §5.2)."""
        if objection := self.not_the_handler(asked, state.entry):
            return [objection]
        if not isinstance(state, Handling):
            return [not_now(asked, state)]
        if state.entry.accepted:
            return [no(asked, Refusal.ALREADY_DONE, f"{asked.key} is accepted already; go on handling it")]
        return [EntryAccepted(at=asked.now, station=state.entry.station, entry=state.entry.number)]

    def record_progress(self, request: RecordProgress, state: Known) -> Events:
        asked, entry = request.asked, state.entry
        if self.station_of(asked) not in entry.opened.co_handlers and (
            objection := self.not_the_handler(asked, entry)
        ):
            return [objection]
        if not isinstance(state, Handling):
            return [not_now(asked, state)]
        return [
            ProgressRecorded(
                at=asked.now,
                station=entry.station,
                entry=entry.number,
                note=request.note,
                percent=request.percent,
            )
        ]

    def resolve(self, request: Resolve, state: Known) -> Events:
        """办结, which is not 销号 (domain.md §1). Whoever resolves has thereby signed for it."""
        asked, entry = request.asked, state.entry
        if objection := self.not_the_handler(asked, entry):
            return [objection]
        if not isinstance(state, Handling):
            return [not_now(asked, state)]
        accepted = EntryAccepted(at=asked.now, station=entry.station, entry=entry.number)
        resolved = EntryResolved(
            at=asked.now,
            station=entry.station,
            entry=entry.number,
            round=entry.round,
            by=asked.actor,
            outcome=request.outcome,
            answer=request.answer,
        )
        return [resolved] if entry.accepted else [accepted, resolved]

    def verify(self, request: Verify, state: Known) -> Events:
        """销号: somebody other than the handler looks first (domain.md §1, 办结 ≠ 销号)."""
        asked = request.asked
        if objection := self.may_not_verify(asked, state):
            return [objection]
        if not isinstance(state, Resolved):
            return [not_now(asked, state)]
        if request.passed:
            return [struck_off(asked, state)]
        if not request.reason.strip():
            detail = "say what is not solved yet: the station has to know what to do again"
            return [no(asked, Refusal.REASON_MISSING, detail)]
        return [rejected(request, state)]

    def may_not_verify(self, asked: Asked, state: Known) -> LedgerCommandRefused | None:
        """Judged by station, not by token: the commission is itself a station, and so may be the handler."""
        handlers = {state.entry.station, *self.stations_that_resolved(state)}
        if self.station_of(asked) in handlers:
            detail = f"{asked.key} is the work of {self.station_of(asked)}; somebody else has to verify it"
            return no(asked, Refusal.OWN_WORK, detail)
        actor, roles = self.charter.actor(asked.actor), self.charter.matters.verify_roles
        if actor is None or actor.role not in roles:
            detail = f"only {', '.join(roles)} verify here; ask one of them"
            return no(asked, Refusal.NOT_ALLOWED, detail)
        return None

    def stations_that_resolved(self, state: Known) -> set[str | None]:
        return {self.station_behind(state.by)} if isinstance(state, Resolved) else set()

    def reopen(self, request: Reopen, state: Known) -> Events:
        """Back under the old number, as long as the charter allows (domain.md §2, 3(3)d)."""
        asked = request.asked
        if not isinstance(state, StruckOff):
            return [not_now(asked, state)]
        until = self.clocks.reopen_until(state.at)
        if asked.now >= until:
            detail = f"{asked.key} could be reopened until {until}; submit a new matter instead"
            return [no(asked, Refusal.TOO_LATE, detail)]
        actor = self.charter.actor(asked.actor)
        by_office = actor is not None and actor.role is Role.OFFICE
        reason = ReopenReason.OFFICE if by_office else ReopenReason.NOT_SOLVED
        return [self.reopened(state, asked.now, reason, request.reason)]

    def reopened(self, state: StruckOff, now: datetime, reason: ReopenReason, detail: str) -> EntryReopened:
        entry = state.entry
        return EntryReopened(
            at=now,
            station=entry.station,
            entry=entry.number,
            round=entry.round + 1,
            reason=reason,
            detail=detail,
            was_late=state.late,
            due=self.clocks.rectify(now),
        )

    def not_the_handler(self, asked: Asked, entry: Entry) -> LedgerCommandRefused | None:
        if self.station_of(asked) == entry.station:
            return None
        detail = f"{asked.key} is with {entry.station}; only that station can do this"
        return no(asked, Refusal.NOT_THE_HANDLER, detail)

    def station_of(self, asked: Asked) -> str | None:
        return self.station_behind(asked.actor)

    def station_behind(self, token: str) -> str | None:
        actor = self.charter.actor(token)
        return actor.station if actor else None


def ledger(charter: Charter) -> Decider[Command, State, LedgerEvent]:
    """The charter's revision is written into the due dates counted under it."""
    clocks = Clocks(charter, WorkingCalendar(charter), charter.revision or None)
    return Decider(
        decide=Rules(charter, clocks).decide,
        evolve=evolve,
        initial_state=Unopened(),
        states=get_args(State),
        events=get_args(LedgerEvent),
        refused=LedgerCommandRefused,
        wake_at=clocks.wake_at,
    )

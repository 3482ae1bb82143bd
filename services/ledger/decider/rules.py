"""What follows from each command, in each situation of a matter: the table of contents of the rules."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from duban_contracts.charter import Charter
from duban_contracts.handling import CoHandlerAdded
from duban_contracts.intake import Outcome
from duban_contracts.ledger import (
    EntryClosedUnsolved,
    EntryOpened,
    LedgerCommandRefused,
    LedgerEvent,
    LedgerPersonalDataMasked,
    ProgressRecorded,
    ReopenReason,
)
from duban_contracts.merging import DuplicateSuspected
from duban_contracts.message import Refusal
from services.chassis.calendar import WorkingCalendar
from services.chassis.decider import Decider, Wake
from services.chassis.wording import wording
from services.ledger.decider import closings, handovers, merging, reclassifying, timing
from services.ledger.decider.book import Book, Events, blank, no, no_such_entry, not_now
from services.ledger.decider.clocks import Clocks
from services.ledger.decider.commands import (
    INTAKE,
    Accept,
    AddCoHandler,
    Adjudicate,
    ApplyExtension,
    Command,
    DecideExtension,
    FollowSurvivor,
    FromFacts,
    Hold,
    LinkMerged,
    LinkRecurrence,
    Matter,
    Merge,
    Open,
    Reclassify,
    RecordProgress,
    Reopen,
    ReopenForRating,
    ReportUp,
    Request,
    Resolve,
    Resume,
    Return,
    Transfer,
    UnlinkMerged,
    Verify,
    Withdraw,
)
from services.ledger.decider.dues import Dues
from services.ledger.decider.evolve import evolve
from services.ledger.decider.situations import (
    Closed,
    Event,
    Handling,
    InHand,
    Known,
    Merged,
    Resolved,
    Returned,
    RevisionSeen,
    State,
    StruckOff,
    Unopened,
    WithdrawnEarly,
)


@dataclass(frozen=True)
class Rules:
    book: Book

    def decide(self, command: Command | Wake, state: State) -> Sequence[Event]:
        match command, state:
            case Wake(now), _:
                return self.book.clocks.fallen(state, now)
            case (
                (
                    Open()
                    | LinkRecurrence()
                    | Withdraw()
                    | ReopenForRating()
                    | LinkMerged()
                    | UnlinkMerged()
                    | FollowSurvivor()
                ),
                _,
            ):
                return self.heard(command, state)
            case _, Unopened() | WithdrawnEarly():
                return [no_such_entry(command.asked)]
            case _, _:
                return self.answer(command, state)

    def heard(self, command: FromFacts, state: State) -> Events:
        match command, state:
            case Open(), Unopened():
                return self.open(command)
            case Open(), WithdrawnEarly():
                return [self.opened(command)]
            case Withdraw(now, number, station), Unopened():
                return [EntryClosedUnsolved(at=now, station=station, entry=number, outcome=Outcome.WITHDRAWN)]
            case Withdraw(), Handling() | Returned() | Resolved() | Merged():
                return self.withdraw(command, state)
            case LinkMerged(), Handling() | Returned() | Resolved() | StruckOff() | Closed() | Merged():
                return merging.link(command, state)
            case UnlinkMerged(), Handling() | Returned() | Resolved() | StruckOff() | Closed() | Merged():
                return merging.unlink(command, state)
            case FollowSurvivor(), Merged():
                return merging.follow(self.book, command, state)
            case ReopenForRating(now, round, detail), StruckOff(entry) if entry.round == round:
                at = entry.told_as_of(now)
                return [closings.reopened(self.book, state, at, ReopenReason.NEGATIVE_RATING, detail)]
            case LinkRecurrence(), StruckOff():
                return closings.recurred(self.book, command, state)
            case _:
                return []  # already so, or overtaken by what happened since

    def answer(self, request: Request, state: Known) -> Events:
        match request:
            case Accept(asked):
                return handovers.accept(self.book, asked, state)
            case Return():
                return handovers.give_back(self.book, request, state)
            case Transfer():
                return handovers.transfer(self.book, request, state)
            case Adjudicate():
                return handovers.adjudicate(self.book, request, state)
            case ReportUp():
                return timing.report_up(self.book, request, state)
            case ApplyExtension():
                return timing.apply_extension(self.book, request, state)
            case DecideExtension():
                return timing.decide_extension(self.book, request, state)
            case Hold():
                return timing.hold(self.book, request, state)
            case Resume():
                return timing.resume(self.book, request, state)
            case RecordProgress():
                return self.record_progress(request, state)
            case AddCoHandler():
                return self.add_co_handler(request, state)
            case Resolve():
                return closings.resolve(self.book, request, state)
            case Verify():
                return closings.verify(self.book, request, state)
            case Reopen():
                return closings.reopen(self.book, request, state)
            case Reclassify():
                return reclassifying.reclassify(self.book, request, state)
            case Merge():
                return merging.merge(self.book, request, state)

    def open(self, command: Open) -> Events:
        """Never refused: what intake accepted stands in the register, whatever else is known of it."""
        opened, matter = self.opened(command), command.matter
        if matter.past is not None:
            return [opened, *closings.closed_elsewhere(opened, matter, matter.past)]
        if matter.solved_on_the_spot is not None:
            return [opened, *closings.on_the_spot(opened, matter, matter.solved_on_the_spot)]
        return [opened, *self.resembling(command, opened)]

    def resembling(self, command: Open, opened: EntryOpened) -> list[DuplicateSuspected]:
        """A hint: what looks the same is opened like everything else, and nobody is refused for it."""
        if not command.resembling.entries:
            return []
        return [
            DuplicateSuspected(
                at=opened.at,
                station=opened.station,
                entry=opened.entry,
                of=command.resembling.entries,
                why=command.resembling.why,
            )
        ]

    def opened(self, command: Open) -> EntryOpened:
        now, matter, dues = command.now, command.matter, self.book.dues
        settled = matter.past is not None or matter.solved_on_the_spot is not None
        due = dues.of_matter(matter, now)
        acceptance = None if settled else dues.of_acceptance(now, matter.station)
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
            due=due,
            accept_by=acceptance and acceptance.at,
            acceptance=acceptance,
            citizen=None if matter.past else dues.of_citizen(due, matter.submitted_at),
            submitted_at=matter.submitted_at,
            revision=self.revision_of(matter),
            recurs=matter.recurs,
            brought_by=None if matter.source == INTAKE else matter.source,
        )

    def revision_of(self, matter: Matter) -> int | None:
        """The older one of intake's and ours, so that whatever was counted under it is looked at anew."""
        ours = self.book.charter.revision
        return min(ours, ours if matter.revision is None else matter.revision) or None

    def withdraw(self, command: Withdraw, state: InHand | Resolved | Merged) -> Events:
        """Whoever has it now, not whom intake chose, is told that it is over; nobody has a merged entry."""
        entry = state.entry
        at = entry.told_as_of(command.now)
        closed = EntryClosedUnsolved(
            at=at,
            station=None if isinstance(state, Merged) else entry.holder,
            entry=entry.number,
            outcome=Outcome.WITHDRAWN,
        )
        return [*handovers.lapsed(entry, at), closed, *merging.ended_unsolved(entry, at)]

    def record_progress(self, request: RecordProgress, state: Known) -> Events:
        """Co-handlers tell what they did; the interim answer is the lead's to give, or whose debt it is."""
        asked, entry, by = request.asked, state.entry, self.book.station_of(request.asked)
        owes = request.interim_answer and entry.interim is not None and by == entry.owes_interim
        co_handles = by in entry.co_handlers and not request.interim_answer
        if not (owes or co_handles) and (objection := self.book.not_the_handler(asked, entry)):
            return [objection]
        if not (isinstance(state, Handling) or (owes and isinstance(state, Returned))):
            return [not_now(asked, state)]
        if request.interim_answer and entry.interim is None:
            detail = wording("{key} waits for no interim answer; record it as progress", key=asked.key)
            return [no(asked, Refusal.WRONG_STATE, detail)]
        if blank(request.note):
            return [no(asked, Refusal.REASON_MISSING, wording("say how far it has come: others read it"))]
        return [
            ProgressRecorded(
                at=asked.now,
                station=entry.holder,
                entry=entry.number,
                note=request.note,
                percent=request.percent,
                interim_answer=request.interim_answer,
                by=asked.actor,
                evidence=request.evidence,
            )
        ]

    def add_co_handler(self, request: AddCoHandler, state: Known) -> Events:
        """协办: answers to the lead (domain.md §1, 主办 / 协办)."""
        asked, entry = request.asked, state.entry
        if objection := self.book.handler_or_office(asked, entry):
            return [objection]
        if not isinstance(state, Handling):
            return [not_now(asked, state)]
        if request.station in (entry.station, *entry.co_handlers):
            detail = wording(
                "{station} handles {key} already; nothing to do", station=request.station, key=asked.key
            )
            return [no(asked, Refusal.ALREADY_DONE, detail)]
        return [
            CoHandlerAdded(
                at=asked.now,
                station=entry.station,
                entry=entry.number,
                co_handler=request.station,
                by=asked.actor,
            )
        ]


def ledger(charter: Charter) -> Decider[Command, State, Event]:
    """The charter's revision is written into the due dates counted under it."""
    dues = Dues(charter, WorkingCalendar(charter))
    clocks = Clocks(charter, dues)
    return Decider(
        decide=Rules(Book(charter, dues, clocks)).decide,
        evolve=evolve,
        initial_state=Unopened(),
        states=get_args(State),
        events=(*get_args(LedgerEvent), RevisionSeen),
        refused=LedgerCommandRefused,
        masked=LedgerPersonalDataMasked,
        wake_at=clocks.wake_at,
    )

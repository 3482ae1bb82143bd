"""How each fact changes a matter. No rule in it: what was decided stands in the fact."""

from dataclasses import replace
from typing import assert_never

from duban_contracts.handling import (
    Adjudicated,
    CitizenOverdue,
    CoHandlerAdded,
    DeadlineRecomputed,
    EntryHeld,
    EntryRecurred,
    EntryReportedUp,
    EntryResumed,
    EntryReturned,
    EntryTransferred,
    ExtensionApplied,
    ExtensionDecided,
    InterimAnswerOverdue,
    PingPongDetected,
    TransferLapsed,
)
from duban_contracts.ledger import (
    AcceptanceOverdue,
    DueClock,
    EntryAccepted,
    EntryClosedUnsolved,
    EntryDueSoon,
    EntryOpened,
    EntryOverdue,
    EntryReopened,
    EntryResolved,
    EntryStruckOff,
    LedgerCommandRefused,
    LedgerPersonalDataMasked,
    ProgressRecorded,
    VerificationRejected,
)
from duban_contracts.merging import (
    DuplicateSuspected,
    MatterMerged,
    MatterUnmerged,
    MergeLinked,
    SurvivorEnded,
)
from duban_contracts.reclassifying import EntryReclassified
from duban_contracts.subjects import NOBODY
from services.ledger.decider.custody import handed_over, taken_over
from services.ledger.decider.merging import regrouped, struck_off_with
from services.ledger.decider.reclassifying import with_category
from services.ledger.decider.ringing import (
    OF_THE_CITIZEN,
    OF_THE_STATION,
    ahead,
    only,
    rings_again,
    without,
)
from services.ledger.decider.situations import (
    Asking,
    Clock,
    Closed,
    Entry,
    Event,
    Handling,
    Held,
    Merged,
    Resolved,
    RevisionSeen,
    State,
    StruckOff,
    Unopened,
    WithdrawnEarly,
    entry_of,
    with_entry,
)

Closing = EntryResolved | VerificationRejected | EntryStruckOff | EntryReopened | EntryRecurred
Rang = AcceptanceOverdue | EntryDueSoon | EntryOverdue | CitizenOverdue | InterimAnswerOverdue
Moved = ExtensionDecided | EntryResumed | DeadlineRecomputed


def evolve(state: State, event: Event) -> State:
    return told(happened(state, event), event)


def told(state: State, event: Event) -> State:
    """A refusal is told of a request, not of the entry."""
    if isinstance(event, LedgerCommandRefused | LedgerPersonalDataMasked) or isinstance(
        state, Unopened | WithdrawnEarly
    ):
        return state
    return with_entry(state, replace(state.entry, told_at=state.entry.told_as_of(event.at)))


def happened(state: State, event: Event) -> State:
    match event:
        case LedgerCommandRefused() | LedgerPersonalDataMasked():
            return state
        case EntryOpened():
            return opened(state, event)
        case EntryClosedUnsolved():
            return closed(state, event)
        case RevisionSeen():
            return with_entry(state, replace(entry_of(state), revision=event.revision))
        case (
            AcceptanceOverdue() | EntryDueSoon() | EntryOverdue() | CitizenOverdue() | InterimAnswerOverdue()
        ):
            return with_entry(state, rang(entry_of(state), event))
        case _:
            return touched(with_entry(state, replace(entry_of(state), updated_at=event.at)), event)


def touched(state: State, event: Event) -> State:
    """By somebody's hand, or by the time that somebody set."""
    entry = entry_of(state)
    match event:
        case EntryAccepted(taken_over=True):
            return Handling(taken_over(entry, event))
        case EntryAccepted():
            return with_entry(state, replace(entry, accepted=True))
        case ProgressRecorded():
            interim = None if event.interim_answer else entry.interim
            said = entry.percent if event.percent is None else event.percent
            return with_entry(state, replace(entry, interim=interim, note=event.note, percent=said))
        case EntryReportedUp():
            rung = tuple(clock for clock in entry.rung if clock is not Clock.INTERIM)
            return with_entry(state, replace(entry, interim=event.interim, rung=rung))
        case CoHandlerAdded():
            return with_entry(state, replace(entry, co_handlers=(*entry.co_handlers, event.co_handler)))
        case ExtensionApplied():
            return with_entry(state, replace(entry, asking=Asking(event.length, event.station or NOBODY)))
        case EntryHeld():
            held = Held(event.at, event.until, event.ground)
            return with_entry(state, replace(entry, held=held, holds=entry.holds + 1))
        case ExtensionDecided() | EntryResumed() | DeadlineRecomputed():
            return with_entry(state, moved(entry, event))
        case TransferLapsed():
            return with_entry(state, replace(entry, offer=None))
        case EntryTransferred() | EntryReturned() | PingPongDetected() | Adjudicated():
            return handed_over(state, event)
        case EntryReclassified():
            return with_category(entry, event)
        case MatterMerged() | MergeLinked() | MatterUnmerged() | SurvivorEnded() | DuplicateSuspected():
            return regrouped(state, event, entry)
        case EntryResolved() | VerificationRejected() | EntryStruckOff() | EntryReopened() | EntryRecurred():
            return closing(state, event)
        case _:
            assert_never(event)  # type: ignore[arg-type] # the rest was matched in `evolve`


def opened(state: State, event: EntryOpened) -> State:
    station = event.station or NOBODY
    entry = Entry(
        event.model_copy(update={"citizen": None, "acceptance": None}),  # they stand beside it
        station,
        event.due,
        began_at=event.at,
        updated_at=event.at,
        told_at=event.at,
        citizen=event.citizen,
        acceptance=event.acceptance,
        revision=event.revision,
        assigned_at=event.at,
        been_with=(station,),
        co_handlers=event.co_handlers,
    )
    if isinstance(state, WithdrawnEarly):
        return Closed(entry, state.at, state.outcome)
    return Handling(entry)


def closed(state: State, event: EntryClosedUnsolved) -> State:
    if isinstance(state, Unopened | WithdrawnEarly):
        return WithdrawnEarly(event.at, event.outcome)
    return Closed(replace(over(state.entry), updated_at=event.at), event.at, event.outcome)


def rang(entry: Entry, event: Rang) -> Entry:
    match event:
        case AcceptanceOverdue() if entry.offer is not None:
            return replace(entry, offer=replace(entry.offer, overdue=True))
        case AcceptanceOverdue():
            clock = Clock.ACCEPTANCE
        case EntryDueSoon(clock=DueClock.CITIZEN):
            clock = Clock.CITIZEN_DAY if event.on_due_day else Clock.CITIZEN_SOON
        case EntryDueSoon():
            clock = Clock.DUE_DAY if event.on_due_day else Clock.DUE_SOON
        case EntryOverdue():
            clock = Clock.OVERDUE
        case CitizenOverdue():
            clock = Clock.CITIZEN_OVERDUE
        case InterimAnswerOverdue():
            clock = Clock.INTERIM
    return replace(entry, rung=(*entry.rung, clock))


def moved(entry: Entry, event: Moved) -> Entry:
    match event:
        case ExtensionDecided(granted=False):
            return replace(entry, asking=None)
        case ExtensionDecided():
            extended = entry.extended + 1
            after = replace(entry, asking=None, due=event.due, citizen=event.citizen, extended=extended)
        case EntryResumed():
            paused = (*entry.paused, event.paused)
            after = replace(entry, held=None, paused=paused, due=event.due, citizen=event.citizen)
        case DeadlineRecomputed():
            after = recomputed(entry, event)
    again = {
        *rings_again(OF_THE_STATION, entry.due, after.due, event.at),
        *rings_again(OF_THE_CITIZEN, entry.citizen, after.citizen, event.at),
    }
    return replace(after, rung=without(after.rung, again))


def recomputed(entry: Entry, event: DeadlineRecomputed) -> Entry:
    match event.clock:
        case DueClock.STATION:
            return replace(entry, due=event.new, lapsed=None if event.new else event.old)
        case DueClock.CITIZEN:
            return replace(entry, citizen=event.new)
        case DueClock.ACCEPTANCE if entry.offer is not None and event.new and event.station == entry.offer.to:
            overdue = entry.offer.overdue and event.new.at <= event.at
            return replace(entry, offer=replace(entry.offer, acceptance=event.new, overdue=overdue))
        case DueClock.ACCEPTANCE:
            rung = without(entry.rung, ahead(Clock.ACCEPTANCE, event.new, event.at))
            return replace(entry, acceptance=event.new, rung=rung)
        case DueClock.INTERIM:
            rung = without(entry.rung, ahead(Clock.INTERIM, event.new, event.at))
            return replace(entry, interim=event.new, rung=rung)


def closing(state: State, event: Closing) -> State:
    entry = entry_of(state)
    match event:
        case EntryResolved():
            answered = replace(over(entry), note=event.answer)
            return Resolved(answered, event.at, event.by, event.outcome, entry.due)
        case VerificationRejected():
            rung = only(entry.rung, OF_THE_CITIZEN)
            return Handling(
                replace(entry, round=event.round, due=event.due, began_at=event.at, rung=rung, accepted=True)
            )
        case EntryReopened():
            return Handling(reopened(entry, event))
        case EntryStruckOff() if isinstance(state, Merged):
            return struck_off_with(state, event)
        case EntryStruckOff():
            measured = replace(entry, due=event.due or entry.due)
            return StruckOff(
                measured, event.at, event.outcome, event.late, by=event.by, resolved_at=event.resolved_at
            )
        case EntryRecurred():
            return (
                replace(state, again=(*state.again, event.again)) if isinstance(state, StruckOff) else state
            )


def over(entry: Entry) -> Entry:
    """Answered or taken back, nobody waits for anything else."""
    return replace(entry, asking=None, held=None, interim=None, offer=None)


def reopened(entry: Entry, event: EntryReopened) -> Entry:
    return replace(
        entry,
        round=event.round,
        due=event.due,
        citizen=event.citizen,
        began_at=event.at,
        rung=(),
        former=(),
        lapsed=None,
        paused=(),
        rectifying=True,
        counted_as=None,
        citizen_as=None,
        merged_into=None,
    )

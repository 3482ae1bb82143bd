"""Matters about the same thing: one is closed by reference to an earlier one, and shares what comes of it.

Each entry is decided by itself. The later one says that it is merged; the earlier one hears of it and links
it. When the earlier one ends, the later one hears of that and ends too, or goes on by itself. A matter is
merged only into an earlier number, so no chain of merged matters comes back to where it began.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from duban_contracts.charter import Role
from duban_contracts.due import Pause
from duban_contracts.ledger import EntryStruckOff, LedgerCommandRefused
from duban_contracts.merging import (
    DuplicateSuspected,
    MatterMerged,
    MatterUnmerged,
    MergeLinked,
    SurvivorEnded,
)
from duban_contracts.message import Refusal
from services.chassis.decider import Asked
from services.chassis.wording import wording
from services.ledger.decider.book import (
    Book,
    Events,
    blank,
    impartial,
    no,
    not_now,
    running,
)
from services.ledger.decider.commands import FollowSurvivor, LinkMerged, Merge, Survivor, UnlinkMerged
from services.ledger.decider.handovers import lapsed
from services.ledger.decider.reclassifying import hidden
from services.ledger.decider.ringing import OF_THE_STATION, rings_again, without
from services.ledger.decider.situations import (
    Clock,
    Closed,
    Entry,
    Handling,
    InHand,
    Known,
    Linked,
    Merged,
    Returned,
    State,
    StruckOff,
    with_entry,
)


def merge(book: Book, request: Merge, state: Known) -> Events:
    """The office decides (a choice of ours, ADR 0018; one handling for one thing, domain.md §3 G1)."""
    asked, entry, survivor = request.asked, state.entry, request.survivor
    if objection := may_not_merge(book, asked, entry, survivor):
        return [objection]
    if isinstance(state, Merged):
        return [
            no(
                asked,
                Refusal.ALREADY_DONE,
                wording("{key} is merged into {into} already", key=asked.key, into=state.into),
            )
        ]
    if not (running(state) or isinstance(state, Returned)):
        return [not_now(asked, state)]
    if objection := cannot_merge(request, entry, survivor):
        return [objection]
    late = Clock.OVERDUE in entry.rung
    merged = MatterMerged(
        at=asked.now,
        station=entry.holder,
        entry=entry.number,
        into=request.into,
        by=asked.actor,
        reason=request.reason,
        nth=entry.merges + 1,
        restricted=entry.opened.restricted,
        round=entry.round,
        was_late=late,
        late_due=entry.due if late else None,
    )
    return [*lapsed(entry, asked.now), merged]


def may_not_merge(
    book: Book, asked: Asked, entry: Entry, survivor: Survivor | None
) -> LedgerCommandRefused | None:
    """Nobody makes his own work disappear into another's, or the other way round."""
    parties = {entry.holder, survivor.station if survivor else None} - {None}
    roles = impartial(book.charter, (Role.OFFICE,), parties)
    if objection := hidden(book, asked, entry, roles):
        return objection
    if book.station_of(asked) in parties:
        detail = wording(
            "{key} is your own; somebody else has to decide: {roles}", key=asked.key, roles=", ".join(roles)
        )
        return no(asked, Refusal.OWN_CASE, detail)
    if not book.has_role(asked, roles):
        return no(
            asked,
            Refusal.NOT_ALLOWED,
            wording("only {roles} merge {key}; ask one of them", roles=", ".join(roles), key=asked.key),
        )
    return None


def cannot_merge(request: Merge, entry: Entry, survivor: Survivor | None) -> LedgerCommandRefused | None:
    asked, into = request.asked, request.into
    if into == entry.number:
        return no(
            asked,
            Refusal.WRONG_STATE,
            wording("{into} cannot be merged into itself; name the earlier entry", into=into),
        )
    if survivor is None or survivor.restricted != entry.opened.restricted:
        # The same words for what is not there and for what the readers of this history may not see.
        detail = wording(
            "there is no matter {into} that {key} may be merged into; check the number",
            into=into,
            key=asked.key,
        )
        return no(asked, Refusal.NO_SUCH_ENTRY, detail)
    if survivor.merged_into is not None and not survivor.open:
        detail = wording(
            "{into} was merged into {merged_into} itself; merge {key} into that one",
            into=into,
            merged_into=survivor.merged_into,
            key=asked.key,
        )
        return no(asked, Refusal.WRONG_STATE, detail)
    if not survivor.open:
        detail = wording(
            "{into} is closed already; reopen it first, or answer {key} by itself", into=into, key=asked.key
        )
        return no(asked, Refusal.WRONG_STATE, detail)
    if in_order(into) > in_order(entry.number):
        detail = wording(
            "{into} came later; merge it into {key} instead, since the earlier entry goes on",
            into=into,
            key=asked.key,
        )
        return no(asked, Refusal.WRONG_STATE, detail)
    if blank(request.reason):
        return no(asked, Refusal.REASON_MISSING, wording("say why it is the same thing: the citizen is told"))
    return None


def in_order(number: str) -> tuple[int, int]:
    """By year and number; a later one may have more digits."""
    year, _, n = number.partition("-")
    return int(year), int(n)


# The other end of the link


def link(command: LinkMerged, state: Known) -> Events:
    """What ended or became restricted meanwhile says at once what that means for the merged one."""
    entry, at = state.entry, state.entry.told_as_of(command.now)
    if any(each.entry == command.merged and each.nth >= command.nth for each in entry.linked):
        return []
    linked = MergeLinked(
        at=at,
        station=entry.holder,
        entry=entry.number,
        merged=command.merged,
        linked=True,
        nth=command.nth,
    )
    if isinstance(state, Closed) or command.restricted != entry.opened.restricted:
        return [_ended(entry, command.merged, at)]
    if isinstance(state, StruckOff):
        return [linked, _struck_off_with(entry, command.merged, state, at)]
    return [linked]


def unlink(command: UnlinkMerged, state: Known) -> Events:
    entry = state.entry
    if not any(each.entry == command.merged and each.nth <= command.nth for each in entry.linked):
        return []
    return [
        MergeLinked(
            at=entry.told_as_of(command.now),
            station=entry.holder,
            entry=entry.number,
            merged=command.merged,
            linked=False,
            nth=command.nth,
        )
    ]


def ended_unsolved(entry: Entry, at: datetime) -> list[SurvivorEnded]:
    """Taken back by its petitioner: what others brought goes on by itself."""
    return [_ended(entry, each.entry, at) for each in entry.linked]


def struck_off_too(entry: Entry, closing: EntryStruckOff) -> Iterator[SurvivorEnded]:
    for each in entry.linked:
        yield SurvivorEnded(
            at=closing.at,
            station=closing.station,
            entry=each.entry,
            survivor=entry.number,
            struck_off=True,
            by=closing.by,
            outcome=closing.outcome,
            answer=entry.note,
            resolved_at=closing.resolved_at,
        )


def _ended(entry: Entry, merged: str, at: datetime) -> SurvivorEnded:
    return SurvivorEnded(at=at, station=entry.holder, entry=merged, survivor=entry.number, struck_off=False)


def _struck_off_with(entry: Entry, merged: str, state: StruckOff, at: datetime) -> SurvivorEnded:
    return SurvivorEnded(
        at=at,
        station=entry.holder,
        entry=merged,
        survivor=entry.number,
        struck_off=True,
        by=state.by,
        outcome=state.outcome,
        answer=entry.note,
        resolved_at=state.resolved_at,
    )


# What comes of the merged one


def follow(book: Book, command: FollowSurvivor, state: Merged) -> Events:
    """Struck off with the other's outcome: its petitioner is told and may rate it. Else on its own again.

    The closing counts for nobody: the work is counted where it was done, with the entry that went on.
    """
    entry = state.entry
    if command.survivor != state.into:
        return []  # of an earlier merging
    at = max(entry.told_as_of(command.now), state.at)
    if not command.struck_off or command.outcome is None:
        return [unmerged(book, state, at, None, f"{state.into} ended without an outcome")]
    closing = EntryStruckOff(
        at=at,
        station=command.station,
        entry=entry.number,
        round=entry.round,
        by=command.by or "ledger",
        outcome=command.outcome,
        resolved_at=command.resolved_at,
        answer=command.answer,
        citizen_late=None if entry.citizen is None else at >= entry.citizen.at,
        merged_into=state.into,
        brought_by=entry.opened.brought_by,
        restricted=entry.opened.restricted,
    )
    return [closing, *struck_off_too(replace(entry, note=command.answer), closing)]


def reopen_merged(book: Book, asked: Asked, state: Merged, reason: str) -> Events:
    """Not the same thing after all, said by the office or the channel before the other is struck off."""
    if blank(reason):
        detail = wording("say why it is not the same: both stations have to know what is left to do")
        return [no(asked, Refusal.REASON_MISSING, detail)]
    return [unmerged(book, state, asked.now, asked.actor, reason)]


def unmerged(book: Book, state: Merged, at: datetime, by: str | None, reason: str) -> MatterUnmerged:
    """The station's clock stood still meanwhile; what was late before is late again."""
    entry = state.entry
    pause = Pause(start=state.at, end=max(state.at, at))
    due = entry.due and book.dues.again(entry.due, pauses=(*entry.due.pauses, pause))
    unsigned = entry.holder is not None and not entry.accepted
    return MatterUnmerged(
        at=at,
        station=entry.holder,
        entry=entry.number,
        was_into=state.into,
        by=by,
        reason=reason,
        nth=entry.merges,
        round=entry.round,
        was_late=Clock.OVERDUE in entry.rung,
        acceptance=book.dues.of_acceptance(at, entry.station) if unsigned else entry.acceptance,
        due=due,
    )


# How each fact changes an entry. No rule in it: what was decided stands in the fact.

RegroupedBy = MatterMerged | MergeLinked | MatterUnmerged | SurvivorEnded | DuplicateSuspected


def regrouped(state: State, event: RegroupedBy, entry: Entry) -> State:
    match event:
        case MatterMerged():
            waiting = replace(entry, merged_into=event.into, merges=event.nth, offer=None, asking=None)
            return Merged(waiting, event.at)
        case MatterUnmerged():
            return _on_its_own(entry, event)
        case MergeLinked():
            others = tuple(each for each in entry.linked if each.entry != event.merged)
            added = (Linked(event.merged, event.nth),) if event.linked else ()
            return with_entry(state, replace(entry, linked=(*others, *added)))
        case DuplicateSuspected():
            return with_entry(state, replace(entry, resembles=tuple(each.entry for each in event.of)))
        case SurvivorEnded():
            return state  # told to the other one


def _on_its_own(entry: Entry, event: MatterUnmerged) -> InHand:
    """The reminders of the station may come again, for another date."""
    again = rings_again(OF_THE_STATION, entry.due, event.due, event.at)
    rung = without(entry.rung, again if entry.accepted else (*again, Clock.ACCEPTANCE))
    back = replace(entry, merged_into=None, due=event.due, acceptance=event.acceptance, rung=rung)
    return Handling(back) if back.holder is not None else Returned(back)


def struck_off_with(state: Merged, event: EntryStruckOff) -> StruckOff:
    """With the station that did the work, who is to mend it if it is reopened."""
    entry = replace(
        state.entry, station=event.station or state.entry.station, note=event.answer or state.entry.note
    )
    return StruckOff(entry, event.at, event.outcome, event.late, by=event.by, resolved_at=event.resolved_at)

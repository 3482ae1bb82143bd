"""How a hand-over changes whose an entry is. No rule in it: what was decided stands in the fact."""

from dataclasses import replace
from datetime import datetime

from duban_contracts.handling import Adjudicated, EntryReturned, EntryTransferred, PingPongDetected
from duban_contracts.ledger import Due, EntryAccepted
from duban_contracts.subjects import NOBODY
from services.ledger.decider.ringing import (
    OF_THE_CITIZEN,
    OF_THE_STATION,
    Rung,
    only,
    rings_again,
    without,
)
from services.ledger.decider.situations import (
    Clock,
    Entry,
    Former,
    Handling,
    Offer,
    Returned,
    State,
    entry_of,
    with_entry,
)

GOES_ON = (*OF_THE_CITIZEN, Clock.INTERIM)
"""Rings once, wherever the entry goes."""

HandedOver = EntryTransferred | EntryReturned | PingPongDetected | Adjudicated


def handed_over(state: State, event: HandedOver) -> State:
    entry = entry_of(state)
    match event:
        case EntryTransferred():
            to = event.station or NOBODY
            offer, been_with = Offer(to, event.at, event.acceptance), (*entry.been_with, to)
            return with_entry(
                state, replace(entry, offer=offer, been_with=been_with, handovers=event.handovers)
            )
        case EntryReturned(was_responsible=False):
            return with_entry(state, replace(entry, offer=None, handovers=event.handovers))
        case EntryReturned(to=str(to)):
            entry = assigned(entry, to, event.due, event.at)
            return Handling(replace(entry, accepted=True, handovers=event.handovers))
        case EntryReturned():
            entry = assigned(entry, NOBODY, None, event.at)
            return Returned(replace(entry, accepted=False, handovers=event.handovers))
        case PingPongDetected():
            return with_entry(state, replace(entry, bound=True, offer=None, handovers=event.handovers))
        case Adjudicated():
            return adjudicated(state, event)


def adjudicated(state: State, event: Adjudicated) -> State:
    entry = entry_of(state)
    if event.moved:
        entry = assigned(entry, event.station or NOBODY, event.due, event.at)
        entry = replace(
            entry, accepted=False, acceptance=event.acceptance, been_with=(*entry.been_with, entry.station)
        )
        state = Handling(entry)
    return with_entry(
        state, replace(entry, bound=True, handovers=0, offer=None, co_handlers=event.co_handlers)
    )


def taken_over(entry: Entry, event: EntryAccepted) -> Entry:
    since = entry.offer.at if entry.offer else event.at
    entry = assigned(entry, event.station or NOBODY, event.due, event.at, since)
    return replace(entry, accepted=True, came_from=event.taken_from)


def assigned(
    entry: Entry, station: str, due: Due | None, at: datetime, since: datetime | None = None
) -> Entry:
    """A station's own clock, the former one where it had the entry before; those of the citizen go on."""
    before = entry.former_of(station)
    return replace(
        entry,
        station=station,
        due=due,
        counted_as=before.counted_as if before else None,
        lapsed=None,
        began_at=at,
        assigned_at=before.assigned_at if before else since or at,
        former=left_behind(entry, station, at),
        rung=(*only(entry.rung, GOES_ON), *rung_before(before, entry.round, due, at)),
        offer=None,
        asking=None,
        acceptance=None,
        came_from=None,
        co_handlers=tuple(each for each in entry.co_handlers if each != station),
    )


def left_behind(entry: Entry, to: str, at: datetime) -> tuple[Former, ...]:
    others = tuple(each for each in entry.former if each.station not in (entry.station, to))
    if entry.holder is None:
        return others
    since = entry.assigned_at or entry.opened.at
    former = Former(entry.station, entry.due, entry.rung, entry.round, since, at, entry.counted_as)
    return (*others, former)


def rung_before(before: Former | None, round_now: int, due: Due | None, now: datetime) -> Rung:
    """What rang there in this round rings no more, as long as it is the same date."""
    if before is None or before.round != round_now:
        return ()
    return without(only(before.rung, OF_THE_STATION), rings_again(OF_THE_STATION, before.due, due, now))

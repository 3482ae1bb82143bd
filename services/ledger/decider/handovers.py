"""Whose an entry is: signed for, given back, handed on, and adjudicated where it only goes round."""

from datetime import datetime

from duban_contracts.charter import Role
from duban_contracts.handling import (
    Adjudicated,
    EntryReturned,
    EntryTransferred,
    PingPongDetected,
    TransferLapsed,
)
from duban_contracts.ledger import EntryAccepted, LedgerCommandRefused
from duban_contracts.message import Refusal
from duban_contracts.subjects import NOBODY
from services.chassis.decider import Asked
from services.chassis.wording import wording
from services.ledger.decider.book import (
    Book,
    Events,
    blank,
    impartial,
    no,
    not_in_charter,
    not_now,
    running,
)
from services.ledger.decider.commands import Adjudicate, Return, Transfer
from services.ledger.decider.situations import Clock, Entry, Handling, Known, Offer, Returned

WITHOUT_A_RULE = (Role.OFFICE, Role.LEADER)
"""Who adjudicates where the charter does not say."""


def accept(book: Book, asked: Asked, state: Known) -> Events:
    """签收: only the responsible station signs, once (domain.md §5.2); or the one it is handed over to."""
    entry = state.entry
    if entry.offer is not None and book.station_of(asked) == entry.offer.to:
        return [taken_over(book, asked, entry, entry.offer)]
    if objection := book.not_the_handler(asked, entry):
        return [objection]
    if not isinstance(state, Handling):
        return [not_now(asked, state)]
    if entry.accepted:
        return [
            no(
                asked,
                Refusal.ALREADY_DONE,
                wording("{key} is accepted already; go on handling it", key=asked.key),
            )
        ]
    return [EntryAccepted(at=asked.now, station=entry.station, entry=entry.number, round=entry.round)]


def taken_over(book: Book, asked: Asked, entry: Entry, offer: Offer) -> EntryAccepted:
    """首问负责制: only now does responsibility move on (domain.md §1)."""
    return EntryAccepted(
        at=asked.now,
        station=offer.to,
        entry=entry.number,
        taken_over=True,
        taken_from=entry.holder,
        round=entry.round,
        was_late=Clock.OVERDUE in entry.rung,
        due=book.dues.of_successor(entry, offer.to, offer.at, asked.now),
    )


def give_back(book: Book, request: Return, state: Known) -> Events:
    """退单: within the charter's time from the assignment, with a legal ground (domain.md §5.2).

    Back to whoever handed it over; from the station that intake chose, to the office.
    """
    asked, entry, rule = request.asked, state.entry, book.charter.matters.handover
    offered = entry.offer is not None and book.station_of(asked) == entry.offer.to
    if not offered and (objection := book.not_the_handler(asked, entry)):
        return [objection]
    if rule is None:
        return [not_in_charter(asked, wording("returning an entry"))]
    if not (running(state) or (offered and isinstance(state, Returned))):
        return [not_now(asked, state)]
    if blank(request.legal_ground):
        return [
            no(
                asked,
                Refusal.REASON_MISSING,
                wording("name the legal ground on which it is not yours to handle"),
            )
        ]
    if entry.bound:
        return [bound(asked)]
    if entry.offer is not None and not offered:
        return [waits_for(asked, entry.offer)]
    by = entry.offer.to if entry.offer else entry.station
    since = entry.offer.at if entry.offer else (entry.assigned_at or entry.opened.at)
    until = book.dues.ends(since, rule.return_within, by)
    if asked.now >= until:
        detail = wording(
            "{key} could be returned until {until}; transfer it or report it up instead",
            key=asked.key,
            until=book.said(until),
        )
        return [no(asked, Refusal.TOO_LATE, detail)]
    if entry.handovers + 1 >= rule.ping_pong_at:
        return [*lapsed(entry, asked.now), ping_pong(request, entry)]
    return [returned(book, request, entry, offered)]


def returned(book: Book, request: Return, entry: Entry, offered: bool) -> EntryReturned:
    now, back_to = request.asked.now, entry.came_from
    by = entry.offer.to if offered and entry.offer else entry.station
    due = None if offered or back_to is None else book.dues.of_successor(entry, back_to, now, now)
    return EntryReturned(
        at=now,
        station=by,
        entry=entry.number,
        legal_ground=request.legal_ground,
        to=entry.holder if offered else back_to,
        was_responsible=not offered,
        handovers=entry.handovers + 1,
        round=entry.round,
        was_late=not offered and Clock.OVERDUE in entry.rung,
        due=due,
    )


def transfer(book: Book, request: Transfer, state: Known) -> Events:
    """转办: asked of another station; the one that has it answers for it until then (domain.md §1)."""
    asked, entry, rule = request.asked, state.entry, book.charter.matters.handover
    if objection := book.handler_or_office(asked, entry):
        return [objection]
    if rule is None:
        return [not_in_charter(asked, wording("transferring an entry"))]
    if not (running(state) or isinstance(state, Returned)):
        return [not_now(asked, state)]
    if blank(request.reason):
        return [no(asked, Refusal.REASON_MISSING, wording("say why: the citizen is told of the transfer"))]
    if entry.bound:
        return [bound(asked)]
    if entry.offer is not None:
        return [waits_for(asked, entry.offer)]
    if request.to == entry.station:
        return [
            no(
                asked,
                Refusal.ALREADY_DONE,
                wording("{key} is with {to} already; nothing to do", key=asked.key, to=request.to),
            )
        ]
    counts = book.is_handler(asked, entry)  # the office assigns, it does not pass on
    if counts and entry.handovers + 1 >= rule.ping_pong_at:
        return [ping_pong(request, entry)]
    return [
        EntryTransferred(
            at=asked.now,
            station=request.to,
            entry=entry.number,
            from_station=entry.holder,
            by=asked.actor,
            reason=request.reason,
            handovers=entry.handovers + counts,
            acceptance=book.dues.of_acceptance(asked.now, request.to),
        )
    ]


def ping_pong(request: Return | Transfer, entry: Entry) -> PingPongDetected:
    """推诿扯皮 may be behind it, which is for others to find: here it only stops going round."""
    asked = request.asked
    return PingPongDetected(
        at=asked.now,
        station=entry.holder,
        entry=entry.number,
        by=asked.actor,
        to=request.to if isinstance(request, Transfer) else None,
        reason=request.reason if isinstance(request, Transfer) else request.legal_ground,
        handovers=entry.handovers + 1,
        stations=tuple(each for each in entry.been_with if each != NOBODY),
    )


def adjudicate(book: Book, request: Adjudicate, state: Known) -> Events:
    """The office says whose it is, and stations hand it over no more (domain.md §2, W2b)."""
    asked, entry, rule = request.asked, state.entry, book.charter.matters.handover
    roles = impartial(book.charter, rule.adjudicated_by if rule else WITHOUT_A_RULE, entry.been_with)
    if book.station_of(asked) is not None and book.station_of(asked) in entry.been_with:
        detail = wording(
            "{actor} is a party to it; somebody else has to decide: {roles}",
            actor=asked.actor,
            roles=", ".join(roles),
        )
        return [no(asked, Refusal.OWN_CASE, detail)]
    if not book.has_role(asked, roles):
        detail = wording(
            "only {roles} adjudicate {key}; ask one of them", roles=", ".join(roles), key=asked.key
        )
        return [no(asked, Refusal.NOT_ALLOWED, detail)]
    if not (running(state) or isinstance(state, Returned)):
        return [not_now(asked, state)]
    if blank(request.reason):
        return [
            no(asked, Refusal.REASON_MISSING, wording("say why it is theirs: both sides will want to know"))
        ]
    return [*lapsed(entry, asked.now), adjudicated(book, request, entry)]


def adjudicated(book: Book, request: Adjudicate, entry: Entry) -> Adjudicated:
    now, to = request.asked.now, request.to
    moves = to != entry.station
    co_handlers = request.co_handlers or entry.co_handlers
    return Adjudicated(
        at=now,
        station=to,
        entry=entry.number,
        by=request.asked.actor,
        reason=request.reason,
        from_station=entry.holder if moves else None,
        moved=moves,
        round=entry.round,
        was_late=moves and Clock.OVERDUE in entry.rung,
        co_handlers=tuple(dict.fromkeys(each for each in co_handlers if each != to)),
        acceptance=book.dues.of_acceptance(now, to) if moves else None,
        due=book.dues.of_successor(entry, to, now, now) if moves else entry.due,
    )


def lapsed(entry: Entry, now: datetime) -> list[TransferLapsed]:
    """Whoever was asked to take it over is asked no more."""
    if entry.offer is None:
        return []
    return [TransferLapsed(at=now, station=entry.offer.to, entry=entry.number)]


def bound(asked: Asked) -> LedgerCommandRefused:
    detail = wording(
        "{key} went round already; only an adjudication by the office moves it now", key=asked.key
    )
    return no(asked, Refusal.WRONG_STATE, detail)


def waits_for(asked: Asked, offer: Offer) -> LedgerCommandRefused:
    detail = wording(
        "{to} was asked to take {key} over; wait until it accepts or returns it, or have it adjudicated",
        to=offer.to,
        key=asked.key,
    )
    return no(asked, Refusal.WRONG_STATE, detail)

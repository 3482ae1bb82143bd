"""A matter under another category: whose it is and how long it may take, chosen again by the charter."""

from collections.abc import Collection
from dataclasses import replace

from duban_contracts.charter import Category, Role
from duban_contracts.ledger import Due, LedgerCommandRefused
from duban_contracts.message import Refusal
from duban_contracts.reclassifying import ClockEffect, EntryReclassified, Reclassification
from duban_contracts.subjects import NOBODY
from services.chassis.decider import Asked
from services.chassis.wording import nearest, wording
from services.ledger.decider.book import Book, Events, blank, impartial, no, no_such_entry, not_now, running
from services.ledger.decider.commands import Reclassify
from services.ledger.decider.custody import GOES_ON
from services.ledger.decider.handovers import lapsed
from services.ledger.decider.ringing import OF_THE_CITIZEN, OF_THE_STATION, only, rings_again, without
from services.ledger.decider.situations import Clock, CountedAs, Entry, Handling, Known, Returned, State

SEE_RESTRICTED = (Role.OFFICE, Role.DISCIPLINE)


def reclassify(book: Book, request: Reclassify, state: Known) -> Events:
    """The routing authority decides, never the station that has it (a choice of ours; ADR 0018).

    Lateness stays with whoever was late, a station that gets the entry has its whole limit, and the citizen's
    clock counts from the submission (fairness: a duty has one owner, whoever gets it next starts clean).
    """
    asked, entry = request.asked, state.entry
    if objection := may_not_reclassify(book, asked, entry):
        return [objection]
    if not (running(state) or isinstance(state, Returned)):
        return [not_now(asked, state)]
    category = book.charter.categories.get(request.category)
    if category is None:
        known = book.charter.categories
        detail = wording(
            "the charter has no category '{category}'{hint}",
            category=request.category,
            hint=nearest(request.category, known),
        )
        return [no(asked, Refusal.UNKNOWN_CATEGORY, detail)]
    if objection := unfit(request, entry, category):
        return [objection]
    return [*lapsed(entry, asked.now), reclassified(book, request, entry, category)]


def may_not_reclassify(book: Book, asked: Asked, entry: Entry) -> LedgerCommandRefused | None:
    """The office, or a gateway that is marked `may_route`; in the office's own case the leaders."""
    roles = impartial(book.charter, (Role.OFFICE,), {entry.holder})
    if objection := hidden(book, asked, entry, roles):
        return objection
    actor = book.charter.actor(asked.actor)
    if entry.holder is not None and book.station_of(asked) == entry.holder:
        detail = wording(
            "{key} is your own; somebody else has to decide: {roles}", key=asked.key, roles=", ".join(roles)
        )
        return no(asked, Refusal.OWN_CASE, detail)
    if book.has_role(asked, roles) or (actor and actor.role is Role.GATEWAY and actor.may_route):
        return None
    if actor and actor.role is Role.GATEWAY:
        detail = wording(
            "{actor} is not marked may_route in the charter; ask the office or have it marked",
            actor=asked.actor,
        )
        return no(asked, Refusal.NOT_BELIEVED, detail)
    return no(
        asked,
        Refusal.NOT_ALLOWED,
        wording("only {roles} reclassify {key}; ask one of them", roles=", ".join(roles), key=asked.key),
    )


def hidden(book: Book, asked: Asked, entry: Entry, deciders: Collection[Role]) -> LedgerCommandRefused | None:
    """To an actor who may neither see conduct matters nor decide here, the register has no such number."""
    sees = book.has_role(asked, (*SEE_RESTRICTED, *deciders))
    return no_such_entry(asked) if entry.opened.restricted and not sees else None


def unfit(request: Reclassify, entry: Entry, category: Category) -> LedgerCommandRefused | None:
    asked, opened = request.asked, entry.opened
    if request.category == opened.category and request.kind in (None, opened.kind):
        return no(
            asked,
            Refusal.ALREADY_DONE,
            wording("{key} has category {category} already", key=asked.key, category=opened.category),
        )
    if category.procedure is not None:
        detail = wording(
            "category {category} is an application with a procedure of its own; have it "
            "submitted as one, then close {key}",
            category=request.category,
            key=asked.key,
        )
        return no(asked, Refusal.WRONG_STATE, detail)
    if opened.restricted and not category.restricted:
        detail = wording(
            "{key} is a conduct matter, and its history stays restricted; submit what is "
            "not about conduct as a matter of its own",
            key=asked.key,
        )
        return no(asked, Refusal.NOT_ALLOWED, detail)
    if category.restricted and not opened.restricted and entry.linked:
        detail = wording(
            "other matters are merged into {key}; reopen them first, so that they go on by themselves",
            key=asked.key,
        )
        return no(asked, Refusal.WRONG_STATE, detail)
    if blank(request.reason):
        return no(
            asked, Refusal.REASON_MISSING, wording("say why it is of that category: the citizen is told")
        )
    return None


def reclassified(book: Book, request: Reclassify, entry: Entry, category: Category) -> EntryReclassified:
    asked, opened, lead = request.asked, entry.opened, category.lead
    kind, now = request.kind or category.kind, asked.now
    under = replace(entry, opened=opened.model_copy(update={"category": request.category, "kind": kind}))
    moved = lead != entry.station
    if moved:
        due, station_clock = book.dues.whole_limit(under, lead, now)
    else:
        due, station_clock = book.dues.other_limit(under, entry.due, lead, now)
    citizen, citizen_clock = _citizen(book, under, due, lead, request)
    late = moved and Clock.OVERDUE in entry.rung
    return EntryReclassified(
        at=now,
        station=lead,
        entry=entry.number,
        submission=opened.submission,
        category=request.category,
        was=opened.category,
        kind=kind,
        restricted=category.restricted,
        co_handlers=tuple(dict.fromkeys(each for each in category.co_handlers if each != lead)),
        by=asked.actor,
        reason=request.reason,
        rule=f"station {lead} leads category {request.category} ({category.source}); "
        f"{due.rule if due else 'no time limit'}",
        moved=moved,
        from_station=entry.holder if moved else None,
        round=entry.round,
        was_late=late,
        late_due=entry.due if late else None,
        acceptance=book.dues.of_acceptance(now, lead) if moved else entry.acceptance,
        due=due,
        citizen=citizen,
        station_clock=station_clock,
        citizen_clock=citizen_clock,
    )


def _citizen(
    book: Book, under: Entry, due: Due | None, lead: str, request: Reclassify
) -> tuple[Due | None, ClockEffect]:
    """From the submission, as before; one that had none begins with the station's."""
    if under.citizen is not None:
        return book.dues.other_limit(under, under.citizen, lead, request.asked.now)
    citizen = None if due is None or due.limit is None else book.dues.of_citizen(due)
    return citizen, ClockEffect.FROM_NOW if citizen else ClockEffect.NONE


# How the fact changes the entry


def with_category(entry: Entry, event: EntryReclassified) -> State:
    """No rule in it: what was decided stands in the fact."""
    opened = entry.opened
    before = CountedAs(opened.category, opened.kind)
    update = {"category": event.category, "kind": event.kind, "restricted": event.restricted}
    done = Reclassification(
        at=event.at,
        was=event.was,
        category=event.category,
        by=event.by,
        from_station=event.from_station,
        station=event.station or NOBODY,
        station_clock=event.station_clock,
        citizen_clock=event.citizen_clock,
    )
    after = replace(
        entry,
        opened=opened.model_copy(update=update),
        co_handlers=event.co_handlers,
        citizen=event.citizen,
        citizen_as=_counted_as(event.citizen_clock, event.citizen, entry.citizen_as, before),
        reclassified=(*entry.reclassified, done),
        offer=None,
        handovers=0,
        bound=False,
        lapsed=None,
    )
    of_citizen = rings_again(OF_THE_CITIZEN, entry.citizen, event.citizen, event.at)
    after = replace(after, rung=without(entry.rung, of_citizen))
    if event.moved:
        return Handling(_with_new_station(after, event))
    of_station = rings_again(OF_THE_STATION, entry.due, event.due, event.at)
    kept = _counted_as(event.station_clock, event.due, entry.counted_as, before)
    return Handling(replace(after, due=event.due, counted_as=kept, rung=without(after.rung, of_station)))


def _with_new_station(entry: Entry, event: EntryReclassified) -> Entry:
    station = event.station or NOBODY
    return replace(
        entry,
        station=station,
        due=event.due,
        counted_as=None,
        began_at=event.at,
        assigned_at=event.at,
        acceptance=event.acceptance,
        accepted=False,
        came_from=None,
        asking=None,
        former=(),
        been_with=(*entry.been_with, station),
        rung=only(entry.rung, GOES_ON),
    )


def _counted_as(
    effect: ClockEffect, due: Due | None, known: CountedAs | None, before: CountedAs
) -> CountedAs | None:
    """An old date that stands is counted by the old category, also under a later revision of the charter."""
    stands = effect is ClockEffect.UNCHANGED and due is not None and due.limit is not None
    return (known or before) if stands else None

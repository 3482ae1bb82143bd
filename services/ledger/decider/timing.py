"""How a due date may become a later one: an extension that somebody else grants, a pause that ends."""

from duban_contracts.due import Due, Extension
from duban_contracts.handling import (
    EntryHeld,
    EntryReportedUp,
    ExtensionApplied,
    ExtensionDecided,
)
from duban_contracts.ledger import LedgerCommandRefused
from duban_contracts.matters import ExtensionRule, HoldRule
from duban_contracts.message import Refusal
from services.chassis.decider import Asked
from services.chassis.limits import in_words
from services.chassis.wording import wording
from services.ledger.decider.book import Book, Events, blank, impartial, no, not_in_charter, not_now, running
from services.ledger.decider.commands import ApplyExtension, DecideExtension, Hold, ReportUp, Resume
from services.ledger.decider.situations import Asking, Entry, Handling, Known


def apply_extension(book: Book, request: ApplyExtension, state: Known) -> Events:
    """延期: before expiry, with its length and ground, so often and so long as the charter says
    (domain.md §5.2)."""
    asked, entry, rule = request.asked, state.entry, book.charter.matters.extension
    if objection := book.not_the_handler(asked, entry):
        return [objection]
    if rule is None:
        return [not_in_charter(asked, wording("extensions"))]
    if not running(state):
        return [not_now(asked, state)]
    if blank(request.reason):
        return [
            no(asked, Refusal.REASON_MISSING, wording("say why it takes longer, and by which rule it may"))
        ]
    if entry.due is None:
        return [
            no(
                asked,
                Refusal.WRONG_STATE,
                wording("{key} has no time limit, so there is none to extend", key=asked.key),
            )
        ]
    granted = Extension(length=request.length, by=entry.station, granted_at=asked.now)
    would_be = extended(book, entry.due, granted)
    if objection := too_much(book, request, entry, entry.due, would_be, rule):
        return [objection]
    return [
        ExtensionApplied(
            at=asked.now,
            station=entry.station,
            entry=entry.number,
            length=request.length,
            reason=request.reason,
            would_be=would_be,
        )
    ]


def too_much(
    book: Book, request: ApplyExtension, entry: Entry, due: Due, would_be: Due, rule: ExtensionRule
) -> LedgerCommandRefused | None:
    asked = request.asked
    if entry.asking is not None:
        return no(
            asked,
            Refusal.ALREADY_DONE,
            wording("an extension of {key} waits to be decided already", key=asked.key),
        )
    if asked.now >= due.at:
        detail = wording(
            "{key} was due until {until}; an extension is applied for before that",
            key=asked.key,
            until=book.said(due.at),
        )
        return no(asked, Refusal.TOO_LATE, detail)
    if entry.extended >= rule.times:
        detail = wording(
            "{key} was extended {extended} times, and the charter allows {times}",
            key=asked.key,
            extended=entry.extended,
            times=rule.times,
        )
        return no(asked, Refusal.NOT_ALLOWED, detail)
    longest = book.dues.again(due, limit=rule.total, extensions=())
    if request.length.amount < 1 or would_be.at > longest.at:
        detail = wording(
            "with it {key} may be due on {last_day} at the latest; ask for less",
            key=asked.key,
            last_day=longest.last_day,
        )
        return no(asked, Refusal.NOT_ALLOWED, detail)
    return None


def extended(book: Book, due: Due, extension: Extension) -> Due:
    return book.dues.again(due, extensions=(*due.extensions, extension))


def decide_extension(book: Book, request: DecideExtension, state: Known) -> Events:
    """Never by the handler itself; the citizen is told (domain.md §3, 3)."""
    asked, entry, rule = request.asked, state.entry, book.charter.matters.extension
    if rule is None:
        return [not_in_charter(asked, wording("extensions"))]
    handlers = {entry.station, *entry.co_handlers}
    roles = impartial(book.charter, rule.decided_by, handlers)
    if book.station_of(asked) in handlers:
        detail = wording(
            "{key} is your own work; somebody else has to decide: {roles}",
            key=asked.key,
            roles=", ".join(roles),
        )
        return [no(asked, Refusal.OWN_WORK, detail)]
    if not book.has_role(asked, roles):
        detail = wording(
            "only {roles} decide on extensions of {key}; ask one of them",
            roles=", ".join(roles),
            key=asked.key,
        )
        return [no(asked, Refusal.NOT_ALLOWED, detail)]
    if not isinstance(state, Handling):
        return [not_now(asked, state)]
    if entry.asking is None:
        detail = wording(
            "nobody asked for an extension of {key}; the handler applies for it first", key=asked.key
        )
        return [no(asked, Refusal.WRONG_STATE, detail)]
    if blank(request.reason):
        return [no(asked, Refusal.REASON_MISSING, wording("say why: handler and citizen are told"))]
    return [decided(book, request, entry, entry.asking)]


def decided(book: Book, request: DecideExtension, entry: Entry, asking: Asking) -> ExtensionDecided:
    asked = request.asked
    due, citizen, notice = entry.due, entry.citizen, ""
    if request.granted:
        extension = Extension(length=asking.length, by=asked.actor, granted_at=asked.now)
        due = due and extended(book, due, extension)
        citizen = citizen and extended(book, citizen, extension)
        last_day = due.last_day if due else None
        notice = f"extended by {in_words(asking.length)}, until {last_day}: {request.reason}"
    return ExtensionDecided(
        at=asked.now,
        station=entry.station,
        entry=entry.number,
        granted=request.granted,
        by=asked.actor,
        reason=request.reason,
        due=due,
        citizen=citizen,
        notice=notice,
    )


def hold(book: Book, request: Hold, state: Known) -> Events:
    """The pause is kept apart from the rule and ends by itself; what is late already is not healed."""
    asked, entry, rule = request.asked, state.entry, book.charter.matters.hold
    if objection := may_not_hold(book, asked, entry, rule):
        return [objection]
    if not running(state) or rule is None:
        return [not_now(asked, state)]
    if blank(request.reason):
        return [no(asked, Refusal.REASON_MISSING, wording("say what it waits for"))]
    if objection := cannot_hold(asked, entry, rule):
        return [objection]
    return [
        EntryHeld(
            at=asked.now,
            station=entry.station,
            entry=entry.number,
            ground=request.ground,
            reason=request.reason,
            by=asked.actor,
            until=book.dues.ends(asked.now, rule.longest, entry.station),
        )
    ]


def may_not_hold(
    book: Book, asked: Asked, entry: Entry, rule: HoldRule | None
) -> LedgerCommandRefused | None:
    if rule is None:
        return not_in_charter(asked, wording("holding an entry"))
    if not book.has_role(asked, rule.by):
        detail = wording("only {by} hold entries here; ask one of them", by=", ".join(rule.by))
        return no(asked, Refusal.NOT_ALLOWED, detail)
    return book.handler_or_office(asked, entry)


def cannot_hold(asked: Asked, entry: Entry, rule: HoldRule) -> LedgerCommandRefused | None:
    if not entry.accepted or entry.offer is not None:
        detail = wording(
            "nobody signed for {key} yet; it has to be accepted before it can wait", key=asked.key
        )
        return no(asked, Refusal.WRONG_STATE, detail)
    if entry.due is not None and asked.now >= entry.due.at:
        return no(
            asked, Refusal.TOO_LATE, wording("{key} is overdue; a pause does not mend that", key=asked.key)
        )
    if entry.holds >= rule.times:
        detail = wording(
            "{key} was held {holds} times, and the charter allows {times}",
            key=asked.key,
            holds=entry.holds,
            times=rule.times,
        )
        return no(asked, Refusal.NOT_ALLOWED, detail)
    return None


def resume(book: Book, request: Resume, state: Known) -> Events:
    asked, entry = request.asked, state.entry
    if objection := book.handler_or_office(asked, entry):
        return [objection]
    if not isinstance(state, Handling) or entry.held is None:
        return [
            no(
                asked,
                Refusal.WRONG_STATE,
                wording("{key} is not on hold; there is nothing to resume", key=asked.key),
            )
        ]
    return [book.clocks.resumed(entry, asked.now, asked.actor)]


def report_up(book: Book, request: ReportUp, state: Known) -> Events:
    """上报: the other clocks go on, and the interim answer has one of its own (domain.md §1)."""
    asked, entry, rule = request.asked, state.entry, book.charter.matters.report_up
    if objection := book.not_the_handler(asked, entry):
        return [objection]
    if rule is None:
        return [not_in_charter(asked, wording("reporting to a higher level"))]
    if not running(state):
        return [not_now(asked, state)]
    if blank(request.reason) or blank(request.to):
        detail = wording("say to whom it is reported, and why it cannot be solved at this level")
        return [no(asked, Refusal.REASON_MISSING, detail)]
    if entry.interim is not None:
        detail = wording(
            "{key} is reported up already; give the citizen the interim answer first", key=asked.key
        )
        return [no(asked, Refusal.ALREADY_DONE, detail)]
    return [
        EntryReportedUp(
            at=asked.now,
            station=entry.station,
            entry=entry.number,
            to=request.to,
            reason=request.reason,
            interim=book.dues.of_interim(asked.now, entry.station, rule.interim_within, rule.source),
        )
    ]

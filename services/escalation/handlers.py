"""What escalation hears becomes commands for the station that it concerns.

The office is handled like a station where it is itself late: under its own key, decided by the leaders.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, TypeVar

from duban_contracts import escalation, ledger, rating, supervision
from duban_contracts.charter import Charter, Ground, Role
from duban_contracts.escalation import ItemKind, OpenItem
from duban_contracts.message import Refusal
from services.chassis.decider import Refuse
from services.chassis.heard import Handler, Handlers, Heard
from services.chassis.wording import wording
from services.escalation import custody, stepwise
from services.escalation.custody import acceptance_item, late_item, overdue_item
from services.escalation.decider import (
    EVERY_ROUND,
    AcknowledgeOrder,
    AnswerOrder,
    ApproveStep,
    BeginSupervision,
    Close,
    Command,
    DeclineStep,
    Open,
    RecordInstruction,
    RecordReceipt,
    Remind,
    WithdrawCircular,
)

Wanted = Iterable[tuple[str, Command | Refuse]]
OfRound = TypeVar("OfRound", rating.RectificationOverdue, rating.CallbackOverdue, rating.IntegrityFlagged)

ORDER = re.compile(r"(?P<station>.+)-\d{4}-\d+")
STEP = re.compile(r"(?P<station>.+)-\d{4}-step-\d+")
CIRCULAR = re.compile(r"(?P<station>.+)-\d{4}-circular-\d+")


# From the ledger


def entry_due_soon(heard: Heard[ledger.EntryDueSoon], _: Charter) -> Wanted:
    if station := heard.data.station:
        yield station, Remind(heard.now, station, heard.data.entry, heard.data.on_due_day)


def entry_overdue(heard: Heard[ledger.EntryOverdue], _: Charter) -> Wanted:
    late = heard.data
    return _open(heard, late.station, late_item(late.entry, late.due.late_from), late.round)


def acceptance_overdue(heard: Heard[ledger.AcceptanceOverdue], _: Charter) -> Wanted:
    late = heard.data
    item = OpenItem(id=acceptance_item(late.entry), kind=ItemKind.ACCEPTANCE_OVERDUE, since=late.at)
    return _open(heard, late.station, item)


def entry_struck_off(heard: Heard[ledger.EntryStruckOff], _: Charter) -> Wanted:
    """Really solved. Late, or in a later round, it was overdue before, whether that was heard yet or not.

    Struck off with another entry: what was open about it was closed when it was merged.
    """
    closed = heard.data
    if closed.merged_into is None and (station := closed.station):
        overdue = overdue_item(closed.entry)
        owed = (overdue,) if closed.late or closed.round > 1 else ()
        items = (overdue, acceptance_item(closed.entry))
        yield station, Close(heard.now, station, items, closed.round, owed)


def entry_closed_unsolved(heard: Heard[ledger.EntryClosedUnsolved], _: Charter) -> Wanted:
    """For good, whatever its round. Whether it was ever late it does not say, so both may still come.

    Unless it was somebody else who was late: with the approval of an application.
    """
    closed = heard.data
    overdue, acceptance = overdue_item(closed.entry), acceptance_item(closed.entry)
    if station := closed.station:
        items = (overdue, acceptance)
        yield station, Close(heard.now, station, items, EVERY_ROUND, owed=items)
    if (other := closed.late_with) and other != closed.station:
        yield other, Close(heard.now, other, (overdue,), EVERY_ROUND, owed=(overdue,))


def entry_reopened(_: Heard[ledger.EntryReopened], __: Charter) -> Wanted:
    """Opens nothing by itself: only a new round that is late again does."""
    return ()


# From rating


def rectification_overdue(heard: Heard[rating.RectificationOverdue], _: Charter) -> Wanted:
    late = heard.data
    item = _of_round("rectification", ItemKind.RECTIFICATION_OVERDUE, heard)
    return _open(heard, late.station, item)


def rectified(heard: Heard[rating.Rectified], _: Charter) -> Wanted:
    if station := heard.data.station:
        items = (_round("rectification", heard.data.entry, heard.data.round),)
        yield station, Close(heard.now, station, items, owed=items if heard.data.late else ())


def callback_overdue(heard: Heard[rating.CallbackOverdue], charter: Charter) -> Wanted:
    """The office's failing, never the rated station's."""
    item = _of_round("callback", ItemKind.CALLBACK_OVERDUE, heard)
    return _open(heard, office_of(charter), item)


def callback_recorded(heard: Heard[rating.CallbackRecorded], charter: Charter) -> Wanted:
    """Reached, the citizen has been called back; unfounded, there is nothing to rectify."""
    called, office = heard.data, office_of(charter)
    if office and called.result is not rating.CallbackResult.NOT_REACHED:
        items = (_round("callback", called.entry, called.round),)
        yield office, Close(heard.now, office, items, owed=items)
    if called.station and called.result is rating.CallbackResult.UNFOUNDED:
        items = (_round("rectification", called.entry, called.round),)
        yield called.station, Close(heard.now, called.station, items)


def integrity_flagged(heard: Heard[rating.IntegrityFlagged], _: Charter) -> Wanted:
    item = _of_round("integrity", ItemKind.INTEGRITY, heard, Ground.INTEGRITY)
    return _open(heard, heard.data.station, item)


# From supervision


def campaign_started(heard: Heard[supervision.CampaignStarted], charter: Charter) -> Wanted:
    office = office_of(charter)
    for station in dict.fromkeys((*heard.data.stations, *([office] if office else []))):
        yield station, BeginSupervision(heard.now, station, heard.data.campaign)


def finding_recorded(heard: Heard[supervision.FindingRecorded], _: Charter) -> Wanted:
    found = heard.data
    item = OpenItem(id=_finding(found.finding), kind=ItemKind.FINDING, ground=found.ground, since=heard.now)
    return _open(heard, found.station, item, serious=found.serious)


def finding_verified(heard: Heard[supervision.FindingVerified], _: Charter) -> Wanted:
    if (station := heard.data.station) and heard.data.passed:
        items = (_finding(heard.data.finding),)
        yield station, Close(heard.now, station, items, owed=items)


# From people


def acknowledge_order(heard: Heard[escalation.AcknowledgeOrder], charter: Charter) -> Wanted:
    order = heard.data.order
    return _ask(heard, charter, ORDER, order, lambda station: AcknowledgeOrder(heard.asked, station, order))


def answer_order(heard: Heard[escalation.AnswerOrder], charter: Charter) -> Wanted:
    order, answer = heard.data.order, heard.data.answer
    return _ask(
        heard, charter, ORDER, order, lambda station: AnswerOrder(heard.asked, station, order, answer)
    )


def approve_step(heard: Heard[escalation.ApproveStep], charter: Charter) -> Wanted:
    yes = heard.data
    return _ask(
        heard,
        charter,
        STEP,
        yes.step,
        lambda station: ApproveStep(heard.asked, station, yes.step, yes.decided_by, yes.reason),
    )


def decline_step(heard: Heard[escalation.DeclineStep], charter: Charter) -> Wanted:
    no = heard.data
    return _ask(
        heard,
        charter,
        STEP,
        no.step,
        lambda station: DeclineStep(heard.asked, station, no.step, no.decided_by, no.reason),
    )


def record_instruction(heard: Heard[escalation.RecordInstruction], charter: Charter) -> Wanted:
    step, text = heard.data.step, heard.data.instruction
    return _ask(
        heard, charter, STEP, step, lambda station: RecordInstruction(heard.asked, station, step, text)
    )


def record_receipt(heard: Heard[escalation.RecordReceipt], charter: Charter) -> Wanted:
    step, receipt = heard.data.step, heard.data.receipt
    return _ask(
        heard, charter, STEP, step, lambda station: RecordReceipt(heard.asked, station, step, receipt)
    )


def withdraw_circular(heard: Heard[escalation.WithdrawCircular], charter: Charter) -> Wanted:
    circular, reason = heard.data.circular, heard.data.reason
    return _ask(
        heard,
        charter,
        CIRCULAR,
        circular,
        lambda station: WithdrawCircular(heard.asked, station, circular, reason),
    )


def _kept_apart(handler: Handler) -> Handler:
    """What follows from a restricted fact is restricted: nobody learns here what was kept from him there."""

    def handle(heard: Heard[Any], charter: Charter) -> Wanted:
        for key, command in handler(heard, charter):
            yield key, _restricted(command) if heard.restricted else command

    return handle


def _restricted(command: Any) -> Any:
    match command:
        case Open(item=item):
            return replace(command, item=item.model_copy(update={"restricted": True}))
        case Close() | Remind():
            return replace(command, restricted=True)
        case _:
            return command


_HEARS: Handlers = {
    **stepwise.HEARS,
    **custody.HEARS,
    ledger.AcceptanceOverdue: acceptance_overdue,
    ledger.EntryClosedUnsolved: entry_closed_unsolved,
    ledger.EntryDueSoon: entry_due_soon,
    ledger.EntryOverdue: entry_overdue,
    ledger.EntryReopened: entry_reopened,
    ledger.EntryStruckOff: entry_struck_off,
    rating.CallbackOverdue: callback_overdue,
    rating.CallbackRecorded: callback_recorded,
    rating.IntegrityFlagged: integrity_flagged,
    rating.RectificationOverdue: rectification_overdue,
    rating.Rectified: rectified,
    supervision.CampaignStarted: campaign_started,
    supervision.FindingRecorded: finding_recorded,
    supervision.FindingVerified: finding_verified,
    escalation.AcknowledgeOrder: acknowledge_order,
    escalation.AnswerOrder: answer_order,
    escalation.ApproveStep: approve_step,
    escalation.DeclineStep: decline_step,
    escalation.RecordInstruction: record_instruction,
    escalation.RecordReceipt: record_receipt,
    escalation.WithdrawCircular: withdraw_circular,
}
HEARS: Handlers = {message: _kept_apart(handler) for message, handler in _HEARS.items()}


def office_of(charter: Charter) -> str | None:
    """The key of the office where it is itself the case: its station, if it is one."""
    offices = ((token, actor) for token, actor in charter.actors.items() if actor.role is Role.OFFICE)
    return next((actor.station or token for token, actor in offices), None)


def _open(
    heard: Heard[Any], station: str | None, item: OpenItem, occurrence: int = 0, serious: bool = False
) -> Wanted:
    return [(station, Open(heard.now, station, item, occurrence, serious))] if station else []


def _ask(
    heard: Heard[Any],
    charter: Charter,
    pattern: re.Pattern[str],
    number: str,
    command: Callable[[str], Command],
) -> Wanted:
    """The number of an order, step or circular begins with the station that it is about."""
    found = pattern.fullmatch(number)
    station = found["station"] if found else ""
    if charter.actor(station) is not None:
        return [(station, command(station))]
    reason = Refusal.NO_SUCH_ORDER if pattern is ORDER else Refusal.NO_SUCH_STEP
    detail = wording(
        "there is no {number}; a number begins with its station, e.g. {example}",
        number=number,
        example=_example(pattern, charter),
    )
    return [(heard.key, heard.asked.refuse(reason, detail))]


def _example(pattern: re.Pattern[str], charter: Charter) -> str:
    kind = {STEP: "-step", CIRCULAR: "-circular"}.get(pattern, "")
    return f"{next(iter(charter.stations))}-2024{kind}-1"


def _finding(key: str) -> str:
    return key if key.startswith("finding/") else f"finding/{key}"


def _round(kind: str, entry: str, number: int) -> str:
    return f"{kind}/{entry}/{number}"


def _of_round(name: str, kind: ItemKind, heard: Heard[OfRound], ground: Ground | None = None) -> OpenItem:
    told = heard.data
    return OpenItem(id=_round(name, told.entry, told.round), kind=kind, ground=ground, since=told.at)

"""Which facts only some roles may see, and what each reader may see of the facts.

A restricted fact travels under `restricted.<service>.<fact>.v1.<station>`, every other under `evt.…`; both
are kept in the service's one event stream. Restricted are

- every fact about a conduct matter (a category that the charter marks `restricted`), what escalation opens
  and closes because of one included;
- an unannounced inspection's draw: who, on which day, by which seed;
- integrity: a flagged rating, and findings and items on the grounds of integrity or misconduct;
- the fourth rung: proposal and decision of a transfer to the commission, the transfer and its receipt.

The office and the commission hear all of them; leaders hear those of escalation, which they decide;
operators, stations and channels hear none. Facts that list several items (an order, a circular) are not
restricted: the station has to answer them. They name an item's kind, ground and number, and nothing of its
content.
"""

from functools import cache

from duban_contracts.charter import Ground, Role
from duban_contracts.escalation import (
    ClosingNoted,
    ItemClosed,
    ItemKind,
    ItemOpened,
    OpenItem,
    ReminderSent,
    Rung,
    StepDecided,
    StepProposed,
    TransferMade,
    TransferReceived,
)
from duban_contracts.intake import MatterAccepted
from duban_contracts.ledger import EntryOpened
from duban_contracts.merging import MatterMerged
from duban_contracts.message import Fact
from duban_contracts.rating import IntegrityFlagged
from duban_contracts.readers import INSPECTORS, Program, Reader
from duban_contracts.reclassifying import EntryReclassified
from duban_contracts.supervision import FindingRecorded, FindingVerified, InspectionDrawn

CONDUCT = frozenset({Ground.MISCONDUCT, Ground.INTEGRITY})
ALWAYS = (InspectionDrawn, IntegrityFlagged, TransferMade, TransferReceived)
SAYING = (
    MatterAccepted,
    EntryOpened,
    EntryReclassified,
    MatterMerged,
    FindingRecorded,
    FindingVerified,
    ItemOpened,
    ItemClosed,
    ReminderSent,
    ClosingNoted,
    StepProposed,
    StepDecided,
)
"""Facts whose fields say whether they are restricted; all others but these and ALWAYS are not."""


def is_conduct(item: OpenItem) -> bool:
    return item.restricted or item.kind is ItemKind.INTEGRITY or item.ground in CONDUCT


def is_restricted(fact: Fact) -> bool:
    """By what the fact itself says; that its entry is a conduct matter is known to its service."""
    return _depends_on_what_it_says(type(fact)) and _says_restricted(fact)


@cache
def _depends_on_what_it_says(kind: type[Fact]) -> bool:
    return issubclass(kind, (*SAYING, *ALWAYS))


def _says_restricted(fact: Fact) -> bool:
    match fact:
        case MatterAccepted() | EntryOpened() | EntryReclassified() | MatterMerged():
            return fact.restricted
        case FindingRecorded() | FindingVerified():
            return fact.ground in CONDUCT
        case ItemOpened():
            return is_conduct(fact.item)
        case ItemClosed():
            return fact.restricted or fact.item.startswith(ItemKind.INTEGRITY)
        case ReminderSent() | ClosingNoted():
            return fact.restricted
        case StepProposed() | StepDecided():
            return fact.rung is Rung.DISCIPLINE
        case _:
            return isinstance(fact, ALWAYS)


def subjects_heard(reader: Reader) -> list[str]:
    """What this reader may subscribe to; `may_see` decides the same of one fact."""
    match reader.role:
        case Program.ADMIN:
            return []
        case Program.OPERATOR:
            return ["evt.escalation.*.*.*"]
        case Role.LEADER:
            return ["evt.*.*.*.*", "restricted.escalation.*.*.*"]
        case role if role in INSPECTORS:
            return ["evt.*.*.*.*", "restricted.*.*.*.*"]
        case _:
            names = dict.fromkeys(filter(None, (reader.actor, reader.station)))
            return [*(f"evt.*.*.*.{name}" for name in names), f"notice.*.*.*.{reader.actor}"]


def may_see(
    reader: Reader, service: str, station: str | None, *, restricted: bool, channel: str | None = None
) -> bool:
    """Whether `reader` may see a fact of `service` about `station`, about a matter that `channel` brought.

    A refusal has the refused actor in the place of the station. The channel is told of conduct matters, too:
    a fact names it only where its petitioner must be told.
    """
    if reader.sees_restricted or channel == reader.actor:
        return True
    if restricted:
        return reader.role is Role.LEADER and service == "escalation"
    match reader.role:
        case Role.LEADER:
            return True
        case Program.OPERATOR:
            return service == "escalation"
        case Program.ADMIN:
            return False
        case _:
            return reader.handles(station)

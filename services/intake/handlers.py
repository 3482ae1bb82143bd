"""What intake hears becomes commands for submissions; what only the charter can tell is refused here."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from duban_contracts.charter import Actor, Charter, Role
from duban_contracts.handling import Adjudicated, CoHandlerAdded, EntryReturned
from duban_contracts.intake import (
    DeclineMatter,
    ShowPetitioner,
    SubmitMatter,
    SupplementMatter,
    WithdrawMatter,
)
from duban_contracts.ledger import (
    EntryAccepted,
    EntryClosedUnsolved,
    EntryKind,
    EntryOpened,
    EntryReopened,
    EntryStruckOff,
)
from duban_contracts.measures import HOLDER
from duban_contracts.merging import MatterMerged, MatterUnmerged
from duban_contracts.message import Refusal
from duban_contracts.rating import CallbackRecorded, NegativeRatingReceived
from duban_contracts.reclassifying import EntryReclassified
from services.chassis.calendar import WorkingCalendar
from services.chassis.decider import Refuse
from services.chassis.heard import Handlers, Heard
from services.chassis.inbox import TOLERANCE
from services.chassis.wording import Wording, nearest, wording
from services.intake.decider import (
    ENTRY,
    Command,
    Decline,
    NoteDuties,
    NoteReclassification,
    Submit,
    Supplement,
    Withdraw,
)
from services.intake.decider import ShowPetitioner as Show
from services.intake.decider.situations import DutyFact

STRANGER = Actor(name="-", role=Role.FEED)
"""Who is not in the charter is believed nothing."""

Objection = tuple[Refusal, Wording]


def submit(heard: Heard[SubmitMatter], charter: Charter) -> Iterable[tuple[str, Command | Refuse]]:
    for reason, detail in objections(heard, charter):
        return [(heard.key, heard.asked.refuse(reason, detail))]
    if heard.whole is None:
        return [(heard.key, Submit(heard.asked, heard.data, heard.told_by))]
    return [(heard.key, Submit(heard.asked, heard.whole, heard.told_by, heard.data))]


def supplement(heard: Heard[SupplementMatter], _: Charter) -> Iterable[tuple[str, Command]]:
    return [(heard.key, Supplement(heard.asked, heard.data.materials, heard.told_by))]


def withdraw(heard: Heard[WithdrawMatter], _: Charter) -> Iterable[tuple[str, Command]]:
    return [(heard.key, Withdraw(heard.asked, heard.data.reason, heard.told_by))]


def decline(heard: Heard[DeclineMatter], _: Charter) -> Iterable[tuple[str, Command]]:
    said = heard.data
    return [(heard.key, Decline(heard.asked, said.reason, said.explanation, heard.told_by))]


def show(heard: Heard[ShowPetitioner], charter: Charter) -> Iterable[tuple[str, Command]]:
    actor = charter.actor(heard.actor) or STRANGER
    stands_for = frozenset(each for each in (heard.actor, actor.station) if each)
    asks = Show(heard.asked, heard.data.reason, stands_for, is_office=actor.role is Role.OFFICE)
    return [(heard.key, asks)]


def note(heard: Heard[DutyFact], _: Charter) -> Iterable[tuple[str, Command]]:
    """Of an entry with a petitioner; measures have none, and most signatures change nothing."""
    fact = heard.data
    if isinstance(fact, EntryAccepted) and not fact.taken_over:
        return []
    if isinstance(fact, EntryStruckOff) and fact.entry_kind is EntryKind.MEASURE:
        return []
    return [(f"{ENTRY}{fact.entry}", NoteDuties(heard.now, fact))]


def note_reclassification(heard: Heard[EntryReclassified], charter: Charter) -> Iterable[tuple[str, Command]]:
    """Of its submission, too: what intake tells of that goes to whose it is now."""
    yield from note(heard, charter)
    said = heard.data
    if said.submission is not None:
        yield said.submission, NoteReclassification(heard.now, said.station, said.restricted)


def objections(heard: Heard[SubmitMatter], charter: Charter) -> Iterator[Objection]:
    matter = heard.data
    for taken, whose in ((ENTRY, wording("an entry")), (HOLDER, wording("a measure"))):
        if heard.key.startswith(taken):
            detail = wording(
                "a key that begins with '{taken}' is that of {whose}; name the submission otherwise",
                taken=taken,
                whose=whose,
            )
            yield Refusal.WRONG_STATE, detail
    yield from unknown(Refusal.UNKNOWN_CATEGORY, wording("category"), matter.category, charter.categories)
    yield from unknown(Refusal.UNKNOWN_VILLAGE, wording("village"), matter.village, charter.villages)
    yield from unknown(Refusal.UNKNOWN_STATION, wording("station"), matter.station, charter.stations)
    yield from not_believed(matter, heard.told_by, charter.actor(heard.told_by) or STRANGER)
    yield from of_another(heard, charter)
    if matter.past and matter.past.closed_at:
        yield from impossible(matter.past.closed_at, heard, WorkingCalendar(charter))


def of_another(heard: Heard[SubmitMatter], charter: Charter) -> Iterator[Objection]:
    """A key `<feed>:<reference>` is used by that feed alone, so that nobody can take it beforehand.

    The gateway and the office keep the numbers of several channels: they may use any prefix, and are trusted
    not to take each other's. Who may act for others, or tell of the past, brings numbers from elsewhere: any
    prefix but that of another actor. A key without a prefix is free for everybody: it has to be new (a UUID).
    Submissions that the earlier release stored under another's prefix stay with who brought them: only a new
    submission is refused.
    """
    prefix, colon, _ = heard.key.partition(":")
    teller, actor = heard.told_by, charter.actor(heard.told_by) or STRANGER
    acted_for = charter.actor(heard.actor) or STRANGER
    if not colon or prefix in (teller, actor.station, heard.actor, acted_for.station):
        return
    if actor.role in (Role.GATEWAY, Role.OFFICE):
        return
    belongs_to_another = charter.actor(prefix) is not None
    if (actor.may_act_for or actor.may_backdate) and not belongs_to_another:
        return
    yield (
        Refusal.NOT_ALLOWED,
        wording(
            "keys that begin with {prefix}: are for {prefix}; begin yours with {teller}: or take a new UUID",
            prefix=prefix,
            teller=teller,
        ),
    )


def impossible(
    closed: datetime, heard: Heard[SubmitMatter], calendar: WorkingCalendar
) -> Iterator[Objection]:
    """A case closed elsewhere was closed after it was submitted and before we heard of it.

    What follows from it happens at that time, and nothing happens in the future.
    """
    closed_at, submitted_at = calendar.local_time(closed), calendar.local_time(heard.now)
    if closed < heard.now:
        yield (
            Refusal.WRONG_STATE,
            wording(
                "closed at {closed_at}, before it was submitted at {submitted_at}; correct one of them",
                closed_at=closed_at,
                submitted_at=submitted_at,
            ),
        )
    if heard.stored_at and closed > heard.stored_at + TOLERANCE:
        yield (
            Refusal.TIME_IN_FUTURE,
            wording("closed at {closed_at}, which is in the future; correct it", closed_at=closed_at),
        )


def unknown(
    reason: Refusal, what: Wording, name: str | None, known: Mapping[str, object]
) -> Iterator[Objection]:
    if name is not None and name not in known:
        hint = nearest(name, known)
        yield reason, wording("the charter has no {what} '{name}'{hint}", what=what, name=name, hint=hint)


def not_believed(matter: SubmitMatter, teller: str, actor: Actor) -> Iterator[Objection]:
    """Four things in the body are believed only from actors whom the charter marks for it."""
    for said, field, mark, allowed in (
        (matter.station, "station", "may_route", actor.may_route),
        (matter.due_on, "due_on", "may_set_deadline", actor.may_set_deadline),
        (matter.due_at, "due_at", "may_set_deadline", actor.may_set_deadline),
        (matter.past, "past", "may_backdate", actor.may_backdate),
    ):
        if said is not None and not allowed:
            yield (
                Refusal.NOT_BELIEVED,
                wording(
                    "{teller} is not marked {mark} in the charter; leave '{field}' out or have it marked",
                    teller=teller,
                    mark=mark,
                    field=field,
                ),
            )


HEARS: Handlers = {
    SubmitMatter: submit,
    SupplementMatter: supplement,
    WithdrawMatter: withdraw,
    DeclineMatter: decline,
    ShowPetitioner: show,
    EntryOpened: note,
    EntryAccepted: note,
    EntryClosedUnsolved: note,
    EntryReopened: note,
    EntryStruckOff: note,
    Adjudicated: note,
    CoHandlerAdded: note,
    EntryReturned: note,
    EntryReclassified: note_reclassification,
    MatterMerged: note,
    MatterUnmerged: note,
    CallbackRecorded: note,
    NegativeRatingReceived: note,
}

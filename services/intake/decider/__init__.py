"""Whether a matter is complete and ours, who leads it, and how long it may take. Pure."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import assert_never, get_args

from duban_contracts.charter import Category, Charter, Role
from duban_contracts.intake import (
    IntakeCommandRefused,
    IntakePersonalDataMasked,
    MatterAccepted,
    MatterDeclined,
    MatterIncomplete,
    MatterWithdrawn,
    PetitionerShown,
    StoredMatter,
)
from duban_contracts.message import Refusal
from services.chassis.decider import Asked, Audience, Decider, Wake, hidden_from, refusal
from services.chassis.wording import Wording, wording
from services.intake.decider.duties import ENTRY, note, show
from services.intake.decider.routing import accept
from services.intake.decider.situations import (
    Accepted,
    Command,
    Decline,
    Declined,
    Duties,
    DutiesNoted,
    Event,
    Incomplete,
    NoteDuties,
    NoteReclassification,
    Received,
    ReclassificationNoted,
    ShowPetitioner,
    State,
    SubmissionKept,
    Submit,
    Supplement,
    Unseen,
    Withdraw,
    Withdrawn,
)

__all__ = [
    "ENTRY",
    "Command",
    "Decline",
    "Duties",
    "DutiesNoted",
    "Event",
    "NoteDuties",
    "NoteReclassification",
    "ReclassificationNoted",
    "ShowPetitioner",
    "State",
    "SubmissionKept",
    "Submit",
    "Supplement",
    "Withdraw",
    "intake",
]


def decide(charter: Charter, command: Command | Wake, state: State) -> Sequence[Event]:
    match command, state:
        case NoteDuties(), _:
            return note(command, state)
        case ShowPetitioner(), _:
            return show(command, state)
        case NoteReclassification(), Accepted() | Withdrawn():
            return note_reclassification(command, state)
        case Submit(), Unseen():
            return submit(charter, command)
        case Submit(asked), _:
            return [taken(command, state)]
        case ((Supplement() | Withdraw() | Decline()), _) if not may_change(charter, command, state):
            return [unknown(command.asked)]
        case Supplement(), Incomplete():
            return supplement(charter, command, state)
        case Withdraw(asked, reason), Incomplete(station=station) | Accepted(station=station):
            accepted = isinstance(state, Accepted)
            return [
                MatterWithdrawn(
                    at=asked.now, station=station, submission=asked.key, accepted=accepted, reason=reason
                )
            ]
        case Decline(asked, reason, explanation), Incomplete(station=station):
            return [
                MatterDeclined(
                    at=asked.now,
                    station=station,
                    submission=asked.key,
                    reason=reason,
                    explanation=explanation,
                )
            ]
        case Supplement(asked) | Withdraw(asked) | Decline(asked), _:
            return [out_of_turn(command, asked, state)]
        case _:
            return []  # nothing here waits for a time


def note_reclassification(
    command: NoteReclassification, state: Accepted | Withdrawn
) -> list[ReclassificationNoted]:
    """A conduct matter stays one: its history is restricted."""
    noted = ReclassificationNoted(
        at=command.now, station=command.station, restricted=command.restricted or state.restricted
    )
    return [] if reclassified(state, noted) == state else [noted]


def may_change(charter: Charter, command: Supplement | Withdraw | Decline, state: State) -> bool:
    """Only who brought a submission, and the office in its own name; for everybody else it does not exist.

    Who brought it is the sender of `submit_matter` (`SubmissionKept.source`), which the earlier release
    stored as well: submissions of that time need no rule of their own.
    """
    actor, sender = command.asked.actor, command.told_by or command.asked.actor
    if isinstance(state, Unseen | Duties) or sender == state.kept.source:
        return True
    known = charter.actor(actor)
    return sender == actor and known is not None and known.role is Role.OFFICE


def taken(command: Submit, state: State) -> IntakeCommandRefused:
    """What is there is told to who brought it, and to nobody else."""
    asked = command.asked
    if isinstance(state, Unseen | Duties) or command.source == state.kept.source:
        if isinstance(state, Accepted):
            detail = wording(
                "{key} is in the register already, where its number is found by this key; "
                "submit another matter under another key",
                key=asked.key,
            )
        elif isinstance(state, Incomplete):
            detail = wording(
                "{key} is here already and lacks {missing}; supplement it, or submit another matter under "
                "another key",
                key=asked.key,
                missing=", ".join(state.missing),
            )
        else:
            detail = wording("{key} is used already; submit another matter under another key", key=asked.key)
        return no(asked, Refusal.ALREADY_DONE, detail)
    return no(
        asked,
        Refusal.NOT_ALLOWED,
        wording("{key} cannot be used; submit it under another key", key=asked.key),
    )


def submit(charter: Charter, command: Submit) -> list[Event]:
    asked, submitted = command.asked, command.submitted
    category = charter.categories.get(submitted.category)
    if category is None:
        return [unknown_category(asked, submitted)]
    kept = SubmissionKept(at=asked.now, submitted=submitted, source=command.source)
    if missing := lacking(category, submitted):
        return [kept, incomplete(asked, submitted.station or category.lead, missing)]
    return [kept, accept(charter, category, asked, kept, command.masked)]


def lacking(category: Category, submitted: StoredMatter) -> tuple[str, ...]:
    """Everything that is missing, in the charter's order and told at once (一次性告知, domain.md §1).

    A case closed elsewhere needs no material any more.
    """
    return () if submitted.past else without(category.required, submitted.materials)


def without(wanted: tuple[str, ...], brought: tuple[str, ...]) -> tuple[str, ...]:
    """What is missing is read as one line, 身份证、发票, and so it comes back: it counts for each."""
    there = {part.strip() for material in brought for part in (material, *_LISTED.split(material))}
    return tuple(material for material in wanted if material.strip() not in there)


def supplement(charter: Charter, command: Supplement, state: Incomplete) -> list[Event]:
    """Judged by what was told to be missing: nothing may be asked for a second time."""
    asked, submitted = command.asked, state.kept.submitted
    missing = without(state.missing, command.materials)
    if missing == state.missing:
        detail = wording(
            "nothing of that is missing from {key}; name what is, as it is written here: {missing}",
            key=asked.key,
            missing=", ".join(missing),
        )
        return [no(asked, Refusal.INCOMPLETE, detail)]
    if missing:
        return [incomplete(asked, state.station, missing)]
    category = charter.categories.get(submitted.category)
    if category is None:  # the charter changed meanwhile
        return [unknown_category(asked, submitted)]
    return [accept(charter, category, asked, state.kept)]


def incomplete(asked: Asked, station: str | None, missing: tuple[str, ...]) -> MatterIncomplete:
    return MatterIncomplete(at=asked.now, station=station, submission=asked.key, missing=missing)


SITUATIONS: Mapping[type, Wording] = {
    Received: wording("received"),
    Incomplete: wording("incomplete"),
    Declined: wording("declined"),
    Withdrawn: wording("withdrawn"),
}


def out_of_turn(command: Supplement | Withdraw | Decline, asked: Asked, state: State) -> IntakeCommandRefused:
    match command, state:
        case _, Unseen() | Duties():
            return unknown(asked)
        case Supplement(), Accepted():
            return no(
                asked,
                Refusal.ALREADY_DONE,
                wording("{key} is accepted already; nothing to do", key=asked.key),
            )
        case (Withdraw(), Withdrawn()) | (Decline(), Declined()):
            situation = SITUATIONS[type(state)]
            return no(
                asked,
                Refusal.ALREADY_DONE,
                wording("{key} is {situation} already; nothing to do", key=asked.key, situation=situation),
            )
        case Decline(), Accepted():
            return no(
                asked,
                Refusal.WRONG_STATE,
                wording(
                    "{key} is accepted and in the ledger; answer it there instead of declining it",
                    key=asked.key,
                ),
            )
        case _:
            return no(
                asked,
                Refusal.WRONG_STATE,
                wording(
                    "{key} is {situation}; submit it anew under another key",
                    key=asked.key,
                    situation=SITUATIONS[type(state)],
                ),
            )


def unknown(asked: Asked) -> IntakeCommandRefused:
    return no(
        asked, Refusal.NO_SUCH_SUBMISSION, wording("nothing came in as {key}; check the key", key=asked.key)
    )


def unknown_category(asked: Asked, submitted: StoredMatter) -> IntakeCommandRefused:
    detail = wording(
        "the charter has no category '{category}'; submit it anew under one that it has",
        category=submitted.category,
    )
    return no(asked, Refusal.UNKNOWN_CATEGORY, detail)


no: Callable[[Asked, Refusal, str], IntakeCommandRefused] = partial(refusal, IntakeCommandRefused)


def evolve(state: State, event: Event) -> State:
    match event:
        case SubmissionKept():
            return Received(event)
        case MatterIncomplete():
            return Incomplete(kept(state), event.station, event.missing)
        case MatterAccepted():
            return Accepted(kept(state), event.station)
        case MatterDeclined():
            return Declined(kept(state))
        case MatterWithdrawn():
            return Withdrawn(kept(state), isinstance(state, Accepted) and state.restricted)
        case ReclassificationNoted():
            return reclassified(state, event)
        case DutiesNoted():
            return Duties(event)
        case PetitionerShown() | IntakeCommandRefused() | IntakePersonalDataMasked():
            return state
        case _:
            assert_never(event)


def reclassified(state: State, event: ReclassificationNoted) -> State:
    match state:
        case Accepted():
            return replace(state, station=event.station, restricted=event.restricted)
        case Withdrawn():
            return replace(state, restricted=event.restricted)
        case _:
            return state


def kept(state: State) -> SubmissionKept:
    if isinstance(state, Unseen | Duties):
        raise ValueError("a submission is kept before anything is told of it")
    return state.kept


_LISTED = re.compile("[、，,；;]")


def duties_audience(state: State) -> Audience | None:
    """Of a conduct matter's entry, which is looked up by its number; submissions have rules of their own."""
    if not isinstance(state, Duties):
        return None
    return Audience(state.noted.restricted, stations=(state.noted.handler, *state.noted.co_handlers))


def intake(charter: Charter) -> Decider[Command, State, Event]:
    return Decider(
        decide=partial(decide, charter),
        evolve=evolve,
        initial_state=Unseen(),
        states=get_args(State),
        events=get_args(Event),
        refused=IntakeCommandRefused,
        masked=IntakePersonalDataMasked,
        hides=hidden_from(charter, duties_audience),
    )

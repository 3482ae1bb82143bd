"""Who has an open duty on an entry, and so may read who its petitioner is.

Kept by the entry, under `entry/<number>`, from what the ledger and rating tell. Their facts may come in
either order: what the ledger tells and what rating tells do not touch each other here.
"""

from datetime import timedelta

from duban_contracts.handling import Adjudicated, CoHandlerAdded, EntryReturned
from duban_contracts.intake import Duty, IntakeCommandRefused, PetitionerShown
from duban_contracts.ledger import (
    EntryAccepted,
    EntryClosedUnsolved,
    EntryOpened,
    EntryReopened,
    EntryStruckOff,
)
from duban_contracts.merging import MatterMerged, MatterUnmerged
from duban_contracts.message import Refusal
from duban_contracts.rating import CallbackRecorded, CallbackResult, NegativeRatingReceived
from duban_contracts.reclassifying import EntryReclassified
from services.chassis.decider import refusal
from services.chassis.wording import wording
from services.intake.decider.situations import (
    Duties,
    DutiesNoted,
    DutyFact,
    NoteDuties,
    ShowPetitioner,
    State,
)

READABLE = timedelta(minutes=15)
"""How long the question is answered after a reading was recorded: to ask it, and to ask it again."""


def note(command: NoteDuties, state: State) -> list[DutiesNoted]:
    before = state.noted if isinstance(state, Duties) else DutiesNoted(at=command.now)
    after = before.model_copy(update=changed(command.fact, before))
    return [] if after == before else [after.model_copy(update={"at": command.now})]


def changed(fact: DutyFact, before: DutiesNoted) -> dict[str, object]:
    match fact:
        case EntryOpened(submission=submission, station=station, co_handlers=co_handlers):
            opened = {"submission": submission, "handler": station, "co_handlers": co_handlers}
            return {**opened, "open": not before.closed, "restricted": fact.restricted}
        case EntryAccepted(taken_over=True, station=station):
            others = tuple(each for each in before.co_handlers if each != station)
            return {"handler": station, "co_handlers": others}
        case EntryReturned(was_responsible=True, to=to):
            return {"handler": to}
        case Adjudicated(station=station, co_handlers=co_handlers):
            return {"handler": station, "co_handlers": co_handlers}
        case CoHandlerAdded(co_handler=co_handler):
            return {"co_handlers": (*before.co_handlers, co_handler)}
        case EntryReclassified(station=station, co_handlers=co_handlers, restricted=restricted):
            return {"handler": station, "co_handlers": co_handlers, "restricted": restricted}
        case EntryStruckOff(station=station):  # of an entry that was merged: the station that solved it
            return {"handler": station, "open": False, "closed": True}
        case EntryClosedUnsolved() | MatterMerged():
            return {"open": False, "closed": True}
        case EntryReopened(station=station) | MatterUnmerged(station=station):
            return {"handler": station, "open": True, "closed": False}
        case NegativeRatingReceived(round=round_):
            return {"callbacks": tuple(sorted({*before.callbacks, round_}))}
        case CallbackRecorded(round=round_, result=result) if result is not CallbackResult.NOT_REACHED:
            return {"callbacks": tuple(each for each in before.callbacks if each != round_)}
        case _:
            return {}


def show(command: ShowPetitioner, state: State) -> list[PetitionerShown | IntakeCommandRefused]:
    asked = command.asked
    entry = asked.key.removeprefix(ENTRY)
    if not isinstance(state, Duties) or state.noted.submission is None:
        detail = wording(
            "intake knows no entry {entry}; check the number, the key is {prefix}<number>; "
            "of one opened this moment, ask again in a second",
            entry=entry,
            prefix=ENTRY,
        )
        return [refusal(IntakeCommandRefused, asked, Refusal.NO_SUCH_ENTRY, detail)]
    duty = duty_of(command, state.noted)
    if duty is None:
        detail = wording(
            "{actor} has no open duty on {entry}; handler, co-handlers and who owes a callback do",
            actor=asked.actor,
            entry=entry,
        )
        return [refusal(IntakeCommandRefused, asked, Refusal.NO_OPEN_DUTY, detail)]
    return [
        PetitionerShown(
            at=asked.now,
            station=asked.actor,
            entry=entry,
            submission=state.noted.submission,
            by=asked.actor,
            duty=duty,
            reason=command.reason,
            until=asked.now + READABLE,
        )
    ]


def duty_of(command: ShowPetitioner, noted: DutiesNoted) -> Duty | None:
    if noted.open and noted.handler in command.stands_for:
        return Duty.HANDLER
    if noted.open and command.stands_for & set(noted.co_handlers):
        return Duty.CO_HANDLER
    if noted.callbacks and command.is_office:
        return Duty.CALLBACK
    if noted.open and noted.handler is None and command.is_office:
        return Duty.ASSIGNMENT
    return None


ENTRY = "entry/"
"""With this begin the keys under which duties are kept; no submission has such a key."""

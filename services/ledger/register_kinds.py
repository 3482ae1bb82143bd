"""One register, three kinds and the plan: each key is decided by the decider of what stands under it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, get_args

from duban_contracts.applications import ApplicationEvent
from duban_contracts.charter import Charter
from duban_contracts.ledger import EntryOpened, LedgerCommandRefused, LedgerEvent, LedgerPersonalDataMasked
from duban_contracts.measures import MeasureEvent, MeasureOpened, MeasureRetired, PlanApplied
from duban_contracts.message import Refusal
from services.chassis.decider import Asked, Decider, Wake, hidden_from, refusal
from services.chassis.wording import wording
from services.ledger.applications import ApplicationCommand, ApplicationState, Apply, applications
from services.ledger.audience import audience
from services.ledger.decider import Command, State, Unopened, WithdrawnEarly, ledger
from services.ledger.measures import (
    MeasureCommand,
    MeasureState,
    PlanCommand,
    PlanNoted,
    PlanState,
    Retire,
    Want,
    measures,
    plans,
)

RegisterEvent = LedgerEvent | MeasureEvent | ApplicationEvent | PlanNoted
RegisterState = State | MeasureState | ApplicationState | PlanState
RegisterCommand = Command | MeasureCommand | ApplicationCommand | PlanCommand


@dataclass(frozen=True)
class Kind:
    """What may stand under a key. Deciders of different kinds share no situation but that of no entry."""

    name: str
    decider: Decider[Any, Any, Any]
    takes: tuple[type, ...]
    """The commands that its decider knows."""
    opened_by: tuple[type, ...]
    """The commands that only this kind of key is opened with, whatever else it knows."""

    def __contains__(self, state: RegisterState) -> bool:
        return isinstance(state, self.decider.states) and not isinstance(state, Unopened | WithdrawnEarly)


@dataclass(frozen=True)
class Kinds:
    matter: Kind
    measure: Kind
    application: Kind
    plan: Kind

    def decide(self, command: RegisterCommand | Wake, state: RegisterState) -> Sequence[Any]:
        kind = self.of(state) or self.opened_with(command)
        if isinstance(command, (Wake, *kind.takes)):
            return kind.decider.decide(command, state)
        asked = getattr(command, "asked", None)
        return [misplaced(asked, kind, state)] if isinstance(asked, Asked) else []

    def evolve(self, state: RegisterState, event: RegisterEvent) -> RegisterState:
        kind = self.of(state) or self.begun_by(event)
        evolved: RegisterState = kind.decider.evolve(state, event)
        return evolved

    def wake_at(self, state: RegisterState) -> datetime | None:
        return (self.of(state) or self.matter).decider.wake_at(state)

    def of(self, state: RegisterState) -> Kind | None:
        return next((kind for kind in self.all() if state in kind), None)

    def opened_with(self, command: RegisterCommand | Wake) -> Kind:
        return next((kind for kind in self.all() if isinstance(command, kind.opened_by)), self.matter)

    def begun_by(self, event: RegisterEvent) -> Kind:
        """Which kind a key becomes with its first fact."""
        match event:
            case EntryOpened(procedure=procedure):
                return self.matter if procedure is None else self.application
            case MeasureOpened() | MeasureRetired():
                return self.measure
            case PlanApplied() | PlanNoted():
                return self.plan
            case _:
                return self.matter

    def all(self) -> tuple[Kind, ...]:
        return self.measure, self.application, self.plan, self.matter


INSTEAD = {
    ("application", "reopen"): wording(
        "its outcome stands: submit a new application, or a complaint about this one"
    ),
}
"""What to do where a request is not for this kind of number."""
ONE_OF = {
    "matter": wording("a matter"),
    "measure": wording("a measure"),
    "application": wording("an application"),
    "plan": wording("a plan"),
}


def misplaced(asked: Asked, kind: Kind, state: RegisterState) -> LedgerCommandRefused:
    if isinstance(state, Unopened | WithdrawnEarly):
        detail = wording("the register has no number {key}; check the number", key=asked.key)
        return refusal(LedgerCommandRefused, asked, Refusal.NO_SUCH_ENTRY, detail)
    request = asked.command.replace("_", " ")
    advice = INSTEAD.get((kind.name, asked.command), wording("see `duban ledger show`"))
    detail = wording(
        "{key} is {one}, and '{request}' is not for one; {advice}",
        key=asked.key,
        one=ONE_OF[kind.name],
        request=request,
        advice=advice,
    )
    return refusal(LedgerCommandRefused, asked, Refusal.WRONG_STATE, detail)


def register(charter: Charter) -> Decider[RegisterCommand, RegisterState, RegisterEvent]:
    kinds = Kinds(
        matter=Kind("matter", ledger(charter), get_args(Command), ()),
        measure=Kind("measure", measures(charter), get_args(MeasureCommand), (Want, Retire)),
        application=Kind("application", applications(charter), get_args(ApplicationCommand), (Apply,)),
        plan=Kind("plan", plans(charter), get_args(PlanCommand), get_args(PlanCommand)),
    )
    return Decider(
        decide=kinds.decide,
        evolve=kinds.evolve,
        initial_state=Unopened(),
        states=tuple(dict.fromkeys(state for kind in kinds.all() for state in kind.decider.states)),
        events=tuple(dict.fromkeys(event for kind in kinds.all() for event in kind.decider.events)),
        refused=LedgerCommandRefused,
        masked=LedgerPersonalDataMasked,
        wake_at=kinds.wake_at,
        hides=hidden_from(charter, audience(charter)),
    )

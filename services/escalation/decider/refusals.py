"""Who may ask, and the answer "no"."""

from collections.abc import Iterable

from duban_contracts.charter import Role
from duban_contracts.escalation import EscalationCommandRefused
from duban_contracts.message import Refusal
from services.chassis.decider import refusal
from services.chassis.wording import Wording, wording
from services.escalation.decider.commands import Request
from services.escalation.decider.rules import Rules
from services.escalation.decider.state import State, existed


def no(command: Request, reason: Refusal, detail: Wording) -> EscalationCommandRefused:
    return refusal(EscalationCommandRefused, command.asked, reason, detail)


def not_outstanding(command: Request, key: str, state: State) -> EscalationCommandRefused:
    if existed(state, key):
        return no(
            command, Refusal.ALREADY_DONE, wording("{key} does not wait for a decision any more", key=key)
        )
    return no(command, Refusal.NO_SUCH_STEP, wording("there is no {key}; check its number", key=key))


def own_case(rules: Rules, command: Request) -> EscalationCommandRefused | None:
    """Nobody decides his own case."""
    if not rules.concerns(command.asked.actor, command.station):
        return None
    detail = wording(
        "{actor} is {station} itself; the body above it decides",
        actor=command.asked.actor,
        station=command.station,
    )
    return no(command, Refusal.OWN_CASE, detail)


def in_words(roles: Iterable[Role]) -> str:
    return " or ".join(sorted(role.value for role in roles))

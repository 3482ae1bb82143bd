"""What a station does about its outstanding order: acknowledge it, answer it."""

from duban_contracts.escalation import (
    EscalationCommandRefused,
    OrderAcknowledged,
    OrderAnswered,
)
from duban_contracts.message import Refusal
from services.chassis.wording import wording
from services.escalation.decider.commands import AcknowledgeOrder, AnswerOrder
from services.escalation.decider.items import Events
from services.escalation.decider.refusals import no
from services.escalation.decider.rules import Rules
from services.escalation.decider.state import Order, State, Supervised, existed


def acknowledge(rules: Rules, command: AcknowledgeOrder, state: State) -> Events:
    asked = command.asked
    match _own_order(rules, command, state):
        case Order(acknowledged=True):
            return [
                no(
                    command,
                    Refusal.ALREADY_DONE,
                    wording("{order} is acknowledged already", order=command.order),
                )
            ]
        case Order():
            return [OrderAcknowledged(at=asked.now, station=command.station, order=command.order)]
        case refused:
            return [refused]


def answer(rules: Rules, command: AnswerOrder, state: State) -> Events:
    """An answer acknowledges too. It is taken late as well: an overdue order is still to be answered."""
    asked = command.asked
    match _own_order(rules, command, state):
        case Order(answered=True):
            return [
                no(command, Refusal.ALREADY_DONE, wording("{order} is answered already", order=command.order))
            ]
        case Order():
            return [
                OrderAnswered(
                    at=asked.now, station=command.station, order=command.order, answer=command.answer
                )
            ]
        case refused:
            return [refused]


def _own_order(
    rules: Rules, command: AcknowledgeOrder | AnswerOrder, state: State
) -> Order | EscalationCommandRefused:
    if not rules.concerns(command.asked.actor, command.station):
        detail = wording("only {station} itself acknowledges and answers its orders", station=command.station)
        return no(command, Refusal.NOT_THE_HANDLER, detail)
    order = state.order if isinstance(state, Supervised) else None
    if order is not None and order.key == command.order:
        return order
    if existed(state, command.order):
        return no(command, Refusal.ALREADY_DONE, wording("{order} was lifted", order=command.order))
    return no(
        command,
        Refusal.NO_SUCH_ORDER,
        wording("there is no order {order}; check its number", order=command.order),
    )

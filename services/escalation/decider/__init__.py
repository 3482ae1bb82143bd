"""Who lags, how far up the ladder that has led, and what follows. The key is the station.

Facts about the station open and close items; items that turn serious make it lag and put it under a
numbered order; what stays unmet, or a grave ground, is proposed to a named person for a circular, the
principal leaders or the discipline commission. Every deadline is frozen in the fact that began it.
"""

from dataclasses import dataclass
from typing import assert_never, get_args

from duban_contracts.charter import Charter
from duban_contracts.escalation import EscalationCommandRefused, EscalationEvent, EscalationPersonalDataMasked
from services.chassis.calendar import WorkingCalendar
from services.chassis.decider import Decider, Wake
from services.escalation.decider.afterwards import record_instruction, record_receipt, withdraw
from services.escalation.decider.commands import (
    EVERY_ROUND,
    AcknowledgeOrder,
    AnswerOrder,
    ApproveStep,
    BeginSupervision,
    Close,
    Command,
    DeclineStep,
    FromFacts,
    Open,
    RecordInstruction,
    RecordReceipt,
    Remind,
    WithdrawCircular,
)
from services.escalation.decider.evolve import evolve, fold
from services.escalation.decider.items import Events, begin, close_items, open_item, remind
from services.escalation.decider.ladder import fallen_due
from services.escalation.decider.orders import acknowledge, answer
from services.escalation.decider.rules import Rules
from services.escalation.decider.state import State, Supervised, Unsupervised, wake_at
from services.escalation.decider.steps import approve, decline

__all__ = [
    "EVERY_ROUND",
    "AcknowledgeOrder",
    "AnswerOrder",
    "ApproveStep",
    "BeginSupervision",
    "Close",
    "Command",
    "DeclineStep",
    "Open",
    "RecordInstruction",
    "RecordReceipt",
    "Remind",
    "State",
    "Supervised",
    "Unsupervised",
    "WithdrawCircular",
    "escalation",
]


@dataclass(frozen=True)
class Escalation:
    rules: Rules

    def decide(self, command: Command | Wake, state: State) -> Events:
        """What follows from the command, and from that whatever is due at the same instant."""
        now = command.now if isinstance(command, FromFacts | Wake) else command.asked.now
        events = [] if isinstance(command, Wake) else self._said(command, state)
        return [*events, *fallen_due(self.rules, now, fold(state, events))]

    def _said(self, command: Command, state: State) -> Events:
        match command:
            case Remind():
                return remind(self.rules, command)
            case BeginSupervision():
                return begin(self.rules, command, state)
            case Open():
                return open_item(self.rules, command, state)
            case Close():
                return close_items(command, state)
            case AcknowledgeOrder():
                return acknowledge(self.rules, command, state)
            case AnswerOrder():
                return answer(self.rules, command, state)
            case ApproveStep():
                return approve(self.rules, command, state)
            case DeclineStep():
                return decline(self.rules, command, state)
            case RecordInstruction():
                return record_instruction(self.rules, command, state)
            case RecordReceipt():
                return record_receipt(self.rules, command, state)
            case WithdrawCircular():
                return withdraw(self.rules, command, state)
            case _:
                assert_never(command)


def escalation(charter: Charter) -> Decider[Command, State, EscalationEvent]:
    """The ladder of one charter; what was entered under an earlier one keeps its deadlines."""
    return Decider(
        decide=Escalation(Rules(charter, WorkingCalendar(charter))).decide,
        evolve=evolve,
        initial_state=Unsupervised(),
        states=(Unsupervised, Supervised),
        events=get_args(EscalationEvent),
        refused=EscalationCommandRefused,
        masked=EscalationPersonalDataMasked,
        wake_at=wake_at,
    )

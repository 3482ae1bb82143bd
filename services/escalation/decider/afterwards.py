"""What follows a step: the leaders' instruction, the commission's receipt, a circular taken back."""

from duban_contracts.charter import Role
from duban_contracts.escalation import (
    CircularWithdrawn,
    EscalationCommandRefused,
    InstructionRecorded,
    Rung,
    TransferReceived,
)
from duban_contracts.message import Refusal
from services.chassis.wording import wording
from services.escalation.decider.commands import RecordInstruction, RecordReceipt, WithdrawCircular
from services.escalation.decider.items import Events
from services.escalation.decider.refusals import in_words, no, not_outstanding, own_case
from services.escalation.decider.rules import Rules
from services.escalation.decider.state import State, Supervised, Taken, existed
from services.escalation.decider.steps import handed_over


def record_instruction(rules: Rules, command: RecordInstruction, state: State) -> Events:
    report = _step_taken(command, Rung.LEADERS, state)
    if not isinstance(report, Taken):
        return [report]
    if own := own_case(rules, command):
        return [own]
    return [
        InstructionRecorded(
            at=command.asked.now,
            station=command.station,
            step=command.step,
            instruction=command.instruction,
        )
    ]


def record_receipt(rules: Rules, command: RecordReceipt, state: State) -> Events:
    """From here on the recipient judges: what never was on the service ladder is handed over with it."""
    transfer = _step_taken(command, Rung.DISCIPLINE, state)
    if not isinstance(transfer, Taken):
        return [transfer]
    if refused := _may_not_receive(rules, command, transfer):
        return [refused]
    received = TransferReceived(
        at=command.asked.now, station=command.station, step=command.step, receipt=command.receipt
    )
    elsewhere = (item for item in transfer.items if rules.bypasses(item))
    return [received, *handed_over(command, elsewhere, state)]


def withdraw(rules: Rules, command: WithdrawCircular, state: State) -> Events:
    """A circular that should not have been: it counts no more, and nothing climbs from it."""
    taken = _circular(command.circular, state)
    if taken is None:
        return [not_outstanding(command, command.circular, state)]
    if own := own_case(rules, command):
        return [own]
    may = {Role.LEADER, *rules.decided_by(Rung.CIRCULAR, command.station)}
    if rules.role(command.asked.actor) not in may:
        return [
            no(
                command,
                Refusal.NOT_ALLOWED,
                wording("a circular is withdrawn by {roles}", roles=in_words(may)),
            )
        ]
    if taken.settled:
        return [
            no(
                command,
                Refusal.ALREADY_DONE,
                wording("{circular} is withdrawn already", circular=command.circular),
            )
        ]
    return [
        CircularWithdrawn(
            at=command.asked.now,
            station=command.station,
            circular=command.circular,
            reason=command.reason,
        )
    ]


def _may_not_receive(
    rules: Rules, command: RecordReceipt, transfer: Taken
) -> EscalationCommandRefused | None:
    if own := own_case(rules, command):
        return own
    to = transfer.to or ""
    if rules.role(command.asked.actor) != rules.role(to):
        return no(
            command,
            Refusal.NOT_ALLOWED,
            wording("{step} was transferred to {to}, who receives it", step=command.step, to=to),
        )
    return None


def _step_taken(
    command: RecordInstruction | RecordReceipt, rung: Rung, state: State
) -> Taken | EscalationCommandRefused:
    steps = state.taken if isinstance(state, Supervised) else ()
    step = next((step for step in steps if step.step == command.step), None)
    if step is None and not existed(state, command.step):
        return no(
            command,
            Refusal.NO_SUCH_STEP,
            wording("there is no step {step}; check its number", step=command.step),
        )
    if step is None or step.rung is not rung:
        detail = wording(
            "{step} led to no {what}",
            step=command.step,
            what=wording("transfer") if rung is Rung.DISCIPLINE else wording("report"),
        )
        return no(command, Refusal.WRONG_STATE, detail)
    if step.settled:
        return no(
            command, Refusal.ALREADY_DONE, wording("that is recorded for {step} already", step=command.step)
        )
    return step


def _circular(key: str, state: State) -> Taken | None:
    steps = state.taken if isinstance(state, Supervised) else ()
    return next((step for step in steps if step.circular == key), None)

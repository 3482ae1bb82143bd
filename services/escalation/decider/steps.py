"""What named people decide: rungs 2 to 4, yes or no."""

from collections.abc import Iterable
from datetime import datetime

from duban_contracts.escalation import (
    CircularPublished,
    EscalationCommandRefused,
    EscalationEvent,
    ItemClosed,
    ItemKind,
    LeadersReported,
    OpenItem,
    Rung,
    StationStillLagging,
    StepDecided,
    TransferMade,
)
from duban_contracts.message import Refusal
from services.chassis.wording import wording
from services.escalation.decider.commands import ApproveStep, DeclineStep, Request
from services.escalation.decider.items import Events
from services.escalation.decider.refusals import in_words, no, not_outstanding, own_case
from services.escalation.decider.rules import Rules
from services.escalation.decider.state import Proposal, State, Supervised


def approve(rules: Rules, command: ApproveStep, state: State) -> Events:
    if not isinstance(state, Supervised) or (proposal := state.proposal) is None:
        return [not_outstanding(command, command.step, state)]
    refused = _may_not_decide(rules, command, proposal, state) or _rests_on_nothing(
        rules, command, proposal, state
    )
    if refused:
        return [refused]
    return [
        _decided(rules, command, proposal),
        _taken(rules, command, proposal, state),
        *_climbed(rules, command, proposal, state),
    ]


def decline(rules: Rules, command: DeclineStep, state: State) -> Events:
    """A no is recorded, and the interval of that rung begins anew: nothing is dropped in silence.

    An integrity flag ends with it: no rectification could ever close it.
    """
    if not isinstance(state, Supervised) or (proposal := state.proposal) is None:
        return [not_outstanding(command, command.step, state)]
    if refused := _may_not_decide(rules, command, proposal, state):
        return [refused]
    flags = (item for item in proposal.items if item.kind is ItemKind.INTEGRITY)
    return [_decided(rules, command, proposal), *handed_over(command, flags, state)]


def _decided(rules: Rules, command: ApproveStep | DeclineStep, proposal: Proposal) -> StepDecided:
    asked, approved = command.asked, isinstance(command, ApproveStep)
    again = None if approved else rules.after(asked.now, rules.interval(proposal.rung), command.station)
    return StepDecided(
        at=asked.now,
        station=command.station,
        step=proposal.step,
        rung=proposal.rung,
        approved=approved,
        decided_by=command.decided_by,
        actor=asked.actor,
        reason=command.reason,
        next_at=again,
    )


def _taken(rules: Rules, command: ApproveStep, proposal: Proposal, state: Supervised) -> EscalationEvent:
    match proposal.rung:
        case Rung.CIRCULAR:
            return _circular_published(rules, command, proposal, state)
        case Rung.LEADERS:
            return _leaders_reported(rules, command, proposal)
        case _:
            return _transfer_made(rules, command, proposal)


def _circular_published(
    rules: Rules, command: ApproveStep, proposal: Proposal, state: Supervised
) -> CircularPublished:
    now, station = command.asked.now, command.station
    key = rules.next_circular(now, state)
    in_quarter = 1 + _in_quarter(rules, now, state)
    return CircularPublished(
        at=now,
        station=station,
        circular=key,
        number=rules.circular_number(key, now, station),
        step=proposal.step,
        items=proposal.items,
        next_at=rules.after(now, rules.interval(Rung.LEADERS), station),
        quota_reached=in_quarter >= rules.charter.ladder.leaders.circulars_in_quarter,
    )


def _leaders_reported(rules: Rules, command: ApproveStep, proposal: Proposal) -> LeadersReported:
    now, station = command.asked.now, command.station
    return LeadersReported(
        at=now,
        station=station,
        step=proposal.step,
        items=proposal.items,
        next_at=rules.after(now, rules.interval(Rung.DISCIPLINE), station),
    )


def _transfer_made(rules: Rules, command: ApproveStep, proposal: Proposal) -> TransferMade:
    return TransferMade(
        at=command.asked.now,
        station=command.station,
        step=proposal.step,
        to=rules.recipient(command.station),
        grounds=proposal.grounds,
        items=proposal.items,
    )


def _in_quarter(rules: Rules, now: datetime, state: Supervised) -> int:
    """Circulars that stand from the same calendar quarter."""
    quarter = rules.quarter(now)
    return sum(
        step.circular is not None and not step.settled and rules.quarter(step.at) == quarter
        for step in state.taken
    )


def _climbed(rules: Rules, command: ApproveStep, proposal: Proposal, state: Supervised) -> Events:
    """The rung of the service ladder; a case that bypasses the ladder leaves it where it is."""
    if not state.lagging or _bypasses(rules, proposal):
        return []
    return [
        StationStillLagging(
            at=command.asked.now,
            station=command.station,
            rung=max(state.rung, proposal.rung),
            items=tuple(item for item in proposal.items if item.id in state.items),
        )
    ]


def _bypasses(rules: Rules, proposal: Proposal) -> bool:
    return bool(proposal.items) and all(map(rules.bypasses, proposal.items))


def handed_over(command: Request, items: Iterable[OpenItem], state: State) -> Events:
    return [
        ItemClosed(at=command.asked.now, station=command.station, item=item.id, restricted=item.restricted)
        for item in items
        if item.id in state.items
    ]


BELOW = {Rung.LEADERS: Rung.CIRCULAR, Rung.DISCIPLINE: Rung.LEADERS}
"""What a step rests on where time alone led to it. A circular rests on an order, which is outstanding."""


def _rests_on_nothing(
    rules: Rules, command: ApproveStep, proposal: Proposal, state: Supervised
) -> EscalationCommandRefused | None:
    """Time skips no level: where the step below counts no more, the one that rests on it is only declined.

    A circular counts no more once it is withdrawn, and nothing counts any more once the station recovered,
    even if it lags again (domain.md §5.4).
    """
    below = BELOW.get(proposal.rung)
    if below is None or proposal.by_ground or _bypasses(rules, proposal) or state.rung >= below:
        return None
    below_it = wording("circular") if below is Rung.CIRCULAR else wording("report")
    detail = wording(
        "the {what} that {step} rests on counts no more: it was withdrawn, or the "
        "station recovered since; decline the step",
        what=below_it,
        step=proposal.step,
    )
    return no(command, Refusal.WRONG_STATE, detail)


def _may_not_decide(
    rules: Rules, command: ApproveStep | DeclineStep, proposal: Proposal, state: State
) -> EscalationCommandRefused | None:
    if proposal.step != command.step:
        return not_outstanding(command, command.step, state)
    if own := own_case(rules, command):
        return own
    if rules.role(command.asked.actor) not in proposal.decided_by:
        detail = wording(
            "{step} is decided by {roles}", step=command.step, roles=in_words(proposal.decided_by)
        )
        return no(command, Refusal.NOT_ALLOWED, detail)
    return None

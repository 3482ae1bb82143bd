"""How each step on the ladder changes where a station stands. Every deadline stands in the fact."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, assert_never

from duban_contracts.escalation import (
    AcknowledgementOverdue,
    CircularPublished,
    CircularWithdrawn,
    InstructionRecorded,
    LeadersReported,
    OpenItem,
    OrderAcknowledged,
    OrderAnswered,
    OrderIssued,
    OrderLifted,
    OrderOverdue,
    RecoveryBegan,
    Rung,
    StationBecameLagging,
    StationRecovered,
    StationStillLagging,
    StepDecided,
    StepProposed,
    TransferMade,
    TransferReceived,
)
from services.escalation.decider.state import (
    Cause,
    Order,
    Proposal,
    Source,
    Supervised,
    Taken,
)

KEPT_STEPS = 50
"""Steps that can still be instructed, received or withdrawn."""

LadderEvent = (
    StationBecameLagging
    | StationStillLagging
    | RecoveryBegan
    | StationRecovered
    | OrderIssued
    | OrderAcknowledged
    | AcknowledgementOverdue
    | OrderAnswered
    | OrderOverdue
    | OrderLifted
    | StepProposed
    | StepDecided
    | CircularPublished
    | CircularWithdrawn
    | LeadersReported
    | InstructionRecorded
    | TransferMade
    | TransferReceived
)
"""What can only follow once the ladder is in force."""


def climbed(state: Supervised, event: LadderEvent) -> Supervised:
    match event:
        case StationBecameLagging():
            return replace(_joined(state, event.items), lagging_since=event.at)
        case StationStillLagging():
            return replace(_joined(state, event.items), rung=event.rung)
        case RecoveryBegan():
            return replace(state, recovers_at=event.until)
        case StationRecovered():
            return _recovered(state)
        case OrderIssued():
            return _ordered(state, event)
        case OrderAcknowledged():
            return _with_order(state, acknowledged=True)
        case AcknowledgementOverdue():
            return _with_order(state, acknowledgement_missed=True)
        case OrderAnswered():
            return _with_order(state, acknowledged=True, answered=True)
        case OrderOverdue():
            return _with_order(state, overdue=True)
        case OrderLifted():
            return replace(state, order=None, causes=_without(state, event.order))
        case StepProposed():
            return _proposed(state, event)
        case StepDecided():
            return _decided(state, event)
        case CircularPublished():
            return _published(state, event)
        case CircularWithdrawn():
            return _withdrawn(state, event)
        case LeadersReported():
            return _reported(state, event)
        case TransferMade():
            transfer = Taken(event.step, Rung.DISCIPLINE, event.at, to=event.to, items=event.items)
            return _took(state, transfer)
        case InstructionRecorded() | TransferReceived():
            return _settled(state, event.step)
        case _:
            assert_never(event)


def _joined(state: Supervised, joining: Iterable[OpenItem]) -> Supervised:
    keys = {fact.id for fact in joining} & state.items.keys()
    items = state.items | {key: replace(state.items[key], serious=True) for key in keys}
    order = state.order and replace(state.order, items=state.order.items | keys)
    return replace(state, items=items, order=order)


def _recovered(state: Supervised) -> Supervised:
    """What a person has been asked to decide stays to be decided."""
    causes = tuple(cause for cause in state.causes if cause.step is not None)
    return replace(state, lagging_since=None, rung=Rung.REMINDER, recovers_at=None, causes=causes)


def _ordered(state: Supervised, event: OrderIssued) -> Supervised:
    keys = frozenset(fact.id for fact in event.items)
    order = Order(event.order, keys, event.acknowledge_by, event.answer_by)
    unmet = Cause(Rung.CIRCULAR, event.next_at or event.answer_by, Source.ORDER_UNMET, of=event.order)
    return replace(
        state,
        order=order,
        rung=max(state.rung, Rung.SUPERVISED),
        causes=(*state.causes, unmet),
        numbers=_counted(state, event.order),
    )


def _with_order(state: Supervised, **changes: Any) -> Supervised:
    return replace(state, order=state.order and replace(state.order, **changes))


def _without(state: Supervised, of: str) -> tuple[Cause, ...]:
    return tuple(cause for cause in state.causes if cause.of != of)


def _proposed(state: Supervised, event: StepProposed) -> Supervised:
    """The causes of a superseded step want it again once the graver one is decided."""
    causes = tuple(_asked_for(cause, event) for cause in state.causes)
    by_ground = any(cause.step == event.step and cause.source is Source.GROUND for cause in causes)
    proposal = Proposal(event.step, event.rung, event.items, event.grounds, event.decided_by, by_ground)
    return replace(state, proposal=proposal, causes=causes, numbers=_counted(state, event.step))


def _asked_for(cause: Cause, event: StepProposed) -> Cause:
    if cause.step is not None:
        return replace(cause, step=None)
    covered = cause.rung is event.rung and cause.at <= event.at
    return replace(cause, step=event.step) if covered else cause


def _decided(state: Supervised, event: StepDecided) -> Supervised:
    """Yes ends the causes of the step. No puts them off; so many circulars in a quarter count only once."""
    asked = [cause for cause in state.causes if cause.step == event.step]
    ended = {cause.of for cause in asked if cause.of}
    about = [
        cause for cause in state.causes if cause in asked or (cause.rung is event.rung and cause.of in ended)
    ]
    put_off = () if event.approved else tuple(_put_off(cause, event) for cause in about if _comes_back(cause))
    causes = tuple(cause for cause in state.causes if cause not in about)
    return replace(state, proposal=None, causes=causes + put_off)


def _comes_back(cause: Cause) -> bool:
    return cause.source is not Source.CIRCULARS_IN_QUARTER


def _put_off(cause: Cause, event: StepDecided) -> Cause:
    return replace(cause, at=max(cause.at, event.next_at or event.at), step=None)


def _published(state: Supervised, event: CircularPublished) -> Supervised:
    unmet = _unmet(state, Rung.LEADERS, Source.CIRCULAR_UNMET, event, event.circular)
    quota = Cause(Rung.LEADERS, event.at, Source.CIRCULARS_IN_QUARTER, unmet.items, event.circular)
    causes = [cause for cause in (unmet, *([quota] if event.quota_reached else [])) if cause.alive]
    taken = Taken(event.step, Rung.CIRCULAR, event.at, circular=event.circular)
    after = replace(state, causes=(*state.causes, *causes), numbers=_counted(state, event.circular))
    return _took(after, taken)


def _withdrawn(state: Supervised, event: CircularWithdrawn) -> Supervised:
    """Where no other circular of this time stands, the station is back under supervised handling."""
    taken = tuple(replace(t, settled=True) if t.circular == event.circular else t for t in state.taken)
    after = replace(state, taken=taken, causes=_without(state, event.circular))
    if state.rung is not Rung.CIRCULAR or any(_stands(state, circular) for circular in taken):
        return after
    return replace(after, rung=Rung.SUPERVISED)


def _stands(state: Supervised, taken: Taken) -> bool:
    lately = state.lagging_since is not None and taken.at >= state.lagging_since
    return lately and taken.rung is Rung.CIRCULAR and not taken.settled


def _reported(state: Supervised, event: LeadersReported) -> Supervised:
    unmet = _unmet(state, Rung.DISCIPLINE, Source.LEADERS_UNMET, event, event.step)
    causes = (*state.causes, unmet) if unmet.alive else state.causes
    return _took(replace(state, causes=causes), Taken(event.step, Rung.LEADERS, event.at))


def _unmet(
    state: Supervised, rung: Rung, source: Source, event: CircularPublished | LeadersReported, of: str
) -> Cause:
    still_open = frozenset(fact.id for fact in event.items if fact.id in state.items)
    return Cause(rung, event.next_at or event.at, source, still_open, of)


def _took(state: Supervised, taken: Taken) -> Supervised:
    return replace(state, taken=(*state.taken, taken)[-KEPT_STEPS:])


def _settled(state: Supervised, step: str) -> Supervised:
    return replace(state, taken=tuple(replace(t, settled=True) if t.step == step else t for t in state.taken))


def _counted(state: Supervised, key: str) -> dict[str, int]:
    series, _, number = key.rpartition("-")
    return state.numbers | {series: int(number)}

"""The ladder itself: what falls due at an instant, one rung after the other (domain.md §5.4).

Time and grounds both climb. Rung 1 follows from the rules alone; from rung 2 upward they only propose.
"""

from collections.abc import Iterable
from datetime import datetime

from duban_contracts.charter import Ground
from duban_contracts.escalation import (
    AcknowledgementOverdue,
    EscalationEvent,
    OpenItem,
    OrderIssued,
    OrderLifted,
    OrderOverdue,
    RecoveryBegan,
    Rung,
    StationBecameLagging,
    StationRecovered,
    StationStillLagging,
    StepProposed,
)
from services.escalation.decider.evolve import fold
from services.escalation.decider.items import Events
from services.escalation.decider.rules import Rules
from services.escalation.decider.state import Cause, Item, Source, State, Supervised


def fallen_due(rules: Rules, now: datetime, state: State) -> Events:
    """Everything that is due at `now`, each thing in the light of those before it."""
    events: Events = []
    while isinstance(state, Supervised) and (fresh := _first_due(rules, now, state)):
        events += fresh
        state = fold(state, fresh)
    return events


def _first_due(rules: Rules, now: datetime, state: Supervised) -> Events:
    for rule in RULES:
        if events := rule(rules, now, state):
            return events
    return []


def lift(_: Rules, now: datetime, state: Supervised) -> Events:
    """An order ends when it is answered and all its items are closed, whichever comes last."""
    order = state.order
    if order is None or not order.answered or order.items:
        return []
    return [OrderLifted(at=now, station=state.station, order=order.key)]


def lag(rules: Rules, now: datetime, state: Supervised) -> Events:
    """Lagging is a state: it is told when it begins, and when something joins it, never again by itself.

    What becomes serious while an order is outstanding joins that order; there is never a second one.
    """
    joining = state.joining(now)
    if not joining:
        return []
    items, station = _facts(joining), state.station
    lagging: EscalationEvent = (
        StationStillLagging(at=now, station=station, rung=state.rung, items=items)
        if state.lagging
        else StationBecameLagging(at=now, station=station, items=items)
    )
    wants_order = state.order is None and any(item.calls_for_order for item in joining)
    return [lagging, order(rules, now, state)] if wants_order else [lagging]


def order(rules: Rules, now: datetime, state: Supervised) -> OrderIssued:
    """Rung 1, 督办: everything serious that is open, with its deadlines as the charter has them today."""
    rung, station = rules.charter.ladder.order, state.station
    key = rules.next_order(now, state)
    answer_by = rules.after(now, rung.answer_within, station)
    joining = state.joining(now)
    return OrderIssued(
        at=now,
        station=station,
        order=key,
        number=rules.order_number(key, now, station),
        items=_facts(item for item in state.items.values() if item.serious or item in joining),
        acknowledge_by=rules.after(now, rung.acknowledge_within, station),
        answer_by=answer_by,
        next_at=rules.beyond(answer_by, rules.interval(Rung.CIRCULAR), station),
    )


def miss_acknowledgement(_: Rules, now: datetime, state: Supervised) -> Events:
    """Unacknowledged counts as a fact, not as silence."""
    order = state.order
    if order is None or order.acknowledged or order.acknowledgement_missed or now < order.acknowledge_by:
        return []
    return [AcknowledgementOverdue(at=now, station=state.station, order=order.key)]


def miss_answer(_: Rules, now: datetime, state: Supervised) -> Events:
    order = state.order
    if order is None or order.overdue or now < order.answer_by:
        return []
    items = _facts(item for key, item in state.items.items() if key in order.items)
    return [
        OrderOverdue(at=now, station=state.station, order=order.key, answered=order.answered, items=items)
    ]


def propose(rules: Rules, now: datetime, state: Supervised) -> Events:
    """Rungs 2 to 4: the gravest that is due, with everything that wants it; the rest waits its turn."""
    due = [cause for cause in state.wanted() if cause.at <= now]
    if not due:
        return []
    rung = max(cause.rung for cause in due)
    causes = [cause for cause in due if cause.rung is rung]
    items = _about(causes, state)
    return [
        StepProposed(
            at=now,
            station=state.station,
            step=rules.next_step(now, state),
            rung=rung,
            because="; ".join(dict.fromkeys(_in_words(cause) for cause in causes)),
            grounds=_grounds(items),
            items=items,
            decided_by=rules.decided_by(rung, state.station),
            supersedes=state.proposal.step if state.proposal else None,
        )
    ]


def begin_recovery(rules: Rules, now: datetime, state: Supervised) -> Events:
    if not (state.lagging and state.clear and state.recovers_at is None):
        return []
    until = rules.after(now, rules.charter.ladder.recovered_after, state.station)
    return [RecoveryBegan(at=now, station=state.station, until=until)]


def recover(_: Rules, now: datetime, state: Supervised) -> Events:
    """No automatic descent below an unanswered order: recovery needs an empty desk, and for some time."""
    if state.lagging_since is None or state.recovers_at is None or now < state.recovers_at:
        return []
    return [
        StationRecovered(
            at=now, station=state.station, lagging_since=state.lagging_since, highest_rung=state.rung
        )
    ]


RULES = (lift, lag, miss_acknowledgement, miss_answer, propose, begin_recovery, recover)
"""In this order where several are due at one instant."""


def _facts(items: Iterable[Item]) -> tuple[OpenItem, ...]:
    return tuple(item.fact for item in items)


def _about(causes: list[Cause], state: Supervised) -> tuple[OpenItem, ...]:
    keys = frozenset().union(*(_concerned(cause, state) for cause in causes))
    return _facts(item for key, item in state.items.items() if key in keys)


def _concerned(cause: Cause, state: Supervised) -> frozenset[str]:
    if cause.source is Source.ORDER_UNMET and state.order is not None:
        return state.order.items
    return cause.items


def _grounds(items: Iterable[OpenItem]) -> tuple[Ground, ...]:
    return tuple(sorted({item.ground for item in items if item.ground}, key=list(Ground).index))


def _in_words(cause: Cause) -> str:
    return f"{cause.of}: {cause.source.value}" if cause.of else cause.source.value

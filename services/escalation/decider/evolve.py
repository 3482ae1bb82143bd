"""How each fact changes what is open against a station. No rule in it: deadlines stand in the fact."""

from collections.abc import Iterable
from dataclasses import replace

from duban_contracts.escalation import (
    ClosingNoted,
    EscalationCommandRefused,
    EscalationEvent,
    EscalationPersonalDataMasked,
    ItemClosed,
    ItemOpened,
    ReminderSent,
    SupervisionBegan,
)
from services.escalation.decider.climb import climbed
from services.escalation.decider.state import (
    Cause,
    Item,
    Source,
    State,
    Supervised,
    Unsupervised,
)

KEPT_CLOSINGS = 100
"""Closings that overtook their opening: an opening overtaken by more than so many opens for good."""


def fold(state: State, events: Iterable[EscalationEvent]) -> State:
    for event in events:
        state = evolve(state, event)
    return state


def evolve(state: State, event: EscalationEvent) -> State:
    if isinstance(event, EscalationCommandRefused | EscalationPersonalDataMasked):
        return state
    at = event.at if state.at is None else max(state.at, event.at)
    return replace(_after(state, event), station=event.station or state.station, at=at)


def _after(state: State, event: EscalationEvent) -> State:
    match event:
        case ReminderSent() | EscalationCommandRefused() | EscalationPersonalDataMasked():
            return state
        case ItemOpened():
            return _opened(state, event)
        case ItemClosed():
            return _closed(state, event.item)
        case ClosingNoted():
            return _noted(state, event)
        case SupervisionBegan():
            return _supervised(state, event)
        case _:
            return climbed(state, event) if isinstance(state, Supervised) else state


def _opened(state: State, event: ItemOpened) -> State:
    key, known = event.item.id, state.items.get(event.item.id)
    serious = known is not None and known.serious
    item = Item(event.item, event.occurrence, event.serious_at, event.calls_for, serious)
    if isinstance(state, Unsupervised):
        return replace(state, items=state.items | {key: item})
    causes = () if known else _causes_of(item, event)
    return replace(state, items=state.items | {key: item}, causes=(*state.causes, *causes), recovers_at=None)


def _causes_of(item: Item, event: ItemOpened | SupervisionBegan) -> tuple[Cause, ...]:
    about = frozenset({item.fact.id})
    return tuple(Cause(rung, event.at, Source.GROUND, about) for rung in item.calls_for)


def _closed(state: State, key: str) -> State:
    items = {each: item for each, item in state.items.items() if each != key}
    if isinstance(state, Unsupervised):
        return replace(state, items=items)
    order = state.order and replace(state.order, items=state.order.items - {key})
    causes = (replace(cause, items=cause.items - {key}) for cause in state.causes)
    return replace(state, items=items, order=order, causes=tuple(cause for cause in causes if cause.alive))


def _noted(state: State, event: ClosingNoted) -> State:
    """A closing is noted only of a later round than the one noted before."""
    known = {key: till for key, till in state.closings.items() if key != event.item}
    kept = [*known.items(), (event.item, event.occurrence)][-KEPT_CLOSINGS:]
    return replace(state, closings=dict(kept))


def _supervised(state: State, event: SupervisionBegan) -> State:
    if isinstance(state, Supervised):
        return state
    items = {key: _counted_from(item, event) for key, item in state.items.items()}
    causes = tuple(cause for item in items.values() for cause in _causes_of(item, event))
    return Supervised(state.station, event.at, event.at, items, state.closings, causes=causes)


def _counted_from(item: Item, event: SupervisionBegan) -> Item:
    if item.serious_at is None:
        return item
    return replace(item, serious_at=event.late_serious_at if item.fact.kind.late else event.at)

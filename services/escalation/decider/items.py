"""What counts against a station: reminded of, opened, closed; each fact once, in whatever order it came."""

from duban_contracts.escalation import (
    ClosingNoted,
    EscalationEvent,
    ItemClosed,
    ItemOpened,
    ReminderSent,
    SupervisionBegan,
)
from services.escalation.decider.commands import BeginSupervision, Close, Open, Remind
from services.escalation.decider.rules import Rules
from services.escalation.decider.state import Item, State, Supervised

Events = list[EscalationEvent]


def remind(rules: Rules, command: Remind) -> Events:
    """Rung 0, 催办: before the campaign too, for no blame is attached."""
    if command.on_due_day and not rules.charter.ladder.reminder.on_due_day:
        return []
    return [
        ReminderSent(
            at=command.now,
            station=command.station,
            entry=command.entry,
            on_due_day=command.on_due_day,
            restricted=command.restricted,
        )
    ]


def begin(rules: Rules, command: BeginSupervision, state: State) -> Events:
    """营商办 begins to inspect (plan 三(三)): what is open already counts from here on."""
    if isinstance(state, Supervised):
        return []
    now, station = command.now, command.station
    grace = rules.charter.ladder.order.after_overdue
    late_serious_at = rules.after(now, grace, station)
    return [
        SupervisionBegan(at=now, station=station, campaign=command.campaign, late_serious_at=late_serious_at)
    ]


def open_item(rules: Rules, command: Open, state: State) -> Events:
    """An open item that happens again in a later round is the same item: one entry's lateness counts once."""
    known = state.items.get(command.item.id)
    too_late = _came_too_late(command, state) and not command.again
    if too_late or (known is not None and known.occurrence >= command.occurrence):
        return []
    return [_again(command, known) if known else _opened(rules, command, state)]


def close_items(command: Close, state: State) -> Events:
    """A closing ends its own round and the ones before; a later round that is open already stays open."""
    return [event for key in command.items for event in _close(key, command, state)]


def _came_too_late(command: Open, state: State) -> bool:
    closed = state.closings.get(command.item.id)
    return closed is not None and closed >= command.occurrence


def _opened(rules: Rules, command: Open, state: State) -> ItemOpened:
    item = command.item
    return ItemOpened(
        at=command.now,
        station=command.station,
        item=item,
        occurrence=command.occurrence,
        serious_at=rules.serious_at(item, command.now, state, command.station),
        calls_for=rules.calls_for(item, command.serious),
    )


def _again(command: Open, known: Item) -> ItemOpened:
    return ItemOpened(
        at=command.now,
        station=command.station,
        item=known.fact.model_copy(update={"restricted": known.fact.restricted or command.item.restricted}),
        occurrence=command.occurrence,
        serious_at=known.serious_at,
        calls_for=known.calls_for,
    )


def _close(key: str, command: Close, state: State) -> Events:
    item, noted = state.items.get(key), state.closings.get(key)
    if item is not None:
        closes = item.occurrence <= command.occurrence
        hidden = command.restricted or item.fact.restricted
        closed = ItemClosed(at=command.now, station=command.station, item=key, restricted=hidden)
        return [closed] if closes else []
    if key in command.owed and (noted is None or noted < command.occurrence):
        return [
            ClosingNoted(
                at=command.now,
                station=command.station,
                item=key,
                occurrence=command.occurrence,
                restricted=command.restricted,
            )
        ]
    return []

"""Where a station stands: what is open against it, and how far up the ladder that has led."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from duban_contracts.charter import Ground, Role
from duban_contracts.escalation import OpenItem, Rung


@dataclass(frozen=True)
class Item:
    fact: OpenItem
    occurrence: int
    serious_at: datetime | None
    """When it makes the station lag; None: it is not for the service ladder."""
    calls_for: tuple[Rung, ...]
    """Rungs to which its ground leads at once."""
    serious: bool = False

    @property
    def calls_for_order(self) -> bool:
        """What leads straight to the circular needs no order first: levels are skipped by ground."""
        return Rung.CIRCULAR not in self.calls_for


@dataclass(frozen=True)
class Order:
    """The one outstanding order; `items` are those of it that are still open."""

    key: str
    items: frozenset[str]
    acknowledge_by: datetime
    answer_by: datetime
    acknowledged: bool = False
    acknowledgement_missed: bool = False
    answered: bool = False
    overdue: bool = False


class Source(StrEnum):
    """Why a step is due."""

    GROUND = "its ground leads there at once"
    ORDER_UNMET = "the order was not lifted in time"
    CIRCULAR_UNMET = "items of the circular stayed open"
    CIRCULARS_IN_QUARTER = "there were so many circulars in one quarter"
    LEADERS_UNMET = "items stayed open after the report to the principal leaders"


NEEDS_OPEN_ITEMS = frozenset({Source.GROUND, Source.CIRCULAR_UNMET, Source.LEADERS_UNMET})


@dataclass(frozen=True)
class Cause:
    """From `at` on the rules want this rung. It lives until somebody approves, or what it is about ends."""

    rung: Rung
    at: datetime
    source: Source
    items: frozenset[str] = frozenset()
    of: str | None = None
    """The order, circular or step whose interval ran out."""
    step: str | None = None
    """The outstanding proposal that it led to."""

    @property
    def alive(self) -> bool:
        return bool(self.items) or self.source not in NEEDS_OPEN_ITEMS


@dataclass(frozen=True)
class Proposal:
    """The one step that waits for a person, with the roles that could decide it when it was proposed."""

    step: str
    rung: Rung
    items: tuple[OpenItem, ...]
    grounds: tuple[Ground, ...]
    decided_by: tuple[Role, ...]
    by_ground: bool = True
    """A ground led to it, not time alone: it may skip levels."""


@dataclass(frozen=True)
class Taken:
    """A step that was taken. `settled`: instructed, received or withdrawn, whichever it can be."""

    step: str
    rung: Rung
    at: datetime
    circular: str | None = None
    to: str | None = None
    items: tuple[OpenItem, ...] = ()
    settled: bool = False


@dataclass(frozen=True)
class Unsupervised:
    """Before the campaign: items are kept and reminders sent, but nothing climbs.

    `closings` are the closings whose opening is still to come, with their rounds; see evolve.KEPT_CLOSINGS.
    """

    station: str = ""
    at: datetime | None = None
    items: dict[str, Item] = field(default_factory=dict)
    closings: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Supervised:
    """The ladder is in force. The station lags while `lagging_since` says since when."""

    station: str
    at: datetime
    began: datetime
    items: dict[str, Item]
    closings: dict[str, int]
    lagging_since: datetime | None = None
    rung: Rung = Rung.REMINDER
    """The highest rung of the service ladder since the station began to lag."""
    order: Order | None = None
    causes: tuple[Cause, ...] = ()
    proposal: Proposal | None = None
    taken: tuple[Taken, ...] = ()
    """The last steps that were taken; see climb.KEPT_STEPS."""
    recovers_at: datetime | None = None
    numbers: dict[str, int] = field(default_factory=dict)
    """The last number of each series, e.g. `bianmin-2024` (orders) or `bianmin-2024-step`."""

    @property
    def lagging(self) -> bool:
        return self.lagging_since is not None

    @property
    def standing_rung(self) -> Rung:
        """A case that waits for its receipt is on rung 4, even if it bypassed the service ladder."""
        waiting = any(step.rung is Rung.DISCIPLINE and not step.settled for step in self.taken)
        return Rung.DISCIPLINE if waiting else self.rung

    @property
    def clear(self) -> bool:
        return not self.items and self.order is None

    def joining(self, now: datetime) -> list[Item]:
        """The items that turn serious at `now`, or should have before."""
        return [
            item
            for item in self.items.values()
            if not item.serious and item.serious_at is not None and item.serious_at <= now
        ]

    def wanted(self) -> list[Cause]:
        """Causes that may be proposed: one proposal at a time, but a graver one supersedes a lesser."""
        above = self.proposal.rung if self.proposal else Rung.REMINDER
        return [cause for cause in self.causes if cause.step is None and cause.rung > above]


State = Unsupervised | Supervised


def wake_at(state: State) -> datetime | None:
    """The earliest instant at which something falls due; before the campaign nothing does."""
    return None if isinstance(state, Unsupervised) else min(_timers(state), default=None)


def _timers(state: Supervised) -> Iterator[datetime]:
    yield from (item.serious_at for item in state.items.values() if item.serious_at and not item.serious)
    yield from (cause.at for cause in state.wanted())
    if state.order is not None:
        yield from _timers_of(state.order)
    if state.recovers_at is not None:
        yield state.recovers_at


def _timers_of(order: Order) -> Iterator[datetime]:
    if not (order.acknowledged or order.acknowledgement_missed):
        yield order.acknowledge_by
    if not order.overdue:
        yield order.answer_by


def existed(state: State, key: str) -> bool:
    """Whether an order, step or circular with this number was ever given out, without keeping them all."""
    series, _, number = key.rpartition("-")
    last = state.numbers.get(series, 0) if isinstance(state, Supervised) else 0
    return number.isdecimal() and str(int(number)) == number and 1 <= int(number) <= last

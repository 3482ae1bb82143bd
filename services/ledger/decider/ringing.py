"""Which of a matter's clocks have rung, and which of them may ring again. No rule about when."""

from collections.abc import Iterable
from datetime import datetime

from duban_contracts.ledger import Due
from services.ledger.decider.situations import Clock

OF_THE_STATION = (Clock.DUE_SOON, Clock.DUE_DAY, Clock.OVERDUE)
OF_THE_CITIZEN = (Clock.CITIZEN_SOON, Clock.CITIZEN_DAY, Clock.CITIZEN_OVERDUE)

Rung = tuple[Clock, ...]


def rings_again(of: Rung, old: Due | None, new: Due | None, now: datetime) -> Rung:
    """A due date that moved is reminded of again, and may be overdue again if it lies ahead now."""
    *reminders, overdue = of
    moved = (old and old.at) != (new and new.at)
    return (*(reminders if moved else ()), *ahead(overdue, new, now))


def ahead(clock: Clock, due: Due | None, now: datetime) -> Rung:
    """The clock, if it may ring for this date yet."""
    return (clock,) if due is None or due.at > now else ()


def only(rung: Rung, clocks: Iterable[Clock]) -> Rung:
    return tuple(clock for clock in rung if clock in clocks)


def without(rung: Rung, clocks: Iterable[Clock]) -> Rung:
    return tuple(clock for clock in rung if clock not in clocks)

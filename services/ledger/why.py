"""Why an entry is due when it is due: every due date with its rule, and each day with its reason. Pure."""

from collections.abc import Iterator

from duban_contracts.charter import Charter
from duban_contracts.due import Due, DueClock
from duban_contracts.queries import DayExplained, DueExplained, Why
from services.chassis.calendar import WorkingCalendar
from services.chassis.counting import Step
from services.ledger.decider import (
    Closed,
    Dues,
    Handling,
    Known,
    Resolved,
    Returned,
    StruckOff,
)

Timed = tuple[DueClock, str | None, Due]


def explain(number: str, state: object, charter: Charter) -> Why:
    """`state` is whatever stands under the number; a matter has several clocks, other kinds have one.

    Days are counted by `charter`: where the due date was counted under another revision and would be
    another one now, as with closed entries, the explanation says so.
    """
    dues = Dues(charter, WorkingCalendar(charter))
    held = state.entry.held if isinstance(state, Handling) else None
    return Why(
        entry=number,
        stopped=isinstance(state, StruckOff | Closed),
        held_since=held.since if held else None,
        dues=tuple(explained(dues, *timed) for timed in timed_by(state)),
    )


def timed_by(state: object) -> Iterator[Timed]:
    if isinstance(state, Handling | Returned | Resolved | StruckOff | Closed):
        yield from _of_matter(state)
    elif isinstance(due := getattr(state, "due", None), Due):
        yield DueClock.STATION, None, due


def _of_matter(state: Known) -> Iterator[Timed]:
    entry = state.entry
    answered = state.due if isinstance(state, Resolved) else entry.due
    if answered is not None:
        yield DueClock.STATION, entry.station, answered
    if entry.citizen is not None:
        yield DueClock.CITIZEN, None, entry.citizen
    if entry.offer is not None:
        yield DueClock.ACCEPTANCE, entry.offer.to, entry.offer.acceptance
    elif entry.acceptance is not None and not entry.accepted:
        yield DueClock.ACCEPTANCE, entry.station, entry.acceptance
    if entry.interim is not None:
        yield DueClock.INTERIM, entry.station, entry.interim


def explained(dues: Dues, clock: DueClock, station: str | None, due: Due) -> DueExplained:
    if due.start is None or (due.limit is None and due.set_for is None):
        return DueExplained(clock=clock, station=station, due=due)  # its rule says all there is to say
    counting = dues.counting(due)
    return DueExplained(
        clock=clock,
        station=station,
        due=due,
        days=tuple(map(_day, counting.days)),
        agrees=counting.at == due.at,
    )


def _day(step: Step) -> DayExplained:
    return DayExplained(
        day=step.day, reason=step.reason, counted=float(step.counted), provisional=step.provisional
    )

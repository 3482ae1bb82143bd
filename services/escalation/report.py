"""How each station closes what it was given: the counts behind the laggard report.

A read model of its own: each fact is a small scorecard to add, so the sum is the same in whatever order
facts arrive.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from zoneinfo import ZoneInfo

from duban_contracts import handling, ledger, merging, rating, reclassifying
from duban_contracts.charter import Charter
from duban_contracts.message import Fact
from duban_contracts.rating import Level
from services.chassis.decider import Decider, Wake
from services.chassis.heard import Handlers, Heard


@dataclass(frozen=True)
class Scorecard:
    """Counts of one station; every one of them may be added up in any order."""

    dispatched: int = 0
    """Entries opened for it; a co-handled entry counts for its lead only (domain.md §5.3)."""
    closed_on_time: int = 0
    closed_late: int = 0
    closed_undated: int = 0
    """Closings of which nobody can say whether they were late; they are in no rate."""
    withdrawn: int = 0
    """Taken back by the petitioner while open: out of every denominator."""
    reopened: int = 0
    merged: int = 0
    """Handled with an earlier entry, in time until then: out of every denominator."""
    reclassified: int = 0
    """Of another category, and so with another station, in time until then: dispatched here no more."""
    overdue: int = 0
    """How often an entry ran past its due date, each round by itself."""
    late_closings: int = 0
    """Late closings as they happened, also those that a reopening took back."""
    days_late: int = 0
    """Calendar days past the due date, over all `late_closings` whose due date was told."""
    very_dissatisfied: int = 0
    dissatisfied: int = 0
    fairly_satisfied: int = 0
    satisfied: int = 0
    very_satisfied: int = 0

    def __add__(self, other: "Scorecard") -> "Scorecard":
        return Scorecard(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))

    @property
    def closed(self) -> int:
        return self.closed_on_time + self.closed_late + self.closed_undated

    @property
    def open(self) -> int:
        return self.dispatched - self.withdrawn - self.merged - self.closed

    @property
    def dated(self) -> int:
        return self.closed_on_time + self.closed_late

    @property
    def ratings(self) -> int:
        return sum(getattr(self, level.name.lower()) for level in Level)

    @property
    def negative(self) -> int:
        return sum(getattr(self, level.name.lower()) for level in Level if level.negative)


@dataclass(frozen=True)
class Add:
    """A command of the view, and its only event: it tells nobody."""

    now: datetime
    counts: Scorecard


def _decide(command: Add | Wake, _: Scorecard) -> list[Add]:
    return [] if isinstance(command, Wake) else [command]


def _evolve(card: Scorecard, added: Add) -> Scorecard:
    return card + added.counts


def scorecard(_: Charter) -> Decider[Add, Scorecard, Add]:
    """Whatever the charter says, what happened is counted alike."""
    return Decider(_decide, _evolve, Scorecard(), states=(Scorecard,), events=(Add,))


Counted = Iterable[tuple[str, Add]]


def entry_opened(heard: Heard[ledger.EntryOpened], _: Charter) -> Counted:
    return _count(heard, dispatched=1)


def entry_accepted(heard: Heard[ledger.EntryAccepted], _: Charter) -> Counted:
    """Taken over from another station: dispatched to this one, and to that one no more."""
    said = heard.data
    if said.taken_over:
        yield from _dispatched(heard, said.station, 1)
        yield from _dispatched(heard, said.taken_from, -1)


def entry_returned(heard: Heard[handling.EntryReturned], _: Charter) -> Counted:
    """Returned in time leaves the denominator (domain.md §5.3)."""
    said = heard.data
    if said.was_responsible:
        yield from _dispatched(heard, said.station, -1)
        yield from _dispatched(heard, said.to, 1)


def adjudicated(heard: Heard[handling.Adjudicated], _: Charter) -> Counted:
    said = heard.data
    if said.moved:
        yield from _dispatched(heard, said.station, 1)
        yield from _dispatched(heard, said.from_station, -1)


def entry_reclassified(heard: Heard[reclassifying.EntryReclassified], charter: Charter) -> Counted:
    """Late stays with the former station, as a late closing; what was in time leaves its denominator."""
    said = heard.data
    if not said.moved:
        return
    yield from _dispatched(heard, said.station, 1)
    if said.from_station is None:
        return
    counts = _late_until(said, charter) if said.was_late else {"dispatched": -1, "reclassified": 1}
    yield said.from_station, Add(heard.now, Scorecard(**counts))


def matter_merged(heard: Heard[merging.MatterMerged], charter: Charter) -> Counted:
    """Out of the denominators, for the work is counted with the other entry; but no lateness goes with it."""
    said = heard.data
    return _count(heard, **(_late_until(said, charter) if said.was_late else {"merged": 1}))


def matter_unmerged(heard: Heard[merging.MatterUnmerged], _: Charter) -> Counted:
    """Takes back how the merging was counted. That it took so long stays true."""
    return _count(heard, **{"closed_late" if heard.data.was_late else "merged": -1})


def entry_overdue(heard: Heard[ledger.EntryOverdue], _: Charter) -> Counted:
    """A measure is nobody's matter: the report counts what citizens brought."""
    if heard.data.entry_kind is ledger.EntryKind.MEASURE:
        return ()
    return _count(heard, overdue=1)


def entry_struck_off(heard: Heard[ledger.EntryStruckOff], charter: Charter) -> Counted:
    closed = heard.data
    if closed.entry_kind is ledger.EntryKind.MEASURE or closed.merged_into is not None:
        return ()
    if not closed.late:
        return _count(heard, **{_closing(closed.late): 1})
    return _count(heard, closed_late=1, late_closings=1, days_late=_days_late(closed, charter))


def entry_reopened(heard: Heard[ledger.EntryReopened], _: Charter) -> Counted:
    """Takes back the closing that no longer counts, as it was counted. That it took so long stays true.

    What was struck off with another entry was counted for nobody: from now on it is this station's own.
    """
    if heard.data.merged_into is not None:
        return _count(heard, reopened=1, dispatched=1)
    return _count(heard, reopened=1, **{_closing(heard.data.was_late): -1})


def entry_closed_unsolved(heard: Heard[ledger.EntryClosedUnsolved], _: Charter) -> Counted:
    return _count(heard, withdrawn=1)


def rating_given(heard: Heard[rating.RatingGiven], _: Charter) -> Counted:
    return _count(heard, **{heard.data.level.name.lower(): 1})


REPORT_HEARS: Handlers = {
    ledger.EntryOpened: entry_opened,
    ledger.EntryAccepted: entry_accepted,
    handling.EntryReturned: entry_returned,
    handling.Adjudicated: adjudicated,
    ledger.EntryOverdue: entry_overdue,
    ledger.EntryStruckOff: entry_struck_off,
    ledger.EntryReopened: entry_reopened,
    ledger.EntryClosedUnsolved: entry_closed_unsolved,
    merging.MatterMerged: matter_merged,
    merging.MatterUnmerged: matter_unmerged,
    reclassifying.EntryReclassified: entry_reclassified,
    rating.RatingGiven: rating_given,
}


def _count(heard: Heard[Fact], **counts: int) -> Counted:
    station = heard.data.station
    return [(station, Add(heard.now, Scorecard(**counts)))] if station else []


def _dispatched(heard: Heard[Fact], station: str | None, count: int) -> Counted:
    return [(station, Add(heard.now, Scorecard(dispatched=count)))] if station else []


def _closing(late: bool | None) -> str:
    return {None: "closed_undated", True: "closed_late", False: "closed_on_time"}[late]


def _late_until(
    said: reclassifying.EntryReclassified | merging.MatterMerged, charter: Charter
) -> dict[str, int]:
    """Late as long as the station had it, and not a day longer."""
    days = 0
    if said.late_due is not None:
        days = max(0, (said.at.astimezone(ZoneInfo(charter.timezone)).date() - said.late_due.last_day).days)
    return {"closed_late": 1, "late_closings": 1, "days_late": days}


def _days_late(closed: ledger.EntryStruckOff, charter: Charter) -> int:
    """Whole calendar days after the last day in time; 0 where the due date was not told."""
    if closed.due is None:
        return 0
    done = (closed.resolved_at or closed.at).astimezone(ZoneInfo(charter.timezone)).date()
    return max(0, (done - closed.due.last_day).days)

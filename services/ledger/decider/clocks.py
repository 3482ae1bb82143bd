"""The facts that time alone brings about, each thing once and at the time it fell due."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from duban_contracts.charter import Charter, Role
from duban_contracts.due import Pause
from duban_contracts.handling import (
    CitizenOverdue,
    DeadlineRecomputed,
    EntryResumed,
    InterimAnswerOverdue,
)
from duban_contracts.ledger import AcceptanceOverdue, Due, DueClock, EntryDueSoon, EntryOverdue
from duban_contracts.subjects import NOBODY
from services.ledger.decider.dues import Dues
from services.ledger.decider.situations import (
    Clock,
    Entry,
    Event,
    Handling,
    Known,
    Resolved,
    Returned,
    RevisionSeen,
    State,
)

Falling = tuple[datetime, Callable[[datetime], list[Event]]]
"""What falls due when."""

SOON = {DueClock.STATION: Clock.DUE_SOON, DueClock.CITIZEN: Clock.CITIZEN_SOON}
DAY = {DueClock.STATION: Clock.DUE_DAY, DueClock.CITIZEN: Clock.CITIZEN_DAY}


@dataclass(frozen=True)
class Clocks:
    charter: Charter
    dues: Dues

    def wake_at(self, state: State) -> datetime | None:
        return min((at for at, _ in self._pending(state)), default=None)

    def fallen(self, state: State, now: datetime) -> list[Event]:
        """The first thing that fell due by `now`; what follows may depend on it, so it is asked for again."""
        first = min(self._pending(state), key=lambda falling: falling[0], default=None)
        return first[1](first[0]) if first and first[0] <= now else []

    def resumed(self, entry: Entry, now: datetime, by: str | None) -> EntryResumed:
        """The pause goes into both clocks, and their due dates are counted anew over the rest."""
        since = entry.held.since if entry.held else now
        pause = Pause(start=since, end=max(since, now))
        return EntryResumed(
            at=now,
            station=entry.station,
            entry=entry.number,
            by=by,
            paused=pause,
            due=entry.due and self.dues.again(entry.due, pauses=(*entry.due.pauses, pause)),
            citizen=entry.citizen and self.dues.again(entry.citizen, pauses=(*entry.citizen.pauses, pause)),
        )

    def _pending(self, state: State) -> Iterator[Falling]:
        """Struck off or taken back, nothing is timed any more: a terminal situation stops every clock."""
        match state:
            case Handling(entry):
                yield from self._revised(state)
                yield from self._acceptance(entry)
                yield from self._interim(entry)
                yield from self._hold(entry) if entry.held else self._both(entry)
            case Returned(entry):
                yield from self._revised(state)
                yield from self._acceptance(entry)
                yield from self._citizens(entry, self._office)
            case Resolved(entry):
                yield from self._revised(state)
                yield from self._citizens(entry, self._office)
            case _:
                return

    # A new revision of the charter

    def _revised(self, state: Known) -> Iterator[Falling]:
        """Published, so counted anew: at that time, whenever somebody looked (and never before the last
        thing that was done under the old one)."""
        entry, published_at = state.entry, self.charter.published_at
        if published_at and entry.revision is not None and entry.revision < self.charter.revision:
            yield max(published_at, entry.updated_at), partial(self._recounted, state)

    def _recounted(self, state: Known, at: datetime) -> list[Event]:
        entry = state.entry
        seen = RevisionSeen(at=at, station=entry.station, revision=self.charter.revision)
        return [*(self._recomputed(entry, at, clock) for clock in self._running(state)), seen]

    def _running(self, state: Known) -> Iterator[DueClock]:
        """The clocks whose due date is another one under this charter."""
        entry = state.entry
        for clock, old in (
            (DueClock.STATION, entry.due),
            (DueClock.CITIZEN, entry.citizen),
            (DueClock.ACCEPTANCE, entry.acceptance),
            (DueClock.INTERIM, entry.interim),
        ):
            if self._stopped(state, clock):
                continue
            new = self.dues.anew(entry, clock)
            if _result(old) != _result(new):
                yield clock

    def _stopped(self, state: Known, clock: DueClock) -> bool:
        match clock:
            case DueClock.STATION:
                return isinstance(state, Returned)
            case DueClock.CITIZEN:
                return False
            case DueClock.ACCEPTANCE:
                return state.entry.accepted or not isinstance(state, Handling)
            case DueClock.INTERIM:
                return state.entry.interim is None

    def _recomputed(self, entry: Entry, at: datetime, clock: DueClock) -> DeadlineRecomputed:
        old = {
            DueClock.STATION: entry.due,
            DueClock.CITIZEN: entry.citizen,
            DueClock.ACCEPTANCE: entry.acceptance,
            DueClock.INTERIM: entry.interim,
        }[clock]
        new = self.dues.anew(entry, clock)
        return DeadlineRecomputed(
            at=at,
            station=entry.station,
            entry=entry.number,
            clock=clock,
            old=old,
            new=new,
            why=recounted_why(self.charter, old, new),
        )

    # Acceptance, interim answer, hold

    def _acceptance(self, entry: Entry) -> Iterator[Falling]:
        if entry.offer is not None and not entry.offer.overdue:
            yield entry.offer.acceptance.at, partial(self._acceptance_overdue, entry, entry.offer.to)
        accept_by = entry.acceptance.at if entry.acceptance else entry.opened.accept_by
        if (
            accept_by is not None
            and not entry.accepted
            and entry.station != NOBODY
            and entry.offer is None
            and Clock.ACCEPTANCE not in entry.rung
        ):
            at = max(accept_by, entry.counted_at or accept_by)
            yield at, partial(self._acceptance_overdue, entry, entry.station)

    def _acceptance_overdue(self, entry: Entry, station: str, at: datetime) -> list[Event]:
        return [AcceptanceOverdue(at=at, station=station, entry=entry.number)]

    def _interim(self, entry: Entry) -> Iterator[Falling]:
        due = entry.interim
        if due is not None and Clock.INTERIM not in entry.rung:
            overdue = partial(InterimAnswerOverdue, station=entry.station, entry=entry.number, due=due)
            yield due.at, lambda at: [overdue(at=at)]

    def _hold(self, entry: Entry) -> Iterator[Falling]:
        if entry.held is not None:
            yield entry.held.until, lambda at: [self.resumed(entry, at, None)]

    # The station's clock and the citizen's

    def _both(self, entry: Entry) -> Iterator[Falling]:
        if entry.due is not None:
            yield from self._overdue(entry, entry.due)
            yield from self._reminders(entry, entry.due, DueClock.STATION, entry.station)
        yield from self._citizens(entry, entry.station)

    def _citizens(self, entry: Entry, who: str) -> Iterator[Falling]:
        due = entry.citizen
        if due is None:
            return
        if Clock.CITIZEN_OVERDUE not in entry.rung:
            told = partial(CitizenOverdue, station=who, entry=entry.number, round=entry.round, due=due)
            yield max(due.at, entry.counted_at or due.at), lambda at: [told(at=at)]
        yield from self._reminders(entry, due, DueClock.CITIZEN, who)

    def _overdue(self, entry: Entry, due: Due) -> Iterator[Falling]:
        """A redo round, or a recomputed date, may begin after its due date."""
        if Clock.OVERDUE not in entry.rung:
            told = partial(
                EntryOverdue, station=entry.station, entry=entry.number, round=entry.round, due=due
            )
            yield max(due.at, entry.began_at, entry.counted_at or due.at), lambda at: [told(at=at)]

    def _reminders(self, entry: Entry, due: Due, clock: DueClock, who: str) -> Iterator[Falling]:
        since = max(due.start or entry.began_at, entry.began_at, entry.counted_at or entry.began_at)
        told = partial(EntryDueSoon, station=who, entry=entry.number, due=due, clock=clock)
        soon, day = self.dues.reminders(due, since, who)
        if soon is not None and SOON[clock] not in entry.rung:
            yield soon, lambda at: [told(at=at)]
        if day is not None and DAY[clock] not in entry.rung:
            yield day, lambda at: [told(at=at, on_due_day=True)]

    @property
    def _office(self) -> str:
        """Who has to act where no station has: the office verifies, and says whose it is."""
        actors = self.charter.actors.items()
        offices = (actor.station or token for token, actor in actors if actor.role is Role.OFFICE)
        return next(offices, NOBODY)


def recounted_why(charter: Charter, old: Due | None, new: Due | None) -> str:
    """In words, why a due date is another one under this revision."""
    if old is None or new is None or (old.limit, old.closing) != (new.limit, new.closing):
        said = new.rule if new else "no time limit any more"
        return f"revision {charter.revision} of the charter says: {said}"
    return f"revision {charter.revision} of the charter counts other days ({new.calendar})"


def _result(due: Due | None) -> object:
    return due and (due.at, due.last_day, due.provisional)

"""The facts that time alone brings about, each thing once and at the time it fell due."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import NamedTuple

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
    InHand,
    Merged,
    Resolved,
    Returned,
    RevisionSeen,
    State,
)

Falling = tuple[datetime, Callable[[datetime], list[Event]]]
"""What falls due when."""


class CountedAnew(NamedTuple):
    clock: DueClock
    station: str
    old: Due | None
    new: Due | None


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
        """Nothing falls due before what was told already: a clock that stood still meanwhile, or is counted
        anew, rings from then on. Struck off or taken back, nothing is timed any more; of what is merged into
        another entry only the citizen's clock goes on."""
        if isinstance(state, Handling | Returned | Resolved):
            yield from ((state.entry.told_as_of(at), tell) for at, tell in self._running(state))
        elif isinstance(state, Merged):
            waiting = self._citizens(state.entry, self._office, state.entry.citizen)
            yield from ((state.entry.told_as_of(at), tell) for at, tell in waiting)

    def _running(self, state: InHand | Resolved) -> Iterator[Falling]:
        yield from self._revised(state)
        match state:
            case Handling(entry):
                yield from self._acceptance(entry)
                yield from self._interim(entry)
                yield from self._hold(entry) if entry.held else self._both(entry)
            case Returned(entry):
                yield from self._acceptance(entry)
                yield from self._interim(entry)
                yield from self._citizens(entry, self._office, entry.citizen or self._set_elsewhere(entry))
            case Resolved(entry):
                yield from self._citizens(entry, self._office, entry.citizen)

    # A new revision of the charter

    def _revised(self, state: InHand | Resolved) -> Iterator[Falling]:
        """Published, so counted anew: at that time, whenever somebody looked."""
        entry, published_at = state.entry, self.charter.published_at
        if published_at and entry.revision is not None and entry.revision < self.charter.revision:
            yield published_at, partial(self._recounted, state)

    def _recounted(self, state: InHand | Resolved, at: datetime) -> list[Event]:
        entry = state.entry
        seen = RevisionSeen(at=at, station=entry.station, revision=self.charter.revision)
        moved = (each for each in self._counted_anew(state) if _result(each.old) != _result(each.new))
        return [*(self._recomputed(entry, at, each) for each in moved), seen]

    def _counted_anew(self, state: InHand | Resolved) -> Iterator[CountedAnew]:
        """Every due date that still matters, whose it is, and what it is under this charter."""
        entry, dues = state.entry, self.dues
        if not isinstance(state, Returned):
            yield CountedAnew(DueClock.STATION, entry.station, entry.due, dues.station_anew(entry))
        yield CountedAnew(DueClock.CITIZEN, entry.station, entry.citizen, dues.citizen_anew(entry))
        if entry.offer is not None:
            asked = entry.offer.acceptance
            yield CountedAnew(DueClock.ACCEPTANCE, entry.offer.to, asked, dues.acceptance_anew(asked))
        if isinstance(state, Handling) and not entry.accepted:
            own = entry.acceptance
            yield CountedAnew(DueClock.ACCEPTANCE, entry.station, own, dues.acceptance_anew(own))
        interim = entry.interim
        yield CountedAnew(DueClock.INTERIM, entry.owes_interim, interim, dues.interim_anew(interim))

    def _recomputed(self, entry: Entry, at: datetime, anew: CountedAnew) -> DeadlineRecomputed:
        return DeadlineRecomputed(
            at=at,
            station=anew.station,
            entry=entry.number,
            clock=anew.clock,
            old=anew.old,
            new=anew.new,
            why=recounted_why(self.charter, anew.old, anew.new),
        )

    # Acceptance, interim answer, hold

    def _acceptance(self, entry: Entry) -> Iterator[Falling]:
        """Of whoever is asked to take it over, and only then of whoever has it."""
        told = partial(AcceptanceOverdue, entry=entry.number)
        accept_by = entry.acceptance.at if entry.acceptance else entry.opened.accept_by
        if (offer := entry.offer) is not None:
            if not offer.overdue:
                yield offer.acceptance.at, lambda at: [told(at=at, station=offer.to)]
        elif (
            accept_by is not None
            and not entry.accepted
            and entry.holder is not None
            and Clock.ACCEPTANCE not in entry.rung
        ):
            yield accept_by, lambda at: [told(at=at, station=entry.station)]

    def _interim(self, entry: Entry) -> Iterator[Falling]:
        """Owed by whoever reported it up, on hold and where it went on too, until it is given or answered."""
        due = entry.interim
        if due is not None and Clock.INTERIM not in entry.rung:
            overdue = partial(InterimAnswerOverdue, station=entry.owes_interim, entry=entry.number, due=due)
            yield due.at, lambda at: [overdue(at=at)]

    def _hold(self, entry: Entry) -> Iterator[Falling]:
        if entry.held is not None:
            yield entry.held.until, lambda at: [self.resumed(entry, at, None)]

    # The station's clock and the citizen's

    def _both(self, entry: Entry) -> Iterator[Falling]:
        if entry.due is not None:
            yield from self._overdue(entry, entry.due)
            yield from self._reminders(entry, entry.due, DueClock.STATION, entry.station)
        yield from self._citizens(entry, entry.station, entry.citizen)

    def _set_elsewhere(self, entry: Entry) -> Due | None:
        """With no station that has it, the office answers for the day that others promised."""
        due = entry.last_due
        return due if due is not None and due.limit is None else None

    def _citizens(self, entry: Entry, who: str, due: Due | None) -> Iterator[Falling]:
        if due is None:
            return
        if Clock.CITIZEN_OVERDUE not in entry.rung:
            told = partial(CitizenOverdue, station=who, entry=entry.number, round=entry.round, due=due)
            yield due.at, lambda at: [told(at=at)]
        yield from self._reminders(entry, due, DueClock.CITIZEN, who)

    def _overdue(self, entry: Entry, due: Due) -> Iterator[Falling]:
        if Clock.OVERDUE not in entry.rung:
            told = partial(
                EntryOverdue, station=entry.station, entry=entry.number, round=entry.round, due=due
            )
            yield due.at, lambda at: [told(at=at)]

    def _reminders(self, entry: Entry, due: Due, clock: DueClock, who: str) -> Iterator[Falling]:
        if {SOON[clock], DAY[clock]} <= {*entry.rung}:
            return
        told = partial(EntryDueSoon, station=who, entry=entry.number, due=due, clock=clock)
        soon, day = self.dues.reminders(due, entry.told_at, who)
        if soon is not None and SOON[clock] not in entry.rung:
            yield soon, lambda at: [told(at=at)]
        if day is not None and DAY[clock] not in entry.rung:
            yield day, lambda at: [told(at=at, on_due_day=True)]

    @property
    def _office(self) -> str:
        """Who has to act where no station has: the office verifies, and says whose it is."""
        return next(in_charge(self.charter, (Role.OFFICE,)), NOBODY)


def in_charge(charter: Charter, roles: Iterable[Role]) -> Iterator[str]:
    """Under which names those in these roles are told what waits for them, in the order of the roles."""
    for role in roles:
        for token, actor in charter.actors.items():
            if actor.role is role:
                yield actor.station or token


def recounted_why(charter: Charter, old: Due | None, new: Due | None) -> str:
    """In words, why a due date is another one under this revision."""
    if old is None or new is None or (old.limit, old.closing) != (new.limit, new.closing):
        said = new.rule if new else "no time limit any more"
        return f"revision {charter.revision} of the charter says: {said}"
    return f"revision {charter.revision} of the charter counts other days ({new.calendar})"


def _result(due: Due | None) -> object:
    return due and (due.at, due.last_day, due.provisional)

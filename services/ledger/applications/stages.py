"""When the stages of an application begin and fall due; what an objection or a new revision does to that."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from duban_contracts.applications import ObjectionOverdue, StageBegun, StageOverdue
from duban_contracts.charter import Charter, Limit, Role
from duban_contracts.due import Pause
from duban_contracts.handling import DeadlineRecomputed
from duban_contracts.ledger import Due, DueClock, EntryDueSoon
from duban_contracts.plan import Procedure, Stage
from duban_contracts.subjects import NOBODY
from services.chassis.limits import in_words
from services.ledger.applications.situations import Application, ApplicationState, Completed, Staged
from services.ledger.decider import Dues, RevisionSeen, in_charge, recounted_why

ONE_DAY = timedelta(days=1)
DECIDE_OBJECTIONS = (Role.OFFICE, Role.LEADER, Role.DISCIPLINE)
"""Those who may, in the order in which an objection waits for them."""
Fallen = EntryDueSoon | StageOverdue | ObjectionOverdue | DeadlineRecomputed | RevisionSeen
Falling = tuple[datetime, Callable[[datetime], list[Fallen]]]
"""What falls due when."""


def who_acts(charter: Charter, stage: Stage, station: str) -> str:
    """Whose time a stage is: its station's or, where that may not complete it, of the first who may."""
    if Role.STATION in stage.by:
        return station
    return next((who for who in in_charge(charter, stage.by) if who != station), station)


def who_decides(charter: Charter, of: Application, raised_by: str) -> str:
    """Whom an objection waits for: the first who may decide, neither a party to it nor who raised it."""
    raiser = charter.actor(raised_by)
    parties = {of.station, *of.opened.co_handlers, raised_by, raiser.station if raiser else None}
    return next((who for who in in_charge(charter, DECIDE_OBJECTIONS) if who not in parties), NOBODY)


def _told(fact: Callable[..., Fallen], at: datetime) -> list[Fallen]:
    return [fact(at=at)]


@dataclass(frozen=True)
class Stages:
    charter: Charter
    dues: Dues

    def wake_at(self, state: ApplicationState) -> datetime | None:
        return min((at for at, _ in self._pending(state)), default=None)

    def fallen(self, state: ApplicationState, now: datetime) -> list[Fallen]:
        """What fell due first by `now`; what follows may depend on it, so it is asked for again."""
        first = min(self._pending(state), key=lambda falling: falling[0], default=None)
        return first[1](first[0]) if first and first[0] <= now else []

    def _pending(self, state: ApplicationState) -> Iterator[Falling]:
        """Nothing falls due before what was told already: a clock that stood still meanwhile, or is counted
        anew, rings from then on."""
        if isinstance(state, Staged | Completed):
            of = state.application
            yield from ((of.told_as_of(at), tell) for at, tell in self._running(state, of))

    def _running(self, state: Staged | Completed, of: Application) -> Iterator[Falling]:
        """Only a stage under way has a clock, and an objection stops that of an approval."""
        yield from self._revised(of)
        if isinstance(state, Staged):
            yield from self._undecided(of)
        if isinstance(state, Staged) and of.due is not None and of.overdue is None and of.paused_at is None:
            yield from self._reminders(of, of.due)
            yield self._overdue(of, of.due)

    def _reminders(self, of: Application, due: Due) -> Iterator[Falling]:
        """As of a matter, to whoever has to act; each once for a due date."""
        who = who_acts(self.charter, of.stage, of.station)
        told = partial(EntryDueSoon, station=who, entry=of.number, due=due)
        soon, day = self.dues.reminders(due, of.told_at, who)
        if soon is not None and not of.reminded:
            yield soon, lambda at: [told(at=at)]
        if day is not None and not of.reminded_on_due_day:
            yield day, lambda at: [told(at=at, on_due_day=True)]

    def _overdue(self, of: Application, due: Due) -> Falling:
        overdue = partial(
            StageOverdue,
            station=who_acts(self.charter, of.stage, of.station),
            entry=of.number,
            stage=of.stage.id,
            name=of.stage.name,
            due=due,
            visit=of.visits,
        )
        return due.at, lambda at: [overdue(at=at)]

    def _undecided(self, of: Application) -> Iterator[Falling]:
        """An objection that nobody decides would stop an application for ever."""
        for each in of.objections:
            if each.due is not None and not each.overdue:
                overdue = partial(
                    ObjectionOverdue,
                    station=who_decides(self.charter, of, each.by),
                    entry=of.number,
                    objection=each.number,
                    due=each.due,
                )
                yield each.due.at, partial(_told, overdue)

    # A new revision of the charter

    def _revised(self, of: Application) -> Iterator[Falling]:
        """Published, so what was counted under an older one is counted anew: whenever somebody looked."""
        published_at = self.charter.published_at
        if published_at and of.revision is not None and of.revision < self.charter.revision:
            yield published_at, partial(self._recounted, of)

    def _recounted(self, of: Application, at: datetime) -> list[Fallen]:
        """The stage under way, or the last one: rejected, it goes on. Its start and its pauses are kept."""
        seen = RevisionSeen(at=at, station=of.station, revision=self.charter.revision)
        new = self._anew(of)
        if not (of.due and new) or (new.at, new.provisional) == (of.due.at, of.due.provisional):
            return [seen]
        moved = DeadlineRecomputed(
            at=at,
            station=of.overdue or who_acts(self.charter, of.stage, of.station),
            entry=of.number,
            clock=DueClock.STATION,
            old=of.due,
            new=new,
            why=recounted_why(self.charter, of.due, new),
        )
        return [moved, seen]

    def _anew(self, of: Application) -> Due | None:
        if of.due is None:
            return None
        limit = self._limit(of.procedure, of.stage)
        if limit == of.due.limit:
            return self.dues.again(of.due)
        return self.dues.again(of.due, limit=limit, rule=self._rule(of.procedure, of.stage))

    # Beginning

    def begin(
        self, now: datetime, entry: str, station: str, procedure: str, stages: tuple[Stage, ...]
    ) -> StageBegun:
        return self._begin(now, entry, station, procedure, stages, 0, 1)

    def next(self, of: Application, now: datetime, place: int) -> StageBegun:
        return self._begin(now, of.number, of.station, of.procedure, of.stages, place, of.visits + 1)

    def _begin(
        self,
        now: datetime,
        entry: str,
        station: str,
        procedure: str,
        stages: tuple[Stage, ...],
        place: int,
        visit: int,
    ) -> StageBegun:
        stage = stages[place]
        return StageBegun(
            at=now,
            station=station,
            entry=entry,
            stage=stage.id,
            name=stage.name,
            number=place + 1,
            of=len(stages),
            visit=visit,
            due=self.dues.counted(
                start=now,
                limit=self._limit(procedure, stage),
                rule=self._rule(procedure, stage),
                hours_of=who_acts(self.charter, stage, station),
            ),
            not_before=None if stage.notice_days is None else self._notice_until(now, stage.notice_days),
        )

    def to_decide(self, of: Application, now: datetime, raised_by: str) -> Due | None:
        """By when an objection that is raised now has to be decided."""
        procedure = self._procedure(of.procedure)
        if procedure is None or procedure.objection_within is None:
            return None
        return self.dues.counted(
            start=now,
            limit=procedure.objection_within,
            rule=f"{in_words(procedure.objection_within)} to decide an objection ({procedure.source})",
            hours_of=who_decides(self.charter, of, raised_by),
        )

    def resumed(self, of: Application, now: datetime) -> Due | None:
        """The objection's time goes out of the approval's, as every pause does."""
        if of.paused_at is None or of.due is None:
            return None
        pause = Pause(start=of.paused_at, end=max(of.paused_at, now))
        return self.dues.again(of.due, pauses=(*of.due.pauses, pause))

    def _limit(self, procedure: str, stage: Stage) -> Limit:
        """By the charter in force. A stage that it knows no more keeps the limit it began with."""
        known = self._procedure(procedure)
        stages = known.stages if known else ()
        return next((each.limit for each in stages if each.id == stage.id), stage.limit)

    def _rule(self, procedure: str, stage: Stage) -> str:
        known = self._procedure(procedure)
        source = f" ({known.source})" if known else ""
        return f"{in_words(self._limit(procedure, stage))} for the stage {stage.name}{source}"

    def _procedure(self, name: str) -> Procedure | None:
        return self.charter.procedures.get(name)

    def _notice_until(self, now: datetime, days: int) -> datetime:
        """公示: full natural days, the day on which it is put up not counted (domain.md §5.2)."""
        day: date = now.astimezone(self.zone).date() + timedelta(days=days)
        return datetime.combine(day + ONE_DAY, time(0), self.zone)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.charter.timezone)

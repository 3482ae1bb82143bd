"""When the stages of an application begin and fall due; what an objection or a new revision does to that."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from duban_contracts.applications import StageBegun, StageOverdue
from duban_contracts.charter import Charter, Limit
from duban_contracts.due import Pause
from duban_contracts.handling import DeadlineRecomputed
from duban_contracts.ledger import Due, DueClock, EntryDueSoon
from duban_contracts.plan import Procedure, Stage
from services.chassis.limits import in_words
from services.ledger.applications.situations import Application, ApplicationState, Completed, Staged
from services.ledger.decider import Dues, RevisionSeen, recounted_why

ONE_DAY = timedelta(days=1)
Fallen = EntryDueSoon | StageOverdue | DeadlineRecomputed | RevisionSeen
Falling = tuple[datetime, Fallen]


@dataclass(frozen=True)
class Stages:
    charter: Charter
    dues: Dues

    def wake_at(self, state: ApplicationState) -> datetime | None:
        return min((at for at, _ in self._pending(state)), default=None)

    def fallen(self, state: ApplicationState, now: datetime) -> list[Fallen]:
        """What fell due first by `now`; what follows may depend on it, so it is asked for again."""
        pending = [falling for falling in self._pending(state) if falling[0] <= now]
        first = min((at for at, _ in pending), default=None)
        return [event for at, event in pending if at == first]

    def _pending(self, state: ApplicationState) -> Iterator[Falling]:
        if isinstance(state, Staged | Completed) and (at := self._revised(state.application)):
            yield from ((at, event) for event in self._recounted(state, at))
        elif isinstance(state, Staged):
            yield from self._running(state.application)

    def _running(self, of: Application) -> Iterator[Falling]:
        """Only a stage under way has a clock, and an objection stops that of an approval."""
        if of.due is not None and not of.overdue and of.paused_at is None:
            yield from self._reminders(of, of.due)
            yield self._overdue(of, of.due)

    def _reminders(self, of: Application, due: Due) -> Iterator[Falling]:
        """As of a matter; each once for a due date."""
        told = partial(EntryDueSoon, station=of.station, entry=of.number, due=due)
        soon, day = self.dues.reminders(due, of.updated_at, of.station)
        if soon is not None and not of.reminded:
            yield soon, told(at=soon)
        if day is not None and not of.reminded_on_due_day:
            yield day, told(at=day, on_due_day=True)

    def _overdue(self, of: Application, due: Due) -> Falling:
        at = max(due.at, of.began_at or due.at, of.counted_at or due.at)
        overdue = StageOverdue(
            at=at,
            station=of.station,
            entry=of.number,
            stage=of.stage.id,
            name=of.stage.name,
            due=due,
            visit=of.visits,
        )
        return at, overdue

    # A new revision of the charter

    def _revised(self, of: Application) -> datetime | None:
        """When what was counted under an older revision is to be counted anew."""
        published_at = self.charter.published_at
        if published_at is None or of.revision is None or of.revision >= self.charter.revision:
            return None
        return max(published_at, of.updated_at)

    def _recounted(
        self, state: Staged | Completed, at: datetime
    ) -> Iterator[DeadlineRecomputed | RevisionSeen]:
        """The stage under way; its start and its pauses are kept."""
        of = state.application
        new = self._anew(of) if isinstance(state, Staged) else of.due
        if of.due and new and (new.at, new.provisional) != (of.due.at, of.due.provisional):
            yield DeadlineRecomputed(
                at=at,
                station=of.station,
                entry=of.number,
                clock=DueClock.STATION,
                old=of.due,
                new=new,
                why=recounted_why(self.charter, of.due, new),
            )
        yield RevisionSeen(at=at, station=of.station, revision=self.charter.revision)

    def _anew(self, of: Application) -> Due | None:
        if of.due is None:
            return None
        limit = self._limit(of.procedure, of.stage)
        if limit == of.due.limit:
            return self.dues.again(of.due)
        return self.dues.again(of.due, limit=limit, rule=self._rule(of.procedure, of.stage))

    # Beginning

    def begin(
        self, now: datetime, entry: str, station: str | None, procedure: str, stages: tuple[Stage, ...]
    ) -> StageBegun:
        return self._begin(now, entry, station, procedure, stages, 0, 1)

    def next(self, of: Application, now: datetime, place: int) -> StageBegun:
        return self._begin(now, of.number, of.station, of.procedure, of.stages, place, of.visits + 1)

    def _begin(
        self,
        now: datetime,
        entry: str,
        station: str | None,
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
                hours_of=station,
            ),
            not_before=None if stage.notice_days is None else self._notice_until(now, stage.notice_days),
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

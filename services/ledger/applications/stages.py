"""When the stages of an application begin and fall due, and what an objection does to that."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from duban_contracts.applications import StageBegun, StageOverdue
from duban_contracts.charter import Charter, Limit
from duban_contracts.ledger import Due
from duban_contracts.plan import Stage
from services.chassis.calendar import WorkingCalendar
from services.ledger.applications.situations import Application, ApplicationState, Staged

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Stages:
    charter: Charter
    calendar: WorkingCalendar
    revision: int | None = None

    def wake_at(self, state: ApplicationState) -> datetime | None:
        return next((overdue.at for overdue in self.pending(state)), None)

    def pending(self, state: ApplicationState) -> Iterator[StageOverdue]:
        """Only a stage under way has a clock, and an objection stops that of an approval."""
        if not isinstance(state, Staged) or not state.application.stages:
            return
        application = state.application
        due, began_at = application.due, application.began_at
        if due is None or began_at is None or application.overdue or application.paused_at is not None:
            return
        yield StageOverdue(
            at=max(due.at, began_at),
            station=application.station,
            entry=application.number,
            stage=application.stage.id,
            name=application.stage.name,
            due=due,
            visit=application.visits,
        )

    def stage(
        self,
        now: datetime,
        entry: str,
        station: str | None,
        stages: tuple[Stage, ...],
        place: int,
        visit: int = 1,
    ) -> StageBegun:
        stage = stages[place]
        until = None if stage.notice_days is None else self._notice_until(now, stage.notice_days)
        return StageBegun(
            at=now,
            station=station,
            entry=entry,
            stage=stage.id,
            name=stage.name,
            number=place + 1,
            of=len(stages),
            visit=visit,
            due=self._due(now, stage.limit, stage.name),
            not_before=until,
        )

    def next(self, application: Application, now: datetime, place: int) -> StageBegun:
        return self.stage(
            now, application.number, application.station, application.stages, place, application.visits + 1
        )

    def _notice_until(self, now: datetime, days: int) -> datetime:
        """公示: full natural days, the day on which it is put up not counted (domain.md §5.2)."""
        day: date = now.astimezone(self.zone).date() + timedelta(days=days)
        return datetime.combine(day + ONE_DAY, time(0), self.zone)

    def _due(self, now: datetime, limit: Limit, name: str) -> Due:
        counted = self.calendar.due(now, limit)
        unit = limit.unit.value.replace("_", " ")
        return Due(
            at=counted.at,
            last_day=counted.last_day,
            provisional=counted.provisional,
            rule=f"{limit.amount} {unit} for the stage {name}",
            revision=self.revision,
        )

    def resumed(self, to: Application, now: datetime) -> Due | None:
        """The working days that were left when the approval was paused are left still, and never fewer."""
        if to.paused_at is None or to.due is None:
            return None
        left = self.calendar.working_days_between(to.paused_at, to.due.at)
        moved = self._due(now, Limit(amount=left), to.stage.name)
        if to.due.at <= to.paused_at or moved.at <= to.due.at:
            return to.due
        return moved.model_copy(update={"rule": f"{to.due.rule}, {left} of them left after the objection"})

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.charter.timezone)

"""What the plan wants of a measure, and what follows where it wants it otherwise, or no longer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from duban_contracts.ledger import Due
from duban_contracts.measures import MeasureChanged, MeasureOpened, MeasureRetired, PlannedMeasure
from duban_contracts.plan import Recurring
from services.ledger.decider import Unopened
from services.ledger.measures.clocks import Clocks
from services.ledger.measures.closings import lacks
from services.ledger.measures.commands import Retire, Want
from services.ledger.measures.evolve import changed, still_missed
from services.ledger.measures.situations import PlanSeen, Retired, SaidDone, Underway, Work


@dataclass(frozen=True)
class Wants:
    """A word of the plan counts from when it was said; of two the later one, whichever is heard first."""

    clocks: Clocks

    def opened(self, command: Want, retired: Retired | None = None) -> list[MeasureOpened]:
        """Retired before, it is opened again under its number, unless that was said later."""
        if retired and command.now <= retired.planned_at:
            return []
        planned, at = command.measure, max(command.now, retired.at if retired else command.now)
        return [
            MeasureOpened(
                at=at,
                station=planned.stations[0],
                entry=command.number,
                campaign=command.campaign,
                measure=planned,
                due=self.clocks.due_of(planned, at),
                first_day=self.clocks.first_day(planned, at),
                milestones=self.clocks.milestones_of(planned, at),
                planned_at=_if_earlier(command.now, at),
            )
        ]

    def changed(self, command: Want, state: Underway | SaidDone) -> Sequence[MeasureChanged | PlanSeen]:
        """What was said to be done goes on in another round where more is wanted of it than was done."""
        work = state.work
        if command.now < work.planned_at:
            return []
        event = self._changed(command, work)
        if not event.changed and event.due == work.due:
            return self.seen(command, work.planned_at)
        after = changed(work, event)
        if isinstance(state, SaidDone) and lacks(after, self.clocks.coming(after)):
            event = event.model_copy(update={"round": work.round + 1})
        return [event]

    def _changed(self, command: Want, work: Work) -> MeasureChanged:
        planned, at = command.measure, max(command.now, work.told_at)
        return MeasureChanged(
            at=at,
            station=planned.stations[0],
            entry=command.number,
            measure=planned,
            changed=tuple(
                name
                for name in PlannedMeasure.model_fields
                if getattr(planned, name) != getattr(work.planned, name)
            ),
            excused=tuple(each for each in work.missed if each not in still_missed(work, planned)),
            due=self._due(planned, work, at),
            first_day=self._first_day(planned, work, at),
            milestones=self.clocks.milestones_of(planned, at, work),
            planned_at=_if_earlier(command.now, at),
            former=None if planned.stations[0] == work.station else work.station,
        )

    def _due(self, planned: PlannedMeasure, work: Work, at: datetime) -> Due | None:
        """Of what recurs the closing day is counted anew by the calendar of this revision."""
        if not _same_date(planned, work.planned):
            return self.clocks.due_of(planned, at)
        anew = work.due and self.clocks.dues.again(work.due)
        return anew if anew and work.due and anew.at != work.due.at else work.due

    def _first_day(self, planned: PlannedMeasure, work: Work, at: datetime) -> date | None:
        """What recurs in another way, or again after it ended, counts from the day after the plan said so."""
        before, ended = work.planned, self.clocks.coming(work) is None
        if (before.shape, before.villages) == (planned.shape, planned.villages) and not ended:
            return None
        return self.clocks.first_day(planned, at)

    def retired(
        self, command: Retire, state: Unopened | Retired | Underway | SaidDone
    ) -> Sequence[MeasureRetired | PlanSeen]:
        if isinstance(state, Retired):
            return self.seen(command, state.planned_at)
        work = None if isinstance(state, Unopened) else state.work
        if work and command.now < work.planned_at:
            return []  # overtaken by a revision that wants it again
        at = max(command.now, work.told_at if work else command.now)
        return [
            MeasureRetired(
                at=at,
                station=work.station if work else None,
                entry=command.number,
                campaign=command.campaign,
                measure=command.measure,
                missed=tuple(each for each in work.missed if each not in work.met) if work else (),
                planned_at=_if_earlier(command.now, at),
            )
        ]

    def seen(self, command: Want | Retire, planned_at: datetime) -> list[PlanSeen]:
        return [PlanSeen(at=command.now)] if command.now > planned_at else []


def _same_date(planned: PlannedMeasure, before: PlannedMeasure) -> bool:
    """A date that the plan only says again to the same station stands as it was first said."""
    recurs = isinstance(planned.shape, Recurring), isinstance(before.shape, Recurring)
    return recurs[0] == recurs[1] and (planned.last_day, planned.stations[0]) == (
        before.last_day,
        before.stations[0],
    )


def _if_earlier(said: datetime, at: datetime) -> datetime | None:
    return said if said < at else None

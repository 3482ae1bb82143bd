"""The situations that a measure can be in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from itertools import takewhile

from duban_contracts.intake import Outcome
from duban_contracts.ledger import (
    Due,
    EntryDueSoon,
    EntryOverdue,
    EntryResolved,
    EntryStruckOff,
    LedgerCommandRefused,
    LedgerPersonalDataMasked,
    ProgressRecorded,
    VerificationRejected,
)
from duban_contracts.measures import (
    MeasureChanged,
    MeasureOpened,
    MeasureRetired,
    MilestoneMet,
    MilestoneMissed,
    OccurrenceMissed,
    OccurrenceReported,
    PlannedMeasure,
)
from duban_contracts.plan import Counted, Milestones, OneOff, Recurring
from services.chassis.decider import Kept
from services.ledger.decider import Unopened


class PlanSeen(Kept):
    """What the plan said at `at` changed nothing: told nobody, but what it said before is older than that."""


MeasureTold = (
    MeasureOpened
    | MeasureChanged
    | MeasureRetired
    | MilestoneMet
    | MilestoneMissed
    | OccurrenceReported
    | OccurrenceMissed
    | ProgressRecorded
    | EntryDueSoon
    | EntryOverdue
    | EntryResolved
    | VerificationRejected
    | EntryStruckOff
    | LedgerCommandRefused
    | LedgerPersonalDataMasked
    | PlanSeen
)
"""Every fact that a measure can bring about."""


class Bell(StrEnum):
    """What may fall due in a round, once each, besides milestones and occurrences."""

    DUE_SOON = "due_soon"
    DUE_DAY = "due_day"
    OVERDUE = "overdue"


@dataclass(frozen=True)
class Work:
    """One measure, and how far it is. What was done is kept as counts, so that it never grows with time."""

    number: str
    campaign: str
    planned: PlannedMeasure
    planned_at: datetime
    """When the plan last said so."""
    due: Due | None
    opened_at: datetime
    began_at: datetime
    """When the round began."""
    updated_at: datetime
    told_at: datetime
    """Of the latest fact: what falls due by a later word of the plan is told no earlier than that."""
    milestones: Mapping[str, Due] = field(default_factory=dict)
    """When each one that has a date is due."""
    round: int = 1
    rung: tuple[Bell, ...] = ()
    note: str = ""
    said_percent: int = 0
    """Of a one-off measure, in the station's own words."""
    evidence: int = 0
    """How many pieces of evidence were named so far."""
    done: int = 0
    """Of a counted measure."""
    met: tuple[str, ...] = ()
    missed: tuple[str, ...] = ()
    next_day: date | None = None
    """Of a recurring measure: the first day that is not settled yet."""
    reported: tuple[str | None, ...] = ()
    """Where it was reported for `reported_day`."""
    reported_day: date | None = None
    kept: int = 0
    lost: int = 0
    """Occurrences reported, and missed."""

    @property
    def station(self) -> str:
        return self.planned.stations[0]

    @property
    def percent(self) -> int:
        """Progress from 0 to 100; of a recurring measure the share of occurrences that were reported."""
        match self.planned.shape:
            case OneOff():
                return self.said_percent
            case Counted(target=target):
                return min(100, 100 * self.done // target)
            case Milestones(milestones=milestones):
                in_order = takewhile(lambda each: each.id in self.met, milestones)
                return max((each.percent for each in in_order), default=0)
            case Recurring():
                return 100 * self.kept // (self.kept + self.lost) if self.kept + self.lost else 0

    def places(self) -> tuple[str | None, ...]:
        return self.planned.villages or (None,)

    def reported_on(self, day: date) -> tuple[str | None, ...]:
        return self.reported if self.reported_day == day else ()


@dataclass(frozen=True)
class Underway:
    """With its stations."""

    work: Work


@dataclass(frozen=True)
class SaidDone:
    """The lead says it is done; an inspection has to accept it."""

    work: Work
    at: datetime
    by: str
    outcome: Outcome
    due: Due | None = None
    """Its due date then: nothing that comes later makes it late, or in time."""


@dataclass(frozen=True)
class Achieved:
    """Accepted by inspection and off the register (销号)."""

    work: Work
    at: datetime
    outcome: Outcome
    late: bool | None


@dataclass(frozen=True)
class Retired:
    """The plan names it no longer; without `work` that was heard before anything else."""

    number: str
    at: datetime
    planned_at: datetime
    """When the plan last said so."""
    work: Work | None = None


MeasureKnown = Underway | SaidDone | Achieved
MeasureState = Unopened | Retired | MeasureKnown

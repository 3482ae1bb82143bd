"""What the ledger is asked and tells of measures (整改措施): change by adding optional fields only.

A measure is an entry of the register like a matter, under a number of its own; `plan/<campaign>` is the key
of the plan that opens, changes and retires them, and under `plans` stands which campaign's plan is in force.
`resolve`, `verify` and `record_progress` are those of every entry.
"""

from datetime import date
from typing import Annotated

from pydantic import Field

from duban_contracts.fields import Day, Evidence, OptionalText, Revision, Text
from duban_contracts.ledger import Due
from duban_contracts.message import Command, Fact, Key, Moment, Part
from duban_contracts.plan import Shape
from duban_contracts.rules import Role, Token

HOLDER = "measure:"
"""So begins the name under which a measure holds its register number; no submission is named so."""
Stations = (Role.STATION,)


class ApplyPlan(Command, service="ledger", by=(Role.OFFICE, Role.LEADER)):
    """Bring the campaign's measures in line with the plan of the charter's newest revision."""

    revision: Revision | None = Field(None, description="Which revision at least; refused until it is here")


class ReportCount(Command, service="ledger", by=Stations):
    """So many more of what a counted measure counts."""

    count: int = Field(ge=1, le=1_000_000)
    note: Text
    evidence: Evidence = ()


class MeetMilestone(Command, service="ledger", by=Stations):
    """The next milestone is reached; one after the other."""

    milestone: Token
    note: Text
    evidence: Evidence = Field(min_length=1)


class ReportOccurrence(Command, service="ledger", by=Stations):
    """A recurring measure was carried out: where, on which day."""

    village: Token | None = Field(None, description="Absent where the measure has no places")
    day: Day | None = Field(None, description="Absent: today")
    note: OptionalText = ""
    evidence: Evidence = ()


PlannedAt = Annotated[
    Moment | None,
    Field(description="When the plan said so, where that was before `at`"),
]


class PlannedMeasure(Part):
    """A measure as the plan wants it now."""

    id: Token
    problem: Token
    about: str = Field(description="The problem in the plan's words")
    name: str
    stations: tuple[Token, ...] = Field(min_length=1, description="The first one leads")
    leader: str | None = None
    shape: Shape
    villages: tuple[Token, ...] = Field((), description="Where a recurring measure recurs")
    last_day: date | None = None
    source: str = ""


class MilestoneDue(Part):
    """When a milestone of the plan is due."""

    milestone: Token
    due: Due


class PlanApplied(Fact, service="ledger"):
    """The whole plan as it stands from now on, and what stood in it before and does no longer."""

    campaign: Token
    revision: int | None = None
    measures: tuple[PlannedMeasure, ...]
    retired: tuple[Token, ...] = ()
    superseded_by: Token | None = Field(None, description="The campaign whose plan is in force instead")


class MeasureOpened(Fact, service="ledger"):
    """In the register. `station` leads, the other responsible stations answer to it."""

    entry: Key
    campaign: Token
    measure: PlannedMeasure
    due: Due | None = None
    first_day: date | None = Field(None, description="Of a recurring measure: the first day that counts")
    milestones: tuple[MilestoneDue, ...] = Field((), description="Those that have a date")
    planned_at: PlannedAt = None


class MeasureChanged(Fact, service="ledger"):
    """A new revision of the charter wants it otherwise; what was done stays done."""

    entry: Key
    measure: PlannedMeasure
    changed: tuple[str, ...] = Field(description="Which fields of the measure")
    excused: tuple[Token, ...] = Field((), description="Missed milestones that count as missed no longer")
    due: Due | None = None
    first_day: date | None = Field(None, description="It recurs in another way: the first day that counts")
    milestones: tuple[MilestoneDue, ...] = Field((), description="Those that have a date")
    planned_at: PlannedAt = None
    round: int | None = Field(
        None, description="It was said to be done, and is not as it is wanted now: this round begins"
    )
    former: Token | None = Field(None, description="The station that led it until now, if another one did")


class MeasureRetired(Fact, service="ledger"):
    """The plan names it no longer: it is off the register, and not as done."""

    entry: Key
    campaign: Token
    measure: Token
    missed: tuple[Token, ...] = Field((), description="Milestones that were missed and not met since")
    planned_at: PlannedAt = None


class MilestoneMet(Fact, service="ledger"):
    """Reached, with evidence: the whole measure is `percent` done by it."""

    entry: Key
    milestone: Token
    name: str
    percent: int
    note: str = ""
    evidence: tuple[str, ...] = ()
    late: bool | None = Field(None, description="Absent: it had no date")


class MilestoneMissed(Fact, service="ledger"):
    """Not met on its last day: the measure is behind its plan (整改滞后)."""

    entry: Key
    milestone: Token
    name: str
    due: Due


class OccurrenceReported(Fact, service="ledger"):
    """A recurring measure was carried out on `day`, at `village` if it has places."""

    entry: Key
    day: date
    village: Token | None = None
    note: str = ""
    evidence: tuple[str, ...] = ()
    complete: bool = Field(False, description="It was the last place of that day")


class OccurrenceMissed(Fact, service="ledger"):
    """Nobody reported it by the end of its time, which is when this became a fact."""

    entry: Key
    day: date
    village: Token | None = None


MeasureEvent = (
    PlanApplied
    | MeasureOpened
    | MeasureChanged
    | MeasureRetired
    | MilestoneMet
    | MilestoneMissed
    | OccurrenceReported
    | OccurrenceMissed
)
"""What is told of measures only; they share progress, reminders, closing and refusals with every entry."""

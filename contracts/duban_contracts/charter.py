"""The charter: everything that a town decides, in one document.

Each rule carries a `source` note: where the number comes from. Services follow the published
charter live and record its revision in what they decide.
"""

from datetime import date, time
from enum import StrEnum
from itertools import pairwise
from typing import Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, Field, field_validator, model_validator

from duban_contracts.matters import (
    CitizenRule,
    ExtensionRule,
    HandoverRule,
    HoldRule,
    RecurrenceRule,
    ReportUpRule,
)
from duban_contracts.plan import Disclosure, HotList, OneOff, Procedure, Shape
from duban_contracts.rules import Article as Article
from duban_contracts.rules import Limit as Limit
from duban_contracts.rules import Role as Role
from duban_contracts.rules import Rule as Rule
from duban_contracts.rules import Token as Token
from duban_contracts.rules import Unit as Unit

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class Ground(StrEnum):
    """Why a finding was recorded. The plan's own words stand in `domain` order of gravity."""

    LAGGING = "lagging"
    BELOW_REQUIREMENT = "below_requirement"
    PERFUNCTORY = "perfunctory"
    NONFEASANCE = "nonfeasance"
    BUCK_PASSING = "buck_passing"
    MISCONDUCT = "misconduct"
    INTEGRITY = "integrity"


class SourcedLimit(Limit, Rule):
    """A time limit that stands by itself and so says where it comes from."""


class Station(Article):
    name: str = Field(description="As the plan writes it")
    name_en: str
    leader: str | None = Field(None, description="Leader in charge; the plan of 2024 names none")
    superior: Token | None = Field(None, description="Who decides where this station is itself the case")
    hours: "OfficeHours | None" = Field(None, description="Extended hours; default: the town's")


class Actor(Article):
    """Who may send commands besides the stations, and how far each is believed."""

    name: str
    role: Role
    station: Token | None = Field(None, description="The station this actor is, if it is one")
    may_backdate: bool = Field(False, description="Is believed about the time of what it reports")
    may_set_deadline: bool = Field(False, description="Is believed about a deadline set elsewhere")
    may_route: bool = Field(False, description="May name the responsible station itself")
    may_act_for: bool = Field(False, description="May report what other actors did")

    @model_validator(mode="after")
    def _says_which_station(self) -> Self:
        if self.role is Role.STATION and self.station is None:
            raise ValueError("an actor with the role 'station' must name its station")
        return self


class Village(Article):
    name: str
    linked_leader: str | None = None
    households: int | None = Field(None, ge=0)


class MatterKind(StrEnum):
    CONSULT = "consult"
    HELP = "help"
    COMPLAINT = "complaint"
    REPORT = "report"
    SUGGESTION = "suggestion"


class Category(Rule):
    name: str
    lead: Token
    co_handlers: tuple[Token, ...] = ()
    kind: MatterKind = MatterKind.HELP
    limit: Limit | None = Field(None, description="Default: the limit of the kind; absent there: none")
    required: tuple[str, ...] = Field((), description="Material that must be there, told once and in full")
    restricted: bool = Field(False, description="Conduct matters: shown only to office and discipline")
    procedure: Token | None = Field(None, description="An application: goes through these stages")


class MatterRules(Rule):
    """Time limits of a citizen's matter."""

    limits: dict[MatterKind, Limit] = Field(default_factory=dict)
    urgent: Limit | None = Field(None, description="For hardship, safety and urgent matters")
    accept_within: Limit
    verify_roles: tuple[Role, ...] = Field((Role.OFFICE,), min_length=1)
    reopen_within: Limit
    reminder_percent: int = Field(80, ge=1, le=99)
    citizen: CitizenRule | None = None
    handover: HandoverRule | None = None
    extension: ExtensionRule | None = None
    hold: HoldRule | None = None
    report_up: ReportUpRule | None = None
    recurrence: RecurrenceRule | None = None


class RatingRules(Rule):
    rate_within: Limit
    callback_within: Limit
    rectify_within: Limit
    minimum_sample: int = Field(ge=1, description="A station with fewer ratings or closings is not ranked")


class LeafMeasure(Rule):
    """One measure (整改措施) of the plan."""

    id: Token
    name: str
    stations: tuple[Token, ...] = Field(min_length=1, description="The first one leads")
    due: date | None = Field(None, description="Last day that is in time; absent: it cannot lag")
    shape: Shape = Field(default_factory=OneOff)


class MeasureGroup(Article):
    id: Token
    name: str
    measures: tuple[LeafMeasure, ...] = Field(min_length=1)


class Problem(Article):
    id: Token
    name: str
    leader: str | None = None
    stations: tuple[Token, ...] = Field(min_length=1)
    groups: tuple[MeasureGroup, ...] = Field(min_length=1)


class Plan(Rule):
    name: str
    problems: tuple[Problem, ...]

    def measures(self) -> dict[str, LeafMeasure]:
        return {
            measure.id: measure
            for problem in self.problems
            for group in problem.groups
            for measure in group.measures
        }


class Campaign(Rule):
    id: Token
    name: str
    starts: date
    ends: date | None = None
    stations: tuple[Token, ...] = Field((), description="Default: every station")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.ends is not None and self.ends < self.starts:
            raise ValueError(f"the campaign ends on {self.ends}, before it starts on {self.starts}")
        return self


class ReminderRung(Rule):
    """Rung 0, 催办: informal, no blame attached."""

    on_due_day: bool = True


class OrderRung(Rule):
    """Rung 1, 督办: a formal numbered order to a named station."""

    after_overdue: Limit
    grounds: tuple[Ground, ...]
    acknowledge_within: Limit
    answer_within: Limit


class CircularRung(Rule):
    """Rung 2, 全镇通报: proposed by the rules, decided by a named person."""

    after_unmet: Limit = Field(description="Counted from the deadline of the order")
    grounds: tuple[Ground, ...]
    decided_by: tuple[Role, ...] = Field(min_length=1)


class LeadersRung(Rule):
    """Rung 3, 报镇主要领导: at discretion; "no" is recorded too."""

    after_unmet: Limit = Field(description="Counted from the publication of the circular")
    circulars_in_quarter: int = Field(ge=1)
    decided_by: tuple[Role, ...] = Field(min_length=1)


class DisciplineRung(Rule):
    """Rung 4, 移交镇纪委: restricted; judged outside this system afterwards."""

    grounds: tuple[Ground, ...]
    after_unmet: Limit = Field(description="Counted from the report to the principal leaders")
    decided_by: tuple[Role, ...] = Field(min_length=1)


class Ladder(Article):
    reminder: ReminderRung
    order: OrderRung
    circular: CircularRung
    leaders: LeadersRung
    discipline: DisciplineRung
    recovered_after: SourcedLimit = Field(
        description="How long a station must stay without open items before it counts as recovered"
    )


class Shift(Article):
    """Half-open: `start` belongs to the shift, `end` does not."""

    start: time
    end: time

    @field_validator("start", "end", mode="before")
    @classmethod
    def _as_text(cls, value: object) -> object:
        if isinstance(value, int | float):  # a number would be read as seconds since midnight
            raise ValueError(f"write the time in quotes, like '08:30', not {value}")
        return value

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.start >= self.end:
            raise ValueError(f"a shift must end after it starts, not {self.start} to {self.end}")
        return self


class OfficeHours(Rule):
    shifts: tuple[Shift, ...] = Field(min_length=1)
    extra: dict[Weekday, tuple[Shift, ...]] = Field(
        default_factory=dict, description="Off-peak and extended hours (错时延时), in addition"
    )

    @model_validator(mode="after")
    def _without_overlap(self) -> Self:
        for shifts in (self.shifts, *self.extra.values()):
            for earlier, later in pairwise(sorted(shifts, key=lambda shift: shift.start)):
                if later.start < earlier.end:
                    raise ValueError(
                        f"the shift from {later.start} begins before the one until {earlier.end} ends"
                    )
        return self


class CalendarOverlay(Rule):
    """Days that the town adds to or takes from the national calendar."""

    country: Literal["CN", "none"] = Field("CN", description="none: Monday to Friday, without holidays")
    working: tuple[date, ...] = ()
    off: tuple[date, ...] = ()

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if both := set(self.working) & set(self.off):
            raise ValueError(f"{', '.join(map(str, sorted(both)))} cannot be working and off at once")
        return self


class Charter(Article):
    schema_version: Literal[1] = 1
    revision: int = Field(0, description="Given by publication, not written in the file")
    published_at: AwareDatetime | None = Field(
        None, description="When this revision was published; not written in the file either"
    )
    national_calendar: str | None = Field(
        None,
        description="The calendar underneath, with its version; given by publication too",
    )
    name: str
    township: str
    document_mark: str = Field(description="Issuing mark of numbered documents, e.g. 某镇营商办督")
    timezone: str
    stations: dict[Token, Station] = Field(min_length=1)
    actors: dict[Token, Actor]
    villages: dict[Token, Village] = Field(default_factory=dict)
    categories: dict[Token, Category] = Field(min_length=1)
    matters: MatterRules
    rating: RatingRules
    procedures: dict[Token, Procedure] = Field(default_factory=dict)
    disclosure: Disclosure | None = Field(None, description="Without it the public is shown no village")
    hot_list: HotList | None = Field(None, description="Without it similar matters are not looked for")
    plan: Plan | None = None
    campaign: Campaign | None = Field(None, description="Without a campaign nothing climbs the ladder")
    ladder: Ladder
    calendar: CalendarOverlay
    hours: OfficeHours

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            raise ValueError(f"unknown time zone {name!r}; use a name like Asia/Shanghai") from None
        return name

    def actor(self, token: str) -> Actor | None:
        """The actor behind a subject's last token."""
        return self.everyone().get(token)

    def everyone(self) -> dict[str, Actor]:
        """All actors by token; every station is one by itself."""
        stations = {
            token: Actor(name=station.name, role=Role.STATION, station=token)
            for token, station in self.stations.items()
        }
        return stations | self.actors

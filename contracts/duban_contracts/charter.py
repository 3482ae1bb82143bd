"""The charter: everything that a town decides, in one document.

Each rule carries a `source` note: where the number comes from. Services follow the published
charter live and record its revision in what they decide.

What has a sensible default may be left out of the file; a default says in its `source` that it is one. A
charter as it is published holds all of it, so a later default changes no charter that is in force.
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
from duban_contracts.rules import wrong

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


DEFAULT = "系统默认值，非本镇规定 (Duban's default, not the town's own rule)"
"""The source of a rule that the charter's file leaves out. The numbers are those of the shipped charter
`township-2024.yaml`, which names for each the local rule that it was taken from, or calls it a choice."""


class SourcedLimit(Limit, Rule):
    """A time limit that stands by itself and so says where it comes from."""


class Station(Article):
    name: str = Field(description="As the plan writes it")
    name_en: str = Field(
        default_factory=lambda data: data.get("name", ""), description="Default: the name as it is"
    )
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
    acts_for: tuple[Role, ...] | None = Field(
        None, description="Whose doings it may report; absent: everybody's, as in charters of schema 1.0"
    )
    acts_until: date | None = Field(None, description="The last day on which it is believed about others")

    @model_validator(mode="after")
    def _says_which_station(self) -> Self:
        if self.role is Role.STATION and self.station is None:
            raise wrong("actor_without_station")
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
    accept_within: Limit = Limit(amount=1)
    verify_roles: tuple[Role, ...] = Field((Role.OFFICE,), min_length=1)
    reopen_within: Limit = Limit(amount=15, unit=Unit.CALENDAR_DAYS)
    reminder_percent: int = Field(80, ge=1, le=99)
    citizen: CitizenRule | None = None
    handover: HandoverRule | None = None
    extension: ExtensionRule | None = None
    hold: HoldRule | None = None
    report_up: ReportUpRule | None = None
    recurrence: RecurrenceRule | None = None


class RatingRules(Rule):
    rate_within: Limit = Limit(amount=15, unit=Unit.CALENDAR_DAYS)
    callback_within: Limit = Limit(amount=1)
    rectify_within: Limit = Limit(amount=5)
    minimum_sample: int = Field(5, ge=1, description="A station with fewer ratings or closings is not ranked")


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
            raise wrong("campaign_ends_first", ends=self.ends, starts=self.starts)
        return self


class ReminderRung(Rule):
    """Rung 0, 催办: informal, no blame attached."""

    on_due_day: bool = True


class OrderRung(Rule):
    """Rung 1, 督办: a formal numbered order to a named station."""

    after_overdue: Limit = Limit(amount=1)
    grounds: tuple[Ground, ...] = (Ground.LAGGING, Ground.BELOW_REQUIREMENT)
    acknowledge_within: Limit = Limit(amount=1)
    answer_within: Limit = Limit(amount=15, unit=Unit.CALENDAR_DAYS)


class CircularRung(Rule):
    """Rung 2, 全镇通报: proposed by the rules, decided by a named person."""

    after_unmet: Limit = Field(Limit(amount=5), description="Counted from the deadline of the order")
    grounds: tuple[Ground, ...] = (Ground.PERFUNCTORY, Ground.NONFEASANCE, Ground.BUCK_PASSING)
    decided_by: tuple[Role, ...] = Field((Role.OFFICE,), min_length=1)


class LeadersRung(Rule):
    """Rung 3, 报镇主要领导: at discretion; "no" is recorded too."""

    after_unmet: Limit = Field(Limit(amount=5), description="Counted from the publication of the circular")
    circulars_in_quarter: int = Field(2, ge=1)
    decided_by: tuple[Role, ...] = Field((Role.LEADER,), min_length=1)


class DisciplineRung(Rule):
    """Rung 4, 移交镇纪委: restricted; judged outside this system afterwards."""

    grounds: tuple[Ground, ...] = (Ground.MISCONDUCT, Ground.INTEGRITY)
    after_unmet: Limit = Field(
        Limit(amount=5), description="Counted from the report to the principal leaders"
    )
    decided_by: tuple[Role, ...] = Field((Role.LEADER,), min_length=1)


class Ladder(Article):
    reminder: ReminderRung = ReminderRung(source=DEFAULT)
    order: OrderRung = OrderRung(source=DEFAULT)
    circular: CircularRung = CircularRung(source=DEFAULT)
    leaders: LeadersRung = LeadersRung(source=DEFAULT)
    discipline: DisciplineRung = DisciplineRung(source=DEFAULT)
    recovered_after: SourcedLimit = Field(
        SourcedLimit(amount=5, source=DEFAULT),
        description="How long a station must stay without open items before it counts as recovered",
    )


class Shift(Article):
    """Half-open: `start` belongs to the shift, `end` does not."""

    start: time
    end: time

    @field_validator("start", "end", mode="before")
    @classmethod
    def _as_text(cls, value: object) -> object:
        if isinstance(value, int | float):  # a number would be read as seconds since midnight
            raise wrong("time_in_quotes", example="08:30", given=value)
        return value

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.start >= self.end:
            raise wrong("shift_ends_first", start=self.start, end=self.end)
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
                    raise wrong("shifts_overlap", start=later.start, end=earlier.end)
        return self


class CalendarOverlay(Rule):
    """Days that the town adds to or takes from the national calendar."""

    country: Literal["CN", "none"] = Field("CN", description="none: Monday to Friday, without holidays")
    working: tuple[date, ...] = ()
    off: tuple[date, ...] = ()

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if both := set(self.working) & set(self.off):
            raise wrong("working_and_off", days=", ".join(map(str, sorted(both))))
        return self


DEFAULT_ACTORS = {
    "office": Actor(name="营商办", role=Role.OFFICE),
    "leader": Actor(name="主要领导", role=Role.LEADER),
    "discipline": Actor(name="纪委", role=Role.DISCIPLINE),
    "gateway": Actor(name="窗口和热线", role=Role.GATEWAY),
}
DEFAULT_MATTERS = MatterRules(
    limits={
        MatterKind.CONSULT: Limit(amount=3),
        MatterKind.HELP: Limit(amount=5),
        MatterKind.COMPLAINT: Limit(amount=13),
        MatterKind.REPORT: Limit(amount=13),
        MatterKind.SUGGESTION: Limit(amount=13),
    },
    urgent=Limit(amount=1),
    source=DEFAULT,
)
DEFAULT_HOURS = OfficeHours(
    shifts=(Shift(start=time(8, 30), end=time(12)), Shift(start=time(14, 30), end=time(17, 30))),
    source=DEFAULT,
)


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
    document_mark: str = Field(
        default_factory=lambda data: f"{data.get('township', '')}督",
        description="Issuing mark of numbered documents, e.g. 某镇营商办督; default: township and 督",
    )
    timezone: str = "Asia/Shanghai"
    stations: dict[Token, Station] = Field(min_length=1)
    actors: dict[Token, Actor] = Field(DEFAULT_ACTORS, description="Default: one for each role but the feed")
    villages: dict[Token, Village] = Field(default_factory=dict)
    categories: dict[Token, Category] = Field(min_length=1)
    matters: MatterRules = DEFAULT_MATTERS
    rating: RatingRules = RatingRules(source=DEFAULT)
    procedures: dict[Token, Procedure] = Field(default_factory=dict)
    disclosure: Disclosure | None = Field(None, description="Without it the public is shown no village")
    hot_list: HotList | None = Field(None, description="Without it similar matters are not looked for")
    plan: Plan | None = None
    campaign: Campaign | None = Field(None, description="Without a campaign nothing climbs the ladder")
    ladder: Ladder = Ladder()
    calendar: CalendarOverlay = CalendarOverlay(source=DEFAULT)
    hours: OfficeHours = DEFAULT_HOURS

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            raise wrong("unknown_zone", name=name) from None
        return name

    def actor(self, token: str) -> Actor | None:
        """The actor behind a subject's last token."""
        if (known := self.actors.get(token)) is not None:
            return known
        station = self.stations.get(token)
        return Actor(name=station.name, role=Role.STATION, station=token) if station else None

    def everyone(self) -> dict[str, Actor]:
        """All actors by token; every station is one by itself."""
        stations = {
            token: Actor(name=station.name, role=Role.STATION, station=token)
            for token, station in self.stations.items()
        }
        return stations | self.actors

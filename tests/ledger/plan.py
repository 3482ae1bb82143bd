"""A plan with one measure of each shape, and its entries: what the tests of measures share."""

from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Any

from duban_contracts.charter import Charter, LeafMeasure, MeasureGroup, Plan, Problem
from duban_contracts.intake import Outcome
from duban_contracts.measures import PlannedMeasure
from duban_contracts.plan import Counted, Milestone, Milestones, OneOff, Recurring, Shape
from services.chassis.decider import Asked
from services.ledger.decider import RecordProgress, Resolve, Verify
from services.ledger.measures import MeetMilestone, ReportCount, ReportOccurrence, Want, planned
from services.ledger.register_kinds import register
from tests.given import Given
from tests.ledger.register import TOWN, local

NUMBER = "2024-000007"
STARTED = local("2024-04-15", "10:00")  # a Monday
NOON = local("2024-04-16", "12:00")
LAST_DAY = date(2024, 4, 30)
DUE = local("2024-05-01")

SHAPES: dict[str, Shape] = {
    "notice": OneOff(),
    "training": Counted(target=3, unit="场培训"),
    "works": Milestones(
        milestones=(
            Milestone(id="roads", name="道路", due=date(2024, 4, 18), percent=40),
            Milestone(id="toilets", name="公厕", due=date(2024, 4, 25), percent=70),
            Milestone(id="sewage", name="污水", percent=100),
        )
    ),
    "cleaning": Recurring(villages=("dongcun", "xicun")),
    "roster": Recurring(every="working_day", by=time(9)),
}


def leaf(name: str, **fields: Any) -> LeafMeasure:
    shape = SHAPES[name]
    return LeafMeasure(
        **{
            "id": name,
            "name": f"措施{name}",
            "stations": ("qingjieban", "xincunban"),
            "due": LAST_DAY,
            "shape": shape,
            "source": "Plan",
        }
        | fields
    )


def town_with(*leaves: LeafMeasure) -> Charter:
    group = MeasureGroup(id="g", name="组", measures=leaves)
    problem = Problem(
        id="p", name="群众不满意", leader="张三", stations=("qingjieban", "xincunban"), groups=(group,)
    )
    plan = Plan(name="方案", problems=(problem,) if leaves else (), source="Plan")
    return TOWN.model_copy(update={"plan": plan, "revision": 7})


def measure_of(name: str, **fields: Any) -> PlannedMeasure:
    (only,) = planned(town_with(leaf(name, **fields)))
    return only.model_copy(update={"villages": ()}) if name == "roster" else only


UNDER = TOWN.model_copy(update={"revision": 7})
given = Given(register(UNDER))


def want(name: str, now: datetime = STARTED, **fields: Any) -> Want:
    return Want(now, NUMBER, "2024", measure_of(name, **fields))


def asked(actor: str, now: datetime, command: str) -> Asked:
    return Asked(now, actor, NUMBER, command)


def progress(
    now: datetime = NOON,
    actor: str = "qingjieban",
    evidence: Sequence[str] = ("照片1",),
    note: str = "在办",
) -> RecordProgress:
    return RecordProgress(asked(actor, now, "record_progress"), note, None, tuple(evidence))


def count(
    n: int, now: datetime = NOON, actor: str = "qingjieban", evidence: Sequence[str] = ("签到表",)
) -> ReportCount:
    return ReportCount(asked(actor, now, "report_count"), n, "办了", tuple(evidence))


def meet(milestone: str, now: datetime = NOON, evidence: Sequence[str] = ("验收单",)) -> MeetMilestone:
    return MeetMilestone(asked("qingjieban", now, "meet_milestone"), milestone, "完工", tuple(evidence))


def occur(
    village: str | None,
    now: datetime = NOON,
    day: date | None = None,
    note: str = "已清运",
    evidence: Sequence[str] = ("照片2",),
) -> ReportOccurrence:
    return ReportOccurrence(
        asked("qingjieban", now, "report_occurrence"), village, day, note, tuple(evidence)
    )


def resolve(now: datetime = NOON, actor: str = "qingjieban", answer: str = "完成") -> Resolve:
    return Resolve(asked(actor, now, "resolve"), Outcome.SOLVED, answer)


def verify(now: datetime = NOON, actor: str = "office", passed: bool = True, reason: str = "") -> Verify:
    return Verify(asked(actor, now, "verify"), passed, reason)


def story(*commands: Any) -> list[Any]:
    """Every fact that follows from these commands, with what time brought about."""
    events: list[Any] = []
    for command in commands:
        events += given(*events).when(command)
    return events

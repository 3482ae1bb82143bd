"""What happens besides the demo's spring of 2024, so that every fact of the contracts is told at least once.

A case is a matter of its own, and what people do about it: an act is planned for so many working days after
the case's entry was opened. The demo's people leave these entries alone. Everybody in it is invented.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from duban_contracts import applications, escalation, handling, intake, ledger, measures, rating, supervision
from duban_contracts.charter import Charter, Ground, Limit
from duban_contracts.handling import HoldGround
from duban_contracts.intake import Channel, DeclineReason, Petitioner, SubmitMatter
from duban_contracts.message import Command, Fact
from duban_contracts.plan import Counted
from duban_contracts.rating import CallbackResult, Dimension, Level
from services.console.demo.steps import Step, World

PREFIX = "hotline:made-up-"
PAST = "2023-"
"""How the numbers of the imported cases begin, which nobody handles any more."""
PLAN_REVISED = date(2024, 5, 13)
"""The day on which the office applies the plan of the second revision."""
INSPECTED = date(2024, 5, 10)
"""Every station is inspected once more, so that the campaign covers all of them."""


@dataclass(frozen=True)
class Act:
    day: int
    """Working days after the opening, at least 1."""
    actor: str
    command: Command
    key: str = "{entry}"


@dataclass(frozen=True)
class Case:
    name: str
    day: date
    submitted: SubmitMatter
    acts: tuple[Act, ...] = ()

    @property
    def submission(self) -> str:
        return PREFIX + self.name


def matter(category: str, title: str, n: int = 0, **more: object) -> SubmitMatter:
    petitioner = Petitioner(name=f"某甲{n}", phone=f"1380000{n:04d}")
    given = {
        "channel": Channel.HOTLINE,
        "text": f"本人某甲{n}反映：{title}",
        "petitioner": petitioner,
        **more,
    }
    return SubmitMatter.model_validate({"title": title, "category": category, **given})


def handled(station: str) -> tuple[Act, ...]:
    return (
        Act(1, station, ledger.Accept()),
        Act(2, station, ledger.Resolve(answer="已办结，请查收")),
        Act(3, "office", ledger.Verify(passed=True)),
    )


def rated(level: Level, **dimensions: Level) -> Act:
    named = {Dimension(name): value for name, value in dimensions.items()}
    return Act(5, "gateway", rating.Rate(level=level, dimensions=named), "{entry}/1")


def stage(day: int, actor: str, name: str, *, passed: bool = True) -> Act:
    return Act(
        day, actor, applications.CompleteStage(stage=name, passed=passed, note="材料不符" * (not passed))
    )


def objection(day: int, number: int, upheld: bool | None = None) -> tuple[Act, ...]:
    """Raised, and decided two days later if it is decided at all."""
    raised = Act(day, "gateway", applications.RaiseObjection(text="有村民反映家庭收入不实"))
    if upheld is None:
        return (raised,)
    decided = applications.DecideObjection(objection=number, upheld=upheld, reason="经核查作出决定")
    return raised, Act(day + 2, "office", decided)


IN_ORDER = ("application", "investigation", "appraisal")
HANDED_IN = ("书面申请", "身份证", "家庭经济状况授权书")
LIVING = {"village": "dongcun", "materials": HANDED_IN, "hardship": True}
S, P = "xuanchuanxian", "village_broadcast"
EXTEND = handling.ApplyExtension(length=Limit(amount=5), reason="需采购配件")
HOLD = handling.Hold(ground=HoldGround.AWAITING_PETITIONER, reason="等待补充地址")


def to_notice() -> tuple[Act, ...]:
    return tuple(stage(n, "minzheng", name) for n, name in enumerate(IN_ORDER, 1))


CASES = (
    Case("declined", date(2024, 4, 17), matter("farm_subsidy", "补贴纠纷已在法院审理", 1)),
    Case(
        "taken-back",
        date(2024, 4, 17),
        matter(P, "广播时断时续", 2),
        (
            Act(1, S, ledger.Accept()),
            Act(2, "gateway", intake.WithdrawMatter(reason="问题已自行解决"), "{submission}"),
        ),
    ),
    Case(
        "returned",
        date(2024, 4, 18),
        matter(P, "文化广场音响不响", 3, village="dongcun"),
        (
            Act(1, S, handling.ReturnEntry(legal_ground="职责分工第三条，不属本线管理")),
            Act(2, "office", handling.Adjudicate(to="wenhuazhan", reason="设备归文化站管理")),
            Act(3, "wenhuazhan", ledger.Accept()),
            Act(4, "wenhuazhan", handling.AddCoHandler(station=S)),
            Act(5, S, ledger.RecordProgress(note="已协助检查线路", evidence=("照片1",))),
            Act(6, "wenhuazhan", ledger.Resolve(answer="音响已更换")),
            Act(7, "office", ledger.Verify(passed=True)),
        ),
    ),
    Case(
        "there-and-back",
        date(2024, 4, 18),
        matter(P, "路口大喇叭噪音大", 4),
        (
            Act(1, S, handling.Transfer(to="wenhuazhan", reason="广场活动用音响")),
            Act(2, "wenhuazhan", handling.ReturnEntry(legal_ground="并非广场设备")),
            Act(3, S, handling.Transfer(to="wenhuazhan", reason="再次请其接办")),
            Act(4, "office", handling.Adjudicate(to=S, reason="由宣传线办理")),
        ),
    ),
    Case(
        "transfer-settled",
        date(2024, 4, 19),
        matter(P, "广播内容不实用", 5),
        (
            Act(1, S, handling.Transfer(to="minzheng", reason="涉及民政政策")),
            Act(2, "office", handling.Adjudicate(to="nongye", reason="涉农内容，由农业站办理")),
            Act(3, "nongye", ledger.Accept()),
        ),
    ),
    Case(
        "taken-over",
        date(2024, 4, 22),
        matter(P, "农技广播时间太早", 6),
        (
            Act(1, "office", handling.Transfer(to="nongye", reason="农技内容由农业站安排")),
            Act(2, "nongye", ledger.Accept()),
            *(Act(2 + n, "nongye", ledger.RecordProgress(note=f"第{n}次回访")) for n in range(1, 46)),
        ),
    ),
    Case(
        "reported-up",
        date(2024, 4, 22),
        matter(P, "全镇广播系统老化", 7),
        (
            Act(1, S, ledger.Accept()),
            Act(2, S, handling.ReportUp(to="市广播电视局", reason="需上级资金")),
            Act(10, S, ledger.RecordProgress(note="已上报待批", interim_answer=True)),
        ),
    ),
    Case(
        "extended",
        date(2024, 4, 23),
        matter("public_lectures", "希望增加讲堂场次", 8),
        (
            Act(1, "wenhuazhan", ledger.Accept()),
            Act(2, "wenhuazhan", EXTEND),
            Act(3, "office", handling.DecideExtension(granted=True, reason="同意延期")),
            Act(4, "wenhuazhan", HOLD),
            Act(6, "wenhuazhan", handling.Resume()),
            Act(7, "wenhuazhan", ledger.RecordProgress(note="排期中", percent=40)),
        ),
    ),
    Case(
        "not-extended",
        date(2024, 4, 24),
        matter(P, "村口喇叭被盗", 9),
        (
            Act(1, S, ledger.Accept()),
            Act(2, S, EXTEND),
            Act(3, "office", handling.DecideExtension(granted=False, reason="可按期完成")),
            Act(4, S, HOLD),
        ),
    ),
    Case(
        "benefit-granted",
        date(2024, 4, 24),
        matter("minimum_living", "申请最低生活保障", 10, **LIVING),
        (
            *to_notice(),
            *objection(4, 1, upheld=False),
            stage(11, "minzheng", "notice"),
            stage(12, "office", "approval"),
            stage(13, "minzheng", "filing"),
            Act(14, "office", ledger.Verify(passed=True)),
        ),
    ),
    Case(
        "benefit-objected",
        date(2024, 4, 25),
        matter("minimum_living", "申请低保待遇", 11, **LIVING),
        (*to_notice(), stage(11, "minzheng", "notice"), *objection(12, 1, upheld=True)),
    ),
    Case(
        "benefit-waits",
        date(2024, 4, 26),
        matter("minimum_living", "申请低保复核", 12, **LIVING),
        (*to_notice(), *objection(4, 1)),
    ),
    Case(
        "benefit-refused",
        date(2024, 4, 26),
        matter("temporary_relief", "申请临时救助", 13, materials=HANDED_IN[:2]),
        (stage(1, "minzheng", "application"), stage(2, "minzheng", "investigation", passed=False)),
    ),
    Case(
        "soliciting-rated",
        date(2024, 4, 25),
        matter(P, "报修广播被索要烟酒", 14),
        (
            *handled(S),
            rated(Level.VERY_DISSATISFIED, integrity=Level.VERY_DISSATISFIED, attitude=Level.DISSATISFIED),
            Act(
                6, "office", rating.RecordCallback(result=CallbackResult.CONFIRMED, note="属实"), "{entry}/1"
            ),
            Act(16, S, rating.RecordRectification(note="已退还并致歉"), "{entry}/1"),
        ),
    ),
    Case(
        "never-called-back",
        date(2024, 4, 28),
        matter("farming_advice", "病虫害咨询无人答复", 15),
        (*handled("nongye"), rated(Level.DISSATISFIED)),
    ),
    Case(
        "rectified",
        date(2024, 4, 29),
        matter("farming_advice", "水稻施肥咨询", 16),
        (
            *handled("nongye"),
            rated(Level.DISSATISFIED),
            Act(6, "office", rating.RecordCallback(result=CallbackResult.CONFIRMED), "{entry}/1"),
            Act(8, "nongye", rating.RecordRectification(note="已上门指导"), "{entry}/1"),
        ),
    ),
    Case("not-rated", date(2024, 4, 30), matter(P, "广播音量偏小", 17), handled(S)),
    Case(
        "reopened-by-office",
        date(2024, 5, 6),
        matter(P, "广播杂音", 18),
        (*handled(S), Act(6, "office", ledger.Reopen(reason="抽查发现未解决"))),
    ),
)

ALONE = (
    (date(2024, 4, 18), "office", PREFIX + "declined", intake.DeclineMatter(
        reason=DeclineReason.COURT, explanation="已进入诉讼程序，请按法院裁判办理")),
    (date(2024, 4, 19), "gateway", PREFIX + "refused", matter("gold", "无此类别", 19)),
    (date(2024, 4, 19), S, "2024-999999", ledger.Accept()),
    (date(2024, 4, 19), "gateway", "2024-999999/1", rating.Rate(level=Level.SATISFIED)),
    (date(2024, 4, 19), "office", "finding/2024-r1", supervision.RecordFinding(
        station="nowhere", ground=Ground.LAGGING, text="无此站所")),
    (date(2024, 4, 19), S, S, escalation.AcknowledgeOrder(order=f"{S}-2024-99")),
)  # fmt: skip
"""Acts that nothing has to come before, and mostly refused."""

MEASURES: dict[str, tuple[Act, ...]] = {
    "p1-1-3": (
        Act(3, "bianmin", measures.ReportCount(count=1, note="第一场培训", evidence=("签到表1",))),
        Act(20, "bianmin", measures.ReportCount(count=1, note="第二场培训")),
    ),
    "p1-2-2": (
        Act(9, "xincunban", measures.MeetMilestone(milestone="roads", note="竣工", evidence=("验收单1",))),
    ),
    "p3-1-1": (
        Act(4, "bianmin", ledger.RecordProgress(note="已定岗定人", percent=50, evidence=("照片2",))),
        Act(8, "jiwei", ledger.Resolve(answer="值班制度已落实")),
    ),
    "p2-3-1": (
        Act(5, "nongye", ledger.RecordProgress(note="办理程序已上墙", percent=100, evidence=("照片3",))),
        Act(12, "nongye", ledger.Resolve(answer="程序已规范")),
    ),
}
CLEANED = ("p1-2-1", "qingjieban", 5)
"""The recurring measure is reported by this station on so many days, village by village."""


def first_charter(charter: Charter) -> Charter:
    """The township's, with two dates for milestones, of which the first one is met and the second is not."""
    return _with_measure(
        charter,
        "p1-2-2",
        lambda shape: shape.model_copy(
            update={
                "milestones": (
                    shape.milestones[0].model_copy(update={"due": date(2024, 5, 10)}),
                    shape.milestones[1].model_copy(update={"due": date(2024, 5, 20)}),
                    *shape.milestones[2:],
                )
            }
        ),
    )


def second_charter(charter: Charter) -> Charter:
    """One measure wants more, and the last one is no longer in the plan."""
    more = _with_measure(charter, "p1-1-3", lambda _: Counted(target=6, unit="场培训"))
    assert more.plan is not None
    *problems, last = more.plan.problems
    fewer = last.model_copy(update={"groups": last.groups[:-1]})
    return more.model_copy(update={"plan": more.plan.model_copy(update={"problems": (*problems, fewer)})})


def third_charter(charter: Charter) -> Charter:
    """Longer limits: what is open is counted again."""
    limits = {kind: Limit(amount=limit.amount + 20) for kind, limit in charter.matters.limits.items()}
    return charter.model_copy(update={"matters": charter.matters.model_copy(update={"limits": limits})})


def _with_measure(charter: Charter, wanted: str, shape: object) -> Charter:
    plan = charter.plan
    assert plan is not None
    problems = tuple(
        problem.model_copy(
            update={
                "groups": tuple(
                    group.model_copy(
                        update={
                            "measures": tuple(
                                each.model_copy(update={"shape": shape(each.shape)})  # type: ignore[operator]
                                if each.id == wanted
                                else each
                                for each in group.measures
                            )
                        }
                    )
                    for group in problem.groups
                )
            }
        )
        for problem in plan.problems
    )
    return charter.model_copy(update={"plan": plan.model_copy(update={"problems": problems})})


@dataclass
class Story:
    """What is planned, given the facts so far; it knows which entries are its own."""

    world: World
    own: set[str] = field(default_factory=set)
    _withdrawn: bool = False

    def opening(self) -> Iterator[Step]:
        for n, case in enumerate(CASES):
            yield Step(self._at(case.day, time(9, 10), n), "gateway", case.submission, case.submitted)
        for n, station in enumerate(self.world.charter.stations):
            found = supervision.RecordInspection(station=station, passed=True, note="现场在岗")
            yield Step(self._at(INSPECTED, time(16), n), "office", "campaign/2024", found)
        for n, (day, actor, key, command) in enumerate(ALONE):
            yield Step(self._at(day, time(15), n), actor, key, command)

    def is_own(self, fact: Fact) -> bool:
        """The demo's people leave it alone."""
        about = getattr(fact, "entry", None), getattr(fact, "submission", "")
        return about[0] in self.own or about[1].startswith(PREFIX) or str(about[0]).startswith(PAST)

    def react(self, fact: Fact) -> Iterator[Step]:
        match fact:
            case ledger.EntryOpened() if fact.submission.startswith(PREFIX):
                self.own.add(fact.entry)
                case = next((case for case in CASES if case.submission == fact.submission), None)
                yield from self._acts(case.acts if case else (), fact, fact.submission)
                if case and case.name == "returned":
                    again = matter(
                        "village_broadcast", "文化广场音响又不响", 20, village="dongcun", recurs=fact.entry
                    )
                    yield self._step(Act(12, "gateway", again, PREFIX + "again"), fact, "")
            case measures.MeasureOpened() if fact.measure.id == CLEANED[0]:
                villages = fact.measure.villages
                for day in range(1, CLEANED[2] + 1):
                    for village in villages:
                        report = measures.ReportOccurrence(village=village, note="已清运")
                        yield self._step(Act(day, CLEANED[1], report), fact, "")
            case measures.MeasureOpened():
                yield from self._acts(MEASURES.get(fact.measure.id, ()), fact, "")
            case escalation.CircularPublished() if not self._withdrawn:
                self._withdrawn = True
                withdrawal = escalation.WithdrawCircular(circular=fact.circular, reason="通报依据有误")
                yield self._step(Act(1, "office", withdrawal, fact.station or ""), fact, "")

    def _acts(self, acts: tuple[Act, ...], fact: Fact, submission: str) -> Iterator[Step]:
        return (self._step(act, fact, submission) for act in acts)

    def _step(self, act: Act, fact: Fact, submission: str) -> Step:
        day = self.world.working_day(self.world.local_day(fact.at), act.day)
        key = act.key.format(entry=getattr(fact, "entry", ""), submission=submission)
        return Step(self._at(day, time(15), act.day % 50), act.actor, key, act.command)

    def _at(self, day: date, moment: time, minutes: int) -> datetime:
        return datetime.combine(day, moment, self.world.zone) + timedelta(minutes=minutes)

"""What happens by itself in the spring of 2024: citizens come with matters, the office goes to look.

Pure: the same seed and charter give the same steps. What people do about it is in `react`.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from duban_contracts.charter import Category, Charter, Ground
from duban_contracts.intake import Channel, Petitioner, SubmitMatter
from duban_contracts.supervision import DrawInspections, RecordFinding, StartCampaign
from services.console.demo import texts
from services.console.demo.steps import FORENOON, Step, World

FIRST, LAST = date(2024, 4, 15), date(2024, 7, 15)
"""Mid-April, when the office begins to inspect (plan 三(三)), and three months of it."""

MATTERS = 300
DRAWN_PER_WEEK = 2

WEIGHTS = {
    "garbage": 12,
    "littering": 6,
    "rural_road": 6,
    "household_road": 4,
    "public_toilet": 4,
    "sewage": 5,
    "fitness_equipment": 8,
    "reading_room": 3,
    "public_lectures": 3,
    "policy_explanation": 7,
    "village_broadcast": 4,
    "policy_disclosure": 3,
    "farm_subsidy": 6,
    "farming_advice": 5,
    "minimum_living": 5,
    "temporary_relief": 4,
    "medical_insurance": 7,
    "medical_reimbursement": 5,
    "window_advice": 9,
    "window_attitude": 4,
    "window_efficiency": 5,
    "window_hours": 3,
    "conduct": 4,
    "soliciting": 2,
}
"""How often people come with what."""

ON_THE_SPOT = {"window_advice": 0.6, "policy_explanation": 0.4, "medical_insurance": 0.5}
"""Share that the window solves while the citizen waits."""
HARDSHIP = {"minimum_living": 0.4, "temporary_relief": 0.7, "medical_reimbursement": 0.2}
SAFETY = {"fitness_equipment": 0.3, "rural_road": 0.2}
INCOMPLETE = 0.4
"""Share that comes without all of the required material."""


@dataclass(frozen=True)
class Found:
    """A finding of the story, by whom and on which day."""

    day: date
    station: str
    ground: Ground
    measure: str
    text: str
    by: str = "office"
    serious: bool = False


STORY = (
    Found(
        date(2024, 4, 17),
        "bianmin",
        Ground.BELOW_REQUIREMENT,
        "p3-1-1",
        "值班表与实际在岗人员不符，午间延时窗口无人",
        by="discipline",
    ),
    Found(date(2024, 4, 18), "xincunban", Ground.LAGGING, "p1-2-2", "通户工程和公厕改造未按计划节点开工"),
    Found(date(2024, 4, 24), "nongyisuo", Ground.LAGGING, "p2-1-1", "惠民政策学习未开展，没有学习记录"),
    Found(
        date(2024, 5, 8), "wenhuazhan", Ground.PERFUNCTORY, "p1-2-4", "健身器材巡查记录系一次补写，敷衍应付"
    ),
    Found(date(2024, 5, 15), "nongye", Ground.BELOW_REQUIREMENT, "p2-3-1", "补贴对象公示不足七日"),
    Found(
        date(2024, 5, 22),
        "bianmin",
        Ground.INTEGRITY,
        "p3-2-1",
        "有窗口人员在办理证明时收受香烟，涉嫌吃拿卡要",
        by="discipline",
        serious=True,
    ),
    Found(date(2024, 6, 5), "qingjieban", Ground.LAGGING, "p1-2-1", "两个村未做到生活垃圾日产日清"),
    Found(date(2024, 6, 12), "xincunban", Ground.BUCK_PASSING, "p1-2-2", "污水外溢问题与清洁办相互推诿"),
    Found(date(2024, 6, 26), "jiwei", Ground.LAGGING, "p1-3-1", "第二季度作风督查次数未达计划"),
)


def opening(seed: int, charter: Charter) -> list[Step]:
    """Everything that nobody has to react to first, in the order of time."""
    world = World(seed, charter)
    steps = [*_campaign(world), *_draws(world), *_findings(world), *_matters(world)]
    return sorted(steps, key=lambda step: step.at)


def _campaign(world: World) -> Iterator[Step]:
    """At nine on the first day, before anybody comes."""
    if (campaign := world.charter.campaign) is not None:
        at = world.on(FIRST, world.dice("campaign"), (FORENOON[0], FORENOON[0]))
        yield Step(at, "office", f"campaign/{campaign.id}", StartCampaign())


def _draws(world: World) -> Iterator[Step]:
    """On the first working day of each week, for the second one after it."""
    if (campaign := world.charter.campaign) is None:
        return
    for monday in (FIRST + timedelta(weeks=n) for n in range((LAST - FIRST).days // 7 + 1)):
        day, dice = world.working_day(monday, 0), world.dice("draw", monday)
        draw = DrawInspections(
            day=world.working_day(day, 2), count=DRAWN_PER_WEEK, seed=dice.randrange(1_000_000)
        )
        yield Step(world.on(day, dice), "office", f"campaign/{campaign.id}", draw)


def _findings(world: World) -> Iterator[Step]:
    for n, found in enumerate(STORY, 1):
        finding = RecordFinding(
            station=found.station,
            ground=found.ground,
            text=found.text,
            measure=found.measure,
            serious=found.serious,
        )
        at = world.on(found.day, world.dice("finding", n))
        yield Step(at, found.by, f"finding/{found.day.year}-{n:03d}", finding)


def _matters(world: World) -> Iterator[Step]:
    days, dice = world.working_days(FIRST, LAST), world.dice("matters")
    came = sorted(dice.choice(days) for _ in range(MATTERS))
    categories = dice.choices(list(WEIGHTS), list(WEIGHTS.values()), k=MATTERS)
    for n, (day, category) in enumerate(zip(came, categories, strict=True), 1):
        own = world.dice("matter", n)
        matter = _matter(world, category, own)
        key = f"{matter.channel}:{day.year}-{n:04d}"
        yield Step(world.on(day, own, (FORENOON[0], FORENOON[1])), "gateway", key, matter)


def _matter(world: World, token: str, dice: random.Random) -> SubmitMatter:
    category, village = world.charter.categories[token], dice.choice(list(world.charter.villages))
    template = dice.choice(texts.TITLES[token])
    title = template.format(village=world.charter.villages[village].name)
    name = dice.choice(texts.SURNAMES) + dice.choice(texts.GIVEN)
    phone = f"1380000{dice.randrange(10_000):04d}"
    at_once = dice.random() < ON_THE_SPOT.get(token, 0)
    return SubmitMatter(
        title=title,
        category=token,
        village=village if "{village}" in template else None,
        channel=Channel.WINDOW if at_once else dice.choice(texts.CHANNELS.get(token, texts.ANY_CHANNEL)),
        text=dice.choice(texts.WORDS).format(name=name, title=title),
        petitioner=Petitioner(name=name, phone=phone, confidential=category.restricted),
        materials=_materials(category, dice),
        hardship=dice.random() < HARDSHIP.get(token, 0),
        safety=dice.random() < SAFETY.get(token, 0),
        solved_on_the_spot=dice.choice(texts.ON_THE_SPOT) if at_once else None,
    )


def _materials(category: Category, dice: random.Random) -> tuple[str, ...]:
    if dice.random() >= INCOMPLETE:
        return category.required
    return category.required[: dice.randrange(max(1, len(category.required)))]

"""What people do about a fact: by their temper, and by chance that depends on the fact alone.

Pure, and whatever the order in which facts arrive, the steps that follow from them are the same.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from typing import Any

from duban_contracts.charter import Charter, Role
from duban_contracts.escalation import (
    AcknowledgeOrder,
    AnswerOrder,
    ApproveStep,
    DeclineStep,
    ItemKind,
    LeadersReported,
    OpenItem,
    OrderIssued,
    RecordInstruction,
    RecordReceipt,
    Rung,
    StepProposed,
    TransferMade,
)
from duban_contracts.intake import MatterIncomplete, SupplementMatter, WithdrawMatter
from duban_contracts.ledger import (
    Accept,
    EntryOpened,
    EntryReopened,
    EntryResolved,
    Resolve,
    VerificationRejected,
    Verify,
)
from duban_contracts.message import Fact
from duban_contracts.rating import (
    CallbackRecorded,
    CallbackResult,
    Dimension,
    Level,
    NegativeRatingReceived,
    Rate,
    RatingInvited,
    RecordCallback,
)
from duban_contracts.supervision import (
    FindingRecorded,
    FindingVerified,
    InspectionConducted,
    InspectionDrawn,
    RecordFinding,
    RecordInspection,
    VerifyRectification,
)
from services.console.demo import texts
from services.console.demo.steps import FORENOON, Step, World
from services.console.demo.tempers import Temper, temper

GIVES_UP = 0.1
"""Share of citizens who take their matter back instead of bringing what is missing."""
RATES = 0.65
"""Share of those invited who rate."""
FORGETS_CALLBACK = 0.05
"""Share of callbacks that the office itself makes too late."""

Steps = Iterator[Step]


def react(fact: Fact, world: World) -> list[Step]:
    """All that follows from one fact, later than the day on which it happened; often nothing."""
    reaction = REACTIONS.get(type(fact))
    return list(reaction(fact, world)) if reaction else []


# Citizens and the gateway


def bring_what_is_missing(fact: MatterIncomplete, world: World) -> Steps:
    dice = world.dice(fact.submission, "missing", len(fact.missing))
    at = world.later(fact.at, dice.randint(1, 3), dice, FORENOON)
    if dice.random() < GIVES_UP:
        yield Step(at, "gateway", fact.submission, WithdrawMatter(reason="材料不全，暂不办理"))
    else:
        yield Step(at, "gateway", fact.submission, SupplementMatter(materials=fact.missing))


def rate(fact: RatingInvited, world: World) -> Steps:
    """Those who rate a second round were heard: they are content."""
    dice, again = world.dice(fact.entry, fact.round, "rate"), fact.round > 1
    if dice.random() >= RATES:
        return
    weights = (0, 0, 3, 5, 2) if again else temper(fact.station).rated
    level = dice.choices(list(Level), weights)[0]
    at = world.later(fact.at, dice.randint(1, 6), dice)
    dimensions = {each: level for each in (Dimension.EFFICIENCY, Dimension.ATTITUDE) if dice.random() < 0.5}
    yield Step(at, "gateway", f"{fact.entry}/{fact.round}", Rate(level=level, dimensions=dimensions))


# Stations and their entries


def handle(fact: EntryOpened, world: World) -> Steps:
    """Sign for it, and handle it in time, or late, or not at all."""
    station, mood, dice = fact.station, temper(fact.station), world.dice(fact.entry, "handle")
    on_the_spot = fact.accept_by is None
    if station is None or on_the_spot or dice.random() < mood.forgets:
        return
    if dice.random() < mood.signs:
        yield Step(world.later(fact.at, 1, dice, FORENOON), station, fact.entry, Accept())
    answer = dice.choice(texts.ANSWERS.get(station, (texts.ANSWER,)))
    yield Step(world.on(_done(fact, mood, world), dice), station, fact.entry, Resolve(answer=answer))


def _done(fact: EntryOpened, mood: Temper, world: World) -> date:
    dice, opened = world.dice(fact.entry, "done"), world.local_day(fact.at)
    if fact.due is None:
        return world.working_day(opened, dice.randint(2, 8))
    if dice.random() >= mood.prompt:
        return world.working_day(fact.due.last_day, dice.randint(*mood.late))
    return dice.choice(world.working_days(world.working_day(opened, 1), fact.due.last_day))


def redo(fact: EntryReopened | VerificationRejected, world: World) -> Steps:
    station, dice = fact.station, world.dice(fact.entry, fact.round, "redo")
    if station is not None and dice.random() >= temper(station).forgets:
        at = world.later(fact.at, dice.randint(1, 3), dice)
        yield Step(at, station, fact.entry, Resolve(answer=texts.REDONE))


def verify(fact: EntryResolved, world: World) -> Steps:
    dice = world.dice(fact.entry, fact.round, "verify")
    sound = fact.round > 1 or dice.random() < temper(fact.station).sound
    reason = "" if sound else dice.choice(texts.NOT_SOLVED)
    yield Step(world.later(fact.at, 1, dice), "office", fact.entry, Verify(passed=sound, reason=reason))


# The office after a negative rating


def call_back(fact: NegativeRatingReceived, world: World) -> Steps:
    dice = world.dice(fact.entry, fact.round, "call")
    result = dice.choices(list(CallbackResult), (85, 10, 5))[0]
    days = 4 if dice.random() < FORGETS_CALLBACK else 1
    yield _call(fact.entry, fact.round, result, world.later(fact.at, days, dice))


def call_again(fact: CallbackRecorded, world: World) -> Steps:
    if fact.result is CallbackResult.NOT_REACHED:
        at = world.later(fact.at, 1, world.dice(fact.entry, fact.round, "again"))
        yield _call(fact.entry, fact.round, CallbackResult.CONFIRMED, at)


def _call(entry: str, number: int, result: CallbackResult, at: datetime) -> Step:
    call = RecordCallback(result=result, note=texts.CALLED_BACK[result])
    return Step(at, "office", f"{entry}/{number}", call)


# Inspections and findings


def inspect(fact: InspectionDrawn, world: World) -> Steps:
    """The commission looks after the service centre (plan 3(1)), the office after all others."""
    if (station := fact.station) is None:
        return
    dice = world.dice(fact.campaign, station, fact.day)
    passed = dice.random() < temper(station).passes
    inspection = RecordInspection(station=station, passed=passed, note=texts.INSPECTED[passed])
    by = "discipline" if station == "bianmin" else "office"
    yield Step(world.on(fact.day, dice, FORENOON), by, fact.campaign, inspection)


def write_down(fact: InspectionConducted, world: World) -> Steps:
    """An inspection that was not passed leaves a finding about one of the station's measures."""
    if fact.passed or (station := fact.station) is None:
        return
    day = world.local_day(fact.at)
    dice = world.dice(station, day, "finding")
    ground = dice.choice(list(texts.FINDINGS))
    finding = RecordFinding(
        station=station,
        ground=ground,
        text=dice.choice(texts.FINDINGS[ground]),
        measure=dice.choice(_measures(station, world)),
    )
    yield Step(world.later(fact.at, 1, dice), "office", f"finding/{day:%Y-%m%d}-{station}", finding)


def _measures(station: str, world: World) -> Sequence[str | None]:
    plan = world.charter.plan
    theirs = [key for key, each in plan.measures().items() if station in each.stations] if plan else []
    return theirs or [None]


def look_again(fact: FindingRecorded, world: World) -> Steps:
    """What went to the commission is for the commission to judge."""
    if fact.ground in world.charter.ladder.discipline.grounds:
        return
    mood, dice = temper(fact.station), world.dice(fact.finding, "look")
    passed = not mood.insisted and dice.random() < 0.8
    at = world.later(fact.at, dice.randint(*mood.mends), dice)
    yield _rectified(fact.finding, passed, at)


def look_once_more(fact: FindingVerified, world: World) -> Steps:
    if not (fact.passed or temper(fact.station).insisted):
        at = world.later(fact.at, 3, world.dice(fact.finding, "more", fact.at))
        yield _rectified(fact.finding, passed=True, at=at)


def _rectified(finding: str, passed: bool, at: datetime) -> Step:
    return Step(at, "office", finding, VerifyRectification(passed=passed, note=texts.RECTIFIED[passed]))


# The ladder


def answer(fact: OrderIssued, world: World) -> Steps:
    if (station := fact.station) is None:
        return
    mood, dice = temper(station), world.dice(fact.order)
    signed = world.later(fact.at, mood.acknowledges, dice, FORENOON)
    yield Step(signed, station, station, AcknowledgeOrder(order=fact.order))
    done = world.later(fact.at, mood.answers, dice)
    yield Step(done, station, station, AnswerOrder(order=fact.order, answer=texts.ORDER_ANSWERED))


def decide(fact: StepProposed, world: World) -> Steps:
    """The leaders hand over to the commission only what is a matter of discipline."""
    station, dice = fact.station or "", world.dice(fact.step)
    actor = _one_of(fact.decided_by, station, world.charter)
    at, name = world.later(fact.at, dice.randint(1, 2), dice), texts.DECIDERS.get(actor, actor)
    if fact.rung is Rung.DISCIPLINE and not _disciplinary(fact, world):
        no = DeclineStep(step=fact.step, decided_by=name, reason=texts.NO_TRANSFER)
        yield Step(at, actor, station, no)
    elif fact.rung is Rung.CIRCULAR and temper(station).spared:
        yield Step(at, actor, station, DeclineStep(step=fact.step, decided_by=name, reason=texts.DECLINED))
    else:
        yield Step(at, actor, station, ApproveStep(step=fact.step, decided_by=name, reason=texts.APPROVED))


def _disciplinary(fact: StepProposed, world: World) -> bool:
    return bool(set(fact.grounds) & set(world.charter.ladder.discipline.grounds))


def _one_of(roles: Sequence[Role], station: str, charter: Charter) -> str:
    """The first actor of these roles who is not the station itself."""
    return next(
        token for token, actor in charter.actors.items() if actor.role in roles and actor.station != station
    )


def insist(fact: LeadersReported, world: World) -> Steps:
    """The principal leaders instruct, and now even those move who never did."""
    station, dice = fact.station or "", world.dice(fact.step, "insist")
    instruction = RecordInstruction(step=fact.step, instruction=texts.INSTRUCTION)
    leader = _one_of((Role.LEADER,), station, world.charter)
    yield Step(world.later(fact.at, 1, dice, FORENOON), leader, station, instruction)
    if temper(station).insisted:
        for entry in dict.fromkeys(_entry(item) for item in fact.items if item.kind.late):
            at = world.later(fact.at, dice.randint(1, 2), dice)
            yield Step(at, station, entry, Resolve(answer=texts.INSISTED))
        for item in fact.items:
            if item.kind is ItemKind.FINDING:
                yield _rectified(item.id, passed=True, at=world.later(fact.at, 3, dice))


def _entry(item: OpenItem) -> str:
    """An item is named after its entry, with its kind before it and perhaps its round after it."""
    return item.id.split("/")[1]


def receive(fact: TransferMade, world: World) -> Steps:
    dice = world.dice(fact.step, "receive")
    at = world.later(fact.at, 2, dice, FORENOON)
    receipt = texts.RECEIPT.format(year=world.local_day(at).year, number=dice.randint(3, 30))
    yield Step(at, fact.to, fact.station or "", RecordReceipt(step=fact.step, receipt=receipt))


REACTIONS: dict[type[Fact], Callable[[Any, World], Steps]] = {
    MatterIncomplete: bring_what_is_missing,
    EntryOpened: handle,
    EntryReopened: redo,
    VerificationRejected: redo,
    EntryResolved: verify,
    RatingInvited: rate,
    NegativeRatingReceived: call_back,
    CallbackRecorded: call_again,
    InspectionDrawn: inspect,
    InspectionConducted: write_down,
    FindingRecorded: look_again,
    FindingVerified: look_once_more,
    OrderIssued: answer,
    StepProposed: decide,
    LeadersReported: insist,
    TransferMade: receive,
}

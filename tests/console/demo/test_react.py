"""What people do about a fact: the same each time, always later, and something to say to every fact."""

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import duban_contracts
from duban_contracts.charter import Charter, Ground, Role
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
from duban_contracts.ledger import Accept, EntryOpened, EntryResolved, Resolve, Verify
from duban_contracts.message import CATALOGUE, Fact
from duban_contracts.rating import NegativeRatingReceived, RatingInvited, RecordCallback
from duban_contracts.supervision import FindingRecorded, VerifyRectification
from services.console.demo.play import with_timelapse
from services.console.demo.react import REACTIONS, react
from services.console.demo.steps import World

EXAMPLES = Path(duban_contracts.__file__).parent / "examples"
NOON = datetime(2024, 5, 7, 4, tzinfo=UTC)
FACTS = sorted((type_ for type_ in CATALOGUE.values() if issubclass(type_, Fact)), key=lambda each: each.type)


@pytest.fixture(scope="module")
def world(township: Charter) -> World:
    return World(2024, with_timelapse(township))


def examples(type_: type[Fact]) -> list[Fact]:
    """As committed: one document, or a list of them."""
    committed: Any = json.loads((EXAMPLES / f"{type_.type}.json").read_text(encoding="utf-8"))
    found = committed if isinstance(committed, list) else [committed]
    return [type_.model_validate_json(json.dumps(each)) for each in found]


@pytest.mark.parametrize("type_", FACTS, ids=lambda each: each.type)
def test_every_fact_of_the_catalogue_can_be_reacted_to_twice_alike(type_: type[Fact], world: World) -> None:
    for fact in examples(type_):
        steps = react(fact, world)
        assert steps == react(fact, World(world.seed, world.charter))
        for step in steps:
            assert step.at > fact.at
            assert world.local_day(step.at) > world.local_day(fact.at) or step.at.hour >= 9
            actor = world.charter.actor(step.actor)
            assert actor is not None
            assert actor.role in step.command.by


def test_no_reaction_is_left_without_an_example() -> None:
    assert all((EXAMPLES / f"{type_.type}.json").exists() for type_ in REACTIONS)


def test_what_follows_does_not_depend_on_the_order_in_which_facts_arrive(world: World) -> None:
    facts = [fact for type_ in FACTS for fact in examples(type_)]
    mixed = random.Random(7).sample(facts, len(facts))
    assert {fact: react(fact, world) for fact in _hashable(facts)} == {
        fact: react(fact, world) for fact in _hashable(mixed)
    }


def _hashable(facts: list[Fact]) -> list[Fact]:
    return [fact for fact in facts if fact.__class__.__name__ != "RatingGiven"]  # holds a dict


def test_reactions_fall_on_working_days_and_into_office_hours(world: World) -> None:
    for entry in range(100):
        for step in react(RatingInvited(at=NOON, entry=f"2024-{entry:06d}", round=1, until=NOON), world):
            assert world.calendar.is_working(world.local_day(step.at))
            assert 9 <= step.at.hour < 18


def order(station: str) -> OrderIssued:
    return OrderIssued(
        at=NOON,
        station=station,
        order=f"{station}-2024-1",
        number="督〔2024〕1号",
        items=(),
        acknowledge_by=NOON + timedelta(days=1),
        answer_by=NOON + timedelta(days=15),
    )


def test_a_station_acknowledges_its_order_and_answers_it_later(world: World) -> None:
    signed, answered = react(order("qingjieban"), world)
    assert isinstance(signed.command, AcknowledgeOrder)
    assert isinstance(answered.command, AnswerOrder)
    assert (signed.actor, answered.actor) == ("qingjieban", "qingjieban")
    assert signed.at < answered.at < NOON + timedelta(days=15)


def test_the_negligent_station_answers_far_too_late(world: World) -> None:
    *_, answered = react(order("xincunban"), world)
    assert answered.at > NOON + timedelta(days=30)


def proposed(station: str, rung: Rung, by: Role, *grounds: Ground) -> StepProposed:
    return StepProposed(
        at=NOON,
        station=station,
        step=f"{station}-2024-step-1",
        rung=rung,
        because="",
        grounds=grounds,
        items=(),
        decided_by=(by,),
    )


def test_the_office_names_one_station_in_a_circular_and_spares_another(world: World) -> None:
    named, spared = (
        react(proposed(station, Rung.CIRCULAR, Role.OFFICE), world)[0]
        for station in ("wenhuazhan", "nongyisuo")
    )
    assert isinstance(named.command, ApproveStep)
    assert isinstance(spared.command, DeclineStep)
    assert spared.command.reason
    assert named.actor == spared.actor == "office"


def test_the_leaders_transfer_only_what_is_a_matter_of_discipline(world: World) -> None:
    bribe, slowness = (
        react(proposed("bianmin", Rung.DISCIPLINE, Role.LEADER, ground), world)[0]
        for ground in (Ground.INTEGRITY, Ground.LAGGING)
    )
    assert isinstance(bribe.command, ApproveStep)
    assert isinstance(slowness.command, DeclineStep)
    assert bribe.actor == slowness.actor == "leader"


def test_the_commission_never_decides_its_own_case(world: World) -> None:
    (step,) = react(proposed("jiwei", Rung.CIRCULAR, Role.LEADER), world)
    assert step.actor == "leader"


def test_a_transfer_is_received_with_a_number(world: World) -> None:
    (step,) = react(
        TransferMade(at=NOON, station="bianmin", step="bianmin-2024-step-1", to="discipline"), world
    )
    assert step.actor == "discipline"
    assert isinstance(step.command, RecordReceipt)


def test_the_leaders_instruct_and_the_negligent_station_moves(world: World) -> None:
    items = (
        OpenItem(id="overdue/2024-000001", kind=ItemKind.ENTRY_OVERDUE, since=NOON),
        OpenItem(id="acceptance/2024-000001", kind=ItemKind.ACCEPTANCE_OVERDUE, since=NOON),
        OpenItem(id="rectification/2024-000002/1", kind=ItemKind.RECTIFICATION_OVERDUE, since=NOON),
        OpenItem(id="finding/2024-002", kind=ItemKind.FINDING, ground=Ground.LAGGING, since=NOON),
    )
    steps = react(
        LeadersReported(at=NOON, station="xincunban", step="xincunban-2024-step-2", items=items), world
    )
    assert [(type(step.command), step.key) for step in steps] == [
        (RecordInstruction, "xincunban"),
        (Resolve, "2024-000001"),
        (Resolve, "2024-000002"),
        (VerifyRectification, "finding/2024-002"),
    ]


def test_the_negligent_station_leaves_its_finding_until_then(world: World) -> None:
    found = FindingRecorded(
        at=NOON, station="xincunban", finding="finding/2024-002", ground=Ground.LAGGING, text="…"
    )
    (step,) = react(found, world)
    assert step.command == VerifyRectification(passed=False, note="复查仍未整改到位")


def test_what_went_to_the_commission_is_not_inspected_again(world: World) -> None:
    found = FindingRecorded(
        at=NOON, station="bianmin", finding="finding/2024-006", ground=Ground.INTEGRITY, text="…"
    )
    assert react(found, world) == []


def test_somebody_other_than_the_handler_verifies(world: World) -> None:
    resolved = EntryResolved(at=NOON, station="nongye", entry="2024-000001", by="nongye", outcome="solved")
    (step,) = react(resolved, world)
    assert isinstance(step.command, Verify)
    assert step.actor == "office"


def test_what_did_not_pass_has_a_reason(world: World) -> None:
    verdicts = [
        react(
            EntryResolved(at=NOON, station="bianmin", entry=f"2024-{n:06d}", by="bianmin", outcome="solved"),
            world,
        )[0].command
        for n in range(60)
    ]
    rejected = [each for each in verdicts if isinstance(each, Verify) and not each.passed]
    assert rejected
    assert all(each.reason for each in rejected)


def test_a_negative_rating_is_called_back_by_the_office(world: World) -> None:
    (step,) = react(
        NegativeRatingReceived(
            at=NOON, station="nongye", entry="2024-000001", round=1, level=2, callback_by=NOON
        ),
        world,
    )
    assert (step.actor, step.key, type(step.command)) == ("office", "2024-000001/1", RecordCallback)


def test_an_entry_is_signed_for_before_it_is_resolved(world: World) -> None:
    (opened, *_) = examples(EntryOpened)
    assert isinstance(opened, EntryOpened)
    for n in range(60):
        fact = opened.model_copy(
            update={
                "entry": f"2024-{n:06d}",
                "station": "qingjieban",
                "accept_by": opened.at + timedelta(days=1),
            }
        )
        steps = react(fact, world)
        assert [type(step.command) for step in steps] in ([Accept, Resolve], [Resolve])
        assert [step.at for step in steps] == sorted(step.at for step in steps)

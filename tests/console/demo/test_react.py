"""What people do about a fact: the same each time, always later, and something to say to every fact."""

import json
import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import duban_contracts
from duban_contracts.charter import Charter
from duban_contracts.message import CATALOGUE, Fact
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
    assert {fact.model_dump_json(): react(fact, world) for fact in facts} == {
        fact.model_dump_json(): react(fact, world) for fact in mixed
    }

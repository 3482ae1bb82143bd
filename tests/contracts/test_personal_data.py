"""Who the petitioner is stays with intake: no fact has a place for it."""

from collections.abc import Iterator
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from duban_contracts.intake import MatterAccepted, Petitioner, SubmitMatter
from duban_contracts.ledger import EntryOpened
from duban_contracts.message import Fact, Key
from tests.contracts.catalogue import MESSAGES, example

PERSONAL = {"name", "phone", "text", "address", "email", "contact", "id_card", "birthday", "on_behalf_of"}
ALLOWED = {
    ("CampaignStarted", "name"): "the campaign's name, as the charter writes it",
    ("Stage", "name"): "what the charter calls a stage of a procedure",
    ("StageBegun", "name"): "that stage's name",
    ("StageOverdue", "name"): "that stage's name",
    ("ObjectionRaised", "text"): "what is objected to; it is asked for without names",
    ("PlannedMeasure", "name"): "the plan's own words",
    ("Milestone", "name"): "the plan's own words",
    ("MilestoneMet", "name"): "that milestone's name",
    ("MilestoneMissed", "name"): "that milestone's name",
    ("FindingRecorded", "text"): "an inspector's words about a station; inspectors are told to name nobody",
}
FACTS = [message for message in MESSAGES.values() if issubclass(message, Fact)]

Place = tuple[str, str]


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """Every model that a value of this type can hold, at any depth."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        for field in annotation.model_fields.values():
            yield from models_in(field.annotation)
    for argument in get_args(annotation):
        yield from models_in(argument)


def personal_places(message: type[BaseModel]) -> set[Place]:
    return {
        (model.__name__, name)
        for model in models_in(message)
        for name in model.model_fields
        if name in PERSONAL
    }


def test_the_search_finds_what_a_submission_says_about_a_person():
    assert Petitioner in models_in(SubmitMatter)
    assert personal_places(SubmitMatter) == {
        ("SubmitMatter", "text"),
        ("Petitioner", "name"),
        ("Petitioner", "phone"),
        ("Petitioner", "on_behalf_of"),
    }


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.type)
def test_a_fact_has_no_place_for_a_person(fact):
    assert Petitioner not in models_in(fact)
    assert personal_places(fact) <= ALLOWED.keys()


def test_everything_that_is_allowed_is_still_needed():
    assert set().union(*map(personal_places, FACTS)) == ALLOWED.keys()


@pytest.mark.parametrize("fact", [MatterAccepted, EntryOpened])
def test_a_petitioner_is_a_pseudonym_in_facts(fact):
    field = fact.model_fields["petitioner"]
    assert (field.annotation, *field.metadata) == (str, *Key.__metadata__[0].metadata, *Key.__metadata__[1:])


def test_no_example_of_a_fact_repeats_a_person_of_an_example():
    submitted = example(SubmitMatter.type)
    person = {value for value in submitted["petitioner"].values() if isinstance(value, str)} | {
        submitted["text"]
    }
    for fact in FACTS:
        assert not [said for said in person if said in str(example(fact.type))]

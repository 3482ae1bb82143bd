"""Every example is what a strict writer would send, and readers are more lenient than that."""

import json
from datetime import datetime

import pytest
from jsonschema import Draft202012Validator, FormatChecker, ValidationError

from duban_contracts.message import Fact
from duban_contracts.publish import committed
from tests.contracts.catalogue import EXAMPLES, MESSAGES, SCHEMAS, example

FORMATS = FormatChecker(["date"])


@FORMATS.checks("date-time", ValueError)
def _has_a_zone(text: object) -> bool:
    return not isinstance(text, str) or datetime.fromisoformat(text).tzinfo is not None


COMMITTED = {
    type_: Draft202012Validator(schema, format_checker=FORMATS)
    for type_, schema in committed(SCHEMAS).items()
}
every_message = pytest.mark.parametrize("type_", MESSAGES)


@every_message
def test_an_example_says_nothing_that_its_model_does_not_know(type_):
    message = MESSAGES[type_].model_validate_json(json.dumps(example(type_)))
    assert message.model_dump(mode="json", exclude_unset=True) == example(type_)


@every_message
def test_an_example_satisfies_the_committed_schema(type_):
    COMMITTED[type_].validate(example(type_))


@every_message
def test_readers_ignore_fields_that_they_do_not_know(type_):
    model, known = MESSAGES[type_], example(type_)
    assert model.model_validate({**known, "of_a_later_version": {"any": ["thing"]}}) == model.model_validate(
        known
    )
    COMMITTED[type_].validate({**known, "of_a_later_version": {"any": ["thing"]}})


@every_message
def test_a_field_that_is_required_is_required_by_schema_and_model_alike(type_):
    for name in COMMITTED[type_].schema.get("required", ()):
        without = {field: value for field, value in example(type_).items() if field != name}
        assert not COMMITTED[type_].is_valid(without)
        with pytest.raises(ValueError, match=name):
            MESSAGES[type_].model_validate(without)


def test_a_time_without_zone_satisfies_neither_schema_nor_model():
    type_ = "duban.ledger.entry_accepted.v1"
    local = {**example(type_), "at": "2024-04-15T14:31:00"}
    with pytest.raises(ValidationError, match="date-time"):
        COMMITTED[type_].validate(local)
    with pytest.raises(ValueError, match="timezone"):
        MESSAGES[type_].model_validate(local)


@pytest.mark.parametrize("type_", [type_ for type_, message in MESSAGES.items() if issubclass(message, Fact)])
def test_examples_of_facts_play_in_the_spring_of_2024(type_):
    assert "2024-04-01" <= example(type_)["at"] < "2024-07-01"


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.json")), ids=lambda path: path.stem)
def test_an_example_is_written_for_people_too(path):
    text = path.read_text("utf-8")
    assert "\\u" not in text
    assert text.endswith("\n")

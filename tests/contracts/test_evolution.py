"""Messages outlive versions: old ones in new readers, new ones in old readers, and what would break that."""

import json
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from duban_contracts.compatibility import breaks
from duban_contracts.message import Command, Refusal
from duban_contracts.publish import broken_promises, committed, schema_of, tightened
from tests.contracts.catalogue import MESSAGES, RELEASED, SCHEMAS, example

COMMITTED = committed(SCHEMAS)
every_message = pytest.mark.parametrize("type_", MESSAGES)


@every_message
def test_the_models_keep_every_committed_promise(type_):
    assert breaks(COMMITTED[type_], schema_of(MESSAGES[type_])) == []


@every_message
def test_what_an_older_writer_sent_is_read_by_todays_model(type_):
    """The oldest a message can be is one with nothing but what its committed schema requires."""
    needed = COMMITTED[type_].get("required", ())
    MESSAGES[type_].model_validate({name: example(type_)[name] for name in needed})


@every_message
def test_what_todays_model_writes_is_read_by_the_committed_schema(type_):
    message = MESSAGES[type_].model_validate(example(type_))
    Draft202012Validator(COMMITTED[type_]).validate(json.loads(message.model_dump_json()))


def test_only_the_listed_bounds_differ_from_what_was_released():
    """`released.json` holds the schemas of 0.1.0. A list that is longer than the truth is wrong, too."""
    today = {type_: schema_of(message) for type_, message in MESSAGES.items()}
    assert sorted(broken_promises(RELEASED, today)) == sorted(tightened())


def test_only_commands_are_tightened_for_facts_are_read_for_ever():
    for sentence, reason in tightened().items():
        assert issubclass(MESSAGES[sentence.partition(":")[0]], Command)
        assert reason


OLD: dict[str, Any] = {
    "$defs": {
        "Item": {
            "type": "object",
            "properties": {
                "kind": {"type": "string", "enum": ["finding", "overdue"]},
                "since": {"type": "string", "format": "date-time"},
            },
            "required": ["kind", "since"],
        }
    },
    "type": "object",
    "title": "Old",
    "properties": {
        "entry": {"type": "string", "minLength": 1, "maxLength": 200},
        "percent": {"type": "integer", "minimum": 0, "maximum": 100},
        "note": {"type": "string", "default": ""},
        "due": {"anyOf": [{"$ref": "#/$defs/Item"}, {"type": "null"}], "default": None},
        "items": {"type": "array", "items": {"$ref": "#/$defs/Item"}},
        "levels": {"type": "object", "additionalProperties": {"type": "integer", "enum": [1, 2]}},
    },
    "required": ["entry", "items"],
}


def new(*path: str, **words: Any) -> dict[str, Any]:
    """OLD with other words at the place that `path` leads to; None takes a word away."""
    schema = deepcopy(OLD)
    place: Any = schema
    for step in path:
        place = place[step]
    for word, value in words.items():
        place.pop(word, None)
        if value is not None:
            place[word] = value
    return schema


ITEM = ("$defs", "Item", "properties")

BROKEN = {
    "a field is removed": (new("properties", note=None), "note: the field is gone"),
    "a required field is removed": (new("properties", entry=None), "entry: the field is gone"),
    "a type changes": (
        new("properties", note={"type": "integer", "default": ""}),
        "note: type was 'string', is 'integer'",
    ),
    "a field may be null now": (
        new("properties", note={"anyOf": [{"type": "string"}, {"type": "null"}], "default": ""}),
        "note: type was 'string', is absent",
    ),
    "a new field is required": (
        new(properties={**OLD["properties"], "by": {"type": "string"}}, required=["entry", "items", "by"]),
        "by: a new field must be optional",
    ),
    "an optional field becomes required": (
        new(required=["entry", "items", "note"]),
        "note: was optional, is required",
    ),
    "a required field becomes optional": (new(required=["items"]), "entry: was required, is optional"),
    "a limit is narrower": (
        new("properties", "entry", maxLength=40),
        "entry: maxLength was 200, is 40",
    ),
    "a limit is wider": (new("properties", "percent", maximum=200), "percent: maximum was 100, is 200"),
    "a limit is new": (new("properties", "note", maxLength=9), "note: maxLength was absent, is 9"),
    "a limit is gone": (new("properties", "entry", minLength=None), "entry: minLength was 1, is absent"),
    "a format changes": (
        new(*ITEM, "since", format="date"),
        "items[].since: format was 'date-time', is 'date'",
    ),
    "a default changes": (new("properties", "note", default="-"), "note: default was '', is '-'"),
    "an enumeration loses a value": (
        new(*ITEM, "kind", enum=["finding"]),
        "items[].kind: the value 'overdue' is gone",
    ),
    "an enumeration becomes a constant": (
        new(*ITEM, "kind", enum=None, const="finding"),
        "items[].kind: the value 'overdue' is gone",
    ),
    "any text becomes an enumeration": (
        new("properties", "note", enum=["yes", "no"]),
        "note: was absent, is ['yes', 'no']",
    ),
    "the values of a mapping lose one": (
        new("properties", "levels", "additionalProperties", enum=[1]),
        "levels{}: the value 2 is gone",
    ),
    "one of several shapes is gone": (
        new("properties", "due", anyOf=[{"$ref": "#/$defs/Item"}]),
        "due: anyOf was",
    ),
    "a shape inside another one changes": (
        new("$defs", "Item", required=["kind"]),
        "due.since: was required, is optional",
    ),
}


@pytest.mark.parametrize(("schema", "sentence"), BROKEN.values(), ids=BROKEN.keys())
def test_it_breaks_when(schema, sentence):
    assert any(told.startswith(sentence) for told in breaks(OLD, schema))


HARMLESS = {
    "an optional field is added": new(
        properties={**OLD["properties"], "desk": {"type": "string", "default": ""}}
    ),
    "an optional field is added inside": new(
        "$defs",
        "Item",
        properties={**OLD["$defs"]["Item"]["properties"], "ground": {"type": "string", "default": ""}},
    ),
    "an enumeration gains a value": new(*ITEM, "kind", enum=["finding", "overdue", "integrity"]),
    "words for people change": new(title="New", description="Better said"),
    "the order of required fields changes": new(required=["items", "entry"]),
    "a definition is renamed": json.loads(json.dumps(OLD).replace("Item", "OpenItem")),
    "nothing changes": OLD,
}


@pytest.mark.parametrize("schema", HARMLESS.values(), ids=HARMLESS.keys())
def test_it_does_not_break_when(schema):
    assert breaks(OLD, schema) == []


def test_a_constant_that_becomes_an_enumeration_is_one_with_a_further_value():
    one, two = {"const": "finding", "type": "string"}, {"enum": ["finding", "overdue"], "type": "string"}
    assert breaks(one, two) == []
    assert breaks(two, one) == ["the message: the value 'overdue' is gone"]


def test_a_definition_that_contains_itself_is_compared_once():
    def tree(kind: str) -> dict[str, Any]:
        node = {"properties": {"size": {"type": kind}, "below": {"$ref": "#/$defs/Node"}}}
        return {"$defs": {"Node": node}, "$ref": "#/$defs/Node"}

    assert breaks(tree("integer"), tree("integer")) == []
    assert breaks(tree("integer"), tree("string")) == ["size: type was 'integer', is 'string'"]


@given(st.sampled_from(sorted(MESSAGES)), st.sampled_from(sorted(MESSAGES)))
def test_no_message_could_stand_in_for_another_with_other_fields(one, other):
    before, after = schema_of(MESSAGES[one]), schema_of(MESSAGES[other])
    lost = before.get("properties", {}).keys() - after.get("properties", {}).keys()
    told = breaks(before, after)
    assert {f"{name}: the field is gone" for name in lost} <= set(told)


def test_a_new_value_of_an_enumeration_is_not_readable_before_the_reader_is_updated():
    """The price of that permission, as the README says: readers first, then writers."""
    type_ = "duban.ledger.command_refused.v1"
    later = {**example(type_), "reason": "reason_of_a_later_version"}
    assert later["reason"] not in set(Refusal)
    with pytest.raises(ValidationError, match="reason"):
        MESSAGES[type_].model_validate(later)

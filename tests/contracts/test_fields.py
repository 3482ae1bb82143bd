"""Every value that comes from outside is bounded: no field of a command or query takes whatever is sent."""

import json
import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AwareDatetime, BaseModel, TypeAdapter, ValidationError

from duban_contracts.faults import SENTENCES, field_faults, in_words
from duban_contracts.fields import (
    FIRST_YEAR,
    INVISIBLE,
    LAST_YEAR,
    MAX_COMMAND_BYTES,
    Day,
    Key,
    Moment,
    Name,
    OptionalText,
    RequestKey,
    RequestMoment,
    Text,
    bookmark_text,
    has_visible,
)
from duban_contracts.intake import (
    PastOutcome,
    Petitioner,
    StoredMatter,
    StoredOutcome,
    StoredPetitioner,
    SubmitMatter,
)
from duban_contracts.message import Command, Question
from duban_contracts.query_catalogue import CATALOGUE as QUERIES
from services.chassis.queries import bookmark
from tests.contracts.catalogue import MESSAGES
from tests.contracts.largest import largest

COMMANDS = [message for message in MESSAGES.values() if issubclass(message, Command)]
QUESTIONS = sorted({contract.asks for contract in QUERIES.values()}, key=lambda asks: asks.__name__)
REQUESTS: list[type[BaseModel]] = [*COMMANDS, *QUESTIONS]
BOUNDED = re.compile(r"\^\[[^]]+\]\{\d+,\d+\}\$")
"""A pattern of one class of characters that says how many, like that of a token."""
HEADERS = 2_048
"""Of a command whose ids are ASCII and of usual length."""

every_request = pytest.mark.parametrize("request_", REQUESTS, ids=lambda model: model.__name__)


def unbounded(schema: dict[str, Any], definitions: dict[str, Any], path: str = "") -> Iterator[str]:
    """Every place of a JSON Schema that takes arbitrarily much, or a required text that may be blank."""
    if "$ref" in schema:
        schema = definitions[schema["$ref"].rpartition("/")[2]]
    if "enum" in schema or "const" in schema:
        return
    for branch in ("anyOf", "oneOf", "allOf"):
        for each in schema.get(branch, ()):
            yield from unbounded(each, definitions, path)
    match schema.get("type"):
        case "string" if schema.get("format") in ("date", "date-time"):
            if "pattern" not in schema:
                yield f"{path}: use Day or RequestMoment"
        case "string" if not BOUNDED.fullmatch(schema.get("pattern", "")):
            if "maxLength" not in schema:
                yield f"{path}: a text without maxLength"
            if schema.get("minLength") and "pattern" not in schema and not path.endswith("after"):
                yield f"{path}: a text that must be there and may be blank; use Text, Line, Name or Words"
        case "integer" | "number":
            if not {"minimum", "maximum"} <= schema.keys():
                yield f"{path}: a number without limits"
        case "array":
            if "maxItems" not in schema:
                yield f"{path}: a list without maxItems"
            for each in (schema.get("items", {}), *schema.get("prefixItems", ())):
                yield from unbounded(each, definitions, f"{path}[]")
        case "object":
            for name, field in schema.get("properties", {}).items():
                yield from unbounded(field, definitions, f"{path}.{name}".removeprefix("."))
            if isinstance(values := schema.get("additionalProperties"), dict):
                names = schema.get("propertyNames", {})
                names = definitions.get(names.get("$ref", "").rpartition("/")[2], names)
                if "enum" not in names and "maxProperties" not in schema:
                    yield f"{path}: a mapping with any number of keys"
                yield from unbounded(values, definitions, f"{path}{{}}")


@pytest.mark.case("A1", "A2", "A7", "B5", "B17")
@every_request
def test_no_field_of_a_request_is_unbounded(request_):
    schema = request_.model_json_schema()
    assert list(unbounded(schema, schema.get("$defs", {}))) == []


def test_the_search_for_unbounded_fields_finds_each_kind():
    class Loose(Question):
        text: str
        texts: tuple[str, ...]
        blank: Key
        count: int
        day: date
        at: Moment
        by_name: dict[str, int]

    schema = Loose.model_json_schema()
    found = list(unbounded(schema, schema.get("$defs", {})))
    assert {each.partition(":")[0] for each in found} == {
        *("text", "texts", "texts[]", "blank", "count", "day", "at", "by_name", "by_name{}")
    }


def leaves(annotation: Any) -> Iterator[Any]:
    """Every type of a moment or day that a value of this type can hold, with its bounds."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for field in annotation.model_fields.values():
            yield from leaves(field.rebuild_annotation())
    elif getattr(annotation, "__origin__", annotation) in (datetime, date, AwareDatetime):
        yield annotation
    else:
        for argument in get_args(annotation):
            yield from leaves(argument)


REQUESTED = {str(leaf) for request in REQUESTS for leaf in leaves(request)}
LEAVES = {str(leaf): leaf for model in (*MESSAGES.values(), *QUESTIONS) for leaf in leaves(model)}
EXTREMES = [
    f"{year}-{rest}"
    for year in ("0001", "0000", "1899", "2200", "9999")
    for rest in ("01-01", "12-31", "02-01T00:00:00+08:00", "12-01T23:59:59-08:00", "12-30T23:59:59Z")
] + ["0001-01-01T00:00:00+08:00", "9999-12-31T23:59:59-08:00"]


def taken(leaf: Any) -> list[str]:
    """Which of the extremes it takes. Raises whatever is not a validation error."""
    adapter, read = TypeAdapter(leaf), []
    for written in EXTREMES:
        try:
            adapter.validate_json(json.dumps(written))
        except ValidationError:
            continue
        read.append(written)
    return read


@pytest.mark.case("A1", "A2")
@pytest.mark.parametrize("name", LEAVES, ids=range(len(LEAVES)))
def test_a_moment_of_any_year_is_read_or_a_validation_error(name):
    read = taken(LEAVES[name])
    assert not (read and name in REQUESTED)


def test_the_moments_of_facts_and_of_requests_are_found():
    assert REQUESTED
    assert len(LEAVES) > len(REQUESTED)


@given(st.datetimes(timezones=st.timezones() | st.just(None)))
def test_a_moment_in_utc_is_within_its_years(moment):
    adapter = TypeAdapter(RequestMoment)
    try:
        read = adapter.validate_json(json.dumps(moment.isoformat()))
    except ValidationError:
        return
    assert FIRST_YEAR <= read.year <= LAST_YEAR
    assert read.utcoffset() == timedelta(0)
    assert read == datetime.fromisoformat(moment.isoformat())


@pytest.mark.parametrize(
    "value", [0, 1713146400, 1e300, "1713146400", True, None, "2024-04-15", "2024-04-15T14:31:00"]
)
def test_a_moment_is_text_with_a_zone(value):
    with pytest.raises(ValidationError):
        TypeAdapter(RequestMoment).validate_json(json.dumps(value))


@pytest.mark.parametrize(
    "value", [0, 1713139200, "1713139200", "2024-04-15T00:00:00Z", "2024-02-30", "24-04-15"]
)
def test_a_day_is_text_of_year_month_and_day(value):
    with pytest.raises(ValidationError):
        TypeAdapter(Day).validate_json(json.dumps(value))


BLANKS = [
    "",
    " ",
    "\t\n\r",
    "\u3000",
    "\u00a0",
    "\u200b",
    "\u200d\u2060\ufeff",
    "\u3164",
    "\u2800",
    "\ufe0f",
    "\u00ad",
]


@pytest.mark.case("A7")
@pytest.mark.parametrize("blank", BLANKS, ids=ascii)
def test_a_text_that_must_be_there_has_something_to_see(blank):
    for required in (Text, Name, RequestKey):
        with pytest.raises(ValidationError):
            TypeAdapter(required).validate_python(blank)
    assert TypeAdapter(OptionalText).validate_python(blank) == ""


@given(st.text(st.characters(categories=[*INVISIBLE - {"Cs"}]), max_size=20))
def test_nothing_of_an_invisible_category_can_be_seen(text):
    assert not has_visible(text)


@pytest.mark.parametrize("text", ["是", "a", " é ", "👍", "\U00020bb7", "\ue000", "．"])
def test_a_text_with_something_to_see_is_kept_as_it_is(text):
    assert TypeAdapter(Text).validate_python(text) == text


@pytest.mark.case("A4")
@pytest.mark.parametrize(
    "bad", ["\x00", "\x1b", "\x7f", "\x85", "\u200b", "\u202e", "\u2028", "\ufffd", "\n"], ids=ascii
)
def test_a_key_holds_no_character_that_makes_two_keys_look_alike(bad):
    with pytest.raises(ValidationError, match=f"U\\+{ord(bad):04X}"):
        TypeAdapter(RequestKey).validate_python(f"hotline:{bad}1")


@pytest.mark.parametrize("bad", ["\x00", "\x08", "\x1b[31m", "\x9b"], ids=ascii)
def test_a_text_holds_no_character_that_steers_a_terminal(bad):
    for text in (Text, OptionalText):
        with pytest.raises(ValidationError, match="remove the character"):
            TypeAdapter(text).validate_python(f"厕所{bad}堵塞")


@pytest.mark.case("B17")
@pytest.mark.parametrize(
    "mark", ["%%%", "a", "nonsense", "¾", "bm8=\n", "/w==", "_w==", " ", "MTI", "MTI==="]
)
def test_a_bookmark_that_no_page_gave_is_refused(mark):
    with pytest.raises(ValueError, match="of an earlier page"):
        bookmark_text(mark)


@given(st.text())
def test_a_bookmark_gives_back_what_it_was_made_of(text):
    assert bookmark_text(bookmark(text)) == text


@every_request
def test_every_fault_of_a_request_is_told_in_words(request_):
    """An empty object, and one with nothing right in it."""
    wrong = {name: {"no": ["such", "thing"]} for name in request_.model_fields} | {"of_nobody": 1}
    for body in ({}, wrong, [], "text", dict.fromkeys(request_.model_fields, "x" * 20000)):
        try:
            request_.model_validate_json(json.dumps(body))
        except ValidationError as error:
            for fault in field_faults(error):
                assert str(fault).removeprefix(f"{fault.field}: ")
                assert "such" not in str(fault).replace("no such", "")
                assert "xxx" not in str(fault)


def test_a_sentence_that_needs_a_parameter_gets_it():
    body = '{"title": "", "category": "a b", "kind": "?", "materials": [], "due_on": "9999-12-31", "text": 3}'
    with pytest.raises(ValidationError) as caught:
        SubmitMatter.model_validate_json(body)
    assert in_words(caught.value).split("; ") == [
        "title: write at least one visible character",
        f"category: {SENTENCES['not_a_token']}".split("; ")[0],
        SENTENCES["not_a_token"].split("; ")[1],
        "kind: has to be one of 'consult', 'help', 'complaint', 'report' or 'suggestion'",
        "text: write it as text, in quotes",
        f"due_on: the year has to be from {FIRST_YEAR} to {LAST_YEAR}, "
        "or leave the field out if there is no such day",
    ]
    assert {fault.code for fault in field_faults(caught.value)} <= SENTENCES.keys()


@pytest.mark.case("B5")
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.type)
def test_the_largest_command_fits_into_its_stream(command):
    body = largest(command).model_dump_json().encode()
    assert len(body) + HEADERS <= MAX_COMMAND_BYTES


@pytest.mark.parametrize(
    ("asked", "stored"),
    [(SubmitMatter, StoredMatter), (Petitioner, StoredPetitioner), (PastOutcome, StoredOutcome)],
    ids=lambda model: model.__name__,
)
def test_every_field_of_a_matter_is_also_stored(asked, stored):
    assert asked.model_fields.keys() == stored.model_fields.keys()

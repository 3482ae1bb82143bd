"""`docs/integrating.md` says what the code does."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pytest

from duban_contracts import fields
from duban_contracts.charter import Role
from duban_contracts.envelope import JSON, Attributes, PoisonReason, encode
from duban_contracts.identity import digest_of
from duban_contracts.intake import MatterAccepted, ShowPetitioner, SubmitMatter, WithdrawMatter
from duban_contracts.ledger import EntryOpened
from duban_contracts.measures import HOLDER
from duban_contracts.message import Command
from duban_contracts.query_catalogue import CATALOGUE as QUERIES
from duban_contracts.readers import Program, Reader, ReaderRole
from duban_contracts.subjects import subject_of
from duban_contracts.visibility import subjects_heard
from services.chassis.inbox import TOLERANCE
from services.chassis.originals import KEPT_DAYS
from services.intake.decider import ENTRY
from tests.contracts.catalogue import EXAMPLES, MESSAGES

PAGE = (Path(__file__).parents[2] / "docs" / "integrating.md").read_text("utf-8")
EVERY_HEADER = encode(
    Attributes("1", "/s", SubmitMatter.type, datetime(2024, 4, 15, tzinfo=UTC), "k", "c")._replace(
        causation="0",
        acting_for="office",
        revision=1,
        traceparent="00-1-1-00",
        causation_source="/s",
        causation_actor="office",
    )
)
ROWS = {
    "a command, headers and body together": fields.MAX_COMMAND_BYTES,
    "any other message, an answer too": fields.MAX_PAYLOAD_BYTES,
    "a name or post, a material": fields.MAX_NAME,
    "a title, one piece of evidence": fields.MAX_LINE,
    "a reason, a note, an answer to the citizen; but for the next line": fields.MAX_TEXT,
    "the answer to an order, an instruction": fields.MAX_LONG_TEXT,
    "the petitioner's own words": SubmitMatter.model_json_schema()["properties"]["text"]["maxLength"],
    "a key or id": fields.MAX_KEY,
    "a list": fields.MAX_LIST,
}

pytestmark = pytest.mark.case("A17")


@pytest.mark.parametrize("header", [name for name in EVERY_HEADER if name != "Nats-Msg-Id"])
def test_every_header_of_a_message_is_explained(header):
    assert f"`{header}`" in PAGE


@pytest.mark.parametrize("reason", PoisonReason)
def test_every_reason_of_a_dead_letter_says_what_to_do(reason):
    assert re.search(rf"\| `{reason}` \| \S", PAGE)


@pytest.mark.parametrize(("what", "limit"), ROWS.items(), ids=ROWS)
def test_a_limit_in_the_table_is_that_of_the_code(what, limit):
    assert re.search(rf"\| {re.escape(what)} \| {limit}\b", PAGE)


def test_years_type_and_content_are_those_of_the_code():
    assert f"| {fields.FIRST_YEAR} to {fields.LAST_YEAR} |" in PAGE
    assert f"`{JSON}`" in PAGE


def test_every_type_subject_and_question_that_is_named_exists():
    for type_ in re.findall(r"`(duban\.[a-z_.]+\.v1)`", PAGE):
        assert type_ in MESSAGES
    for service, name in re.findall(r"`query\.([a-z]+)\.([a-z_]+)\.v1", PAGE):
        assert f"query.{service}.{name}.v1" in QUERIES
    assert f"`{subject_of(EntryOpened, '*')}`" in PAGE


def test_the_number_is_found_by_the_key_of_the_submission():
    assert {"submission", "entry"} <= EntryOpened.model_fields.keys()
    assert "entry" not in MatterAccepted.model_fields
    assert "submission" in QUERIES["query.ledger.find.v1"].asks.model_fields


@pytest.mark.parametrize("role", [*Role, Program.OPERATOR])
def test_the_subjects_that_each_role_hears_are_listed_and_no_others(role: ReaderRole):
    section = PAGE.partition("## Hearing facts as they happen")[2].partition("\n## ")[0]
    [row] = [line for line in section.splitlines() if line.startswith("|") and f"`{role}`" in line]
    own = "<station>" if role is Role.STATION else "<actor>"
    assert re.findall(r"`([a-z]+\.[^`]+)`", row) == subjects_heard(Reader(own, role))


def test_the_digest_of_the_page_is_that_of_the_code():
    type_, body = SubmitMatter.type, '{"title": "村口公厕堵塞", "category": "public_toilet"}'
    assert body in PAGE
    digest = digest_of(type_, body.encode())
    [plain] = re.findall(r"```text\n(.*?)\n```", PAGE, re.DOTALL)
    assert f"`{digest}`" in PAGE
    assert blake2b(plain.encode(), digest_size=12).hexdigest() == digest


def test_how_far_clocks_may_go_and_how_long_letters_are_known_are_those_of_the_code():
    assert f"more than {TOLERANCE // timedelta(minutes=1)} minutes ahead" in PAGE
    assert f"(for {KEPT_DAYS} days)" in PAGE


def test_the_keys_that_nobody_may_use_are_those_of_the_code():
    assert f"| beginning with `{ENTRY}` or `{HOLDER}` | nobody |" in PAGE


@pytest.mark.parametrize(
    "path", sorted((EXAMPLES.parents[1] / "examples").iterdir()), ids=lambda path: path.name
)
def test_an_example_uses_keys_of_its_own_actor(path):
    """A feed may not use the prefix of another."""
    assert "hotline:" not in path.read_text("utf-8")


def limits(schema: Any, words: tuple[str, ...] = ("maxLength", "maxItems")) -> Iterator[int]:
    if isinstance(schema, dict):
        yield from (schema[word] for word in words if isinstance(schema.get(word), int))
    for each in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from limits(each, words)


def test_no_text_or_list_of_a_command_has_a_limit_that_the_table_does_not_name():
    commands = [each for each in MESSAGES.values() if issubclass(each, Command)]
    found = {limit for each in commands for limit in limits(each.model_json_schema())}
    named = {int(limit) for limit in re.findall(r"\| (\d+) (?:characters|items) \|", PAGE)}
    assert found <= named


def test_the_shorter_reasons_are_as_the_table_says():
    for command in (WithdrawMatter, ShowPetitioner):
        assert command.model_json_schema()["properties"]["reason"]["maxLength"] == 500
    assert "| 500 characters |" in PAGE

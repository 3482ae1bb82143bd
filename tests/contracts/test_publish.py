"""`make contracts` writes what the models say, and keeps what was promised."""

import json
from typing import Any

import pytest

from duban_contracts import ledger
from duban_contracts.message import Fact, Message
from duban_contracts.publish import (
    BEGIN,
    BEGIN_QUERIES,
    END,
    END_QUERIES,
    meaning,
    publish,
    query_table,
    table,
    with_table,
)
from duban_contracts.query_catalogue import CATALOGUE

QUESTIONS = f"{BEGIN_QUERIES}\n{query_table(CATALOGUE)}\n{END_QUERIES}"
README = f"# Title\n\n{BEGIN}\nold table\n{END}\n\nafterwards\n{QUESTIONS}\n"


@pytest.fixture
def place(tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text(README, "utf-8")
    return tmp_path / "schemas", readme


def catalogue(*messages: type[Message]) -> dict[str, type[Message]]:
    return {message.type: message for message in messages}


def changed(base: type[Message], **fields: Any) -> type[Message]:
    """A later shape of the same message, outside the catalogue."""
    annotations = {name: annotation for name, (annotation, _) in fields.items()}
    defaults = {name: default for name, (_, default) in fields.items() if default is not ...}
    return type(base.__name__, (base,), {"__annotations__": annotations, **defaults})


def test_every_message_gets_a_schema_with_an_id_and_a_title(place):
    schemas, readme = place
    assert publish(catalogue(ledger.EntryAccepted), schemas, readme) == []
    schema = json.loads((schemas / "duban.ledger.entry_accepted.v1.json").read_text("utf-8"))
    assert schema["$id"] == "urn:duban:ledger:entry_accepted:v1"
    assert schema["title"] == "duban.ledger.entry_accepted.v1"
    assert schema["required"] == ["at", "entry"]


def test_only_the_table_in_the_readme_is_replaced(place):
    schemas, readme = place
    publish(catalogue(ledger.EntryAccepted), schemas, readme)
    before, _, rest = readme.read_text("utf-8").partition(BEGIN)
    assert before == "# Title\n\n"
    assert rest.startswith("\n| type |")
    assert rest.endswith(f"{END}\n\nafterwards\n{QUESTIONS}\n")
    assert "old table" not in rest


def test_publishing_twice_changes_nothing(place):
    schemas, readme = place
    publish(catalogue(ledger.EntryAccepted), schemas, readme)
    once = readme.read_text("utf-8"), {path: path.read_bytes() for path in schemas.iterdir()}
    publish(catalogue(ledger.EntryAccepted), schemas, readme)
    assert once == (readme.read_text("utf-8"), {path: path.read_bytes() for path in schemas.iterdir()})


def test_an_added_optional_field_is_published(place):
    schemas, readme = place
    publish(catalogue(ledger.EntryAccepted), schemas, readme)
    grown = changed(ledger.EntryAccepted, desk=(str, ""))
    assert publish(catalogue(grown), schemas, readme) == []
    assert "desk" in (schemas / f"{grown.type}.json").read_text("utf-8")


def test_an_incompatible_schema_is_refused_and_nothing_is_written(place):
    schemas, readme = place
    publish(catalogue(ledger.EntryAccepted), schemas, readme)
    before = readme.read_text("utf-8"), (schemas / f"{ledger.EntryAccepted.type}.json").read_bytes()
    stricter = changed(ledger.EntryAccepted, desk=(str, ...))
    assert publish(catalogue(stricter, ledger.EntryOverdue), schemas, readme) == [
        "duban.ledger.entry_accepted.v1: desk: a new field must be optional"
    ]
    assert before == (readme.read_text("utf-8"), (schemas / f"{stricter.type}.json").read_bytes())
    assert not (schemas / f"{ledger.EntryOverdue.type}.json").exists()


def test_a_message_that_was_promised_does_not_vanish(place):
    schemas, readme = place
    publish(catalogue(ledger.EntryAccepted, ledger.EntryOverdue), schemas, readme)
    assert publish(catalogue(ledger.EntryOverdue), schemas, readme) == [
        "duban.ledger.entry_accepted.v1: the message is gone"
    ]


def test_a_readme_without_the_markers_is_refused():
    with pytest.raises(ValueError, match="put the table's place back"):
        with_table("# Title\n", "| a |")


def test_the_table_names_subject_senders_listeners_and_meaning():
    rows = table(catalogue(ledger.Reopen, ledger.AcceptanceOverdue)).splitlines()[2:]
    assert rows == [
        "| `duban.ledger.reopen.v1` | `cmd.ledger.reopen.v1.<actor>` | gateway, office | ledger "
        "| A struck-off entry comes back under its old number. |",
        "| `duban.ledger.acceptance_overdue.v1` | `evt.ledger.acceptance_overdue.v1.<station>` | ledger "
        "| escalation | Nobody signed for it in time. |",
    ]


class CommandMoved(Fact):
    pass


def test_a_message_without_a_docstring_says_what_its_namesake_says():
    assert meaning(ledger.LedgerCommandRefused).startswith('The answer "no"')


def test_a_message_without_a_docstring_does_not_say_what_its_whole_family_says():
    assert meaning(CommandMoved) == ""

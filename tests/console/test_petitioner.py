"""`duban petitioner` shows who is behind an entry, and says where the petitioner wants to stay unnamed."""

from datetime import UTC, datetime
from typing import Any

import pytest
from typer.testing import CliRunner

from duban_contracts.charter import Charter
from duban_contracts.intake import Channel
from duban_contracts.queries import PetitionerRead
from services.console import cli
from services.console.petitioner import table
from services.console.sentences import Town

pytestmark = pytest.mark.case("A18")


def shown(township: Charter, **fields: Any) -> str:
    at = datetime(2024, 4, 15, 1, tzinfo=UTC)
    about = {"entry": "2024-000123", "submission": "web:1", "title": "垃圾", "channel": Channel.WEB}
    made = table(PetitionerRead.model_validate({**about, "submitted_at": at, **fields}), Town(township))
    return " ".join(str(cell) for column in made.columns for cell in column.cells)


def test_name_telephone_and_words_are_shown_whole(township: Charter) -> None:
    text = shown(township, petitioner={"name": "王小明", "phone": "13957146280"}, text="我是王小明")
    assert all(part in text for part in ("王小明", "13957146280", "我是王小明", "2024-04-15 09:00"))
    assert "unnamed" not in text


def test_who_is_withheld_is_said_to_be(township: Charter) -> None:
    assert "the office alone sees who it is" in shown(township, withheld=True)
    assert "wants to stay unnamed" in shown(township, petitioner={"name": "王", "confidential": True})


def test_without_an_actor_nothing_is_asked() -> None:
    asked = ["--nats", "nats://127.0.0.1:9", "petitioner", "2024-000123", "--reason", "r", "--actor", ""]
    assert CliRunner().invoke(cli.app, asked).exit_code == 2

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from duban_contracts import rating, topology
from duban_contracts.intake import Outcome
from duban_contracts.ledger import EntryStruckOff
from duban_contracts.message import Message
from services.chassis.charter_file import read_charter
from services.chassis.decider import Asked
from services.chassis.heard import Heard
from services.rating.decider import (
    EndRedo,
    InviteRating,
    Rate,
    RecordCallback,
    RecordRectification,
    Round,
)
from services.rating.handlers import HEARS

TOWNSHIP = read_charter(Path(__file__).parents[2] / "deploy" / "charters" / "township-2024.yaml")
NOW = datetime(2024, 4, 15, 2, tzinfo=UTC)
KEY = "2024-000123/2"


def wanted(data: Message, key: str = KEY, actor: str = "gateway") -> list[tuple[str, Any]]:
    heard = Heard(id="m1", key=key, data=data, now=NOW, actor=actor, told_by=actor)
    return list(HEARS[type(data)](heard, TOWNSHIP))


def struck_off(number: int, past: bool = False) -> EntryStruckOff:
    return EntryStruckOff(
        at=NOW,
        station="bianmin",
        entry="2024-000123",
        round=number,
        by="office",
        outcome=Outcome.SOLVED,
        past=past,
    )


def asked(command: str, actor: str) -> Asked:
    return Asked(NOW, actor, KEY, command)


def test_exactly_what_the_topology_names_is_heard() -> None:
    assert set(HEARS) == {*topology.commands_of("rating"), *topology.HEARS["rating"]}


def test_the_first_round_struck_off_is_to_be_rated() -> None:
    invite = InviteRating(NOW, Round("2024-000123", 1, "bianmin"))
    assert wanted(struck_off(1), "2024-000123", "ledger") == [("2024-000123/1", invite)]


def test_a_redo_round_struck_off_is_to_be_rated_and_ends_the_redo_of_the_round_before() -> None:
    invite = InviteRating(NOW, Round("2024-000123", 2, "bianmin"))
    assert wanted(struck_off(2), "2024-000123", "ledger") == [
        ("2024-000123/2", invite),
        ("2024-000123/1", EndRedo(NOW)),
    ]


def test_what_was_closed_before_it_came_here_is_not_to_be_rated() -> None:
    assert wanted(struck_off(1, past=True), "2024-000123", "ledger") == []


def test_a_redo_closed_elsewhere_still_ends_the_redo_of_the_round_before() -> None:
    assert wanted(struck_off(2, past=True), "2024-000123", "ledger") == [("2024-000123/1", EndRedo(NOW))]


def test_a_rating_goes_to_the_round_it_is_about() -> None:
    dimensions = {rating.Dimension.ATTITUDE: rating.Level.SATISFIED}
    said = rating.Rate(level=rating.Level.DISSATISFIED, dimensions=dimensions)
    command = Rate(asked("rate", "gateway"), rating.Level.DISSATISFIED, dimensions, "gateway")
    assert wanted(said) == [(KEY, command)]


def test_a_callback_goes_to_the_round_it_is_about() -> None:
    said = rating.RecordCallback(result=rating.CallbackResult.CONFIRMED, note="called at noon")
    command = RecordCallback(
        asked("record_callback", "office"), rating.CallbackResult.CONFIRMED, "called at noon"
    )
    assert wanted(said, actor="office") == [(KEY, command)]


def test_a_rectification_goes_to_the_round_it_is_about() -> None:
    said = rating.RecordRectification(note="counter two opens earlier")
    command = RecordRectification(asked("record_rectification", "bianmin"), "counter two opens earlier")
    assert wanted(said, actor="bianmin") == [(KEY, command)]

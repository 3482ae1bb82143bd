"""Who reports what others did is believed within bounds that the charter sets."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from duban_contracts.charter import Actor, Role
from duban_contracts.envelope import Attributes, encode
from duban_contracts.ledger import Accept, Verify
from duban_contracts.message import Command, Refusal
from duban_contracts.subjects import subject_of
from services.chassis.charter_file import read_charter
from services.chassis.decider import Refuse
from services.chassis.inbox import Delivery, read
from tests.conftest import CHARTERS

STORED = datetime(2024, 5, 10, 1, tzinfo=UTC)
FEED: dict[str, Any] = {"name": "archive", "role": Role.FEED, "may_act_for": True}
STATIONS = {"acts_for": (Role.STATION, Role.GATEWAY)}


def refused(feed: dict[str, Any], command: Command, acting_for: str) -> Refusal | None:
    found = refusal_of(feed, command, acting_for)
    return found.reason if found else None


def refusal_of(feed: dict[str, Any], command: Command, acting_for: str) -> Refuse | None:
    actors = {
        "archive": Actor(**FEED, **feed),
        "bianmin": Actor(name="bianmin", role=Role.STATION, station="bianmin"),
        "office": Actor(name="office", role=Role.OFFICE),
    }
    about = Attributes(
        id="1",
        source="/archive",
        type=command.type,
        time=None,
        key="2024-000001",
        correlation="1",
        acting_for=acting_for,
    )
    subject = subject_of(command, "archive")
    found = read(Delivery(subject, encode(about), command.model_dump_json().encode(), STORED), actors)
    return found.refused


@pytest.mark.parametrize("named", ["office", "bianmin", "nobody"])
def test_who_names_another_without_the_right_is_refused_himself(named: str) -> None:
    found = refusal_of({"acts_for": ()}, Accept(), named)
    assert found is not None
    assert found.asked.actor == "archive"


@pytest.mark.case("B16")
@pytest.mark.parametrize(
    ("feed", "acting_for", "reason"),
    [
        ({}, "office", None),
        (STATIONS, "bianmin", None),
        (STATIONS, "office", Refusal.NOT_BELIEVED),
        ({"acts_until": date(2024, 5, 10)}, "bianmin", None),
        ({"acts_until": date(2024, 5, 9)}, "bianmin", Refusal.NOT_BELIEVED),
    ],
)
def test_acting_for_others_ends_where_the_charter_says(
    feed: dict[str, Any], acting_for: str, reason: Refusal | None
) -> None:
    command = Verify(passed=True) if acting_for == "office" else Accept()
    assert refused(feed, command, acting_for) == reason


@pytest.mark.case("B16")
@pytest.mark.parametrize("name", ["township-2024", "myla311"])
def test_no_actor_of_a_shipped_charter_acts_for_others(name: str) -> None:
    charter = read_charter(CHARTERS / f"{name}.yaml")
    assert not any(actor.may_act_for for actor in charter.actors.values())

"""A conduct matter does not exist for who may not see it, whatever he asks of it."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from duban_contracts.charter import MatterKind, Role
from duban_contracts.intake import Channel, Outcome
from duban_contracts.ledger import LedgerCommandRefused
from duban_contracts.message import Refusal
from duban_contracts.readers import Reader
from services.chassis.charter_file import read_charter
from services.chassis.decider import Asked
from services.ledger.applications import RaiseObjection
from services.ledger.decider import Accept, Matter, Open, RecordProgress, Reopen, Resolve, Verify
from services.ledger.register_kinds import register
from services.ledger.views.listing import _has_brought
from tests.given import Given

TOWN = read_charter(Path(__file__).parents[2] / "deploy/charters/township-2024.yaml")
NUMBER = "2024-000002"
NOW = datetime(2024, 4, 15, 2, 0, tzinfo=UTC)
given = Given(register(TOWN))
MATTER = Matter(
    submission="hotline:c6",
    title="办事推诿",
    category="conduct",
    kind=MatterKind.COMPLAINT,
    station="jiwei",
    petitioner="p-1",
    channel=Channel.HOTLINE,
    restricted=True,
    source="gateway",
)


def opened(matter: Matter = MATTER) -> Given:
    return given(*given.when(Open(NOW, NUMBER, matter)))


def asked(actor: str) -> Asked:
    return Asked(NOW, actor, NUMBER, "accept")


def every_request(actor: str) -> list[Any]:
    of = asked(actor)
    return [
        Accept(of),
        RecordProgress(of, "在办", None, ()),
        Resolve(of, Outcome.SOLVED, "已办结"),
        Verify(of, True, ""),
        Reopen(of, "没有解决"),
        RaiseObjection(of, "不同意"),
    ]


@pytest.mark.parametrize("actor", ["qingjieban", "import", "nobody-we-know"])
def test_for_a_stranger_a_conduct_matter_has_no_number(actor: str) -> None:
    for request in every_request(actor):
        told = opened().when(request)
        assert told == given().when(request)
        assert [event.reason for event in told] == [Refusal.NO_SUCH_ENTRY]


@pytest.mark.parametrize("actor", ["qingjieban", "import"])
def test_any_other_entry_says_how_it_stands(actor: str) -> None:
    plain = replace(MATTER, restricted=False)
    [told] = opened(plain).when(Accept(asked(actor)))
    assert isinstance(told, LedgerCommandRefused)
    assert told.reason is Refusal.NOT_THE_HANDLER


@pytest.mark.parametrize("actor", ["office", "discipline", "gateway"])
def test_who_may_see_it_or_brought_it_is_told_why_not(actor: str) -> None:
    [told] = opened().when(Verify(asked(actor), True, ""))
    assert told.reason is not Refusal.NO_SUCH_ENTRY


def test_the_station_that_has_it_in_hand_is_told_why_not() -> None:
    at_station = opened(replace(MATTER, station="qingjieban"))
    [told] = at_station.when(Resolve(asked("qingjieban"), Outcome.SOLVED, ""))
    assert told.reason is not Refusal.NO_SUCH_ENTRY


@pytest.mark.parametrize(
    ("source", "actor", "role", "has"),
    [
        ("gateway", "gateway", Role.GATEWAY, True),
        ("gateway", "import", Role.FEED, False),
        ("import", "import", Role.FEED, True),
        ("import", "gateway", Role.GATEWAY, False),
        ("intake", "gateway", Role.GATEWAY, True),  # by the earlier release, which did not store it
        ("intake", "import", Role.FEED, False),
        ("gateway", "qingjieban", Role.STATION, False),
    ],
)
async def test_the_number_is_a_receipt_for_its_bringer(
    source: str, actor: str, role: Role, has: bool
) -> None:
    state = opened(replace(MATTER, source=source)).state

    async def states(_: str, keys: list[str]) -> dict[str, tuple[int, Any]]:
        return dict.fromkeys(keys, (1, state))

    reading: Any = SimpleNamespace(states=states, charter=TOWN, reader=Reader(actor, role), actor=actor)
    assert await _has_brought(reading, NUMBER) is has

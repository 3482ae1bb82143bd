"""Of a fact that was stored as restricted, a history shows as little as any other way to it."""

from datetime import UTC, datetime

import pytest
from nats.js.api import RawStreamMsg

from duban_contracts.charter import Role
from duban_contracts.rating import Rectified
from duban_contracts.readers import Reader
from services.chassis.documents import Event
from services.chassis.past_facts import may_hear
from services.chassis.queries import shown_to
from services.chassis.telling import CHANNEL_HEADER, VISIBILITY_HEADER

AT = datetime(2024, 4, 15, 9, tzinfo=UTC)


@pytest.mark.parametrize(("role", "sees"), [(Role.LEADER, False), (Role.OFFICE, True)])
def test_what_was_stored_as_restricted_is_shown_to_inspectors_only(role: Role, sees: bool) -> None:
    said = Event("duban.rating.rectified.v1", "jiwei", AT.isoformat(), _body(), restricted=True)
    assert shown_to(Reader("mayor", role), said) is sees
    assert shown_to(Reader("mayor", role), said._replace(restricted=False))


@pytest.mark.parametrize(("actor", "sees"), [("gateway", True), ("hotline", False)])
def test_a_channel_is_shown_of_its_conduct_matters_what_it_was_told_live(actor: str, sees: bool) -> None:
    channel = Reader(actor, Role.GATEWAY)
    kept = Event("duban.rating.rectified.v1", "jiwei", AT.isoformat(), _body(), True, "gateway")
    assert shown_to(channel, kept) is sees
    headers = {VISIBILITY_HEADER: "restricted", CHANNEL_HEADER: "gateway"}
    told = RawStreamMsg("restricted.rating.rectified.v1.jiwei", 1, _body().encode(), headers=headers)
    assert may_hear(channel, "rating", told) is sees


def test_a_station_hears_afterwards_of_a_matter_that_it_brought_and_another_handles() -> None:
    headers = {VISIBILITY_HEADER: "open", CHANNEL_HEADER: "bianmin"}
    told = RawStreamMsg("evt.rating.rectified.v1.jiwei", 1, _body().encode(), headers=headers)
    assert may_hear(Reader("bianmin", Role.STATION), "rating", told)
    assert not may_hear(Reader("qingjieban", Role.STATION), "rating", told)


def _body() -> str:
    return Rectified(at=AT, station="jiwei", entry="2024-000001", round=1).model_dump_json(exclude_none=True)

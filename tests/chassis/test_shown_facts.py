"""Of a fact that was stored as restricted, a history shows as little as any other way to it."""

from datetime import UTC, datetime

import pytest

from duban_contracts.charter import Role
from duban_contracts.rating import Rectified
from duban_contracts.readers import Reader
from services.chassis.documents import Event
from services.chassis.queries import shown_to

AT = datetime(2024, 4, 15, 9, tzinfo=UTC)


@pytest.mark.parametrize(("role", "sees"), [(Role.LEADER, False), (Role.OFFICE, True)])
def test_what_was_stored_as_restricted_is_shown_to_inspectors_only(role: Role, sees: bool) -> None:
    said = Event("duban.rating.rectified.v1", "jiwei", AT.isoformat(), _body(), restricted=True)
    assert shown_to(Reader("mayor", role), said) is sees
    assert shown_to(Reader("mayor", role), said._replace(restricted=False))


def _body() -> str:
    return Rectified(at=AT, station="jiwei", entry="2024-000001", round=1).model_dump_json(exclude_none=True)

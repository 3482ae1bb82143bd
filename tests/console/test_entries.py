"""How an entry is shown on the terminal."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from duban_contracts.reading import EntryInFull
from services.console.entries import FIELDS, in_full, is_late
from services.console.sentences import Town

DUE = datetime(2024, 4, 22, 16, tzinfo=UTC)
BEFORE = DUE - timedelta(microseconds=1)


def entry(**fields: Any) -> EntryInFull:
    shown = {"number": "2024-000123", "status": "accepted", "station": "xincunban", "title": "路灯不亮"}
    times = {"opened_at": BEFORE - timedelta(days=5), "updated_at": BEFORE, "due_at": DUE}
    return EntryInFull.model_validate(shown | times | fields)


def test_every_field_of_an_entry_has_a_name_for_people() -> None:
    assert set(FIELDS) == set(EntryInFull.model_fields)


def test_no_progress_at_all_is_shown_and_what_is_not_known_is_not() -> None:
    shown = dict(in_full(entry(percent=0), Town()))
    assert shown["Percent"] == "0"
    assert not {"Leader", "Outcome", "On hold"} & set(shown)


@pytest.mark.parametrize(
    ("fields", "now", "late"),
    [
        ({}, BEFORE, False),
        ({}, DUE, True),
        ({"due_at": None}, DUE, False),
        ({"held": True}, DUE, False),
        ({"status": "resolved", "late": False}, DUE, False),
        ({"status": "resolved", "late": True}, BEFORE, True),
        ({"status": "struck_off", "late": None}, DUE, False),
        ({"status": "closed"}, DUE, False),
    ],
)
def test_an_entry_is_late_as_long_as_its_answer_is_owed_and_then_as_late_as_that_was(
    fields: dict[str, Any], now: datetime, late: bool
) -> None:
    assert is_late(entry(**fields), now) is late

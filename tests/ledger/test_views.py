"""What an entry can be found by."""

from datetime import timedelta
from typing import Any

import bson
import pytest

from duban_contracts.intake import Outcome, PastOutcome
from services.ledger.decider import Unopened, Withdraw
from services.ledger.views import INDEXES, PARTIAL_INDEXES, row
from tests.ledger.register import (
    DUE,
    EARLY,
    NUMBER,
    OPENED,
    accept,
    given,
    open_,
    progress,
    resolve,
    story,
    verify,
)

WITHDRAW = Withdraw(EARLY, NUMBER, "xincunban")


def row_after(*commands: Any) -> dict[str, Any]:
    found = row(given(*story(*commands)).state)
    assert found is not None
    return found


def test_an_open_entry_is_found_by_station_status_due_date_and_submission() -> None:
    assert row_after(open_()) == {
        "number": NUMBER,
        "submission": "hotline:4711",
        "station": "xincunban",
        "co_handlers": ["qingjieban"],
        "status": "open",
        "situation": "unsigned",
        "category": "rural_road",
        "kind": "help",
        "village": "dongcun",
        "title": "路灯不亮",
        "priority": "normal",
        "restricted": False,
        "round": 1,
        "opened_at": OPENED,
        "due_at": DUE,
        "due": story(open_())[0].due.model_dump(mode="json"),
        "updated_at": OPENED,
        "outcome": None,
        "late": None,
        "held": False,
        "open": True,
        "revision": 7,
        "entry_kind": "matter",
        "stage": None,
        "measure": None,
        "about": "",
        "leader": None,
        "note": "",
        "percent": None,
        "ended_at": None,
        "due_key": "20240422T160000|2024-000123",
        "updated_key": "20240415T020000|2024-000123",
        "public_key": None,
        "reclassified_from": None,
        "nearby": "rural_road|dongcun",
        "resembles": [],
        "merged_into": None,
        "merged": [],
        "plain": "路灯不亮",
        "grams": ["路灯", "灯不", "不亮"],
    }


@pytest.mark.parametrize(
    ("commands", "status"),
    [
        ([open_(), accept()], "accepted"),
        ([open_(), resolve()], "resolved"),
        ([open_(), resolve(), verify(EARLY + timedelta(hours=1))], "struck_off"),
        ([open_(), resolve(), verify(EARLY, passed=False, reason="没好")], "accepted"),
        ([open_(past=PastOutcome(outcome=Outcome.EXPLAINED))], "struck_off"),
        ([open_(), WITHDRAW], "closed"),
    ],
)
def test_the_status_says_where_an_entry_stands(commands: list[Any], status: str) -> None:
    assert row_after(*commands)["status"] == status


def test_what_nothing_is_due_for_has_no_due_date_and_restricted_entries_say_so() -> None:
    found = row_after(open_(limit=None, restricted=True))
    assert (found["due_at"], found["restricted"]) == (None, True)


def test_the_row_follows_the_round_and_the_last_thing_done() -> None:
    found = row_after(open_(), resolve(), verify(EARLY, passed=False, reason="没好"))
    assert (found["round"], found["due_at"], found["updated_at"]) == (2, DUE, EARLY)


def test_what_was_last_said_and_when_it_ended_stand_in_the_row() -> None:
    assert row_after(open_(), progress())["percent"] == 50
    assert row_after(open_(), progress())["note"] == "已派人"
    at = EARLY + timedelta(hours=1)
    found = row_after(open_(), progress(), resolve(), verify(at))
    assert (found["note"], found["ended_at"], found["open"]) == ("已修好", at, False)


def test_what_is_never_due_comes_after_everything_that_is() -> None:
    assert row_after(open_(limit=None))["due_key"] == f"~|{NUMBER}" > row_after(open_())["due_key"]


def test_there_is_no_row_before_there_is_an_entry() -> None:
    assert row(Unopened()) is None
    assert row(given(*given.when(WITHDRAW)).state) is None


def test_every_index_is_over_fields_that_a_row_has() -> None:
    assert {field for index in INDEXES + PARTIAL_INDEXES for field, _ in index} <= set(row_after(open_()))


def test_a_row_holds_what_bson_knows() -> None:
    kept = row_after(open_())
    assert bson.decode(bson.encode(kept), bson.CodecOptions(tz_aware=True)) == kept

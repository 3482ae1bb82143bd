"""What only the charter can tell is refused before it is decided."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from duban_contracts.intake import (
    DeclineMatter,
    DeclineReason,
    Outcome,
    PastOutcome,
    Petitioner,
    SubmitMatter,
    SupplementMatter,
    WithdrawMatter,
)
from duban_contracts.message import Message, Refusal
from duban_contracts.topology import HEARS as LISTENS
from duban_contracts.topology import commands_of
from services.chassis.charter_file import read_charter
from services.chassis.decider import Refuse
from services.chassis.heard import Heard
from services.intake.decider import Decline, Submit, Supplement, Withdraw
from services.intake.handlers import HEARS
from services.ledger.measures.handlers import holder

TOWN = read_charter(Path(__file__).parents[2] / "deploy/charters/township-2024.yaml")
KEY = "hotline:4711"
NOW = datetime(2024, 4, 15, 2, 0, tzinfo=UTC)
MARK = "张三-13800000000"


def heard(data: Message, told_by: str = "gateway") -> Heard[Any]:
    return Heard("m1", KEY, data, NOW, actor="gateway", told_by=told_by)


def handle(data: Message, told_by: str = "gateway") -> Iterable[tuple[str, Any]]:
    return list(HEARS[type(data)](heard(data, told_by), TOWN))


def matter(**fields: object) -> SubmitMatter:
    return SubmitMatter.model_validate({"title": "垃圾无人清运", "category": "garbage", **fields})


def refused(data: Message, told_by: str = "gateway") -> Refuse:
    [(key, refuse)] = handle(data, told_by)
    assert key == KEY
    assert isinstance(refuse, Refuse)
    return refuse


def past(closed_at: datetime | None) -> PastOutcome:
    return PastOutcome(outcome=Outcome.SOLVED, closed_at=closed_at)


def test_every_message_for_intake_has_its_handler() -> None:
    assert set(HEARS) == {*commands_of("intake"), *LISTENS["intake"]}


def test_a_request_becomes_its_command_under_its_own_key() -> None:
    submitted = matter(village="dongcun")
    asked = heard(submitted).asked
    assert handle(submitted) == [(KEY, Submit(asked, submitted, "gateway"))]

    supplement = SupplementMatter(materials=("身份证",))
    assert handle(supplement) == [(KEY, Supplement(heard(supplement).asked, ("身份证",), "gateway"))]

    withdraw = WithdrawMatter(reason="不要了")
    assert handle(withdraw) == [(KEY, Withdraw(heard(withdraw).asked, "不要了", "gateway"))]

    decline = DeclineMatter(reason=DeclineReason.COURT, explanation="请向法院起诉")
    declined = Decline(heard(decline).asked, DeclineReason.COURT, "请向法院起诉", "gateway")
    assert handle(decline) == [(KEY, declined)]


@pytest.mark.parametrize(
    ("key", "sender", "may"),
    [
        ("hotline:c6", "qingjieban", False),
        ("hotline:c6", "gateway", True),
        ("hotline:c6", "office", True),
        ("hotline:c6", "import", True),  # it reports what came in elsewhere
        ("gateway:c6", "import", False),
        ("qingjieban:c6", "import", False),
        ("qingjieban:c6", "qingjieban", True),
        ("jiwei:c6", "qingjieban", False),
        ("jiwei:c6", "discipline", True),  # the station that the commission is
        (":c6", "qingjieban", False),
        ("0193f6a2-7f6e-7e3c-9d0e-5b8a6f1c2d3e", "qingjieban", True),
    ],
)
def test_a_prefixed_key_is_for_its_own_feed(key: str, sender: str, may: bool) -> None:
    submitted = Heard("m1", key, matter(), NOW, actor=sender, told_by=sender)
    [(to, command)] = list(HEARS[SubmitMatter](submitted, TOWN))
    assert to == key
    if may:
        assert isinstance(command, Submit)
    else:
        assert isinstance(command, Refuse)
        assert command.reason is Refusal.NOT_ALLOWED
        assert f"begin yours with {sender}:" in command.detail


@pytest.mark.parametrize("sender", ["gateway", "office", "import"])
@pytest.mark.parametrize("key", ["entry/2024-000123", holder("2024", "p1-2-1")])
def test_a_submission_cannot_take_the_key_of_an_entry_nor_the_number_of_a_measure(
    key: str, sender: str
) -> None:
    """One register numbers both: a measure whose number a matter holds would never be opened."""
    submitted = Heard("m1", key, matter(), NOW, actor=sender, told_by=sender)
    [(_, refuse)] = list(HEARS[SubmitMatter](submitted, TOWN))
    assert isinstance(refuse, Refuse)
    assert refuse.reason is Refusal.WRONG_STATE
    assert "name the submission otherwise" in refuse.detail


@pytest.mark.parametrize(
    ("fields", "reason", "hint"),
    [
        ({"category": "garbag"}, Refusal.UNKNOWN_CATEGORY, "did you mean 'garbage'"),
        (
            {"category": "xyz"},
            Refusal.UNKNOWN_CATEGORY,
            f"it has {len(TOWN.categories)}, which `duban list` and the question `charter` tell",
        ),
        ({"village": "dongcum"}, Refusal.UNKNOWN_VILLAGE, "did you mean 'dongcun'"),
        ({"station": "bianmim"}, Refusal.UNKNOWN_STATION, "did you mean 'bianmin'"),
    ],
)
def test_a_name_that_the_charter_does_not_have_is_refused_with_the_nearest_one(
    fields: dict[str, str], reason: Refusal, hint: str
) -> None:
    refuse = refused(matter(**fields), "import")
    assert refuse.reason is reason
    assert hint in refuse.detail


@pytest.mark.parametrize(
    "fields", [{"station": "bianmin"}, {"due_on": date(2024, 5, 1)}, {"past": past(NOW)}]
)
def test_station_deadline_and_past_are_believed_only_from_marked_actors(fields: dict[str, object]) -> None:
    refuse = refused(matter(**fields))
    assert refuse.reason is Refusal.NOT_BELIEVED
    assert repr(next(iter(fields))) in refuse.detail
    assert refused(matter(**fields), "nobody-we-know").reason is Refusal.NOT_BELIEVED
    [(_, command)] = handle(matter(**fields), "import")
    assert isinstance(command, Submit)


def test_a_case_cannot_have_been_closed_before_it_was_submitted() -> None:
    early = past(NOW - timedelta(microseconds=1))
    assert refused(matter(past=early), "import").reason is Refusal.WRONG_STATE
    for possible in (past(NOW), past(None)):
        [(_, command)] = handle(matter(past=possible), "import")
        assert isinstance(command, Submit)


def test_a_refusal_names_nobody() -> None:
    person = Petitioner(name=MARK, phone=MARK, on_behalf_of=MARK)
    for wrong in ({"category": "garbag"}, {"station": "bianmin"}, {"village": "x"}):
        refuse = refused(matter(text=MARK, petitioner=person, materials=(MARK,), **wrong))
        assert MARK not in refuse.detail

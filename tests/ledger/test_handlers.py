"""What the ledger hears, and for which number."""

from typing import Any

import pytest

from duban_contracts import ledger as requested
from duban_contracts.charter import Limit, MatterKind
from duban_contracts.intake import (
    Channel,
    MatterAccepted,
    MatterWithdrawn,
    Outcome,
    Priority,
)
from duban_contracts.message import Message
from duban_contracts.rating import Level, NegativeRatingReceived
from duban_contracts.topology import HEARS as LISTENS
from duban_contracts.topology import commands_of
from services.chassis.heard import Heard
from services.ledger.decider import (
    Accept,
    RecordProgress,
    Reopen,
    ReopenForRating,
    Resolve,
    Verify,
    Withdraw,
)
from services.ledger.handlers import HEARS, numbered
from tests.ledger.register import EARLY, NUMBER, OPENED, TOWN, open_

ACCEPTED = MatterAccepted(
    at=OPENED,
    station="xincunban",
    submission="hotline:4711",
    title="路灯不亮",
    category="rural_road",
    kind=MatterKind.HELP,
    co_handlers=("qingjieban",),
    village="dongcun",
    channel=Channel.HOTLINE,
    petitioner="p-1",
    limit=Limit(amount=5),
    rule="5 working days for kind help (12345 rule)",
    source="hotline",
)


def withdrawn(accepted: bool) -> MatterWithdrawn:
    return MatterWithdrawn(at=EARLY, station="xincunban", submission="hotline:4711", accepted=accepted)


def heard(data: Message, number: str | None = None, key: str = "hotline:4711") -> Heard[Any]:
    return Heard("m1", key, data, getattr(data, "at", EARLY), "xincunban", "xincunban", number)


def handle(data: Message, number: str | None = None, key: str = "hotline:4711") -> list[tuple[str, Any]]:
    return list(HEARS[type(data)](heard(data, number, key), TOWN))


def test_every_message_for_the_ledger_has_its_handler() -> None:
    assert set(HEARS) == {*commands_of("ledger"), *LISTENS["ledger"]}


def test_an_accepted_matter_is_opened_under_its_number() -> None:
    assert handle(ACCEPTED, NUMBER) == [(NUMBER, open_())]


def test_everything_that_intake_said_reaches_the_entry() -> None:
    said = ACCEPTED.model_copy(
        update={"priority": Priority.URGENT, "restricted": True, "solved_on_the_spot": "好了", "source": None}
    )
    opened = open_(priority=Priority.URGENT, restricted=True, solved_on_the_spot="好了", source="intake")
    assert handle(said, NUMBER) == [(NUMBER, opened)]


def test_a_withdrawal_closes_the_entry_of_what_had_been_accepted() -> None:
    assert handle(withdrawn(True), NUMBER) == [(NUMBER, Withdraw(EARLY, NUMBER, "xincunban"))]
    assert handle(withdrawn(False)) == []


def test_numbers_are_allotted_by_submission_to_what_stands_in_the_register() -> None:
    assert tuple(numbered(heard(ACCEPTED))) == ("hotline:4711",)
    assert tuple(numbered(heard(withdrawn(True)))) == ("hotline:4711",)
    assert not numbered(heard(withdrawn(False)))
    assert not numbered(heard(requested.Accept(), key=NUMBER))


def test_without_a_number_nothing_is_opened() -> None:
    with pytest.raises(ValueError, match="no register number"):
        handle(ACCEPTED)


def test_a_negative_rating_is_about_the_entry_and_not_about_the_rated_round_as_a_key() -> None:
    said = NegativeRatingReceived(
        at=EARLY, entry=NUMBER, round=1, level=Level.VERY_DISSATISFIED, callback_by=EARLY
    )
    reopen = ReopenForRating(EARLY, 1, "round 1 was rated very dissatisfied")
    assert handle(said, key=f"{NUMBER}/1") == [(NUMBER, reopen)]


def test_a_persons_request_becomes_its_command_under_the_number_it_names() -> None:
    requests: list[tuple[Message, Any]] = [
        (requested.Accept(), lambda asked: Accept(asked)),
        (
            requested.RecordProgress(note="已派人", percent=50),
            lambda asked: RecordProgress(asked, "已派人", 50),
        ),
        (requested.Resolve(answer="好了"), lambda asked: Resolve(asked, Outcome.SOLVED, "好了")),
        (requested.Verify(passed=False, reason="没好"), lambda asked: Verify(asked, False, "没好")),
        (requested.Reopen(reason="又坏了"), lambda asked: Reopen(asked, "又坏了")),
    ]
    for request, command in requests:
        asked = heard(request, key=NUMBER).asked
        assert handle(request, key=NUMBER) == [(NUMBER, command(asked))]

"""What stations and office ask about a matter in hand, as commands for its number."""

from typing import Any

import pytest
from pydantic import ValidationError

from duban_contracts import handling as requested
from duban_contracts.charter import Limit
from duban_contracts.handling import HoldGround
from duban_contracts.intake import SubmitMatter
from duban_contracts.message import Command, Refusal
from services.chassis.decider import Refuse
from services.chassis.heard import Heard
from services.ledger.decider import LinkRecurrence, Open
from services.ledger.handlers import HEARS
from tests.ledger import matters
from tests.ledger.register import EARLY, NUMBER, TOWN
from tests.ledger.test_handlers import ACCEPTED, handle


def commands_for(data: Command, actor: str = "xincunban") -> list[tuple[str, Any]]:
    return list(HEARS[type(data)](Heard("m1", NUMBER, data, EARLY, actor, actor), TOWN))


@pytest.mark.parametrize(
    ("data", "command"),
    [
        (requested.ReturnEntry(legal_ground="职责清单第三条"), matters.give_back()),
        (requested.Transfer(to="nongye", reason="属村道养护"), matters.transfer("nongye")),
        (requested.AddCoHandler(station="nongye"), matters.add_co_handler("nongye")),
        (requested.ReportUp(to="市住建局", reason="需市级资金"), matters.report_up()),
        (
            requested.ApplyExtension(length=Limit(amount=5), reason="等待配件"),
            matters.apply_extension(),
        ),
        (
            requested.Hold(ground=HoldGround.AWAITING_PETITIONER, reason="等待群众提供材料"),
            matters.hold(),
        ),
        (requested.Resume(), matters.resume(EARLY)),
        (
            requested.DecideExtension(granted=True, reason="理由成立"),
            matters.decide_extension(EARLY, actor="xincunban"),
        ),
        (
            requested.Adjudicate(to="nongye", reason="按职责清单"),
            matters.adjudicate("nongye", EARLY, "xincunban"),
        ),
    ],
)
def test_each_request_is_a_command_for_the_number(data: Command, command: Any) -> None:
    assert commands_for(data) == [(NUMBER, command)]


@pytest.mark.parametrize(
    "data",
    [
        requested.Transfer(to="nongy", reason="r"),
        requested.AddCoHandler(station="nongy"),
        requested.Adjudicate(to="nongy", reason="r"),
        requested.Adjudicate(to="nongye", co_handlers=("nongy",), reason="r"),
    ],
)
def test_a_station_that_the_charter_does_not_know_is_refused_with_a_hint(data: Command) -> None:
    [(key, refuse)] = commands_for(data)
    assert isinstance(refuse, Refuse)
    assert (key, refuse.reason) == (NUMBER, Refusal.UNKNOWN_STATION)
    assert "'nongye'" in refuse.detail


def test_the_wire_name_of_returning_is_return() -> None:
    assert requested.ReturnEntry.type == "duban.ledger.return.v1"


def test_a_matter_that_came_back_is_opened_and_linked_to_its_old_number() -> None:
    again = ACCEPTED.model_copy(update={"recurs": "2024-000007"})
    (number, opening), (old, link) = handle(again, number=NUMBER)
    assert isinstance(opening, Open)
    assert (number, opening.matter.recurs) == (NUMBER, "2024-000007")
    assert (old, link) == ("2024-000007", LinkRecurrence(again.at, NUMBER, "rural_road", "dongcun"))


def test_what_came_back_is_named_by_its_number() -> None:
    with pytest.raises(ValidationError):
        SubmitMatter(title="路灯又不亮", category="rural_road", recurs="the lamp")

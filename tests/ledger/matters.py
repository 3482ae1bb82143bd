"""What is asked of a matter in hand: shared by the tests of hand-overs, pauses, extensions and clocks."""

from datetime import datetime

from duban_contracts.charter import Limit
from duban_contracts.handling import HoldGround
from duban_contracts.ledger import LedgerCommandRefused
from duban_contracts.message import Refusal
from services.ledger.decider import (
    AddCoHandler,
    Adjudicate,
    ApplyExtension,
    DecideExtension,
    Hold,
    RecordProgress,
    ReportUp,
    Resume,
    Return,
    Transfer,
)
from tests.ledger.register import EARLY, asked


def give_back(now: datetime = EARLY, actor: str = "xincunban", ground: str = "职责清单第三条") -> Return:
    return Return(asked(actor, now, "return"), ground)


def transfer(
    to: str, now: datetime = EARLY, actor: str = "xincunban", reason: str = "属村道养护"
) -> Transfer:
    return Transfer(asked(actor, now, "transfer"), to, reason)


def adjudicate(to: str, now: datetime, actor: str = "office") -> Adjudicate:
    return Adjudicate(asked(actor, now, "adjudicate"), to, (), "按职责清单")


def add_co_handler(station: str, now: datetime = EARLY, actor: str = "xincunban") -> AddCoHandler:
    return AddCoHandler(asked(actor, now, "add_co_handler"), station)


def report_up(now: datetime = EARLY, actor: str = "xincunban") -> ReportUp:
    return ReportUp(asked(actor, now, "report_up"), "市住建局", "需市级资金")


def interim_answer(now: datetime, actor: str = "xincunban") -> RecordProgress:
    return RecordProgress(asked(actor, now, "record_progress"), "已报市级", interim_answer=True)


def apply_extension(now: datetime = EARLY, days: int = 5, actor: str = "xincunban") -> ApplyExtension:
    return ApplyExtension(asked(actor, now, "apply_extension"), Limit(amount=days), "等待配件")


def decide_extension(now: datetime, granted: bool = True, actor: str = "office") -> DecideExtension:
    return DecideExtension(asked(actor, now, "decide_extension"), granted, "理由成立")


def hold(now: datetime = EARLY, actor: str = "xincunban") -> Hold:
    return Hold(asked(actor, now, "hold"), HoldGround.AWAITING_PETITIONER, "等待群众提供材料")


def resume(now: datetime, actor: str = "xincunban") -> Resume:
    return Resume(asked(actor, now, "resume"))


def refused(events: object) -> Refusal:
    event = list(events)[-1]  # type: ignore[call-overload]
    assert isinstance(event, LedgerCommandRefused)
    assert len(event.detail.split()) > 4, "a refusal says what to do"
    return event.reason

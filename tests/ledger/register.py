"""The register of the township, and one entry of it: what the tests of the ledger share."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from duban_contracts.charter import Charter, Limit, MatterKind
from duban_contracts.intake import Channel, Outcome
from services.chassis.charter_file import read_charter
from services.chassis.decider import Asked
from services.ledger.decider import (
    Accept,
    Matter,
    Open,
    RecordProgress,
    Reopen,
    Resolve,
    Verify,
    ledger,
)
from tests.given import Given

SHIPPED = read_charter(Path(__file__).parents[2] / "deploy/charters/township-2024.yaml")
TOWN = SHIPPED.model_copy(update={"matters": SHIPPED.matters.model_copy(update={"citizen": None})})
"""The shipped charter with the station's clock alone; the citizen's has tests of its own."""
SHANGHAI = ZoneInfo("Asia/Shanghai")
NUMBER = "2024-000123"
register = ledger(TOWN.model_copy(update={"revision": 7}))
given = Given(register)


def local(day: str, clock: str = "00:00") -> datetime:
    """A moment in the town's own time, e.g. `local("2024-04-15", "10:00")`."""
    return datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=SHANGHAI).astimezone(UTC)


OPENED = local("2024-04-15", "10:00")  # a Monday
ACCEPT_BY = local("2024-04-17")
DUE = local("2024-04-23")  # five working days: the last one is Monday 22 April
EARLY = OPENED + timedelta(hours=1)
ONE_MOMENT = timedelta(microseconds=1)

MATTER = Matter(
    submission="hotline:4711",
    title="路灯不亮",
    category="rural_road",
    kind=MatterKind.HELP,
    station="xincunban",
    petitioner="p-1",
    channel=Channel.HOTLINE,
    co_handlers=("qingjieban",),
    village="dongcun",
    limit=Limit(amount=5),
    rule="5 working days for kind help (12345 rule)",
    source="hotline",
)


def open_(now: datetime = OPENED, **fields: Any) -> Open:
    return Open(now, NUMBER, replace(MATTER, **fields))


def asked(actor: str, now: datetime, command: str = "accept") -> Asked:
    return Asked(now, actor, NUMBER, command)


def accept(now: datetime = EARLY, actor: str = "xincunban") -> Accept:
    return Accept(asked(actor, now))


def progress(now: datetime = EARLY, actor: str = "xincunban") -> RecordProgress:
    return RecordProgress(asked(actor, now, "record_progress"), "已派人", 50)


def resolve(now: datetime = EARLY, actor: str = "xincunban") -> Resolve:
    return Resolve(asked(actor, now, "resolve"), Outcome.SOLVED, "已修好")


def verify(now: datetime, actor: str = "office", passed: bool = True, reason: str = "") -> Verify:
    return Verify(asked(actor, now, "verify"), passed, reason)


def reopen(now: datetime, actor: str = "office") -> Reopen:
    return Reopen(asked(actor, now, "reopen"), "又不亮了")


def story(*commands: Any, charter: Charter = TOWN) -> list[Any]:
    """Every fact that follows from these commands, one after the other, with what time brought about."""
    register_of, events = Given(ledger(charter.model_copy(update={"revision": 7}))), list[Any]()
    for command in commands:
        events += register_of(*events).when(command)
    return events


def kinds(events: Any) -> list[str]:
    return [type(event).__name__ for event in events]


def day(text: str) -> date:
    return date.fromisoformat(text)

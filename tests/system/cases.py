"""Past cases to import: a file of them, made by rule, with what the report must say about them."""

import asyncio
import csv
import os
import subprocess
import sys
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pymongo

from duban_contracts.queries import WhoLags
from services.console.client import duban
from services.console.system import System
from services.escalation.views import LaggardReport

OWNERS = {"BOS": "Bulky Items", "OCB": "Graffiti Removal", "BSL": "Single Streetlight Issue", "ITA": "Other"}
FIRST = datetime(2020, 1, 1, 8)  # noqa: DTZ001 (local time, as such files have it)
CSV_TIME = "%m/%d/%y %H:%M"


def made_up_cases(path: Path, rows: int) -> None:
    """Owners in turn; every third case late, every fifth open, every seventh without a planned day."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        header = (
            "srnumber requesttype status createddate updateddate servicedate closeddate requestsource owner"
        )
        writer.writerow([*header.split(), "anonymous"])
        for n in range(rows):
            owner = list(OWNERS)[n % len(OWNERS)]
            created = FIRST + timedelta(minutes=n % 4000)
            planned = created + timedelta(days=3)
            closed = planned + timedelta(days=2 if n % 3 == 0 else -1)
            writer.writerow(
                [
                    f"made-{n}",
                    OWNERS[owner],
                    "Open" if n % 5 == 0 else "Closed",
                    created.strftime(CSV_TIME),
                    created.strftime(CSV_TIME),
                    "" if n % 7 == 0 else planned.strftime("%m/%d/%y 0:00"),
                    "" if n % 5 == 0 else closed.strftime(CSV_TIME),
                    "Call",
                    owner,
                    "N",
                ]
            )


def counted(path: Path) -> dict[str, tuple[int, int, int]]:
    """By owner: requests, closed with a planned day, of these late. Counted from the file alone."""
    requests, closed, late = Counter[str](), Counter[str](), Counter[str]()
    with path.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            requests[row["owner"]] += 1
            if row["closeddate"] and row["servicedate"]:
                closed[row["owner"]] += 1
                late[row["owner"]] += _day(row["closeddate"]) > _day(row["servicedate"])
    return {owner: (requests[owner], closed[owner], late[owner]) for owner in requests}


def _day(text: str) -> Any:
    return datetime.strptime(text, CSV_TIME).date()  # noqa: DTZ007 (days of the same city)


def importing(system: System, file: Path, mapping: Path, *more: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "services.console.cli", "import", file, "--mapping", mapping, *more],
        env={**os.environ, "DUBAN_NATS_URL": system.nats_url, "DUBAN_LANG": "en"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def report(system: System) -> LaggardReport:
    async def ask() -> LaggardReport:
        async with duban(system.nats_url) as town:
            await town.caught_up()
            return await town.ask("escalation", "laggards", WhoLags(), LaggardReport, patience=30)

    return asyncio.run(ask())


def reported(system: System) -> dict[str, tuple[int, int, int]]:
    rows = report(system).rows
    return {
        row.station: (row.dispatched, row.closed_on_time + row.closed_late, row.closed_late)
        for row in rows
        if row.dispatched
    }


def entries(system: System) -> list[str]:
    """The numbers in the register that have an entry, sorted."""
    with pymongo.MongoClient[dict[str, Any]](system.mongo.url) as client:
        found = client["duban_ledger"]["ledger"].find({"row": {"$ne": None}}, {"_id": True})
        return sorted(entry["_id"] for entry in found)


def told(system: System) -> int:
    """How many facts the ledger has told."""

    async def ask() -> int:
        async with duban(system.nats_url, patience=20) as town:
            return (await town.client.jetstream().stream_info("LEDGER_EVT")).state.messages

    return asyncio.run(ask())

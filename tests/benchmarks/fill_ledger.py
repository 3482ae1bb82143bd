"""Puts many realistic entries into a MongoDB, fast: the ledger's own decider writes a few, text makes many.

python -m tests.benchmarks.fill_ledger mongodb://127.0.0.1:27017 --entries 1000000
"""

import argparse
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pymongo import MongoClient

from duban_contracts.charter import Charter
from duban_contracts.intake import Channel, Outcome
from services.chassis.charter_file import read_charter
from services.chassis.decider import Asked, Decider
from services.chassis.settle import as_event, in_milliseconds
from services.chassis.snapshots import Snapshots
from services.ledger.applications import CompleteStage
from services.ledger.applications.handlers import opening
from services.ledger.decider import Accept, Matter, Resolve, Verify
from services.ledger.register_kinds import register
from services.ledger.views import row
from services.ledger.views.row import instant, public_key
from services.ledger.views.text import grams, plain

CHARTER = Path(__file__).parents[2] / "deploy" / "charters" / "township-2024.yaml"
NUMBER, SUBMISSION, PERSON, VILLAGE, TITLE = (
    "ZZnumberZZ",
    "ZZsubmissionZZ",
    "ZZpersonZZ",
    "ZZvillageZZ",
    "ZZtitleZZ",
)
"""What stands in a template where an entry has its own."""
SHANGHAI = ZoneInfo("Asia/Shanghai")
BATCH = 2_000
PLACES = ["村口", "小学门口", "老桥边", "三组", "卫生室旁", "集市", "水库下", "祠堂前", "公路边", "新村"]
TROUBLES = ["没人管", "多日未处理", "影响出行", "希望尽快解决", "反复出现", "请核实", "被人占用"]
ENDINGS = ("struck_off",) * 94 + ("resolved",) * 2 + ("accepted",) * 2 + ("open",) * 2


@dataclass(frozen=True)
class Template:
    """A document with names for what differs from entry to entry, and its row."""

    kind: str
    state: str
    events: tuple[dict[str, str], ...]
    row: dict[str, Any]
    wake_at: datetime | None


def templates(charter: Charter, days: int) -> dict[str, list[Template]]:
    """By how the story ends; one for each category and each of `days` days over the year."""
    decider = register(charter)
    snapshots = Snapshots(decider)
    return {
        ending: [
            template(decider, snapshots, charter, category, day * 360 // days, ending)
            for category in charter.categories
            for day in range(days)
        ]
        for ending in dict.fromkeys(ENDINGS)
    }


def template(
    decider: Decider[Any, Any, Any],
    snapshots: Snapshots[Any],
    charter: Charter,
    category: str,
    day: int,
    ending: str,
) -> Template:
    at = datetime(2024, 1, 2, 1, tzinfo=UTC) + timedelta(days=day, minutes=7 * day)
    state, facts = decider.initial_state, list[Any]()
    for command in story(charter, category, at, ending):
        now = command.asked.now if hasattr(command, "asked") else command.now
        told, state = decider.answer(command, now, state)
        facts += told
    found, frozen = row(state), snapshots.freeze(state)
    assert found is not None
    events = tuple(as_event(fact)._asdict() for fact in facts)
    return Template(frozen.kind, frozen.state, events, found, in_milliseconds(decider.wake_at(state)))


def story(charter: Charter, category: str, at: datetime, ending: str) -> Iterator[Any]:
    kind = charter.categories[category]
    matter = Matter(
        submission=SUBMISSION,
        title=TITLE,
        category=category,
        kind=kind.kind,
        station=kind.lead,
        petitioner=PERSON,
        channel=Channel.HOTLINE,
        co_handlers=kind.co_handlers,
        village=VILLAGE,
        restricted=kind.restricted,
        limit=kind.limit or charter.matters.limits.get(kind.kind),
        rule="the category's limit",
    )
    opened = opening(at, NUMBER, matter, charter)
    yield opened
    station, hour = kind.lead, timedelta(hours=1)
    if kind.procedure and ending in ("resolved", "struck_off"):
        stage = charter.procedures[kind.procedure].stages[0].id
        yield CompleteStage(Asked(at + hour, station, NUMBER, "complete_stage"), stage, False, "不符合条件")
    elif ending != "open" and not kind.procedure:
        yield Accept(Asked(at + hour, station, NUMBER, "accept"))
        if ending != "accepted":
            yield Resolve(Asked(at + 2 * hour, station, NUMBER, "resolve"), Outcome.SOLVED, "已办理完毕")
    if ending == "struck_off":
        yield Verify(Asked(at + 24 * hour, "office", NUMBER, "verify"), True)


def entries(charter: Charter, count: int, days: int, seed: int = 1) -> Iterator[dict[str, Any]]:
    """Documents as the chassis stores them, numbered through; the same seed makes the same ones."""
    chance, by_ending = random.Random(seed), templates(charter, days)
    shape, villages = Snapshots(register(charter)).shape, sorted(charter.villages)
    for n in range(1, count + 1):
        of = chance.choice(by_ending[chance.choice(ENDINGS)])
        village, minutes = chance.choice(villages), chance.randrange(12 * 60)
        category = charter.categories[of.row["category"]].name
        title = (
            f"{village}{chance.choice(PLACES)}{category}{chance.choice(TROUBLES)}{chance.randrange(999)}号"
        )
        yield entry(of, shape, f"2024-{n:06d}", title, village, timedelta(minutes=minutes))


def entry(
    of: Template, shape: str, number: str, title: str, village: str, later: timedelta
) -> dict[str, Any]:
    """`later` spreads what was last done over the day, so that times do not heap up on a few instants."""
    person = sha256(number.encode()).hexdigest()[:24]
    names = {NUMBER: number, SUBMISSION: f"hotline:{number}", PERSON: person, VILLAGE: village, TITLE: title}
    updated_at = of.row["updated_at"] + later
    found = {
        **of.row,
        "number": number,
        "submission": names[SUBMISSION],
        "village": village,
        "title": title,
        "plain": plain(title),
        "grams": grams(title),
        "updated_at": updated_at,
        "opened_at": of.row["opened_at"] + later,
        "due_key": of.row["due_key"].replace(NUMBER, number),
        "updated_key": f"{instant(updated_at)}|{number}",
        "public_key": of.row["public_key"] and public_key(updated_at.astimezone(SHANGHAI).date(), person),
    }
    events = [{**event, "data": named(event["data"], names)} for event in of.events]
    answer = {"to": f"m-{number}", "correlation": "", "revision": 1, "traceparent": None, "events": events}
    return {
        "_id": number,
        "version": 1,
        "shape": shape,
        "kind": of.kind,
        "state": named(of.state, names),
        "wake_at": of.wake_at,
        "owes_wake": None,
        "row": found,
        "archived": 0,
        "answers": [answer],
    }


def named(text: str, names: dict[str, str]) -> str:
    for name, value in names.items():
        text = text.replace(name, value)
    return text


def fill(url: str, database: str, count: int, days: int = 24, charter: Charter | None = None) -> None:
    """Replaces the ledger's collection there; holds one batch in memory at a time. Makes no indexes."""
    charter = charter or read_charter(CHARTER).model_copy(update={"revision": 1})
    with MongoClient[dict[str, Any]](url, tz_aware=True, w=1, journal=False) as client:
        ledger = client[database]["ledger"]
        ledger.drop()
        documents = entries(charter, count, days)
        while batch := list(islice(documents, BATCH)):
            ledger.insert_many(batch, ordered=False)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--database", default="duban_ledger")
    parser.add_argument("--entries", type=int, default=1_000_000)
    given = parser.parse_args(arguments)
    fill(given.url, given.database, given.entries)


if __name__ == "__main__":
    main()

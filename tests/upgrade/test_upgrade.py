"""What each earlier release stored opens with this code: same answers, and the town goes on working.

One restored system per folder in `data/`; all answers are taken before any test changes something.
"""

import asyncio
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from duban_contracts.ledger import Resolve
from duban_contracts.queries import FindEntry, Found
from duban_contracts.time import LedgerPassTime
from services.chassis.provision import provision
from services.chassis.settings import ClockMode
from services.console.client import Duban, Order, duban
from services.console.demo.steps import ACTOR
from services.console.embedded import MongoServer, NatsServer
from services.console.embedded.engines import find_engine
from services.console.embedded.servers import at_home
from services.console.system import System
from tests.upgrade import story
from tests.upgrade.answers import answers, differences, history, with_facts
from tests.upgrade.archive import (
    BROKER,
    EXPECTED,
    all_messages,
    consumers,
    read_lines,
    restore_broker,
    restore_databases,
    stream_names,
)

RELEASES = sorted(path for path in (Path(__file__).parent / "data").iterdir() if path.is_dir())
POSITION = ("delivered", "ack_floor", "num_pending", "num_ack_pending")


class Unsynced(NatsServer):
    """Always one of our own, never a borrowed one. A restore stores message by message: that takes ten times
    as long where each is synced."""

    def _write_config(self) -> Path:
        config = super()._write_config()
        text = config.read_text(encoding="utf-8").replace("sync_interval: always", "sync_interval: 2m")
        config.write_text(text, encoding="utf-8")
        return config


@dataclass
class Restored:
    folder: Path
    system: System
    asked: dict[str, Any]
    expected: dict[str, Any]
    found: dict[str, Any]
    broker: list[dict[str, Any]]
    """As it was after the restore, and before provisioning."""
    after: datetime
    """The end of the time that passed in the data."""


@pytest.fixture(scope="module", params=RELEASES, ids=lambda folder: folder.name)
def release(request, tmp_path_factory):
    folder = request.param
    (kept,) = read_lines(folder / EXPECTED)
    with ExitStack() as stack:
        nats = stack.enter_context(at_home(Unsynced, None))
        mongo = stack.enter_context(at_home(lambda home: MongoServer(home, find_engine()), None))
        restore_databases(mongo.url, folder)
        broker = asyncio.run(restored_broker(nats.url, folder))
        system = System(nats, mongo, ClockMode.TOLD, tmp_path_factory.mktemp("logs"))
        stack.callback(system.stop)
        system.start()
        histories = kept["answers"]["histories"]
        kept["answers"]["histories"] = {key: with_facts(given) for key, given in histories.items()}
        found = asyncio.run(answered(nats.url, kept["asked"]))
        end = datetime.fromisoformat(kept["asked"]["report_at"])
        yield Restored(folder, system, kept["asked"], kept["answers"], found, broker, end)


async def restored_broker(url: str, folder: Path) -> list[dict[str, Any]]:
    async with duban(url) as system:
        await restore_broker(system.client, folder)
        streams = await stream_names(system.client)
        heads = [
            {"stream": stream, "consumers": await consumers(system.client, stream)} for stream in streams
        ]
        messages = await all_messages(system.client)
        await provision(system.client)
        return [*heads, *messages]


async def answered(url: str, asked: dict[str, Any]) -> dict[str, Any]:
    async with duban(url) as system:
        await system.caught_up()
        return await answers(system, asked)


@pytest.fixture(scope="module")
async def town(release):
    async with duban(release.system.nats_url, source="duban/upgrade") as system:
        yield system


def test_streams_come_back_with_times_sequences_headers_and_positions(release):
    written = list(read_lines(release.folder / BROKER))
    heads = {line["stream"]: line for line in written if "config" in line}
    found = {line["stream"]: line for line in release.broker if "consumers" in line}
    assert found.keys() == heads.keys()
    for stream, head in heads.items():
        assert [_position(each) for each in found[stream]["consumers"]] == [
            _position(each) for each in head["consumers"]
        ]
    assert [line for line in release.broker if "seq" in line] == [line for line in written if "seq" in line]


def _position(consumer: dict[str, Any]) -> dict[str, Any]:
    at = {field: consumer[field] for field in POSITION}
    for field in ("delivered", "ack_floor"):
        at[field] = {name: at[field][name] for name in ("consumer_seq", "stream_seq")}
    return {"name": consumer["name"], **at}


@pytest.mark.parametrize("part", ["list", "paper_ledger", "histories", "why", "standings"])
def test_answers_are_those_of_the_release(release, part):
    assert differences(release.expected[part], release.found[part], part) == []


def test_the_report_is_that_of_the_release_for_every_station(release):
    """Release 0.1.0 left out who is no station of the charter and has something open (docs/cases.md, A6)."""
    expected, found = release.expected["report"], release.found["report"]
    there = {row["station"] for row in expected["rows"]}
    added = [row["station"] for row in found["rows"] if row["station"] not in there]
    rows = [row for row in found["rows"] if row["station"] in there]
    assert added in ([], ["office"])
    assert differences(expected, found | {"rows": rows}, "report") == []


async def test_a_command_left_unanswered_is_answered(release, town):
    facts = types(await history(town, "intake", release.asked["pending"]))
    assert facts == ["duban.intake.matter_incomplete.v1"]


async def test_an_old_entry_is_resolved(release, town):
    entry, station = release.asked["waiting"], release.asked["station"]
    before = await history(town, "ledger", entry)
    given = await town.outcome(acting(release, station, entry, Resolve(answer="图书已更换"), hours=1))
    assert [fact.type for fact in given.facts] == ["duban.ledger.entry_resolved.v1"]
    assert (await history(town, "ledger", entry))[:-1] == before


async def test_new_matters_get_the_next_numbers(release, town):
    numbers = [await opened(release, town, f"hotline:after-upgrade-{n}") for n in range(3)]
    last = max(entry["number"] for entry in release.expected["list"] if entry["number"].startswith("2024-"))
    first = int(last.removeprefix("2024-")) + 1
    assert numbers == [f"2024-{first + n:06d}" for n in range(3)]


def test_numbers_of_each_year_are_without_gaps(release):
    numbers = sorted(entry["number"] for entry in release.found["list"])
    years = {number[:4] for number in numbers}
    assert len(years) >= 2
    for year in years:
        theirs = [number for number in numbers if number.startswith(year)]
        assert theirs == [f"{year}-{n:06d}" for n in range(1, len(theirs) + 1)]


async def test_a_timer_of_an_old_entry_fires(release, town):
    entry = release.asked["due"]
    before = await history(town, "ledger", entry)
    later = release.after + timedelta(days=14)
    await town.send(Order(LedgerPassTime(), "clock", ACTOR, "after-upgrade", at=later))
    await town.caught_up()
    facts = types((await history(town, "ledger", entry))[len(before) :])
    assert "duban.ledger.entry_overdue.v1" in facts


async def opened(release: Restored, town: Duban, submission: str) -> str:
    matter = story.matter("reading_room", "农家书屋开放时间", 60)
    await town.outcome(acting(release, "gateway", submission, matter, hours=2))
    await town.caught_up()
    return (await town.ask("ledger", "find", FindEntry(submission=submission), Found)).entry or "none"


def acting(release: Restored, actor: str, key: str, command: Any, hours: int) -> Order:
    return Order(command, key, ACTOR, at=release.after + timedelta(hours=hours), acting_for=actor)


def types(answers: list[dict[str, Any]]) -> list[str]:
    return [fact["type"] for given in answers for fact in given["facts"]]

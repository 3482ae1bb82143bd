"""Write what this release stores, and what it answers: `python -m tests.upgrade.write_release OUT`.

Run once for each release, with its code and before anything changes; a later release opens the folder in
`test_upgrade.py`. It starts servers and services of its own, and takes some two minutes.
"""

import asyncio
import csv
import json
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tenacity import AsyncRetrying, retry_if_result, stop_after_delay, wait_fixed

from duban_contracts import applications, escalation, handling, ledger, measures
from duban_contracts.charter import Charter
from duban_contracts.intake import SubmitMatter
from duban_contracts.message import CATALOGUE, SERVICES, Command, Fact
from duban_contracts.queries import AskCharter, FindEntry, Following, Found
from duban_contracts.subjects import command_stream, subject_of
from services.chassis.charter_bucket import publish_charter
from services.chassis.charter_file import read_charter
from services.chassis.settings import ClockMode
from services.console.client import Duban, Order, duban
from services.console.demo.play import Agenda, Facts, Player, with_timelapse
from services.console.demo.react import react
from services.console.demo.scenario import FIRST
from services.console.demo.steps import ACTOR, World
from services.console.system import System, running_system
from services.console.up import DEFAULT_CHARTER
from tests.system.cases import importing
from tests.upgrade import story
from tests.upgrade.answers import answers, standings
from tests.upgrade.archive import EXPECTED, all_messages, save_broker, save_databases, write_lines

SEED = 2024
LAST_DAY = date(2024, 5, 27)
"""The end of the story: then stations stand on every rung."""
IMPORTED = 780
HANDLER = "wenhuazhan"
PENDING = story.PREFIX + "pending"
BOUNDED = 60.0

NOT_REACHED: dict[str, str] = {}
"""Facts that commands do not bring about in bounded time, each with the reason."""

EXPLAINED = [
    fact.type
    for fact in (
        handling.DeadlineRecomputed,
        handling.EntryHeld,
        handling.EntryReportedUp,
        handling.ExtensionDecided,
        ledger.EntryReopened,
        applications.StageOverdue,
        measures.MilestoneMissed,
        measures.OccurrenceMissed,
    )
]
"""Of the first entry that each of these was told of, it is kept why it is due when it is."""

MAPPING = """\
feed: laotaizhang
timezone: Asia/Shanghai
columns: {id: no, title: title, category: category, status: status, submitted_at: came, due_on: due,
  closed_at: closed, text: words, village: village}
statuses:
  已办结: {closed: true, outcome: solved}
  已解释: {closed: true, outcome: explained}
  在办: {closed: false}
defaults: {channel: hotline}
"""
IMPORTED_CATEGORIES = {
    "garbage": "垃圾未及时清运",
    "littering": "路边乱倒垃圾",
    "fitness_equipment": "健身器材损坏",
    "rural_road": "路面破损",
    "farming_advice": "农技咨询",
    "medical_insurance": "参保咨询",
    "window_advice": "办事咨询",
}
STILL_OPEN = (100, 300, 500)


@dataclass
class Told(Player):
    """The demo's people and the story's, side by side; on one day the charter changes."""

    besides: story.Story = field(kw_only=True)
    seen: Counter[type[Fact]] = field(default_factory=Counter)
    revised: Charter = field(kw_only=True)

    async def play(self, days: Iterable[date]) -> None:
        self.agenda.add(self.besides.opening())
        await super().play(days)

    async def _pass_time(self, now: datetime) -> None:
        if self.world.local_day(now) == story.PLAN_REVISED:
            revision = await revise(self.duban, self.revised)
            apply = measures.ApplyPlan(revision=revision)
            await self._send([Order(apply, "plan/2024", ACTOR, "plan:2", at=now, acting_for="office")])
        await super()._pass_time(now)

    async def _hear(self, now: datetime) -> None:
        facts = await self.facts.fresh()
        self.seen.update(map(type, facts))
        for fact in facts:
            self.agenda.add(self.besides.react(fact))
            if not self.besides.is_own(fact):
                self.agenda.add(react(fact, self.world))
        await self.show(now, facts)


async def revise(system: Duban, charter: Charter) -> int:
    """Publish, and wait until every service follows the new revision."""
    revision = await publish_charter(system.client, charter)

    async def followed() -> bool:
        asked = [system.ask(service, "charter", AskCharter(text=False), Following) for service in SERVICES]
        return {each.revision for each in await asyncio.gather(*asked)} == {revision}

    await until(followed)
    return revision


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Bounded: raises RetryError."""
    polling = AsyncRetrying(
        retry=retry_if_result(lambda held: not held), wait=wait_fixed(0.1), stop=stop_after_delay(BOUNDED)
    )
    await polling(holds)


def past_cases(path: Path) -> None:
    """Of 2023, made up by rule: every third one late, a few still open."""
    first = datetime(2023, 1, 3, 9)  # noqa: DTZ001 (local time, as such files have it)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["no", "title", "category", "status", "came", "due", "closed", "words", "village"])
        for n in range(IMPORTED):
            category = list(IMPORTED_CATEGORIES)[n % len(IMPORTED_CATEGORIES)]
            came = first + timedelta(hours=11 * n)
            due = came + timedelta(days=6)
            closed = due + timedelta(days=2 if n % 3 == 0 else -2)
            is_open = n in STILL_OPEN
            status = "在办" if is_open else "已解释" if n % 10 == 0 else "已办结"
            row = [f"{n:04d}", IMPORTED_CATEGORIES[category], category, status, came, due.date()]
            ended = "" if is_open else closed
            village = ("dongcun", "xicun", "")[n % 3]
            writer.writerow([*row, ended, f"群众某乙{n}（电话1390000{n:04d}）反映", village])


def import_past(system: System, folder: Path) -> None:
    cases, mapping = folder / "cases.csv", folder / "map.yaml"
    past_cases(cases)
    mapping.write_text(MAPPING, encoding="utf-8")
    process = importing(system, cases, mapping, "--format", "json")
    out, err = process.communicate(timeout=300)
    if process.returncode or json.loads(out)["imported"] != IMPORTED:
        raise SystemExit(f"the import failed: {out} {err}")


async def tell(system: Duban, charter: Charter) -> datetime:
    """The story of 2024; returns its end."""
    world = World(SEED, charter)

    async def show(now: datetime, facts: Sequence[Fact]) -> None:
        if now.hour == 18:
            rungs = Counter(each["rung"] for each in (await standings(system)).values())
            note(f"{now:%Y-%m-%d} {len(facts)} facts, stations by rung {dict(sorted(rungs.items()))}")

    facts = Facts(system.client)
    revised = story.second_charter(charter)
    player = Told(system, world, Agenda(SEED), facts, show, besides=story.Story(world), revised=revised)
    try:
        await player.play(world.working_days(FIRST, LAST_DAY))
    finally:
        await facts.close()
    return datetime.combine(LAST_DAY, time(18), world.zone)


async def waits(system: Duban, end: datetime) -> dict[str, str]:
    """One entry in hand that is not late at the end, and one that nobody will touch: its timers go on."""
    entries = {}
    for n, (name, category) in enumerate({"waiting": "reading_room", "due": "fitness_equipment"}.items()):
        submission = f"{story.PREFIX}{name}"
        matter = story.matter(category, "农家书屋图书陈旧，健身器材松动", 30 + n)
        await system.outcome(act(submission, "gateway", matter, end, minutes=1))
        await system.caught_up()
        entries[name] = await number(system, submission)
    await system.outcome(act(entries["waiting"], HANDLER, ledger.Accept(), end, minutes=2))
    return entries


def act(key: str, actor: str, command: Command, end: datetime, minutes: int) -> Order:
    return Order(command, key, ACTOR, at=end + timedelta(minutes=minutes), acting_for=actor)


async def number(system: Duban, submission: str) -> str:
    entry = (await system.ask("ledger", "find", FindEntry(submission=submission), Found)).entry
    if entry is None:
        raise SystemExit(f"{submission} has no entry")
    return entry


async def recount(system: Duban, charter: Charter) -> None:
    """Three matters of today, by the machine's clock, which a third revision of the charter counts again."""
    submissions = [f"window:today-{n}" for n in range(3)]
    for n, submission in enumerate(submissions):
        matter = story.matter("village_broadcast", "广播无声", 40 + n)
        await system.outcome(Order(matter, submission, "gateway"))
    await system.caught_up()
    entries = [await number(system, submission) for submission in submissions]
    await revise(system, story.third_charter(story.second_charter(charter)))
    for entry in entries[:2]:
        await system.outcome(Order(ledger.Accept(), entry, story.S))


async def poison(system: Duban) -> None:
    """Dead letters are stored, too."""
    subject = subject_of(SubmitMatter, "gateway")
    for body in (b"\xff\xfe is no text", b'{"title": 7}'):
        await system.client.jetstream().publish(subject, body)
    await system.caught_up()


async def swept(system: Duban) -> None:
    """Answered commands leave their streams by and by."""
    jetstream = system.client.jetstream()

    async def empty() -> bool:
        infos = [jetstream.stream_info(command_stream(service)) for service in SERVICES]
        return not any(info.state.messages for info in await asyncio.gather(*infos))

    await until(empty)


def asked_about(messages: Iterable[dict[str, Any]], end: datetime, waiting: dict[str, str]) -> dict[str, Any]:
    """One key for each type of fact: so their histories hold every fact."""
    keys: dict[str, tuple[str, str]] = {}
    for message in messages:
        headers = message["headers"] or {}
        type_ = headers.get("ce-type", "")
        if message["stream"].endswith("_EVT"):
            keys.setdefault(type_, (type_.split(".")[1], headers["ce-subject"]))
    histories = sorted(set(keys.values()))
    explained = {keys[type_][1] for type_ in EXPLAINED}
    return {
        "report_at": end.isoformat(),
        "histories": histories,
        "why": sorted({*explained, *waiting.values()}),
        "station": HANDLER,
        **waiting,
        "pending": PENDING,
    }


def counted(messages: Iterable[dict[str, Any]]) -> Counter[str]:
    facts = (each for each in messages if each["stream"].endswith("_EVT"))
    return Counter(each["headers"]["ce-type"] for each in facts)


def check(facts: Counter[str], system_standings: dict[str, Any], archived: dict[str, int]) -> None:
    """The data set is worth nothing unless everything is in it."""
    catalogue = {
        name
        for name, message in CATALOGUE.items()
        if issubclass(message, Fact) and message.__module__.startswith("duban_contracts.")
    }
    if absent := catalogue - facts.keys() - NOT_REACHED.keys():
        raise SystemExit(f"facts that were never told: {sorted(absent)}")
    if reached := facts.keys() & NOT_REACHED.keys():
        raise SystemExit(f"said not to be reached, and told all the same: {sorted(reached)}")
    rungs = {each["rung"] for each in system_standings.values()}
    if empty := set(escalation.Rung) - rungs:
        raise SystemExit(f"rungs on which no station stands: {sorted(empty)}")
    if not archived.get("ledger") or not archived.get("escalation"):
        raise SystemExit(f"too few answers moved to an archive: {archived}")


async def play(url: str, charter: Charter) -> tuple[datetime, dict[str, str]]:
    async with duban(url, source="duban/upgrade") as system:
        end = await tell(system, charter)
        waiting = await waits(system, end)
        await recount(system, charter)
        await poison(system)
        await system.caught_up()
        await swept(system)
        return end, waiting


async def ask(url: str, end: datetime, waiting: dict[str, str]) -> dict[str, Any]:
    """What the services answer, and to which questions."""
    async with duban(url) as system:
        asked = asked_about(await all_messages(system.client), end, waiting)
        return {"asked": asked, "answers": await answers(system, asked)}


async def leave_pending(url: str) -> None:
    """A command that came when no service ran: the next release has to answer it."""
    async with duban(url, source="duban/upgrade") as system:
        await system.send(
            Order(story.matter("farm_subsidy", "种粮补贴", 50), PENDING, "gateway", id="pending")
        )


async def save(url: str, folder: Path) -> list[dict[str, Any]]:
    async with duban(url) as system:
        await save_broker(system.client, folder)
        return await all_messages(system.client)


def archived_answers(url: str) -> dict[str, int]:
    import pymongo

    with pymongo.MongoClient[dict[str, Any]](url) as client:
        return {name: client[f"duban_{name}"][f"{name}_archive"].count_documents({}) for name in SERVICES}


def write(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    charter = story.first_charter(with_timelapse(read_charter(DEFAULT_CHARTER)))
    with (
        TemporaryDirectory() as work,
        running_system(charter, clock=ClockMode.TOLD, logs=Path(work)) as system,
    ):
        import_past(system, Path(work))
        end, waiting = asyncio.run(play(system.nats_url, charter))
        expected = asyncio.run(ask(system.nats_url, end, waiting))
        system.stop()
        system.services.clear()
        asyncio.run(leave_pending(system.nats_url))
        messages = asyncio.run(save(system.nats_url, folder))
        save_databases(system.mongo.url, folder)
        archived = archived_answers(system.mongo.url)
    facts = counted(messages)
    expected["facts"] = dict(sorted(facts.items()))
    write_lines(folder / EXPECTED, [expected])
    note(json.dumps({"facts": expected["facts"], "archived": archived}, indent=1))
    note(f"{facts.total()} facts, {len(expected['answers']['list'])} entries")
    note(f"{sum(file.stat().st_size for file in folder.iterdir()):,} bytes")
    check(facts, expected["answers"]["standings"], archived)


def note(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201 (a script)


if __name__ == "__main__":
    write(Path(sys.argv[1]))

"""Personal data goes in through every field of every command; only intake's database holds it afterwards."""

import asyncio
import csv
import json
import re
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from itertools import cycle
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from motor.motor_asyncio import AsyncIOMotorClient
from nats.js.errors import NotFoundError
from typer.testing import CliRunner

from duban_contracts.charter import Ground, Role
from duban_contracts.envelope import Attributes, encode
from duban_contracts.handling import ApplyExtension, DecideExtension, Hold, HoldGround, ReportUp, Resume
from duban_contracts.intake import PetitionerShown, ShowPetitioner, SubmitMatter
from duban_contracts.ledger import Accept, RecordProgress, Resolve, Verify
from duban_contracts.message import SERVICES, Command, Refusal
from duban_contracts.queries import AskPetitioner, FindEntry, Found, PetitionerFound
from duban_contracts.rating import CallbackResult, Level, Rate, RecordCallback, RecordRectification
from duban_contracts.reading import EntryPage, ListEntries, PaperPage
from duban_contracts.rules import Limit
from duban_contracts.subjects import command_stream, subject_of
from duban_contracts.supervision import RecordFinding, VerifyRectification
from services.console.cli import app
from services.console.client import Duban, Order, duban
from services.console.system import System
from tests.contracts.planting import (
    COMMANDS,
    MOBILE,
    NAME,
    PLANTED,
    TEXT,
    broken,
    in_identifiers,
    in_texts,
)
from tests.waiting import until

ACTORS = {
    Role.OFFICE: "office",
    Role.GATEWAY: "gateway",
    Role.STATION: "qingjieban",
    Role.LEADER: "leader",
    Role.DISCIPLINE: "discipline",
    Role.FEED: "import",
}


@pytest.mark.case("A10", "A18")
def test_personal_data_is_found_in_intakes_database_only(system: System, tmp_path: Path) -> None:
    before = asyncio.run(ends(system))
    asyncio.run(planted(system))
    refused = imported(system, tmp_path)
    asyncio.run(at_rest(system))
    until(lambda: asyncio.run(swept(system)), seconds=30)

    assert found_in(asyncio.run(streams(system, before))) == {}
    assert found_in(asyncio.run(databases(system))) == {}
    assert found_in(asyncio.run(exports(system))) == {}
    assert found_in({path.name: path.read_text("utf-8") for path in system.logs.iterdir()}) == {}
    assert found_in({"refused": refused.read_text("utf-8-sig")}) == {}


def found_in(places: dict[str, str]) -> dict[str, list[str]]:
    """Where which planted value is, however its digits are grouped."""
    found = {}
    for place, text in places.items():
        together = re.sub(r"(?<=\d)[\s-]+(?=\d)", "", text)
        if values := [value for value in PLANTED if value in text or value in together]:
            found[place] = values
    return found


async def planted(system: System) -> None:
    async with duban(system.nats_url, "duban/tests") as town:
        entry = await through_its_life(town)
        await shown_to_open_duties(town, entry)
        await found_and_mended(town)
        bad = cycle(range(4))
        for command in COMMANDS:
            bodies = [in_texts(command), *in_identifiers(command)]
            for body in bodies:
                await published(town, command, json.dumps(body).encode())
            await published(town, command, list(broken(command))[next(bad)])
        for body in broken(SubmitMatter):
            await published(town, SubmitMatter, body)


async def through_its_life(town: Duban) -> str:
    """A matter from its submission to the callback; everybody writes what he should not."""
    key = f"planted:{uuid4().hex}"
    person = {"name": NAME, "phone": MOBILE}
    matter = SubmitMatter(title=f"{NAME}：{TEXT}", category="garbage", text=TEXT, petitioner=person)
    assert await came_of(town, matter, key, "gateway") == ["matter_accepted", "personal_data_masked"]
    await town.caught_up(consumers=["intake", "ledger"])
    entry = (await town.ask("ledger", "find", FindEntry(submission=key), Found)).entry
    assert entry
    handler, office = "qingjieban", "office"
    for command, actor in (
        (Accept(), handler),
        (RecordProgress(note=TEXT, evidence=(TEXT,)), handler),
        (ApplyExtension(length=Limit(amount=2), reason=TEXT), handler),
        (DecideExtension(granted=False, reason=TEXT), office),
        (Hold(ground=HoldGround.FORCE_MAJEURE, reason=TEXT), handler),
        (Resume(), handler),
        (ReportUp(to=TEXT, reason=TEXT), handler),
        (Resolve(answer=TEXT), handler),
        (Verify(passed=False, reason=TEXT), office),
        (Resolve(answer=TEXT), handler),
        (Verify(passed=True, reason=TEXT), office),
    ):
        came = await came_of(town, command, entry, actor)
        assert "command_refused" not in came, command
        assert ("personal_data_masked" in came) == (type(command) not in (Accept, Resume))
    await town.caught_up(consumers=["ledger", "rating"])
    for command, actor in (
        (Rate(level=Level.VERY_DISSATISFIED), "gateway"),
        (RecordCallback(result=CallbackResult.NOT_REACHED, note=TEXT), office),
        (RecordCallback(result=CallbackResult.CONFIRMED, note=TEXT), office),
        (RecordRectification(note=TEXT), handler),
    ):
        came = await came_of(town, command, f"{entry}/2", actor)
        assert "command_refused" not in came, command
    return entry


async def found_and_mended(town: Duban) -> None:
    key = f"finding/{uuid4().hex}"
    finding = RecordFinding(station="jiwei", ground=Ground.BELOW_REQUIREMENT, text=TEXT)
    for command in (finding, VerifyRectification(passed=True, note=TEXT)):
        assert "personal_data_masked" in await came_of(town, command, key, "office")


async def came_of(town: Duban, command: Command, key: str, actor: str) -> list[str]:
    given = await town.outcome(Order(command, key, actor))
    return [told.type.split(".")[2] for told in given.facts]


async def shown_to_open_duties(town: Duban, entry: str) -> None:
    """The rating reopened the entry: its handler may read who asked, and nobody else."""
    await town.caught_up()
    for actor in ("qingjieban", "bianmin"):
        order = Order(ShowPetitioner(reason="约时间"), f"entry/{entry}", actor)
        [told] = (await town.outcome(order)).facts
        question = AskPetitioner(entry=entry)
        read = (await town.ask("intake", "petitioner", question, PetitionerFound, actor=actor)).read
        if actor == "qingjieban":
            assert told.type == PetitionerShown.type
            assert read
            assert read.petitioner
            assert (read.petitioner.name, read.petitioner.phone, read.text) == (NAME, MOBILE, TEXT)
        else:
            assert json.loads(told.data)["reason"] == Refusal.NO_OPEN_DUTY
            assert read is None


async def published(town: Duban, command: type[Command], body: bytes) -> None:
    actor = next(ACTORS[role] for role in Role if role in command.by)
    id_ = uuid4().hex
    headers = encode(Attributes(id_, "tests", command.type, None, f"planted:{id_}", id_))
    await town.client.jetstream().publish(subject_of(command, actor), body, headers=headers)


def imported(system: System, folder: Path) -> Path:
    """Three cases, one of them refused here and one by intake; returns the file of refused rows."""
    mapping = {
        "feed": f"planted{uuid4().hex[:8]}",
        "timezone": "Asia/Shanghai",
        "columns": {"id": "No", "title": "Title", "text": "Words", "category": "What", "submitted_at": "In"},
    }
    (folder / "map.yaml").write_text(json.dumps(mapping), "utf-8")
    with (folder / "cases.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["No", "Title", "Words", "What", "In", "Complainant"])
        for number, category in enumerate(("garbage", "no category!", "nosuch", MOBILE), 1):
            rows.writerow([number, TEXT, TEXT, category, "2024-04-15 09:00", f"{NAME} {MOBILE}"])
    arguments = ["--nats", system.nats_url, "import", str(folder / "cases.csv"), "--mapping"]
    said = CliRunner().invoke(app, [*arguments, str(folder / "map.yaml"), "--format", "json"])
    assert found_in({"output": said.output}) == {}
    document = json.loads(said.stdout)
    assert (document["imported"], document["refused"]) == (1, 3)
    return Path(document["refused_file"])


async def at_rest(system: System) -> None:
    async with duban(system.nats_url, "duban/tests") as town:
        await town.caught_up()


async def swept(system: System) -> bool:
    async with duban(system.nats_url, "duban/tests") as town:
        infos = [await town.client.jetstream().stream_info(command_stream(each)) for each in SERVICES]
        return all(info.state.messages == 0 for info in infos)


async def ends(system: System) -> dict[str, int]:
    async with duban(system.nats_url, "duban/tests") as town:
        infos = await town.client.jetstream().streams_info()
        return {info.config.name or "": info.state.last_seq for info in infos}


async def streams(system: System, before: dict[str, int]) -> dict[str, str]:
    """Everything that was published since: subject, headers and body, buckets too."""
    held: dict[str, str] = {}
    async with duban(system.nats_url, "duban/tests") as town:
        jetstream = town.client.jetstream()
        for info in await jetstream.streams_info():
            name = info.config.name or ""
            for sequence in range(before.get(name, 0) + 1, info.state.last_seq + 1):
                try:
                    msg = await jetstream.get_msg(name, sequence)
                except NotFoundError:
                    continue
                texts = [msg.subject or "", str(dict(msg.headers or {})), *readings(msg.data or b"")]
                held[f"{name} {sequence} {msg.subject}"] = "\n".join(texts)
    assert any(place.startswith("DEAD ") for place in held)
    assert any("personal_data_masked" in place for place in held)
    return held


def readings(body: bytes) -> Iterator[str]:
    """However somebody might read these bytes."""
    for encoding in ("utf-8", "gb18030"):
        text = body.decode(encoding, "replace")
        yield text
        try:
            yield json.dumps(json.loads(text), ensure_ascii=False)
        except ValueError:
            continue


@asynccontextmanager
async def mongo(system: System) -> AsyncIterator[Any]:
    client: Any = AsyncIOMotorClient(system.mongo.url)
    try:
        yield client
    finally:
        client.close()


async def databases(system: System) -> dict[str, str]:
    """Every document but intake's; of intake's, what it tells others."""
    held: dict[str, str] = {}
    kept = ""
    async with mongo(system) as client:
        for name in await client.list_database_names():
            if name in ("admin", "config", "local"):
                continue
            for collection in await client[name].list_collection_names():
                async for document in client[name][collection].find():
                    place = f"{name}.{collection} {document['_id']}"
                    if name != "duban_intake":
                        held[place] = str(document)
                        continue
                    kept += str(document.get("state"))
                    held[place] = str(list(told(document)))
    assert TEXT in kept, "intake has the petitioner's own words"
    return held


def told(document: dict[str, Any]) -> Iterator[Any]:
    answers: Iterable[Any] = document.get("answers") or [document.get("answer", {})]
    for answer in answers:
        yield from (each for each in answer.get("events", ()) if not each["type"].startswith("kept:"))


async def exports(system: System) -> dict[str, str]:
    held: dict[str, str] = {}
    async with duban(system.nats_url, "duban/tests") as town:
        for name, reply in (("list", EntryPage), ("export", PaperPage)):
            question = ListEntries(limit=500)
            while True:
                page: Any = await town.ask("ledger", name, question, reply)
                held[f"{name} {question.after}"] = page.model_dump_json()
                if page.next is None:
                    break
                question = question.model_copy(update={"after": page.next})
    assert any("手机号" in text for text in held.values())
    return held

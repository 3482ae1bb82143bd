"""`duban demo`: the servers and services of its own, three months in under a minute, then the report."""

import asyncio
import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from nats.js.errors import NotFoundError
from rich.console import Console

from duban_contracts.charter import Charter
from duban_contracts.message import Fact
from duban_contracts.queries import WhoLags
from duban_contracts.subjects import fact_stream
from services.chassis.charter_file import read_charter
from services.chassis.settings import ClockMode
from services.console.client import Duban, duban
from services.console.demo.closing import Tally, missing
from services.console.demo.play import play, with_timelapse
from services.console.demo.screen import screen
from services.console.demo.steps import World
from services.console.embedded import ServerFailed, ServerMissing
from services.console.embedded.nats import URL_VARIABLE
from services.console.i18n import N_, _
from services.console.reporting import as_table
from services.console.sentences import Town
from services.console.system import NotReady, running_system
from services.console.terminal import WIDTH, Exit, Stop, ending, misuse
from services.console.up import DEFAULT_CHARTER
from services.console.words import word
from services.escalation.views import LaggardReport

REPORT = "laggards.json"


@dataclass(frozen=True)
class Played:
    tally: Tally
    report: LaggardReport
    seconds: float


def demo(
    seed: Annotated[int, typer.Option(help=N_("The same seed gives the same report"))] = 2024,
    out: Annotated[
        Path, typer.Option(help=N_("The folder for the report and the services' logs"), file_okay=False)
    ] = Path("build/demo"),
    days: Annotated[
        int | None, typer.Option(min=1, help=N_("Stop after so many calendar days; default: all of them"))
    ] = None,
) -> None:
    with ending():
        charter = with_timelapse(read_charter(DEFAULT_CHARTER))
        console = _console()
        console.print(_("Starting nats-server, mongod and five services ..."))
        played = _on_own_system(World(seed, charter), days, out, console)
        _conclude(played, charter, out, console, whole=days is None)


def _console() -> Console:
    """What goes to a file or a pipe is not cut."""
    console = Console(markup=False, emoji=False, highlight=False)
    return console if console.is_terminal else Console(markup=False, highlight=False, width=WIDTH)


def _on_own_system(world: World, days: int | None, out: Path, console: Console) -> Played:
    if url := os.environ.get(URL_VARIABLE):
        asyncio.run(_refuse_if_used(url))
    try:
        with running_system(world.charter, clock=ClockMode.TOLD, logs=_logs(out)) as system:
            return asyncio.run(_played(system.nats_url, world, days, console))
    except (ServerMissing, ServerFailed, NotReady) as trouble:
        raise Stop(Exit.UNREACHABLE, "not_started", str(trouble)) from None


async def _refuse_if_used(url: str) -> None:
    """Invented matters have no business in a register that somebody keeps."""
    async with duban(url) as system:
        try:
            await system.client.jetstream(timeout=5).stream_info(fact_stream("ledger"))
        except NotFoundError:
            return
    sentence = _("{variable} names a system that is in use; the demo wants one of its own, so unset it")
    raise Stop(Exit.REFUSED, "in_use", sentence.format(variable=URL_VARIABLE))


def _logs(out: Path) -> Path:
    """Empty at first: each run has its own."""
    logs = out / "logs"
    try:
        logs.mkdir(parents=True, exist_ok=True)
        for log in logs.glob("*.log"):
            log.unlink()
    except OSError as error:
        raise misuse(_("{file} cannot be written: {why}").format(file=logs, why=error.strerror)) from None
    return logs


async def _played(url: str, world: World, days: int | None, console: Console) -> Played:
    async with duban(url, source="duban/demo") as system:
        tally, view = Tally(), screen(console, Town(world.charter), lambda now: _report(system, now))

        async def show(now: datetime, facts: Sequence[Fact]) -> None:
            tally.count(facts)
            await view.show(now, facts)

        started = time.monotonic()
        with view.on():
            end = await play(system, world, days, show)
        return Played(tally, await _report(system, end), time.monotonic() - started)


async def _report(system: Duban, now: datetime) -> LaggardReport:
    return await system.ask("escalation", "laggards", WhoLags(at=now), LaggardReport)


def _conclude(played: Played, charter: Charter, out: Path, console: Console, whole: bool) -> None:
    console.print(as_table(played.report, Town(charter)), soft_wrap=True)
    file = out / REPORT
    file.write_text(as_text(played.report), encoding="utf-8")
    console.print(_summary(played, file), soft_wrap=True)
    if whole and (absent := missing(played.tally, charter)):
        sentence = _("the story is not complete; missing: {absent}").format(absent=", ".join(absent))
        raise Stop(Exit.REFUSED, "incomplete", sentence)


def as_text(report: LaggardReport) -> str:
    """The same bytes for the same report, whichever version of the code lists its fields how."""
    return json.dumps(report.model_dump(mode="json"), ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def _summary(played: Played, file: Path) -> str:
    tally = played.tally
    rungs = (_(", ")).join(f"{word(rung)} {count}" for rung, count in tally.rungs().items())
    return _(
        "{facts} facts in {seconds} seconds; rungs reached: {rungs}; steps declined: {declined}; "
        "commands refused: {refused}. The report stands in {file}"
    ).format(
        facts=tally.total,
        seconds=f"{played.seconds:.0f}",
        rungs=rungs,
        declined=tally.declined,
        refused=tally.refused,
        file=file,
    )

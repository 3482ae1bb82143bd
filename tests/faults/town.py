"""The town that faults are done to: both servers, every service as a process, and who revives them."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from time import monotonic
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import pymongo

from duban_contracts.charter import Charter
from duban_contracts.message import SERVICES
from services.chassis.charter_file import read_charter
from services.chassis.provision import provision
from services.console.client import Duban, duban
from services.console.embedded import embedded_mongo, embedded_nats
from services.console.system import Running, System, set_up
from tests.conftest import CHARTERS
from tests.faults import OFFICE
from tests.waiting import until

ACK_WAIT = 3.0
"""Seconds until a message is delivered again; short, so that outliving it takes no minute."""
US = "tests"
Result = TypeVar("Result")


@dataclass
class Town:
    system: System
    charter: Charter
    control: Path

    def do(self, work: Callable[[Duban], Awaitable[Result]]) -> Result:
        """Something with a connection of its own."""

        async def connected() -> Result:
            async with duban(self.system.nats_url, "duban/tests", patience=30, actor=OFFICE) as town:
                return await work(town)

        return asyncio.run(connected())

    def provision(self) -> None:
        self.do(lambda town: provision(town.client, ack_wait=ACK_WAIT))

    def revive(self) -> None:
        """What docker or `duban up` does: who died is started again."""
        for service in self.system.services:
            if not service.child.running:
                service.child.start()

    def mend(self) -> None:
        """After a fault that broke off half done: everything as it was meant to be."""
        system = self.system
        for server in (system.nats, system.mongo):
            server.resume()
            if not server.running:
                server.start()
        for service in system.services:
            service.child.resume()
        system.nats.revoke()
        system.nats.reload()
        (self.control / "clock").unlink(missing_ok=True)
        self.provision()
        self.do(_without_limits)

    def await_ready(self, *names: str, patience: float = 60) -> None:
        """Everybody, or those named; nobody is revived for it."""
        waited = [s for s in self.system.services if not names or s.name in names]
        until(lambda: all(service.ready for service in waited), patience)

    def caught_up(self) -> None:
        """Nothing waits at the broker, nothing is due in any store, and nobody is dead."""

        def quiet() -> bool:
            self.revive()
            self.do(lambda town: town.caught_up(patience=90))
            return not self.due()

        until(quiet, 120)
        self.do(lambda town: town.caught_up(patience=90))

    def due(self) -> int:
        now = datetime.now(UTC)
        with pymongo.MongoClient[dict[str, Any]](self.system.mongo.url, tz_aware=True) as client:
            return sum(
                client[f"duban_{name}"][name].count_documents({"wake_at": {"$lte": now}}) for name in SERVICES
            )

    def today(self) -> date:
        return datetime.now(ZoneInfo(self.charter.timezone)).date()


async def _without_limits(town: Duban) -> None:
    jetstream = town.client.jetstream(timeout=10)
    for info in await jetstream.streams_info():
        if info.config.max_bytes != -1:
            await jetstream.update_stream(info.config.evolve(max_bytes=-1))


def busy(service: Running, seconds: float = 2.0) -> float:
    """The share of a core that it uses, over some seconds."""
    started, used = monotonic(), _cpu_seconds(service.child.pid)
    until(lambda: monotonic() - started > seconds)
    return (_cpu_seconds(service.child.pid) - used) / (monotonic() - started)


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def charter_before_midnight() -> Charter:
    """The township's, put where its midnight is less than an hour away.

    Deadlines end at midnight, so a clock that is an hour wrong is wrong about them.
    """
    offset = 23 - datetime.now(UTC).hour
    offset -= 24 if offset > 14 else 0
    zone = f"Etc/GMT{-offset:+d}" if offset else "Etc/GMT"  # these names have their sign the other way round
    return read_charter(CHARTERS / "township-2024.yaml").model_copy(update={"timezone": zone})


@contextmanager
def a_town(folder: Path) -> Iterator[Town]:
    """Servers and charter, and no service yet. Each service has a credential of its own."""
    control, logs = folder / "control", folder / "logs"
    for place in (control, logs):
        place.mkdir(parents=True, exist_ok=True)
    os.environ["DUBAN_FAULTS_CONTROL"] = str(control)
    with embedded_nats(users=(US, *SERVICES)) as nats, embedded_mongo() as mongo:
        town = Town(
            System(nats, mongo, logs=logs, module="tests.faults.service"), charter_before_midnight(), control
        )
        try:
            yield town
        finally:
            town.system.stop()


@contextmanager
def running_town(folder: Path) -> Iterator[Town]:
    with a_town(folder) as town:
        asyncio.run(set_up(town.system.nats_url, town.charter, ACK_WAIT))
        town.system.start()
        yield town

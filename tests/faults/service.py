"""One service as a process, as in `python -m services NAME`, with three handles for fault tests.

They are files in the folder DUBAN_FAULTS_CONTROL. `clock` holds seconds by which this process's clock is
wrong. `close-NAME` has its connection to NATS closed for good, as a client does that has given up.
`die-NAME` holds a seam, e.g. `after save`: the process kills itself when it next comes there.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import uvloop

from services.chassis.clock import system_clock
from services.chassis.logs import set_up
from services.chassis.mongo import MongoDocuments
from services.chassis.process import Process
from services.chassis.register import Register
from services.chassis.settings import Settings
from services.chassis.standings import Standings
from services.chassis.telling import NatsTeller

LOOK_SECONDS = 0.1
SEAMS: dict[str, tuple[type, str]] = {
    "allot": (Register, "allot"),
    "spill": (MongoDocuments, "_spill"),
    "save": (MongoDocuments, "save"),
    "tell": (NatsTeller, "__call__"),
    "show": (Standings, "put"),
    "rest": (MongoDocuments, "rest"),
}
"""Everything that a batch does outside, in this order; then it is acknowledged."""


def main(name: str) -> int:
    control = Path(os.environ["DUBAN_FAULTS_CONTROL"])
    app = import_module(f"services.{name}.app")
    services = [app.SERVICE, *([app.REPORT] if hasattr(app, "REPORT") else [])]
    settings = Settings()
    set_up(settings.log_format, settings.log_level, name)
    for step, place in SEAMS.items():
        make_mortal(step, *place, control / f"die-{name}")

    def clock() -> datetime:
        return system_clock() + wrong_by(control)

    async def run() -> int:
        process = Process(settings, services, clock)
        closing = asyncio.create_task(close_when_told(process, control / f"close-{name}"))
        try:
            return await process.run()
        finally:
            closing.cancel()

    return uvloop.run(run())


def wrong_by(control: Path) -> timedelta:
    with suppress(FileNotFoundError):
        return timedelta(seconds=float((control / "clock").read_text() or 0))
    return timedelta()


async def close_when_told(process: Process, told: Path) -> None:
    while not told.exists():  # noqa: ASYNC110 (a file is how another process tells us)
        await asyncio.sleep(LOOK_SECONDS)
    told.unlink()
    await process.client.close()


def make_mortal(step: str, owner: type, method: str, told: Path) -> None:
    """Have a step look, when it is done, whether it is time to die."""
    whole: Callable[..., Any] = getattr(owner, method)

    async def mortal(self: Any, *args: Any) -> Any:
        done = await whole(self, *args)
        if step != "spill" or any(change.spilled for change in args[0]):
            die_if(f"after {step}", told)
        return done

    setattr(owner, method, mortal)


def die_if(here: str, told: Path) -> None:
    if told.exists() and told.read_text() == here:
        told.unlink()
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

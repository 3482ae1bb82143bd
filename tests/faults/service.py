"""One service as a process, as in `python -m services NAME`, with two handles for fault tests.

A file `clock` in the folder DUBAN_FAULTS_CONTROL holds seconds by which this process's clock is wrong. A
file `close-NAME` has its connection to NATS closed for good, as a client does that has given up.
"""

import asyncio
import os
import sys
from contextlib import suppress
from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path

import uvloop

from services.chassis.clock import system_clock
from services.chassis.logs import set_up
from services.chassis.process import Process
from services.chassis.settings import Settings

LOOK_SECONDS = 0.1


def main(name: str) -> int:
    control = Path(os.environ["DUBAN_FAULTS_CONTROL"])
    app = import_module(f"services.{name}.app")
    services = [app.SERVICE, *([app.REPORT] if hasattr(app, "REPORT") else [])]
    settings = Settings()
    set_up(settings.log_format, settings.log_level, name)

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


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

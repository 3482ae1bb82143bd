"""Run one service as a process: `python -m services NAME`."""

import asyncio
import gc
import sys
from collections.abc import Sequence

from pydantic import ValidationError

from services.chassis.logs import set_up
from services.chassis.process import Process
from services.chassis.service import Service
from services.chassis.settings import Settings

OBJECTS_BETWEEN_COLLECTIONS = 100_000
"""A batch makes many objects and leaves hardly a cycle: to look for some after every 700, as Python does
unless told, takes a sixth of all time (`docs/performance.md`)."""


def run(*services: Service) -> int:
    """Returns the exit status; settings that are wrong are named, and nothing is half started."""
    try:
        settings = Settings()
    except ValidationError as error:
        for fault in error.errors():
            print(f"DUBAN_{'_'.join(map(str, fault['loc'])).upper()}: {fault['msg']}", file=sys.stderr)  # noqa: T201
        return 2
    set_up(settings.log_format, settings.log_level, services[0].part_of)
    gc.freeze()
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
    return _loop(settings, services)


def _loop(settings: Settings, services: Sequence[Service]) -> int:
    async def main() -> int:
        return await Process(settings, services).run()

    if sys.platform == "win32":
        return asyncio.run(main())
    import uvloop

    return uvloop.run(main())

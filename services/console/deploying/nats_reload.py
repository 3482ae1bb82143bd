"""Let a running nats-server read its configuration again, where that changed since it read it.

Runs beside the server: in its network, for its monitoring, and in its process namespace, for the signal. So
no credential is needed that could do more.
"""

import json
import os
import signal
import urllib.request
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tenacity import (
    RetryError,
    Retrying,
    retry_if_exception_type,
    retry_if_result,
    stop_after_delay,
    wait_fixed,
)

PATIENCE_SECONDS = 15.0
MARGIN = timedelta(seconds=10)
"""A file that is older than the server's reading by less may have been written while it was read."""


class NotReloaded(Exception):
    """The server is not there, or goes on with its former configuration."""


def reload(files: Sequence[Path], monitor: str, patience: float = PATIENCE_SECONDS) -> bool:
    """Whether a reload was necessary; `monitor` is the server's HTTP address. Raises NotReloaded."""
    before = _await_server(monitor, patience)
    changed = datetime.fromtimestamp(max(file.stat().st_mtime for file in files), UTC)
    if before > changed + MARGIN:
        return False
    # An account that is new is made by the first reading, and reaches what services subscribed to before only
    # after the second (nats-server 2.15).
    for _ in range(2):
        before = _read_again(monitor, before, patience)
    return True


def _read_again(monitor: str, before: datetime, patience: float) -> datetime:
    os.kill(_server(), signal.SIGHUP)
    waiting = Retrying(
        retry=retry_if_result(lambda read_at: read_at == before),
        wait=wait_fixed(0.1),
        stop=stop_after_delay(patience),
    )
    try:
        return waiting(_read_at, monitor)
    except RetryError:
        raise NotReloaded("the server refuses the new configuration and goes on with the former") from None


def _await_server(monitor: str, patience: float) -> datetime:
    waiting = Retrying(
        retry=retry_if_exception_type(NotReloaded),
        wait=wait_fixed(0.2),
        stop=stop_after_delay(patience),
        reraise=True,
    )
    return waiting(_read_at, monitor)


def _read_at(monitor: str) -> datetime:
    try:
        with urllib.request.urlopen(f"{monitor}/varz", timeout=5) as answer:  # noqa: S310
            return datetime.fromisoformat(json.load(answer)["config_load_time"])
    except OSError as error:
        raise NotReloaded(f"the server does not answer at {monitor}: {error}") from None


def _server() -> int:
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "comm").read_text().strip() == "nats-server":
                return int(process.name)
        except OSError:  # ended meanwhile
            continue
    raise NotReloaded("there is no process nats-server")

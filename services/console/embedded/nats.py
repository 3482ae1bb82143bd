"""Our own nats-server: JetStream on disk, synced on every write, on loopback."""

import json
import secrets
import shutil
import socket
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from services.console.embedded.servers import LOOPBACK, Server, ServerMissing, at_home, borrowed_url

URL_VARIABLE = "DUBAN_NATS_URL"

# `sync_interval` has to stand on a line of its own. An acknowledgement means: it is on disk.
_CONFIG = """\
server_name: {name}
listen: "{host}:{port}"
max_payload: 1MB
jetstream {{
  store_dir: {store}
  max_mem: 128MB
  max_file: 10GB
  sync_interval: always
}}
"""


class NatsServer(Server):
    """A nats-server with JetStream; `url` is `nats://127.0.0.1:<port>`."""

    kind = "nats-server"

    def _url(self) -> str:
        return f"nats://{LOOPBACK}:{self.port}"

    def _prepare(self) -> list[str]:
        self._name = f"duban-{secrets.token_hex(4)}"
        config = self.home / "nats.conf"
        store = json.dumps(str(self.home))
        text = _CONFIG.format(name=self._name, host=LOOPBACK, port=self.port, store=store)
        config.write_text(text, encoding="utf-8")
        return [str(find_nats_server()), "-c", str(config)]

    def _answers(self) -> bool:
        """A client is greeted with INFO only after JetStream has recovered its streams."""
        try:
            with (
                socket.create_connection((LOOPBACK, self.port), timeout=1) as connection,
                connection.makefile("rb") as lines,
            ):
                info = json.loads(lines.readline().removeprefix(b"INFO "))
        except (OSError, ValueError):
            return False
        return bool(info.get("jetstream")) and info.get("server_name") == self._name


@contextmanager
def embedded_nats(data_dir: Path | None = None, port: int | None = None) -> Iterator[NatsServer]:
    """A nats-server for the length of the block; DUBAN_NATS_URL names a running one to use instead.

    Raises ServerMissing when there is no program to run, ServerFailed when it does not start.
    """
    borrowed = borrowed_url(URL_VARIABLE)
    if borrowed:
        yield NatsServer(Path(), borrowed=borrowed)
        return
    with at_home(lambda home: NatsServer(home, port), data_dir) as server:
        yield server


def find_nats_server() -> Path:
    """The one from the wheel in our environment, else one on PATH; raises ServerMissing."""
    found = shutil.which("nats-server", path=sysconfig.get_path("scripts")) or shutil.which("nats-server")
    if found is None:
        raise ServerMissing(
            "no nats-server. Fix: uv sync --extra embedded (or pip install 'duban[embedded]'),"
            f" or set {URL_VARIABLE} to a running server"
        )
    return Path(found)

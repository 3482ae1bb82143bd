"""What our own nats-server and mongod have in common: a home, a loopback port, a start that waits, faults."""

import errno
import os
import secrets
import socket
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar, TypeVar

from tenacity import Retrying, retry_if_exception_type, retry_if_result, stop_after_delay, wait_fixed

from services.console.embedded.processes import STOP_SECONDS, Child

LOOPBACK = "127.0.0.1"
_START_SECONDS = 30
# A predecessor that was killed has its servers stopped by their leash, which may take these seconds.
_OCCUPIED_SECONDS = 5
_PORT_TAKEN = ("address already in use", "only one usage of each socket address")
# Below the range from which the systems draw ports for outgoing connections: a client that keeps trying the
# port of a killed server may otherwise be given that very port, connect to itself, and keep the server out.
_PORTS = range(20_000, 32_000)


class ServerMissing(Exception):
    """No program to run; the message names the fix."""


class ServerFailed(Exception):
    """A server did not start; the message ends with the end of its log."""


class Occupied(ServerFailed):
    """Somebody else has its port or its data directory."""


class NotOurs(Exception):
    """The server was named by an environment variable: it is not ours to kill, pause or stop."""


class Server(ABC):
    """One server of our own, or a borrowed one that is only a URL.

    The port stays the same from the first successful start on, so `kill` then `start` is a restart.
    """

    kind: ClassVar[str]

    def __init__(self, home: Path, port: int | None = None, borrowed: str | None = None) -> None:
        self.home = home
        self.borrowed = borrowed
        self._port = port
        self._settled = port is not None
        self._child: Child | None = None
        self._log = home / f"{self.kind}.log"

    @property
    def url(self) -> str:
        return self.borrowed or self._url()

    @property
    def port(self) -> int:
        if self._port is None:
            raise self._not_ours() if self.borrowed else RuntimeError(f"{self.kind} was never started")
        return self._port

    @property
    def pid(self) -> int:
        return self._own().pid

    @property
    def running(self) -> bool:
        return self._child is not None and self._child.running

    def start(self) -> None:
        """Start, and return when it answers; raises ServerFailed, after 30 s at the latest."""
        if self.borrowed:
            raise self._not_ours()
        if self.running:
            raise RuntimeError(f"{self.kind} is already running")
        Retrying(
            retry=retry_if_exception_type(Occupied),
            stop=stop_after_delay(_OCCUPIED_SECONDS),
            wait=wait_fixed(0.1),
            reraise=True,
        )(self._start_once)

    def kill(self) -> None:
        """SIGKILL: the crash that durability is measured by."""
        self._own().kill()

    def stop(self, timeout: float = STOP_SECONDS) -> None:
        """Graceful; SIGKILL after `timeout` seconds."""
        self._own().terminate(timeout)

    def pause(self) -> None:
        """SIGSTOP: it keeps its connections and answers nobody."""
        self._own().pause()

    def resume(self) -> None:
        self._own().resume()

    @abstractmethod
    def _url(self) -> str: ...

    @abstractmethod
    def _prepare(self) -> list[str]:
        """Write what it needs into its home; the command that starts it on `port`."""

    @abstractmethod
    def _answers(self) -> bool:
        """Whether it, and not somebody else on its port, is ready for clients."""

    def _telling(self, log: list[str]) -> list[str]:
        """The lines of its log that say why it failed."""
        return log

    def _own(self) -> Child:
        if self._child is None:
            raise self._not_ours() if self.borrowed else RuntimeError(f"{self.kind} was never started")
        return self._child

    def _not_ours(self) -> NotOurs:
        return NotOurs(f"{self.kind} at {self.borrowed} was not started by us")

    def _start_once(self) -> None:
        if not self._settled:  # nobody has been told a port yet: any will do
            self._port = free_port()
        self.home.mkdir(parents=True, exist_ok=True)
        logged = self._log.stat().st_size if self._log.exists() else 0
        self._child = Child(self._prepare(), log=self._log, alone=True)
        try:
            self._child.start()
        except BlockingIOError:
            raise Occupied(f"{self.home} is in use by another {self.kind}") from None
        try:
            self._await_answer(logged)
        except BaseException:
            self._child.kill()
            raise
        self._settled = True

    def _await_answer(self, logged: int) -> None:
        def answered() -> bool:
            if not self.running:
                raise self._failure(f"ended with {self._own().returncode}", logged)
            return self._answers() and self.running

        waiting = Retrying(
            retry=retry_if_result(lambda ready: not ready),
            stop=stop_after_delay(_START_SECONDS),
            wait=wait_fixed(0.01),
            retry_error_callback=lambda _: False,
        )
        if not waiting(answered):
            raise self._failure(f"did not answer within {_START_SECONDS} s", logged)

    def _failure(self, what: str, logged: int) -> ServerFailed:
        log = self._log.read_bytes()[logged:].decode(errors="replace")
        tail = self._telling(log.splitlines())[-15:]
        text = "\n".join([f"{self.kind} on port {self._port} {what}. Its log, {self._log}, ends:", *tail])
        taken = any(sign in log.lower() for sign in _PORT_TAKEN)
        return Occupied(text) if taken else ServerFailed(text)


def await_port(port: int) -> None:
    """Raises Occupied if somebody else keeps it, longer than a predecessor that is being stopped."""
    Retrying(
        retry=retry_if_exception_type(Occupied),
        stop=stop_after_delay(_OCCUPIED_SECONDS),
        wait=wait_fixed(0.1),
        reraise=True,
    )(_bind, port)


def _bind(port: int) -> None:
    with socket.socket() as trial:
        if os.name != "nt":  # there it would let us share a port that is taken
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((LOOPBACK, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise Occupied(f"port {port}: {error.strerror}") from None


S = TypeVar("S", bound=Server)


@contextmanager
def at_home(make: Callable[[Path], S], data_dir: Path | None) -> Iterator[S]:
    """Run a server in `data_dir`, which is kept, or in a temporary directory, which is removed."""
    if data_dir is not None:
        server = make(data_dir.absolute())
        with _started(server, at_end=server.stop):
            yield server
        return
    with TemporaryDirectory(prefix="duban-", ignore_cleanup_errors=True) as home:
        server = make(Path(home))
        with _started(server, at_end=server.kill):  # nobody will read the data again: save the second
            yield server


@contextmanager
def _started(server: Server, at_end: Callable[[], None]) -> Iterator[None]:
    server.start()
    try:
        yield
    finally:
        at_end()


def free_port() -> int:
    """A loopback port that nobody listens on, at this moment."""
    for _ in range(1000):
        port = _PORTS[secrets.randbelow(len(_PORTS))]
        with socket.socket() as probe:
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
            return port
    raise ServerFailed(f"no free port between {_PORTS.start} and {_PORTS.stop}")


def borrowed_url(variable: str) -> str | None:
    """The URL of a running server that the environment tells us to use instead of our own."""
    return os.environ.get(variable) or None

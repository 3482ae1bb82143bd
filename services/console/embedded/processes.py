"""One child process that cannot outlive us, with the verbs that fault tests need."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

STOP_SECONDS = 10.0
_LEASH = Path(__file__).with_name("leash.py")
_STDOUT = 1
if sys.platform == "win32":
    _KILL = signal.SIGTERM  # TerminateProcess
else:
    import fcntl

    _KILL = signal.SIGKILL


class Child:
    """A command of ours, held on a leash (`leash.py`): it ends when this process ends, SIGKILL included.

    `env` replaces the environment, as in `subprocess`. `log` is appended to; None means that the output,
    stdout and stderr as one, goes to our own stdout. `alone` lets nobody else who says so start on the same
    log until the command has ended, even if we are gone before it is.

    It runs in a session of its own: Ctrl-C in the terminal reaches us only, so that we choose the order in
    which things stop. What the command starts itself ends with it. It may be started again after it ended.
    A process that forks without exec (`multiprocessing` by fork) must not do so while it holds a Child: the
    fork would keep the leash from noticing that we are gone.
    """

    def __init__(
        self,
        command: Sequence[str],
        env: Mapping[str, str] | None = None,
        log: Path | None = None,
        alone: bool = False,
    ) -> None:
        self.command = list(command)
        self.returncode: int | None = None
        self._env = env
        self._log = log
        self._alone = alone
        self._pid = 0
        self._leash: subprocess.Popen[bytes] | None = None
        self._reaping = threading.Lock()

    def start(self) -> None:
        """Start the command; raises OSError, or BlockingIOError while not alone."""
        if self.running:
            raise RuntimeError(f"{self.command[0]} is already running")
        with self._output() as output:
            leash = _on_leash(self.command, self._env, output)
        word, _, rest = _line(leash).partition(" ")
        if word != "pid":
            _close(leash)
            raise OSError(f"cannot run {self.command[0]}: {rest}")
        self.returncode, self._pid, self._leash = None, int(rest), leash

    @property
    def pid(self) -> int:
        """Of the command itself, not of its leash; after the end, what it was."""
        if not self._pid:
            raise RuntimeError(f"{self.command[0]} was never started")
        return self._pid

    @property
    def running(self) -> bool:
        leash = self._leash
        if leash is None or leash.poll() is None:
            return leash is not None
        self._reap(leash)
        return False

    def wait(self, timeout: float | None = None) -> int:
        """The return code, negative for a signal; raises TimeoutError after `timeout` seconds."""
        leash = self._leash
        if leash is not None:
            try:
                leash.wait(timeout)
            except subprocess.TimeoutExpired:
                raise TimeoutError(f"{self.command[0]} still runs after {timeout} s") from None
            self._reap(leash)
        if self.returncode is None:
            raise RuntimeError(f"{self.command[0]} was never started")
        return self.returncode

    def terminate(self, timeout: float = STOP_SECONDS) -> int:
        """Ask it to stop; SIGKILL after `timeout` seconds. The return code."""
        self.resume()
        self._signal(signal.SIGTERM)
        try:
            return self.wait(timeout)
        except TimeoutError:
            return self.kill()

    def kill(self) -> int:
        """SIGKILL, and wait until it is gone. The return code."""
        self._signal(_KILL)
        return self.wait()

    def pause(self) -> None:
        """SIGSTOP: alive, its ports open, and silent. Not on Windows."""
        if sys.platform == "win32":
            raise NotImplementedError("Windows cannot pause a process")
        else:  # noqa: RET506 - mypy reads it so
            self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT: the end of a pause."""
        if sys.platform != "win32":
            self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        if self.running:
            with suppress(ProcessLookupError):
                os.kill(self._pid, number)

    @contextmanager
    def _output(self) -> Iterator[int]:
        if self._log is None:
            yield _STDOUT
            return
        with self._log.open("ab") as log:
            if self._alone:
                _lock(log.fileno())
            yield log.fileno()

    def _reap(self, leash: "subprocess.Popen[bytes]") -> None:
        with self._reaping:
            if self._leash is not leash:
                return  # another thread was faster
            word, _, rest = _line(leash).partition(" ")
            if word != "end":  # the leash itself was killed: do its work for it
                with suppress(ProcessLookupError):
                    os.kill(self._pid, _KILL)
            self.returncode = int(rest) if word == "end" else leash.returncode
            self._leash = None
            _close(leash)


def _lock(log: int) -> None:
    """Held by the open file, not by a process: the command inherits it, and its end is the lock's."""
    if sys.platform != "win32":
        fcntl.flock(log, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _on_leash(command: list[str], env: Mapping[str, str] | None, output: int) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-I", "-S", str(_LEASH), *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=output,
        env=env,
        bufsize=0,
        start_new_session=True,
        creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
    )


def _line(leash: "subprocess.Popen[bytes]") -> str:
    assert leash.stdout is not None  # noqa: S101 - asked for in _on_leash
    return leash.stdout.readline().decode().rstrip("\n")


def _close(leash: "subprocess.Popen[bytes]") -> None:
    with leash:  # closes the pipes and waits
        pass

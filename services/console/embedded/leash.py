"""Holds one command on a leash: when the process that started us is gone, however it died, so is the command.

Run as a script, `python -I -S leash.py command...`, by `processes.Child`; standard library only, so that it
costs some 10 ms. Its stdin is a pipe that nobody writes to: the end of it means that the parent is gone, and
that works after a SIGKILL too, on every system, without polling. Its stdout tells the parent `pid <n>` or
`no <why>`, and later `end <return code>`. Its stderr is where the command writes.
"""

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress

GRACE_SECONDS = 2.0


def main(command: list[str]) -> None:
    """Run the command to its end, or to our parent's, whichever comes first."""
    try:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=2)
    except OSError as error:
        _tell(f"no {error}")
        return
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: _in_background(_stop, child, ended))
    _in_background(_stop_with_parent, child, ended)
    _tell(f"pid {child.pid}")
    returncode = child.wait()
    ended.set()
    _tell(f"end {returncode}")
    _sweep()


def _in_background(work: object, *args: object) -> None:
    threading.Thread(target=work, args=args, daemon=True).start()  # type: ignore[arg-type]


def _stop_with_parent(child: "subprocess.Popen[bytes]", ended: threading.Event) -> None:
    while os.read(0, 1):
        pass
    _stop(child, ended)


def _stop(child: "subprocess.Popen[bytes]", ended: threading.Event) -> None:
    if sys.platform != "win32":
        child.send_signal(signal.SIGCONT)  # a stopped process would not hear the next one
    child.terminate()
    if not ended.wait(GRACE_SECONDS):
        child.kill()


def _tell(line: str) -> None:
    with suppress(OSError):  # the parent may be gone
        os.write(1, f"{line}\n".encode())


def _sweep() -> None:
    """End what the command left behind, ourselves included: the parent made us the leader of a group."""
    if sys.platform != "win32" and os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1:])

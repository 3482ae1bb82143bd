"""Ctrl-C for child processes, also where this process ignores it: as in the background of a shell."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def interruptible() -> Iterator[None]:
    """Children started inside react to SIGINT.

    A signal that is ignored stays ignored in a child, one that is handled is set back to its default there.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)

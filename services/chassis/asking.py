"""Questions in work and waiting: in turns between those who ask, and bounded for each of them.

Without this one asker's flood would be answered first, each question long after he gave up waiting, and
everybody else's afterwards.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from functools import partial
from time import monotonic

import structlog

from services.chassis.faults import fault, where

log = structlog.get_logger()
Work = Callable[[], Awaitable[None]]
AT_ONCE = 8
"""Questions that one process works on at the same time."""
AT_ONCE_EACH = 2
"""Of them, of one asker."""
MOST_EACH = 32
"""Questions of one asker, waiting and in work."""
MOST = 1_000
"""Waiting, of everybody together."""
PATIENCE = 5.0
"""Seconds after which whoever asked has given up: clients wait as long for an answer."""
TOO_MANY_OF_YOURS = f"busy: more than {MOST_EACH} questions of yours at once; ask again later"
TOO_MANY = "busy: too many questions at once; ask again later"
UNTOLD = ""
"""Instead of a reason, where as many of an asker's questions were refused within a second already: telling
each of a flood would cost more than taking it."""


class Desk:
    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._waiting: dict[str, deque[tuple[float, Work]]] = {}
        """By asker, in the order in which it is their turn."""
        self._count = 0
        self._in_work: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()
        self._told: Counter[str] = Counter()
        self._told_since = clock()
        self._closed = False

    def take(self, asker: str, work: Work) -> str | None:
        """Returns why not, for whoever asked. What waits longer than PATIENCE is dropped without a word."""
        if self._closed:
            return UNTOLD
        waiting = self._waiting.get(asker, ())
        if len(waiting) + self._in_work[asker] >= MOST_EACH:
            return self._refusal(asker, TOO_MANY_OF_YOURS)
        if self._count >= MOST:
            return self._refusal(asker, TOO_MANY)
        self._waiting.setdefault(asker, deque()).append((self._clock(), work))
        self._count += 1
        self._go_on()
        return None

    async def close(self) -> None:
        """What waits is dropped; what is in work is ended."""
        self._closed, self._waiting, self._count = True, {}, 0
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _refusal(self, asker: str, why: str) -> str:
        now = self._clock()
        if now - self._told_since > 1:
            self._told, self._told_since = Counter(), now
        self._told[asker] += 1
        return why if self._told[asker] <= MOST_EACH else UNTOLD

    def _go_on(self) -> None:
        while len(self._tasks) < AT_ONCE and (asker := self._whose_turn()) is not None:
            waiting = self._waiting.pop(asker)
            asked_at, work = waiting.popleft()
            self._count -= 1
            if waiting:
                self._waiting[asker] = waiting  # behind everybody else
            if self._clock() - asked_at <= PATIENCE:
                self._in_work[asker] += 1
                task = asyncio.create_task(self._do(work))
                self._tasks.add(task)
                task.add_done_callback(partial(self._done, asker))

    def _whose_turn(self) -> str | None:
        return next((who for who in self._waiting if self._in_work[who] < AT_ONCE_EACH), None)

    async def _do(self, work: Work) -> None:
        try:
            await work()
        except Exception as error:  # e.g. the connection is gone
            log.warning("query_not_answered", error=fault(error), where=where(error))

    def _done(self, asker: str, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._in_work[asker] -= 1
        if not self._in_work[asker]:
            del self._in_work[asker]
        self._go_on()

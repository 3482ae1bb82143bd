"""What an operator should look at in one consumer: messages that come again and again, keys that cannot be
woken, decisions that take long, data of a newer release. Bounded, and forgotten when it is over."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from time import monotonic
from typing import NamedTuple

from services.chassis import metrics

OFTEN = 5
"""Deliveries of one message from which on it counts as stuck."""
SLOW_SECONDS = 0.5
"""A decision that takes longer is slow: it is pure computation, and all others wait for it."""
REMEMBERED = 300.0
"""Seconds after the last slow decision, or the last refused document, until it is no news any more."""
MOST = 1_000


class StuckMessage(NamedTuple):
    stream: str
    sequence: int
    subject: str
    deliveries: int
    fault: str
    """Type and code of the error."""
    at: datetime
    """When it was given back last."""


class Slow(NamedTuple):
    command: str
    seconds: float
    at: float


class Troubles:
    def __init__(self, consumer: str, clock: Callable[[], float] = monotonic) -> None:
        self._consumer, self._clock = consumer, clock
        self._messages: dict[tuple[str, int], StuckMessage] = {}
        self._slow: Slow | None = None
        self._refused: tuple[str, float] | None = None
        self.unwoken: dict[str, str] = {}
        """Keys that could not be woken at the last try, with type and code of the error."""

    @property
    def has_messages(self) -> bool:
        return bool(self._messages)

    @property
    def messages(self) -> list[StuckMessage]:
        """Those that were delivered too often, the most often first."""
        return sorted(self._messages.values(), key=lambda each: -each.deliveries)

    def given_back(self, stream: str, sequence: int, subject: str, deliveries: int, fault: str) -> None:
        if deliveries < OFTEN or len(self._messages) >= MOST:
            return
        stuck = StuckMessage(stream, sequence, subject, deliveries, fault, datetime.now(UTC))
        self._messages[stream, sequence] = stuck
        self._count()

    def over(self, stream: str, sequence: int) -> None:
        if self._messages and self._messages.pop((stream, sequence), None) is not None:
            self._count()

    def could_not_wake(self, failed: Mapping[str, str]) -> None:
        self.unwoken = dict(list(failed.items())[:MOST])
        self._count()

    def decided(self, command: str, seconds: float) -> None:
        if seconds > SLOW_SECONDS:
            self._slow = Slow(command, seconds, self._clock())
            metrics.SLOW_DECISIONS.labels(self._consumer).inc()

    def refused_newer(self, what: str) -> None:
        self._refused = (what, self._clock())

    @property
    def newer_data(self) -> str | None:
        """What this release met and does not know."""
        if self._refused and self._clock() - self._refused[1] < REMEMBERED:
            return self._refused[0]
        return None

    @property
    def slow(self) -> str | None:
        if self._slow and self._clock() - self._slow.at < REMEMBERED:
            return f"{self._slow.command} took {self._slow.seconds:.1f} s to decide"
        return None

    @property
    def redelivery(self) -> str | None:
        said = []
        if self._messages:
            most = max(each.deliveries for each in self._messages.values())
            said.append(f"{len(self._messages)} messages were given back, up to {most} times")
        if self.unwoken:
            said.append(f"{len(self.unwoken)} keys cannot be woken")
        return f"{'; '.join(said)}; see `duban stuck`" if said else None

    def _count(self) -> None:
        metrics.STUCK_MESSAGES.labels(self._consumer).set(len(self._messages))
        metrics.STUCK_WAKES.labels(self._consumer).set(len(self.unwoken))

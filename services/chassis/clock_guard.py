"""Whether the machine's clock can be trusted to say what fell due.

The broker says with each answer when it gave it. From there the monotonic clock goes on, which no operator
and no time server moves. A wall clock that departs from that by more than a bound is wrong, or leapt: then
nothing is woken, for what is decided to have fallen due stays on record.
"""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from time import monotonic

from nats.aio.client import Client

from services.chassis.clock import Clock

BOUND = timedelta(seconds=60)
LONGEST_ANSWER = 5.0
"""Seconds: an answer that took longer says too little about when it was given."""


class ClockGuard:
    def __init__(self, clock: Clock, steady: Callable[[], float] = monotonic) -> None:
        self._clock, self._steady = clock, steady
        self._broker: tuple[datetime, float] | None = None
        """The broker's time, and the steady clock's then."""

    async def compare(self, client: Client, stream: str, consumer: str) -> None:
        """Ask the broker for its time. Raises what NATS raises; the last comparison then stays."""
        asked = self._steady()
        reply = await client.request(f"$JS.API.CONSUMER.INFO.{stream}.{consumer}", timeout=2)
        self.heard(json.loads(reply.data).get("ts"), asked)

    def heard(self, said: str | None, asked: float) -> None:
        answered = self._steady()
        if said is not None and answered - asked < LONGEST_ANSWER:
            self._broker = (datetime.fromisoformat(said), (asked + answered) / 2)

    @property
    def departure(self) -> timedelta | None:
        """How far the machine's clock is ahead of the broker's; None: not compared yet."""
        if self._broker is None:
            return None
        said, at = self._broker
        return self._clock() - (said + timedelta(seconds=self._steady() - at))

    @property
    def trouble(self) -> str | None:
        """Why nothing may be woken; None: the clock can be trusted."""
        departure = self.departure
        if departure is None:
            return "not compared with the broker's yet"
        if abs(departure) <= BOUND:
            return None
        way = "ahead of" if departure > timedelta(0) else "behind"
        seconds = abs(departure).total_seconds()
        return (
            f"{seconds:.0f} s {way} the broker's: nothing is woken until both agree; check the time service"
        )

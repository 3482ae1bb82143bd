"""Answered commands vanish: their stream is purged up to where everything has been acknowledged.

A work queue would remove each message as it is acknowledged and sync every removal by itself, which under
`sync_interval: always` cost the broker more than all its other work (`docs/performance.md`). Swept
together they cost one sync.
"""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime

from nats.aio.client import Client
from nats.js.api import StreamInfo
from nats.js.errors import APIError

from duban_contracts.subjects import command_stream

NOT_THERE = (10043, 10057)
"""The server's numbers for a sequence that was removed, and for one outside of what the stream holds."""
AT_ONCE = 100
"""How many messages are removed singly at the same time."""
MANY = 1_000
"""Answered by one process: they are swept before it is time, for their places are wanted (`MOST_WAITING`)."""
NEVER = datetime.min.replace(tzinfo=UTC)


class Sweeper:
    """Of one service's command stream. Several replicas may sweep at once without harm."""

    def __init__(self, client: Client, service: str) -> None:
        self._jetstream = client.jetstream(timeout=10)
        self._stream, self._consumer = command_stream(service), service
        self._answered: dict[int, datetime] = {}
        """When each was stored, by sequence: what this process answered and the stream, as far as it knows,
        still holds."""
        self._before: frozenset[int] = frozenset()
        """Those of them that the last sweep met already."""
        self._made_at = NEVER
        self._since = 0
        self.many = asyncio.Event()
        """So many were answered since the last sweep that it is time for the next."""

    def answered(self, sequence: int, stored_at: datetime) -> None:
        self._answered[sequence] = stored_at
        self._since += 1
        if self._since >= MANY:
            self.many.set()

    async def sweep(self) -> None:
        """Only what was answered goes. Raises what NATS raises; then the next sweep goes on."""
        self._since = 0
        self.many.clear()
        acknowledged = (await self._jetstream.consumer_info(self._stream, self._consumer)).ack_floor
        floor = acknowledged.stream_seq if acknowledged else 0
        held = await self._jetstream.stream_info(self._stream)
        if held.state.messages and held.state.first_seq <= floor:
            await self._jetstream.purge_stream(self._stream, seq=floor + 1)
        self._forget(floor, held)
        # A message that cannot be answered yet holds the floor down, perhaps for long. What was answered
        # behind it must not wait for it.
        await self._remove(self._answered.keys() & self._before)
        self._before = frozenset(self._answered)

    def _forget(self, floor: int, held: StreamInfo) -> None:
        """What is gone with the floor, or with its stream: in one made anew the same sequence is another
        command."""
        made_at, last = held.created or NEVER, held.state.last_seq
        if made_at != self._made_at:
            self._made_at, self._before = made_at, frozenset()
        self._answered = {
            sequence: stored_at
            for sequence, stored_at in self._answered.items()
            if floor < sequence <= last and stored_at >= made_at
        }

    async def _remove(self, sequences: Iterable[int]) -> None:
        left = sorted(sequences)
        while left:
            some, left = left[:AT_ONCE], left[AT_ONCE:]
            await asyncio.gather(*map(self._remove_one, some))
            for sequence in some:
                del self._answered[sequence]

    async def _remove_one(self, sequence: int) -> None:
        try:
            await self._jetstream.delete_msg(self._stream, sequence)
        except APIError as error:
            if error.err_code not in NOT_THERE:  # else another replica was faster
                raise

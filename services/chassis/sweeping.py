"""Answered commands vanish: their stream is purged up to where everything has been acknowledged.

A work queue would remove each message as it is acknowledged and sync every removal by itself, which under
`sync_interval: always` cost the broker more than all its other work (`docs/performance.md`). Swept
together they cost one sync.
"""

import asyncio
from collections.abc import Iterable

from nats.aio.client import Client
from nats.js.errors import BadRequestError

from duban_contracts.subjects import command_stream

NOT_FOUND = 10043
"""The server's number for a sequence that is not there."""
AT_ONCE = 100
"""How many messages are removed singly at the same time."""


class Sweeper:
    """Of one service's command stream. Several replicas may sweep at once without harm."""

    def __init__(self, client: Client, service: str) -> None:
        self._jetstream = client.jetstream(timeout=10)
        self._stream, self._consumer = command_stream(service), service
        self._answered: set[int] = set()
        """Sequences that this process answered and that were still in the stream, as far as it knows."""
        self._before: frozenset[int] = frozenset()
        """Those of them that the last sweep met already."""

    def answered(self, sequence: int) -> None:
        self._answered.add(sequence)

    async def sweep(self) -> None:
        """Only what was answered goes."""
        acknowledged = (await self._jetstream.consumer_info(self._stream, self._consumer)).ack_floor
        floor = acknowledged.stream_seq if acknowledged else 0
        held = (await self._jetstream.stream_info(self._stream)).state
        if held.messages and held.first_seq <= floor:
            await self._jetstream.purge_stream(self._stream, seq=floor + 1)
        self._answered = {sequence for sequence in self._answered if sequence > floor}
        # A message that cannot be answered yet holds the floor down, perhaps for long. What was answered
        # behind it must not wait for it.
        await self._remove(self._answered & self._before)
        self._before = frozenset(self._answered)

    async def _remove(self, sequences: Iterable[int]) -> None:
        left = sorted(sequences)
        while left:
            some, left = left[:AT_ONCE], left[AT_ONCE:]
            await asyncio.gather(*map(self._remove_one, some))
            self._answered.difference_update(some)

    async def _remove_one(self, sequence: int) -> None:
        try:
            await self._jetstream.delete_msg(self._stream, sequence)
        except BadRequestError as error:
            if error.err_code != NOT_FOUND:  # else another replica was faster
                raise

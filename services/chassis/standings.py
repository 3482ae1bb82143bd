"""The current standing of every station in a NATS bucket: one watch gives a snapshot and every change."""

from collections.abc import Callable, Mapping
from typing import Any

from nats.aio.client import Client
from nats.js.errors import KeyNotFoundError, KeyWrongLastSequenceError
from nats.js.kv import KeyValue
from pydantic import ValidationError

from duban_contracts.escalation import Standing
from duban_contracts.subjects import STANDINGS_BUCKET

StandingOf = Callable[[str, Any, int], Standing | None]


class Standings:
    """Several replicas may put at once: a standing never goes back to an older version."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._bucket: KeyValue | None = None

    async def put(self, states: Mapping[str, tuple[int, Any]], standing_of: StandingOf) -> None:
        for key, (version, state) in states.items():
            standing = standing_of(key, state, version)
            if standing is not None:
                await self._put(standing)

    async def _put(self, standing: Standing) -> None:
        if self._bucket is None:
            self._bucket = await self._client.jetstream(timeout=5).key_value(STANDINGS_BUCKET)
        while True:
            revision = 0
            try:
                entry = await self._bucket.get(standing.station)
                revision = entry.revision or 0
                known = _read(entry.value)
                if known is not None and not _worth_showing(known, standing):
                    return
            except KeyNotFoundError:
                pass
            try:
                await self._bucket.update(
                    standing.station, standing.model_dump_json().encode(), last=revision
                )
                return
            except KeyWrongLastSequenceError:
                continue  # another replica was faster: compare again


def _read(value: bytes | None) -> Standing | None:
    """A value that cannot be read counts as absent, whoever put it there."""
    try:
        return Standing.model_validate_json(value or b"")
    except ValidationError:
        return None


def _worth_showing(shown: Standing, newer: Standing) -> bool:
    """The very next version is not if watchers would see no difference.

    One that comes after a gap is in any case: a version of the gap may still be on its way, and must
    find that it is too old.
    """
    if newer.version <= shown.version:
        return False
    return newer.version > shown.version + 1 or _substance(newer) != _substance(shown)


def _substance(standing: Standing) -> str:
    return standing.model_dump_json(exclude={"version", "at"})

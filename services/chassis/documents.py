"""What is kept for one key: history, inbox and outbox in one document, written whole or not at all.

    {_id: key, format, version, shape, kind, state, wake_at, owes_wake, row, archived,
     answers: [{to: <message id>, correlation, revision, traceparent, digest,
                events: [{type, station, time, data, restricted, channel}]}]}

`answers` holds the newest answers; older ones move to an archive beside it before they leave the
document, so a document stays small however long its key lives, and no answer is ever forgotten. To decide,
one needs the state and the ids of what was answered; the answers themselves are read when a copy comes.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol

FORMAT = 2
"""Of documents as this release writes them. 1, which documents do not say, knew commands by bare ids. One
with a higher number is left alone."""
KEEP = 20
"""How many answers a document keeps when it is trimmed; it is trimmed at twice as many."""


class Event(NamedTuple):
    """A fact as stored and as told: `data` is the exact body that goes out."""

    type: str
    station: str
    time: str
    data: str
    restricted: bool = False
    """Told on a restricted subject. Of what an earlier release stored it is not: that was told already."""
    channel: str | None = None
    """Who brought the matter and is told of this fact."""


class Answer(NamedTuple):
    """The proof that a message was answered, and what must be told because of it."""

    to: str
    """The id of a fact or of a wake, the identity of a command (`duban_contracts.identity`)."""
    correlation: str
    revision: int | None = None
    traceparent: str | None = None
    events: tuple[Event, ...] = ()
    digest: str | None = None
    """Of the command that was answered: another one under the same identity is refused. None for facts and
    wakes, and in answers of releases before commands were identified by actor, source and id."""


class Snapshot(NamedTuple):
    """A state at rest. `shape` names the code that wrote it: another shape is folded anew."""

    shape: str
    kind: str
    state: str


class Document(NamedTuple):
    key: str
    version: int = 0
    snapshot: Snapshot | None = None
    wake_at: datetime | None = None
    owes_wake: str | None = None
    """The name of a wake that was decided and stored, and perhaps not told; `wake_at` still has its time."""
    archived: int = 0
    answered: tuple[str, ...] = ()
    """Ids of the messages whose answers are in the document, oldest first."""
    format: int = FORMAT


class NewerDataError(Exception):
    """Written by a newer release: this one can neither read nor continue it. The text names what, no key."""


class Change(NamedTuple):
    """One key's next version: refused as a conflict unless the key is still at `version`."""

    key: str
    version: int
    snapshot: Snapshot
    wake_at: datetime | None
    owes_wake: str | None
    row: Mapping[str, Any] | None
    fresh: tuple[Answer, ...]
    spilled: tuple[str, ...] = ()
    """Ids of the answers that leave the document with this change, oldest first."""
    archived: int = 0
    """How many answers the archive held before `spilled`."""
    kept: int = 0
    """How many answers stay in the document."""


class Documents(Protocol):
    """The promises are tests in `tests/chassis/test_documents.py`, run over every implementation."""

    async def load(self, keys: Iterable[str]) -> dict[str, Document]:
        """Those that exist, in one read."""
        ...

    async def held(self, asked: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Answer]:
        """Answers that are in their document, by (key, message id), in one read."""
        ...

    async def older(self, asked: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Answer]:
        """Answers that left their document, by (key, message id), in one read."""
        ...

    async def save(self, changes: Sequence[Change]) -> set[str]:
        """One bulk write; returns the keys that were at another version, which stay as they are."""
        ...

    async def due(self, now: datetime, limit: int) -> list[tuple[str, datetime]]:
        """Keys that want to be woken by `now`, with the stored time, oldest first."""
        ...

    async def rest(self, wakes: Sequence[tuple[str, int, datetime | None]]) -> None:
        """Acknowledge wakes, (key, version, next wake), where the key is still at that version."""
        ...

    async def recall(self, revision: int, at: datetime) -> int:
        """Wake every key at `at`, or when it wants to be woken if that is sooner, whose row is `open` and
        was counted under an older `revision`; returns how many. A key that owes a wake keeps its time: it
        is woken anyway."""
        ...

    async def note_keys(self, keys: Sequence[tuple[str, str]]) -> None:
        """Commands, by their identity, that are answered under another key than the one they named:
        (identity, key). Noting it again changes nothing."""
        ...

    async def noted_keys(self, identities: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """The keys that were noted for each identity, in order; those for which none was are absent."""
        ...

    async def history(self, key: str) -> list[Answer]:
        """Every answer ever given for the key, oldest first."""
        ...

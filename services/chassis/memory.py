"""Documents in memory: for tests, and under the same promises as those in MongoDB."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from services.chassis.documents import Answer, Change, Document


class MemoryDocuments:
    def __init__(self) -> None:
        self.documents: dict[str, Document] = {}
        self.answers: dict[str, dict[str, Answer]] = {}
        """Those that are in their document, by key and message id."""
        self.archive: dict[tuple[str, str], Answer] = {}
        self.rows: dict[str, Mapping[str, Any]] = {}
        self.noted: dict[str, tuple[str, ...]] = {}

    async def load(self, keys: Iterable[str]) -> dict[str, Document]:
        return {key: self.documents[key] for key in keys if key in self.documents}

    async def held(self, asked: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Answer]:
        return {(key, to): self.answers[key][to] for key, to in asked if to in self.answers.get(key, {})}

    async def older(self, asked: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Answer]:
        return {pair: self.archive[pair] for pair in asked if pair in self.archive}

    async def save(self, changes: Sequence[Change]) -> set[str]:
        return {change.key for change in changes if not self._save(change)}

    def _save(self, change: Change) -> bool:
        document = self.documents.get(change.key, Document(change.key))
        if document.version != change.version:
            return False
        self.spill(change)
        self.rows[change.key] = change.row or {}
        answers = self.answers.setdefault(change.key, {})
        answers |= {answer.to: answer for answer in change.fresh}
        for to in change.spilled:
            del answers[to]
        self.documents[change.key] = Document(
            change.key,
            change.version + 1,
            change.snapshot,
            change.wake_at,
            change.owes_wake,
            change.archived + len(change.spilled),
            tuple(answers),
        )
        return True

    def spill(self, change: Change) -> None:
        for to in change.spilled:
            if answer := self.answers.get(change.key, {}).get(to):
                self.archive.setdefault((change.key, to), answer)

    async def due(self, now: datetime, limit: int) -> list[tuple[str, datetime]]:
        waiting = [(d.wake_at, d.key) for d in self.documents.values() if d.wake_at and d.wake_at <= now]
        return [(key, at) for at, key in sorted(waiting)[:limit]]

    async def rest(self, wakes: Sequence[tuple[str, int, datetime | None]]) -> None:
        for key, version, wake_at in wakes:
            if self.documents[key].version == version:
                self.documents[key] = self.documents[key]._replace(wake_at=wake_at, owes_wake=None)

    async def recall(self, revision: int, at: datetime) -> int:
        stale = [key for key in self.documents if self._recalled(key, revision, at)]
        self.documents |= {key: self.documents[key]._replace(wake_at=at) for key in stale}
        return len(stale)

    def _recalled(self, key: str, revision: int, at: datetime) -> bool:
        document, row = self.documents[key], self.rows.get(key, {})
        sleeping = document.wake_at is None or document.wake_at > at
        counted = row.get("revision")
        return (
            bool(row.get("open"))
            and counted is not None
            and counted < revision
            and sleeping
            and document.owes_wake is None
        )

    async def note_keys(self, keys: Sequence[tuple[str, str]]) -> None:
        for identity, key in keys:
            self.noted[identity] = tuple(sorted({*self.noted.get(identity, ()), key}))

    async def noted_keys(self, identities: Sequence[str]) -> dict[str, tuple[str, ...]]:
        return {each: self.noted[each] for each in identities if each in self.noted}

    async def history(self, key: str) -> list[Answer]:
        older = [answer for (of, _), answer in self.archive.items() if of == key]
        return older + list(self.answers.get(key, {}).values())

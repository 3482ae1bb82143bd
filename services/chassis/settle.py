"""Answer a batch of messages: load the keys, decide and fold, store, tell. The caller acknowledges last.

One read and one bulk write per batch. A copy of an answered message is told again with the same ids
and never decided again; a key that somebody else changed meanwhile is reported as a conflict; a
decider that raises spoils its own key only.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from time import perf_counter
from typing import Any, Generic, NamedTuple

from pydantic import ValidationError

from duban_contracts.envelope import rfc3339
from duban_contracts.identity import SEPARATOR, cause_of, reuse
from duban_contracts.message import FOR_ITS_SENDER, Fact, Refusal
from duban_contracts.subjects import NOBODY
from duban_contracts.topology import TOLD_TO_CHANNEL
from duban_contracts.visibility import is_restricted
from services.chassis.decider import (
    Asked,
    Audience,
    AudienceOf,
    Command,
    Decider,
    Refuse,
    State,
    Wake,
    WithMasking,
    never,
)
from services.chassis.documents import (
    FORMAT,
    KEEP,
    Answer,
    Change,
    Document,
    Documents,
    Event,
    NewerDataError,
)
from services.chassis.snapshots import Snapshots
from services.chassis.wording import wording


class Item(NamedTuple, Generic[Command]):
    """One message for one key. A message for several keys is several items with the same id."""

    id: str
    key: str
    command: Command | Wake | Refuse | WithMasking
    now: datetime
    correlation: str = ""
    traceparent: str | None = None
    asked: Asked | None = None
    """What a command asks for, so that it can be refused; None for facts and wakes."""
    digest: str | None = None
    """Of what a command says."""

    @property
    def bare_id(self) -> str | None:
        """The `ce-id` of a command, by which earlier releases knew it; None for facts and wakes."""
        return cause_of(self.id).id if SEPARATOR in self.id else None


class Telling(NamedTuple):
    """What must be told for one answered message; `fresh` unless it is a copy's."""

    key: str
    answer: Answer
    fresh: bool


Decided = Callable[[str, float], None]
"""Told of each decision: the command's name, and the seconds it took."""


def _nobody_measures(_: str, __: float) -> None:
    pass


MOST_BYTES = 1_000_000
"""Of the body of a fact, where the broker says nothing else: its limit is 1 MB with the headers."""


class TooLargeError(Exception):
    """A fact that could not be published is never stored; nobody asked for it, so nobody can be refused."""


Tell = Callable[[Sequence[Telling]], Awaitable[None]]
Show = Callable[[Mapping[str, tuple[int, Any]]], Awaitable[None]]
"""Shows the current state of keys elsewhere: key -> (version, state)."""


@dataclass(frozen=True)
class Settled:
    conflicts: frozenset[str] = frozenset()
    """Keys that somebody else changed meanwhile: try again."""
    failures: dict[str, Exception] = field(default_factory=dict)
    """Keys whose decider raised: a bug, the messages stay."""
    states: dict[str, tuple[int, Any]] = field(default_factory=dict)
    """Version and state of every settled key."""
    answered: int = 0
    """How many messages were decided now, copies not counted."""


@dataclass
class Desk(Generic[State]):
    """The work on one key in one batch."""

    document: Document
    state: State
    earlier: dict[tuple[str, str], Answer]
    fresh: dict[str, Answer] = field(default_factory=dict)
    tellings: list[Telling] = field(default_factory=list)
    woken: str | None = None
    """The name of the wake that was answered or told again."""

    def answered(self, message: str) -> Answer | None:
        return self.fresh.get(message) or self.earlier.get((self.document.key, message))


@dataclass(eq=False)
class Turn:
    """One batch's place among the others."""

    stored: asyncio.Event = field(default_factory=asyncio.Event)
    first: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when everyone before is done: now it may tell."""
    done: bool = False


class Turns:
    """Batches of one process overlap: those that share a key are decided one after another, and all are told
    in the order in which they came. Conflicts are for other processes.
    """

    def __init__(self) -> None:
        self._latest: dict[str, Turn] = {}
        """By key: the last batch that asked for it, unless that is done."""
        self._line: deque[Turn] = deque()

    @asynccontextmanager
    async def take(self, keys: Collection[str]) -> AsyncIterator[Turn]:
        """Begins when whoever asked for one of these keys before has stored."""
        mine = Turn()
        others = {self._latest[key] for key in keys if key in self._latest}
        self._latest.update(dict.fromkeys(keys, mine))
        self._line.append(mine)
        self._move_up()
        try:
            for other in others:
                await other.stored.wait()
            yield mine
        finally:
            mine.stored.set()
            mine.done = True
            self._move_up()
            for key in keys:
                if self._latest.get(key) is mine:
                    del self._latest[key]

    def _move_up(self) -> None:
        while self._line and self._line[0].done:
            self._line.popleft()
        if self._line:
            self._line[0].first.set()

    async def nobody(self) -> None:
        """Returns when everyone who has asked so far has stored."""
        for turn in list(self._line):
            await turn.stored.wait()


class Settler(Generic[Command, State]):
    def __init__(
        self,
        decider: Decider[Command, State, Any],
        documents: Documents,
        tell: Tell,
        *,
        revision: int | None = None,
        row: Callable[[State], dict[str, Any] | None] | None = None,
        tells: bool = True,
        turns: Turns | None = None,
        show: Show | None = None,
        audience: AudienceOf[State] = never,
        most_bytes: int = MOST_BYTES,
        decided: Decided = _nobody_measures,
    ) -> None:
        self._audience = audience
        self._decider, self._documents, self._tell, self._show = decider, documents, tell, show
        self._turns = turns or Turns()
        self._snapshots = Snapshots(decider)
        self._revision, self._row, self._tells, self._most_bytes = revision, row, tells, most_bytes
        self._decided = decided

    async def settle(self, items: Sequence[Item[Command]]) -> Settled:
        """A batch is told while the next are being decided and stored."""
        by_key: dict[str, list[Item[Command]]] = defaultdict(list)
        for item in items:
            by_key[item.key].append(item)
        async with self._turns.take(by_key) as turn:
            desks, failures, conflicts = await self._decide(by_key)
            turn.stored.set()
            await turn.first.wait()
            if self._tells:
                await self._tell([telling for desk in desks.values() for telling in desk.tellings])
            states = {key: (_version(desk), desk.state) for key, desk in desks.items()}
            if self._show:  # before the wake is acknowledged, so that a death in between shows it again
                await self._show(states)
            await self._rest(desks.values())
        return Settled(
            frozenset(conflicts),
            failures,
            states,
            sum(len(desk.fresh) for desk in desks.values()),
        )

    async def _decide(
        self, by_key: Mapping[str, list[Item[Command]]]
    ) -> tuple[dict[str, Desk[State]], dict[str, Exception], set[str]]:
        """What is stored now and must be told, by key; what failed; what somebody else changed."""
        found = await self._documents.load(by_key)
        earlier = await self._earlier(by_key, found)

        desks: dict[str, Desk[State]] = {}
        failures: dict[str, Exception] = {}
        for key, mine in by_key.items():
            try:
                desks[key] = await self._work(found.get(key, Document(key)), earlier, mine)
            except Exception as error:
                failures[key] = error

        changes = [self._change(desk) for desk in desks.values() if desk.fresh]
        conflicts = await self._documents.save(changes) if changes else set()
        return {key: desk for key, desk in desks.items() if key not in conflicts}, failures, conflicts

    async def _earlier(
        self, by_key: Mapping[str, list[Item[Command]]], found: dict[str, Document]
    ) -> dict[tuple[str, str], Answer]:
        """What these messages were answered before."""
        held, perhaps = [], []
        for key, document in found.items():
            answered = set(document.answered)
            for names in (_names(item, document) for item in by_key[key]):
                held += [(key, name) for name in names if name in answered]
                if document.archived:  # only then can it have given one that its document does not show
                    perhaps += [(key, name) for name in names if name not in answered]
        earlier = await self._documents.held(held) if held else {}
        return earlier | await self._documents.older(perhaps) if perhaps else earlier

    async def _work(
        self, document: Document, earlier: dict[tuple[str, str], Answer], items: Iterable[Item[Command]]
    ) -> Desk[State]:
        desk = Desk(
            document, await state_of(document, self._decider, self._snapshots, self._documents), earlier
        )
        for item in items:
            name, item = _in_its_own_name(item, desk)
            copy = desk.answered(name)
            if isinstance(item.command, Wake):
                if not _due(document, item.now):
                    continue  # somebody else woke it meanwhile
                if copy is not None and document.owes_wake is None:
                    # Woken at that very time already, told, and wants to be woken again.
                    name, copy = f"{item.id}:{document.version}", None
                desk.woken = name
            answer = copy or self._answer(desk, item._replace(id=name))
            desk.tellings.append(Telling(item.key, answer, fresh=copy is None))
        return desk

    def _answer(self, desk: Desk[State], item: Item[Command]) -> Answer:
        state, events = self._decide_one(desk, item)
        if any(is_larger(event.data, self._most_bytes) for event in events):
            if item.asked is None:
                raise TooLargeError(f"a fact of {item.key} is larger than the broker takes")
            detail = wording("what follows from it is larger than one message may be; send less at once")
            refuse = item.asked.refuse(Refusal.TOO_LARGE, detail)
            state, events = self._decide_one(desk, item._replace(command=refuse))
            if any(is_larger(event.data, self._most_bytes) for event in events):
                raise TooLargeError(f"a fact of {item.key} that fell due is larger than the broker takes")
        desk.state = state
        answer = Answer(
            item.id,
            item.correlation or cause_of(item.id).id,
            self._revision,
            item.traceparent,
            events,
            item.digest,
        )
        desk.fresh[item.id] = answer
        return answer

    def _decide_one(self, desk: Desk[State], item: Item[Command]) -> tuple[State, tuple[Event, ...]]:
        """The state after it, and what follows as it would be stored; nothing is changed."""
        started = perf_counter()
        facts, state = self._decider.answer(item.command, item.now, desk.state)
        self._decided(type(item.command).__name__, perf_counter() - started)
        audience = self._audience(state) or self._audience(desk.state) or NOBODY_ELSE
        events = tuple(as_event(fact, audience) for fact in facts) if self._tells else ()
        return state, events

    def _change(self, desk: Desk[State]) -> Change:
        document, fresh = desk.document, tuple(desk.fresh.values())
        answers = len(document.answered) + len(fresh)
        # Only what the document holds already may leave it: a fresh answer in the archive would count as
        # given even if this change never came to be.
        kept = max(KEEP, len(fresh)) if answers > 2 * KEEP else answers
        spilled = document.answered[: answers - kept] if answers > kept else ()
        # A wake is acknowledged by moving `wake_at` on, and that comes last, after telling. Until then the
        # old time stays: after a death the poller finds the key again and tells what was stored.
        owes_wake = document.owes_wake or desk.woken
        return Change(
            key=document.key,
            version=document.version,
            snapshot=self._snapshots.freeze(desk.state),
            wake_at=document.wake_at if owes_wake is not None else self._wake_at(desk.state),
            owes_wake=owes_wake,
            row=self._row(desk.state) if self._row else None,
            fresh=fresh,
            spilled=spilled,
            archived=document.archived,
            kept=kept,
        )

    async def _rest(self, desks: Iterable[Desk[State]]) -> None:
        woken = [
            (desk.document.key, _version(desk), self._wake_at(desk.state))
            for desk in desks
            if desk.woken is not None
        ]
        if woken:
            await self._documents.rest(woken)

    def _wake_at(self, state: State) -> datetime | None:
        return in_milliseconds(self._decider.wake_at(state))


def _named(item: Item[Any], document: Document) -> str:
    """A wake that is owed is told under the name under which it was stored."""
    if isinstance(item.command, Wake) and document.owes_wake is not None:
        return document.owes_wake
    return item.id


def _names(item: Item[Any], document: Document) -> list[str]:
    """Under which its answer may be stored already."""
    name, bare = _named(item, document), item.bare_id
    if bare is None or item.digest is None:
        return [name]
    return [name, bare, reuse(name, item.digest)]


def _in_its_own_name(item: Item[Any], desk: "Desk[Any]") -> tuple[str, Item[Any]]:
    """The name under which it is answered, or was; and the refusal in its stead where its identity was used
    for another command before."""
    name = _named(item, desk.document)
    if not desk.fresh and not desk.earlier:  # nobody's message was answered before
        return name, item
    given, bare = desk.answered(name), item.bare_id
    if bare is None:
        return name, item
    if given is None:
        before = desk.answered(bare)
        return (bare if before is not None and _may_be_a_copy(item, before, desk) else name), item
    if item.asked is None or given.digest in (None, item.digest):
        return name, item
    detail = wording("this id was used for another command by the same sender; take a new id for each")
    return reuse(name, item.digest or ""), item._replace(command=item.asked.refuse(Refusal.ID_REUSED, detail))


def _may_be_a_copy(item: Item[Any], before: Answer, desk: "Desk[Any]") -> bool:
    """Earlier releases stored the bare id, which says nothing of who sent it. What counts as done later than
    the facts of that answer cannot be what they came of: so nobody can use up an id for somebody else now.
    Where it had no facts, the latest of the key stand for them."""
    if before.digest is not None or SEPARATOR in before.to:
        return False
    key = desk.document.key
    others = (answer for (of, to), answer in desk.earlier.items() if of == key and SEPARATOR not in to)
    events = before.events or tuple(event for answer in others for event in answer.events)
    return any(item.now <= datetime.fromisoformat(event.time) for event in events)


def is_larger(text: str, most_bytes: int) -> bool:
    """In UTF-8. Whoever is far from it is not encoded to be measured."""
    return len(text) * 4 > most_bytes and len(text.encode()) > most_bytes


def _due(document: Document, now: datetime) -> bool:
    return document.wake_at is not None and document.wake_at <= now


def wake_id(key: str, at: datetime) -> str:
    """Deterministic, so that several replicas may wake a key at once without harm."""
    return f"wake:{key}:{rfc3339(at)}"


def in_milliseconds(moment: datetime | None) -> datetime | None:
    """Rounded up: MongoDB keeps milliseconds, and nobody may be woken too early."""
    if moment is None:
        return None
    up = -moment.microsecond % 1000
    return (moment + timedelta(microseconds=up)).astimezone(UTC)


NOBODY_ELSE = Audience()


def as_event(fact: Fact, audience: Audience = NOBODY_ELSE) -> Event:
    """What only its sender is told goes to him, whatever it is about: it holds nothing of the matter."""
    kind = type(fact)
    about = NOBODY_ELSE if _for_its_sender(kind) else audience
    return Event(
        fact.type,
        fact.station or NOBODY,
        rfc3339(fact.at),
        fact.model_dump_json(exclude_none=True),
        about.restricted or is_restricted(fact),
        about.channel if about.channel and _for_the_channel(kind) else None,
    )


@cache
def _for_its_sender(kind: type[Fact]) -> bool:
    return issubclass(kind, FOR_ITS_SENDER)


@cache
def _for_the_channel(kind: type[Fact]) -> bool:
    return issubclass(kind, TOLD_TO_CHANNEL)


async def state_of(
    document: Document,
    decider: Decider[Any, State, Any],
    snapshots: Snapshots[State],
    documents: Documents,
) -> State:
    """The state at rest; one that other code wrote is folded anew from the whole history.

    Raises NewerDataError.
    """
    if document.format > FORMAT:
        raise NewerDataError(f"documents of format {document.format}, and this release knows {FORMAT}")
    if document.snapshot is None:
        return decider.initial_state
    if document.snapshot.shape == snapshots.shape:
        return snapshots.thaw(document.snapshot)
    # A read model keeps no history to fold; it only ever adds fields with defaults.
    if decider.refused is None and snapshots.knows(document.snapshot):
        return snapshots.thaw(document.snapshot)
    return refold(decider, await documents.history(document.key))


def refold(decider: Decider[Any, State, Any], history: Iterable[Answer]) -> State:
    """The state from nothing but what was stored. Raises NewerDataError for what is not known here."""
    facts_by_type = {fact.type: fact for fact in decider.events}

    def fact(event: Event) -> Any:
        model = facts_by_type.get(event.type)
        if model is None:
            raise NewerDataError(f"facts of type {event.type}, which this release does not know")
        try:
            return model.model_validate_json(event.data)
        except ValidationError:
            raise NewerDataError(f"facts of type {event.type} that this release cannot read") from None

    events = (event for answer in history for event in answer.events)
    return decider.fold(decider.initial_state, map(fact, events))


def _version(desk: Desk[Any]) -> int:
    return desk.document.version + (1 if desk.fresh else 0)

"""Questions by NATS request/reply: `query.<service>.<name>.v1.<actor>`, answered for whoever asks.

Every service answers `answers` (what came of one's own commands), `history` (all that ever happened to a
key), `charter` (the one that it follows) and `backlog` (how far its consumers have come). The catalogue of
the contracts says who may ask what; who asks is the last token of the subject, which the broker binds to a
credential. A question that cannot be answered gets a `QueryFault`.
"""

from base64 import urlsafe_b64encode
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from types import UnionType
from typing import Any, TypeVar

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from pydantic import BaseModel, ValidationError

from duban_contracts.faults import FieldFault, field_faults
from duban_contracts.fields import bookmark_text
from duban_contracts.identity import SEPARATOR, cause_of, identity, reuse
from duban_contracts.message import CATALOGUE, FOR_ITS_SENDER, CommandRefused, Fact
from duban_contracts.queries import (
    AnswerGiven,
    Answers,
    HistoryOf,
    QueryFault,
    ToldFact,
    WhatBecameOf,
)
from duban_contracts.query_catalogue import QueryContract
from duban_contracts.readers import NOBODY as NOBODY_KNOWN
from duban_contracts.readers import Reader
from duban_contracts.subjects import NOBODY, asker_of
from duban_contracts.visibility import is_restricted, may_see
from services.chassis.asking import Desk
from services.chassis.decider import KEPT
from services.chassis.documents import Answer, Documents, Event
from services.chassis.faults import fault, where

log = structlog.get_logger()
Piece = TypeVar("Piece", bound=BaseModel)
MOST_BYTES = 800_000
"""Of the pieces of one answer: with what is around them they fit into one message of NATS, 1 MB."""
COULD_NOT = "the service could not answer this; its log says why. Ask again, or ask otherwise"
NO_SOURCE = (
    "source: missing; give the `ce-source` of the commands. Without it only what releases before commands "
    "were told apart by their source answered is found, and there is nothing of that here"
)
NO_BOOKMARK = "`after` has to be the `next` of an earlier page, as it was given"
MALFORMED, FORBIDDEN, BUSY, FAILED, UNAVAILABLE = 400, 403, 429, 500, 503


class BadQuery(ValueError):
    """The question makes no sense; the text is ours and goes to whoever asked."""


class QueryRefused(Exception):
    """Not for this actor, or not now; the text is ours and goes to whoever asked."""

    def __init__(self, code: int, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


Respond = Callable[[Reader, Any], Awaitable[BaseModel]]
FindReader = Callable[[str], Reader | None]
"""By the last token of the subject. Raises QueryRefused while nothing can be known of anybody."""


class Written(BaseModel):
    """An answer that is the same for everybody and is serialised once: the JSON of what the contract says."""

    json_text: str


async def answer_queries(
    client: Client, contract: QueryContract, respond: Respond, reader_of: FindReader, desk: Desk
) -> Subscription:
    """Subscribe with a queue group: of several replicas one answers.

    By a plain subscription: what is done with a question that will not be answered has to be little, since
    the next asker's waits for it.
    """

    async def asked(msg: Msg) -> None:
        asker = asker_of(msg.subject)

        async def answer() -> None:
            await _reply(client, msg, await answer_for(asker, msg.data, contract, respond, reader_of))

        if busy := desk.take(asker, answer):
            await _reply(client, msg, QueryFault(error=busy, code=BUSY))

    return await client.subscribe(contract.subject("*"), queue=contract.service, cb=asked)


async def _reply(client: Client, msg: Msg, answer: BaseModel) -> None:
    if msg.reply:
        body, headers = as_reply(answer)
        await client.publish(msg.reply, body, headers=headers)


def as_reply(answer: BaseModel) -> tuple[bytes, dict[str, str] | None]:
    """Body and headers."""
    if isinstance(answer, Written):
        return answer.json_text.encode(), None
    body = answer.model_dump_json().encode()
    if not isinstance(answer, QueryFault):
        return body, None
    said = answer.error.replace("\r", " ").replace("\n", " ").encode("ascii", "replace").decode()
    return body, {"Nats-Service-Error": said[:500], "Nats-Service-Error-Code": str(answer.code)}


async def answer_for(
    asker: str, body: bytes, contract: QueryContract, respond: Respond, reader_of: FindReader
) -> BaseModel:
    """The answer that `asker` may have, or why there is none."""
    try:
        reader = entitled(asker, contract, reader_of)
        question = contract.asks.model_validate_json(body or b"{}")
    except QueryRefused as refused:
        return QueryFault(error=str(refused), code=refused.code)
    except ValidationError as error:
        return QueryFault(error=faults(error, contract.asks), code=MALFORMED)
    try:
        return await respond(reader, question)
    except BadQuery as error:
        return QueryFault(error=str(error), code=MALFORMED)
    except QueryRefused as refused:
        return QueryFault(error=str(refused), code=refused.code)
    except Exception as error:  # its text may hold what stands in the database
        log.warning("query_failed", query=contract.id, error=fault(error), where=where(error))
        return QueryFault(error=COULD_NOT, code=FAILED)


def entitled(asker: str, contract: QueryContract, reader_of: FindReader) -> Reader:
    """Raises QueryRefused, also where no broker refused it before."""
    reader = reader_of(asker)
    if reader is None and contract.strangers:
        return replace(NOBODY_KNOWN, actor=asker)
    if reader is None:
        raise QueryRefused(FORBIDDEN, f"the charter knows no actor {asker[:50]!r}")
    if reader.role not in contract.by:
        allowed = ", ".join(sorted(role.value for role in contract.by))
        raise QueryRefused(FORBIDDEN, f"{asker!r} may not ask {contract.id}; these may: {allowed}")
    return reader


async def what_became_of(documents: Documents, reader: Reader, question: WhatBecameOf) -> Answers:
    """Of the reader's own commands, by their identity, whatever key they were answered under. Who sent those
    that an earlier release answered was not kept: they are known by their bare ids, and of them as much is
    shown as he may see."""
    names = {pair: _names(reader, question, pair) for pair in question.asked}
    found = await _answered(documents, {pair: [(pair[0], name) for name in names[pair]] for pair in names})
    missing = [pair for pair in names if pair not in found]
    if missing and question.source is not None:
        own = {pair: identity(reader.actor, question.source, pair[1]) for pair in missing}
        noted = await documents.noted_keys(list(own.values()))
        elsewhere = {
            pair: [(key, each) for key in noted.get(name, ()) for each in names[pair]]
            for pair, name in own.items()
        }
        found |= await _answered(documents, elsewhere)
    if question.source is None and not found:
        raise BadQuery(NO_SOURCE)
    given = (
        _parts(_given(key, answer, _told_its_sender(reader, answer)))[0]
        for pair in names
        if pair in found
        for key, answer in [found[pair]]
    )
    return Answers(answers=tuple(fitting(given)))


Shows = Callable[[Event], bool]
"""Whether a fact may be shown to the reader."""


def _told_its_sender(reader: Reader, answer: Answer) -> Shows:
    """What follows from his command. What fell due is stored with the answer to the command that came next:
    of that, a sender who was refused is shown what he may see anyway."""
    sees = partial(shown_to, reader)
    if SEPARATOR not in answer.to:
        return sees
    if not any(_is(event, CommandRefused) for event in answer.events):
        return _everything
    return lambda event: _is(event, FOR_ITS_SENDER) or sees(event)


def _everything(_: Event) -> bool:
    return True


Asked = tuple[str, str]


async def _answered(
    documents: Documents, places: Mapping[Asked, Sequence[tuple[str, str]]]
) -> dict[Asked, tuple[str, Answer]]:
    """The first answer that is in one of the places, (key, name), with its key."""
    found = await documents.held([place for tried in places.values() for place in tried])
    missing = [place for tried in places.values() if found.keys().isdisjoint(tried) for place in tried]
    if missing:
        found |= await documents.older(missing)
    return {
        pair: (there[0][0], found[there[0]])
        for pair, tried in places.items()
        if (there := [place for place in tried if place in found])
    }


def _names(reader: Reader, question: WhatBecameOf, pair: tuple[str, str]) -> tuple[str, ...]:
    """Under which its answer may be stored."""
    if question.source is None:
        return (pair[1],)
    own = identity(reader.actor, question.source, pair[1])
    return (own, pair[1]) if question.digest is None else (reuse(own, question.digest),)


async def history_of(documents: Documents, reader: Reader | None, question: HistoryOf) -> Answers:
    """Oldest first; what the reader may see, everything for None.

    Nothing is ever put before what is there, so a place in it stays that place.
    """
    answer, part = _place_of(question.after)
    shows = _everything if reader is None else partial(shown_to, reader)
    given = [_given(question.key, each, shows) for each in await documents.history(question.key)]
    shown, taken, goes_on = list[AnswerGiven](), 0, None
    for n, m, piece in _pieces(given, answer, part):
        taken += _bytes(piece)
        if shown and taken > MOST_BYTES:
            goes_on = bookmark(_mark(n, m))
            break
        shown.append(piece)
    seen = tuple(answer for answer in shown if answer.facts or reader is None)
    return Answers(answers=seen, next=goes_on)


def _pieces(given: Sequence[AnswerGiven], answer: int, part: int) -> Iterator[tuple[int, int, AnswerGiven]]:
    """From that part of that answer on, each with its place."""
    for n in range(answer, len(given)):
        for m, piece in enumerate(_parts(given[n])):
            if (n, m) >= (answer, part):
                yield n, m, piece


def _parts(given: AnswerGiven) -> list[AnswerGiven]:
    """An answer that earlier releases stored may be larger than one message: in pieces that fit."""
    if _bytes(given) <= MOST_BYTES:
        return [given]
    facts = [piece for fact in given.facts for piece in _fact_pieces(fact)]
    parts: list[list[ToldFact]] = [[]]
    for fact in facts:
        if parts[-1] and sum(map(_bytes, parts[-1])) + _bytes(fact) > MOST_BYTES // 2:
            parts.append([])
        parts[-1].append(fact)
    return [given.model_copy(update={"facts": tuple(part)}) for part in parts]


def _fact_pieces(fact: ToldFact) -> list[ToldFact]:
    if _bytes(fact) <= MOST_BYTES // 2:
        return [fact]
    size = max(1, MOST_BYTES // 16)  # a character takes 6 bytes at most where it is escaped
    starts = range(0, len(fact.data), size)
    return [
        fact.model_copy(update={"data": fact.data[n : n + size], "continues": n + size < len(fact.data)})
        for n in starts
    ]


def _bytes(piece: BaseModel) -> int:
    return len(piece.model_dump_json().encode())


def fitting(pieces: Iterable[Piece]) -> list[Piece]:
    """As many as fit into one answer; at least one, so that whoever asks on comes further."""
    fits: list[Piece] = []
    taken = 0
    for piece in pieces:
        taken += len(piece.model_dump_json().encode())
        if fits and taken > MOST_BYTES:
            break
        fits.append(piece)
    return fits


def bookmark(key: str) -> str:
    """Where a page ended, for `next`."""
    return urlsafe_b64encode(key.encode()).decode()


def place(mark: str) -> str:
    """Raises BadQuery for what was never a bookmark."""
    try:
        return bookmark_text(mark)
    except ValueError:
        raise BadQuery(NO_BOOKMARK) from None


def _mark(answer: int, part: int) -> str:
    return f"{answer}.{part}" if part else str(answer)


def _place_of(after: str | None) -> tuple[int, int]:
    """Which answer of a history, and which part of it, a page begins with."""
    answer, _, part = (place(after) if after else "0").partition(".")
    if not (_is_number(answer) and (not part or _is_number(part))):
        raise BadQuery(NO_BOOKMARK)
    return int(answer), int(part or 0)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 12


def faults(error: ValidationError, asks: type[BaseModel]) -> str:
    return "; ".join(_fault(each, asks) for each in field_faults(error))


def _fault(fault: FieldFault, asks: type[BaseModel]) -> str:
    if fault.code == "extra_forbidden":
        known = ", ".join(asks.model_fields) or "none"
        return f"{fault.field}: there is no such field; this question knows {known}"
    return str(fault) if fault.field else f"the question: {fault}"


def _given(key: str, answer: Answer, shows: Shows) -> AnswerGiven:
    facts = tuple(
        ToldFact(type=event.type, time=event.time, data=event.data)
        for event in answer.events
        if not event.type.startswith(KEPT) and shows(event)
    )
    cause = cause_of(answer.to)
    return AnswerGiven(
        key=key,
        message=cause.id,
        facts=facts,
        source=cause.source,
        actor=cause.actor,
        digest=answer.digest,
    )


def shown_to(reader: Reader, event: Event) -> bool:
    """Whether the reader may see this fact."""
    if reader.sees_restricted:
        return True
    _, service, _, _ = event.type.split(".")
    model = CATALOGUE.get(event.type)
    if model is None or not issubclass(model, Fact):
        return False
    restricted = event.restricted or is_restricted(model.model_validate_json(event.data))
    station = None if event.station == NOBODY else event.station
    return may_see(reader, service, station, restricted=restricted, channel=event.channel)


def _is(event: Event, kinds: type | UnionType) -> bool:
    model = CATALOGUE.get(event.type)
    return model is not None and issubclass(model, kinds)

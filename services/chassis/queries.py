"""Questions by NATS request/reply: `query.<service>.<name>.v1.<actor>`, answered for whoever asks.

Every service answers `answers` (what came of one's own commands), `history` (all that ever happened to a
key), `charter` (the one that it follows) and `backlog` (how far its consumers have come). The catalogue of
the contracts says who may ask what; who asks is the last token of the subject, which the broker binds to a
credential. A question that cannot be answered gets a `QueryFault`.
"""

from base64 import urlsafe_b64encode
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from typing import Any, TypeVar

import structlog
from faststream import AckPolicy
from faststream.nats import NatsBroker, NatsResponse
from faststream.nats.annotations import NatsMessage
from pydantic import BaseModel, ValidationError

from duban_contracts.faults import FieldFault, field_faults
from duban_contracts.fields import bookmark_text
from duban_contracts.message import CATALOGUE, Fact
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
from services.chassis.decider import KEPT
from services.chassis.documents import Answer, Documents, Event

log = structlog.get_logger()
Piece = TypeVar("Piece", bound=BaseModel)
MOST_BYTES = 800_000
"""Of the pieces of one answer: with what is around them they fit into one message of NATS, 1 MB."""
NO_BOOKMARK = "`after` has to be the `next` of an earlier page, as it was given"
MALFORMED, FORBIDDEN, FAILED, UNAVAILABLE = 400, 403, 500, 503


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


def answer_queries(
    broker: NatsBroker, contract: QueryContract, respond: Respond, reader_of: FindReader
) -> None:
    """Subscribe with a queue group: of several replicas one answers."""

    @broker.subscriber(
        contract.subject("*"), queue=contract.service, ack_policy=AckPolicy.MANUAL, decoder=_as_it_is
    )
    async def query(msg: NatsMessage) -> NatsResponse:
        asker = asker_of(msg.raw_message.subject)
        return as_reply(await answer_for(asker, msg.body, contract, respond, reader_of))


def as_reply(answer: BaseModel) -> NatsResponse:
    if not isinstance(answer, QueryFault):
        return NatsResponse(answer.model_dump_json())
    said = answer.error.replace("\r", " ").replace("\n", " ").encode("ascii", "replace").decode()
    headers = {"Nats-Service-Error": said[:500], "Nats-Service-Error-Code": str(answer.code)}
    return NatsResponse(answer.model_dump_json(), headers=headers)


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
        log.warning("query_failed", query=contract.id, error=type(error).__name__)
        return QueryFault(error=f"the service failed ({type(error).__name__}); ask again", code=FAILED)


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


async def _as_it_is(msg: NatsMessage) -> bytes:
    return msg.body


async def what_became_of(documents: Documents, reader: Reader, question: WhatBecameOf) -> Answers:
    """Of the reader's own commands. Who sent the older ones was not kept: of them as much as he may see."""
    found = await documents.held(question.asked)
    missing = [pair for pair in question.asked if pair not in found]
    found |= await documents.older(missing) if missing else {}
    given = (
        _given(pair[0], found[pair], None if found[pair].actor else reader)
        for pair in question.asked
        if pair in found and found[pair].actor in (None, reader.actor)
    )
    return Answers(answers=tuple(fitting(given)))


async def history_of(documents: Documents, reader: Reader | None, question: HistoryOf) -> Answers:
    """Oldest first; what the reader may see, everything for None.

    Nothing is ever put before what is there, so a place in it stays that place.
    """
    start = _how_many(question.after)
    given = [_given(question.key, answer, reader) for answer in await documents.history(question.key)]
    shown = fitting(given[start:])
    end = start + len(shown)
    seen = tuple(answer for answer in shown if answer.facts or reader is None)
    return Answers(answers=seen, next=bookmark(str(end)) if end < len(given) else None)


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


def _how_many(after: str | None) -> int:
    passed = place(after) if after else "0"
    if not passed.isdecimal():
        raise BadQuery(NO_BOOKMARK)
    return int(passed)


def faults(error: ValidationError, asks: type[BaseModel]) -> str:
    return "; ".join(_fault(each, asks) for each in field_faults(error))


def _fault(fault: FieldFault, asks: type[BaseModel]) -> str:
    if fault.code == "extra_forbidden":
        known = ", ".join(asks.model_fields) or "none"
        return f"{fault.field}: there is no such field; this question knows {known}"
    return str(fault) if fault.field else f"the question: {fault}"


def _given(key: str, answer: Answer, reader: Reader | None) -> AnswerGiven:
    facts = tuple(
        ToldFact(type=event.type, time=event.time, data=event.data)
        for event in answer.events
        if not event.type.startswith(KEPT) and (reader is None or shown_to(reader, event))
    )
    return AnswerGiven(key=key, message=answer.to, facts=facts)


def shown_to(reader: Reader, event: Event) -> bool:
    """Whether the reader may see this fact."""
    if reader.sees_restricted:
        return True
    _, service, _, _ = event.type.split(".")
    model = CATALOGUE.get(event.type)
    if model is None or not issubclass(model, Fact):
        return False
    restricted = is_restricted(model.model_validate_json(event.data))
    station = None if event.station == NOBODY else event.station
    return may_see(reader, service, station, restricted=restricted)

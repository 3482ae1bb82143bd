"""Questions by NATS request/reply: `query.<service>.<name>`, answered from the service's own database.

Every service answers `answers` (what came of messages), `history` (all that ever happened to a key)
and `charter` (the revision it follows). A question that cannot be answered gets `{"error": ...}`.
"""

from base64 import urlsafe_b64encode
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

import structlog
from faststream import AckPolicy
from faststream.nats import NatsBroker
from faststream.nats.annotations import NatsMessage
from pydantic import BaseModel, Field, ValidationError

from duban_contracts.faults import FieldFault, field_faults
from duban_contracts.fields import Bookmark, RequestKey, bookmark_text
from duban_contracts.message import Part, Question
from duban_contracts.subjects import query_subject
from services.chassis.decider import KEPT
from services.chassis.documents import Answer, Documents

log = structlog.get_logger()
Piece = TypeVar("Piece", bound=BaseModel)
MOST_BYTES = 800_000
"""Of the pieces of one answer: with what is around them they fit into one message of NATS, 1 MB."""
NO_BOOKMARK = "`after` has to be the `next` of an earlier page, as it was given"


class QueryFault(Part):
    error: str


class WhatBecameOf(Question):
    """Pairs of key and message id, at most 1000."""

    asked: tuple[tuple[RequestKey, RequestKey], ...] = Field(max_length=1000)


class ToldFact(Part):
    type: str
    time: str
    data: str = Field(description="The JSON body as it was told")


class AnswerGiven(Part):
    key: str
    message: str
    facts: tuple[ToldFact, ...]


class Answers(Part):
    """Only what was answered already, and of that as much as fits; ask again for what is not here."""

    answers: tuple[AnswerGiven, ...]
    next: str | None = Field(None, description="Of a history that goes on; absent: this is all")


class HistoryOf(Question):
    key: RequestKey
    after: Bookmark | None = Field(None, description="The `next` of the page before")


class Nothing(Question):
    pass


class Following(Part):
    revision: int


Respond = Callable[[BaseModel], Awaitable[BaseModel]]


def answer_queries(
    broker: NatsBroker, service: str, name: str, asks: type[BaseModel], respond: Respond
) -> None:
    """Subscribe with a queue group: of several replicas one answers."""

    @broker.subscriber(
        query_subject(service, name), queue=service, ack_policy=AckPolicy.MANUAL, decoder=_as_it_is
    )
    async def query(msg: NatsMessage) -> str:
        try:
            answer: BaseModel = await respond(asks.model_validate_json(msg.body or b"{}"))
        except ValidationError as error:
            answer = QueryFault(error=faults(error, asks))
        except Exception as error:
            log.warning("query_failed", query=name, error=repr(error))
            answer = QueryFault(error=f"{type(error).__name__}: {error}")
        return answer.model_dump_json()


async def _as_it_is(msg: NatsMessage) -> bytes:
    return msg.body


async def what_became_of(documents: Documents, question: WhatBecameOf) -> Answers:
    found = await documents.held(question.asked)
    missing = [pair for pair in question.asked if pair not in found]
    found |= await documents.older(missing) if missing else {}
    given = (_given(pair[0], found[pair]) for pair in question.asked if pair in found)
    return Answers(answers=tuple(fitting(given)))


async def history_of(documents: Documents, question: HistoryOf) -> Answers:
    """Oldest first. Nothing is ever put before what is there, so a place in it stays that place."""
    start = _how_many(question.after)
    given = [_given(question.key, answer) for answer in await documents.history(question.key)]
    shown = fitting(given[start:])
    end = start + len(shown)
    return Answers(answers=tuple(shown), next=bookmark(str(end)) if end < len(given) else None)


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
    """Raises ValueError for what was never a bookmark."""
    return bookmark_text(mark)


def _how_many(after: str | None) -> int:
    passed = place(after) if after else "0"
    if not passed.isdecimal():
        raise ValueError(NO_BOOKMARK)
    return int(passed)


def faults(error: ValidationError, asks: type[BaseModel]) -> str:
    return "; ".join(_fault(each, asks) for each in field_faults(error))


def _fault(fault: FieldFault, asks: type[BaseModel]) -> str:
    if fault.code == "extra_forbidden":
        known = ", ".join(asks.model_fields) or "none"
        return f"{fault.field}: there is no such field; this question knows {known}"
    return str(fault) if fault.field else f"the question: {fault}"


def _given(key: str, answer: Answer) -> AnswerGiven:
    facts = tuple(
        ToldFact(type=event.type, time=event.time, data=event.data)
        for event in answer.events
        if not event.type.startswith(KEPT)
    )
    return AnswerGiven(key=key, message=answer.to, facts=facts)

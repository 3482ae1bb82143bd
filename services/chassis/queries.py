"""Questions by NATS request/reply: `query.<service>.<name>`, answered from the service's own database.

Every service answers `answers` (what came of messages), `history` (all that ever happened to a key)
and `charter` (the revision it follows). A question that cannot be answered gets `{"error": ...}`.
"""

from collections.abc import Awaitable, Callable

import structlog
from faststream import AckPolicy
from faststream.nats import NatsBroker
from faststream.nats.annotations import NatsMessage
from pydantic import BaseModel, Field, ValidationError

from duban_contracts.message import Part
from duban_contracts.subjects import query_subject
from services.chassis.decider import KEPT
from services.chassis.documents import Answer, Documents

log = structlog.get_logger()


class QueryFault(Part):
    error: str


class WhatBecameOf(Part):
    """Pairs of key and message id, at most 1000."""

    asked: tuple[tuple[str, str], ...] = Field(max_length=1000)


class ToldFact(Part):
    type: str
    time: str
    data: str = Field(description="The JSON body as it was told")


class AnswerGiven(Part):
    key: str
    message: str
    facts: tuple[ToldFact, ...]


class Answers(Part):
    """Only what was answered already; a message that is not here is still on its way."""

    answers: tuple[AnswerGiven, ...]


class HistoryOf(Part):
    key: str


class Nothing(Part):
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
            answer = QueryFault(error=str(error))
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
    return Answers(answers=tuple(_given(pair[0], found[pair]) for pair in question.asked if pair in found))


async def history_of(documents: Documents, question: HistoryOf) -> Answers:
    return Answers(answers=tuple(_given(question.key, a) for a in await documents.history(question.key)))


def _given(key: str, answer: Answer) -> AnswerGiven:
    facts = tuple(
        ToldFact(type=event.type, time=event.time, data=event.data)
        for event in answer.events
        if not event.type.startswith(KEPT)
    )
    return AnswerGiven(key=key, message=answer.to, facts=facts)

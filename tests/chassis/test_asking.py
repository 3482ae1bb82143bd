"""Questions are answered in turns between those who ask, and bounded for each of them."""

import asyncio
from collections.abc import Awaitable, Callable

import nats
import pytest
from nats.aio.msg import Msg

from duban_contracts.charter import Charter
from duban_contracts.queries import Found, QueryFault
from duban_contracts.query_catalogue import CATALOGUE
from duban_contracts.readers import Reader, reader_of
from services.chassis.asking import (
    AT_ONCE_EACH,
    MOST,
    MOST_EACH,
    PATIENCE,
    TOO_MANY,
    TOO_MANY_OF_YOURS,
    UNTOLD,
    Desk,
)
from services.chassis.queries import BUSY, answer_queries
from services.console.embedded import NatsServer

FLOOD = 20_000


class Asked:
    """Questions that end when the test says so."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.go_on = asyncio.Event()

    def by(self, asker: str) -> Callable[[], Awaitable[None]]:
        async def work() -> None:
            self.begun.append(asker)
            await self.go_on.wait()

        return work


async def turned() -> None:
    """What was ready to go on has gone on."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_askers_take_turns_whoever_asked_more() -> None:
    now, asked = 0.0, Asked()
    desk = Desk(lambda: now)
    for _ in range(MOST_EACH):
        assert desk.take("loud", asked.by("loud")) is None
    for asker in ("second", "third"):
        assert desk.take(asker, asked.by(asker)) is None
    await turned()
    assert asked.begun == ["loud"] * AT_ONCE_EACH + ["second", "third"]
    refused = [desk.take("loud", asked.by("loud")) for _ in range(2 * MOST_EACH)]
    assert refused == [TOO_MANY_OF_YOURS] * MOST_EACH + [UNTOLD] * MOST_EACH, "a flood is not told each time"
    assert desk.take("second", asked.by("second")) is None
    asked.go_on.set()
    for _ in range(MOST_EACH):
        await turned()
    assert len(asked.begun) == MOST_EACH + 3
    assert desk.take("loud", asked.by("loud")) is None
    await desk.close()


async def test_what_waited_longer_than_anybody_waits_is_dropped() -> None:
    now, asked = 0.0, Asked()
    desk = Desk(lambda: now)
    for _ in range(MOST_EACH):
        desk.take("loud", asked.by("loud"))
    await turned()
    now = PATIENCE + 1
    desk.take("other", asked.by("other"))
    asked.go_on.set()
    await turned()
    assert asked.begun == ["loud"] * AT_ONCE_EACH + ["other"]
    await desk.close()


async def test_all_questions_together_are_bounded() -> None:
    asked, desk = Asked(), Desk()
    refused = [desk.take(f"actor-{n}", asked.by("x")) for n in range(MOST + 100)]
    assert set(refused) == {None, TOO_MANY}
    assert refused.index(TOO_MANY) > MOST
    await desk.close()


@pytest.mark.case("B8")
async def test_a_flood_of_questions_leaves_others_their_answers(
    nats_server: NatsServer, township: Charter
) -> None:
    """The flood's own questions never end; those beyond the limit are told so."""
    contract, never = CATALOGUE["query.ledger.find.v1"], asyncio.Event()
    told: list[bytes] = []
    actors = township.everyone()

    async def respond(reader: Reader, _: object) -> Found:
        if reader.actor == "qingjieban":
            await never.wait()
        return Found(entry="2024-000001")

    async def hears(msg: Msg) -> None:
        told.append(msg.data)

    service, loud, other = [await nats.connect(nats_server.url) for _ in range(3)]
    desk = Desk()
    try:
        await answer_queries(service, contract, respond, lambda actor: reader_of(actor, actors), desk)
        inbox = loud.new_inbox()
        await loud.subscribe(inbox, cb=hears)
        await service.flush()
        body = b'{"submission": "hotline:1"}'
        for _ in range(FLOOD):
            await loud.publish(contract.subject("qingjieban"), body, reply=inbox)
        await loud.flush()
        answer = await other.request(contract.subject("office"), body, timeout=PATIENCE)
        assert Found.model_validate_json(answer.data).entry == "2024-000001"
        await service.flush()
        await loud.flush()
        assert 0 < len(told) < FLOOD // 10
        fault = QueryFault.model_validate_json(told[-1])
        assert (fault.code, fault.error) == (BUSY, TOO_MANY_OF_YOURS)
    finally:
        await desk.close()
        for client in (loud, other, service):
            await client.close()

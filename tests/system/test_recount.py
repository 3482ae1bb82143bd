"""A new revision of the charter recounts what is open, on the running system."""

import asyncio
import time
from uuid import uuid4

import pytest

from duban_contracts import handling, ledger
from duban_contracts.charter import Limit
from duban_contracts.handling import HoldGround
from duban_contracts.intake import SubmitMatter
from duban_contracts.queries import Answers, FindEntry, Found, HistoryOf, Why, WhyEntry
from services.chassis.charter_bucket import publish_charter
from services.console.client import Order, duban
from services.console.system import running_system


@pytest.fixture(scope="module")
def own_system(township):
    """Of its own: other tests count under the charter that they were started with."""
    with running_system(township) as running:
        yield running


async def asked_until(ask, wanted, seconds=60.0):
    """The answer, once it is the one that is waited for."""
    deadline = time.monotonic() + seconds
    while not wanted(answer := await ask()):
        if time.monotonic() > deadline:
            pytest.fail(f"waited in vain, last answer: {answer}")
        await asyncio.sleep(0.1)
    return answer


async def test_an_open_entry_is_recounted_when_a_new_revision_is_published_and_says_why(own_system, township):
    submission = f"hotline:{uuid4().hex}"
    async with duban(own_system.nats_url) as client:
        await client.send(Order(SubmitMatter(title="路灯不亮", category="rural_road"), submission, "gateway"))
        found = await asked_until(
            lambda: client.ask("ledger", "find", FindEntry(submission=submission), Found), lambda f: f.entry
        )
        number = found.entry
        held = handling.Hold(ground=HoldGround.AWAITING_PETITIONER, reason="等材料")
        for command in (ledger.Accept(), held, handling.Resume()):
            order = Order(command, number, "xincunban")
            await client.send(order)
            await client.outcome(order, 30)
        before = await client.ask("ledger", "why", WhyEntry(entry=number), Why)
        assert len(before.dues[0].due.pauses) == 1

        limits = dict.fromkeys(township.matters.limits, Limit(amount=40))
        matters = township.matters.model_copy(update={"limits": limits})
        revision = await publish_charter(client.client, township.model_copy(update={"matters": matters}))
        after = await asked_until(
            lambda: client.ask("ledger", "why", WhyEntry(entry=number), Why),
            lambda why: why.dues[0].due.revision == revision,
        )
        station, citizen = after.dues
        assert station.due.at > before.dues[0].due.at
        assert citizen.due.at > station.due.at
        assert station.due.pauses == before.dues[0].due.pauses
        history = await client.ask("ledger", "history", HistoryOf(key=number), Answers)
        told = [fact.type for answer in history.answers for fact in answer.facts]
        assert told.count("duban.ledger.deadline_recomputed.v1") == 2

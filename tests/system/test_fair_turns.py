"""Who sends more than anybody can mean holds nobody up for long, and is told."""

import asyncio
import json
from collections import Counter
from uuid import uuid4

import pytest

from duban_contracts.intake import IntakeCommandRefused, SubmitMatter
from services.chassis.provision import MOST_WAITING
from services.console.client import OWN_SHARE_FULL, Order, duban
from services.console.system import running_system

FLOOD = 50_000
AT_ONCE = 1_000
PATIENCE = 30.0
"""Seconds for one answer, of which it took at most 2 on two busy cores."""


@pytest.mark.case("B6", "B8")
def test_a_flood_of_refused_commands_holds_nobody_up_and_its_sender_is_told(tmp_path, township):
    said = Counter()
    refused_by_intake = Order(SubmitMatter(title="垃圾", category="nonsense"), "flood:1", "import")

    async def flood(nats_url):
        """As fast as the server takes them; what it says to each is counted."""
        async with duban(nats_url) as feed:
            all_said = asyncio.Event()

            async def heard(msg):
                said[json.loads(msg.data).get("error", {}).get("description")] += 1
                if said.total() == FLOOD:
                    all_said.set()

            inbox = feed.client.new_inbox()
            await feed.client.subscribe(inbox, cb=heard, pending_msgs_limit=-1)
            for n in range(FLOOD):
                order = Order(refused_by_intake.command, f"flood:{n}", "import")
                headers = order.headers("test")
                await feed.client.publish(order.subject, order.body, reply=inbox, headers=headers)
                if n % AT_ONCE == 0:
                    await feed.client.flush(30)
            await asyncio.wait_for(all_said.wait(), 120)

    async def answered_meanwhile(nats_url):
        async with duban(nats_url) as town:
            first = await town.outcome(refused_by_intake, PATIENCE)
            assert first.facts[0].type == IntakeCommandRefused.type
            flooding = asyncio.create_task(flood(nats_url))
            while not flooding.done():
                order = Order(SubmitMatter(title="垃圾", category="garbage"), f"n:{uuid4().hex}", "gateway")
                answer = await town.outcome(order, PATIENCE)
                assert answer.facts[0].type == "duban.intake.matter_accepted.v1"
            await flooding

    with running_system(township, logs=tmp_path, services=["intake"]) as system:
        asyncio.run(answered_meanwhile(system.nats_url))
    assert said[OWN_SHARE_FULL] > 0
    assert said[None] >= MOST_WAITING - 1
    assert said.keys() == {None, OWN_SHARE_FULL}

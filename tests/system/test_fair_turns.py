"""Who sends more than anybody can mean holds nobody up for long, and is told."""

import asyncio
import json
from collections import Counter
from urllib.request import urlopen
from uuid import uuid4

import pytest

from duban_contracts.intake import IntakeCommandRefused, SubmitMatter
from services.chassis.provision import MOST_WAITING
from services.console.client import OWN_SHARE_FULL, Order, duban
from services.console.embedded.nats import NatsServer
from services.console.embedded.servers import at_home, free_port
from services.console.system import running_system
from tests.waiting import until

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


class WatchedNats(NatsServer):
    """Its monitor says who is connected."""

    def _prepare(self):
        self.monitor = free_port()
        return [*super()._prepare(), "--http_port", str(self.monitor)]

    def connections(self):
        """By name: the number of the connection, and what is subscribed to by it."""
        with urlopen(f"http://127.0.0.1:{self.monitor}/connz?subs=1", timeout=5) as told:
            found = json.load(told)["connections"]
        return {each.get("name"): (each["cid"], each.get("subscriptions_list", [])) for each in found}


MAIN, QUESTIONS = "duban-intake", "duban-intake-questions"
TOO_MUCH = 80
"""Megabytes: more than the broker keeps for a connection that does not read (64 MB)."""


@pytest.mark.case("B8")
def test_a_flood_of_questions_takes_no_command_away(tmp_path, township):
    """The broker cuts who cannot read as fast as others write: that connection brings questions only."""

    async def flood(nats_url):
        async with duban(nats_url) as feed:
            for _ in range(TOO_MUCH):
                await feed.client.publish("query.intake.charter.v1.gateway", b"x" * 1_000_000)
            await feed.client.flush(30)

    async def served(nats_url):
        async with duban(nats_url) as town:
            order = Order(SubmitMatter(title="垃圾", category="garbage"), uuid4().hex, "gateway")
            answer = await town.outcome(order, PATIENCE)
            assert answer.facts[0].type == "duban.intake.matter_accepted.v1"
            assert (await town.charter()).revision == 1

    watched = at_home(WatchedNats, None)
    with running_system(township, logs=tmp_path, services=["intake"], nats=watched) as system:
        before = system.nats.connections()
        assert not [subject for subject in before[MAIN][1] if subject.startswith("query.")]
        assert all(subject.startswith("query.") for subject in before[QUESTIONS][1])
        service = system["intake"].child
        service.pause()
        try:
            asyncio.run(flood(system.nats_url))
            until(lambda: QUESTIONS not in system.nats.connections(), 20)
            assert MAIN in system.nats.connections()
        finally:
            service.resume()
        until(lambda: system.nats.connections().get(QUESTIONS), 20)
        asyncio.run(served(system.nats_url))
        after = system.nats.connections()
    assert after[MAIN][0] == before[MAIN][0]
    assert after[QUESTIONS][0] != before[QUESTIONS][0]

"""A stream that is full says so, holds up no other, and goes on by itself when it has room again."""

import asyncio
from uuid import uuid4

import pytest
from nats.js.errors import APIError

from duban_contracts.intake import SubmitMatter
from duban_contracts.ledger import Accept
from services.console.cli import main
from services.console.client import Full, Order, duban
from services.console.i18n import Lang, use
from services.console.system import running_system
from tests.waiting import until

ROOM = 8_000
"""Bytes: some commands."""


def a_matter():
    return Order(SubmitMatter(title="垃圾", category="garbage"), f"full:{uuid4().hex}", "gateway")


@pytest.fixture(scope="module")
def town(tmp_path_factory, township):
    logs = tmp_path_factory.mktemp("logs")
    with running_system(township, logs=logs, services=["intake", "ledger"]) as system:
        yield system


def on(town, work):
    async def connected():
        async with duban(town.nats_url) as client:
            return await work(client)

    return asyncio.run(connected())


def limit(town, stream, most):
    """`most`: the limit in bytes, of the bytes that are held."""

    async def work(client):
        jetstream = client.client.jetstream()
        info = await jetstream.stream_info(stream)
        await jetstream.update_stream(info.config.evolve(max_bytes=most(info.state.bytes)))

    on(town, work)


def console(town, capsys, language):
    words = ["submit", "--title", "垃圾", "--category", "garbage", "--wait", "0.2"]
    with pytest.raises(SystemExit) as end:
        main(["--lang", language, "--nats", town.nats_url, *words])
    use(Lang.EN)
    assert end.value.code == 3
    return capsys.readouterr().err


@pytest.mark.case("B8")
def test_a_full_command_stream_is_told_to_who_sends_and_empties_when_its_service_is_back(town, capsys):
    async def fill(client):
        sent, full = [], None
        while full is None:
            try:
                await client.send(order := a_matter(), patience=0)
                sent.append(order)
            except Full as told:
                full = told
        assert full.code == "stream_full"
        refused = await client.outcome(Order(Accept(), "2024-999999", "bianmin"))
        assert refused.facts[0].type == "duban.ledger.command_refused.v1", "the ledger goes on"
        return sent

    async def answered(client):
        for order in sent:
            given = await client.outcome(order)
            assert given.facts[0].type == "duban.intake.matter_accepted.v1"

    pid = town["intake"].child.pid
    town["intake"].child.pause()
    limit(town, "INTAKE_CMD", lambda held: held + ROOM)
    sent = on(town, fill)
    assert sent
    assert "tell the administrator to see that intake is running" in console(town, capsys, "en")
    assert "请管理员确认 intake 正在运行" in console(town, capsys, "zh")
    town["intake"].child.resume()
    on(town, answered)  # sends each again, which needs the room that was swept
    assert town["intake"].child.pid == pid
    limit(town, "INTAKE_CMD", lambda _: -1)


@pytest.mark.case("B8")
def test_a_stream_of_facts_warns_before_it_is_full_and_is_caught_up_when_it_has_room(town):
    async def submitted(client):
        orders = [a_matter() for _ in range(20)]
        await client.send_all(orders)
        return orders

    async def all_told(client):
        state = (await client.client.jetstream().stream_info("INTAKE_EVT")).state
        return state.messages

    def warned(share):
        return f"INTAKE_EVT holds {share}" in town["intake"].report().get("streams", "")

    on(town, submitted)
    on(town, lambda client: client.caught_up(consumers=["intake", "ledger"]))
    before, pid = on(town, all_told), town["intake"].child.pid
    limit(town, "INTAKE_EVT", lambda held: held * 10 // 9)
    until(lambda: warned("90%") or warned("89%"))
    assert town["intake"].ready, "only a warning"
    limit(town, "INTAKE_EVT", lambda held: held)
    on(town, submitted)
    until(lambda: warned("100%"))

    async def tell(client):
        subject = "evt.intake.matter_accepted.v1.bianmin"
        await client.client.jetstream().publish(subject, b"{}")

    with pytest.raises(APIError, match="maximum bytes exceeded"):
        on(town, tell)
    assert on(town, all_told) == before
    limit(town, "INTAKE_EVT", lambda _: -1)
    on(town, lambda client: client.caught_up(consumers=["intake", "ledger"]))
    assert on(town, all_told) >= before + 20
    until(lambda: town["intake"].report().get("streams") == "ok")
    assert town["intake"].child.pid == pid

"""What operators rely on: health, metrics, a bounded stop, and a loud end where going on would be wrong."""

import asyncio
import json
import re
import urllib.request
from time import monotonic
from uuid import uuid4

import pytest

from duban_contracts.intake import SubmitMatter
from duban_contracts.operations import AskStuck, Stuck
from duban_contracts.queries import Backlog, Nothing
from services.console.client import Order, duban
from services.console.doctor import service_check
from services.console.system import running_system, set_up
from tests.waiting import until


def get(url):
    with urllib.request.urlopen(url, timeout=5) as answer:
        return answer.status, answer.read().decode()


def test_alive_and_ready_say_what_they_know(system):
    for service in system.services:
        status, body = get(f"{service.http_url}/ready")
        report = json.loads(body)
        assert status == 200
        assert {"loop", "nats", "mongo", "charter", f"{service.name.upper()}_CMD"} <= report.keys()
        assert set(report.values()) == {"ok"}
        assert get(f"{service.http_url}/alive")[0] == 200


@pytest.mark.case("C16")
def test_without_a_database_a_service_says_so_to_who_asks(tmp_path, township):
    async def asked(url):
        async with duban(url) as town:
            backlog = await town.ask("rating", "backlog", Nothing(), Backlog)
            stuck = await town.ask("rating", "stuck", AskStuck(), Stuck)
            return backlog.wrong.keys(), stuck.warnings.keys(), await service_check(town, "rating", 1)

    with running_system(township, logs=tmp_path, services=["rating"]) as bare:
        assert asyncio.run(asked(bare.nats_url))[0] == set()
        bare.mongo.stop()
        until(lambda: bare["rating"].report()["mongo"] != "ok")
        wrong, warnings, check = asyncio.run(asked(bare.nats_url))
        assert "mongo" in wrong
        assert "mongo" in warnings
        assert not check.ok
        assert "mongo" in check.said
        bare.mongo.start()
        until(lambda: bare["rating"].ready)
        assert asyncio.run(asked(bare.nats_url))[2].ok


async def test_metrics_count_what_happened_under_labels_from_closed_sets(system):
    key = f"metric:{uuid4().hex}"
    async with duban(system.nats_url) as town:
        await town.outcome(Order(SubmitMatter(title="垃圾", category="garbage"), key, "gateway"))
        await town.caught_up()
    _, metrics = get(f"{system['intake'].http_url}/metrics")
    assert re.search(r'duban_messages_total\{consumer="intake",outcome="settled"\} [1-9]', metrics)
    assert "cmd.intake" not in metrics
    assert key not in metrics


def test_a_command_is_gone_from_the_broker_soon_after_it_was_answered(system):
    async def submitted():
        async with duban(system.nats_url) as town:
            order = Order(SubmitMatter(title="垃圾", category="garbage"), f"gone:{uuid4().hex}", "gateway")
            await town.outcome(order)

    async def held():
        async with duban(system.nats_url) as town:
            return (await town.client.jetstream().stream_info("INTAKE_CMD")).state.messages

    asyncio.run(submitted())
    until(lambda: asyncio.run(held()) == 0, 30)


def test_a_service_without_a_charter_waits_and_says_so_and_stops_when_told(tmp_path, township):
    with running_system(None, logs=tmp_path, services=[]) as bare:
        service = bare.add("intake")
        until(lambda: "duban charter apply" in service.report().get("charter", ""))
        asyncio.run(set_up(bare.nats_url, township))
        until(lambda: service.ready)
        started = monotonic()
        assert service.child.terminate() == 0
        assert monotonic() - started < 5


@pytest.mark.case("B6")
def test_too_many_unreadable_facts_in_a_row_stop_the_service_and_it_says_so(tmp_path, township, monkeypatch):
    async def letters(url, poison=0):
        async with duban(url) as town:
            jetstream = town.client.jetstream()
            for _ in range(poison):
                await jetstream.publish("evt.ledger.entry_struck_off.v1.bianmin", b"poison")
            return (await jetstream.stream_info("DEAD")).state.messages

    monkeypatch.setenv("DUBAN_POISON_CAP", "5")
    with running_system(township, logs=tmp_path, services=[]) as bare:
        service = bare.add("rating")
        until(lambda: service.ready)
        asyncio.run(letters(bare.nats_url, poison=12))
        until(lambda: "stopped" in service.report().get("dead_letters", ""))
        assert not service.ready
        assert 5 <= asyncio.run(letters(bare.nats_url)) <= 12


GARBAGE = 10_000


@pytest.mark.case("B6", "A1")
def test_garbage_of_one_actor_stops_nobody_and_neighbours_are_answered_in_time(system):
    async def flooded():
        async with duban(system.nats_url) as town:
            for _ in range(GARBAGE):
                await town.client.publish("cmd.intake.submit_matter.v1.import", b"{garbage}")
            await town.client.flush(30)
            started, keys = monotonic(), [f"garbage:{uuid4().hex}" for _ in range(10)]
            for key in keys:
                order = Order(SubmitMatter(title="垃圾", category="garbage"), key, "gateway")
                answer = await town.outcome(order)
                assert answer.facts[0].type == "duban.intake.matter_accepted.v1"
            return monotonic() - started

    seconds, intake = asyncio.run(flooded()), system["intake"]
    assert seconds < 60
    until(lambda: "import" in intake.report().get("unreadable_commands", ""))
    assert intake.ready
    _, metrics = get(f"{intake.http_url}/metrics")
    assert 'duban_unreadable_commands_total{actor="import",consumer="intake"}' in metrics

"""A service that is told to stop stops in bounded time, even where a server no longer answers."""

import asyncio
from time import monotonic

import pytest

from duban_contracts.intake import SubmitMatter
from services.console.client import Order, duban
from services.console.system import running_system
from tests.waiting import until

GRACE, SPARE = 2.0, 5.0
"""Seconds: what batches in hand are given; for a busy machine. MongoDB is given up after 20 only."""


@pytest.fixture
def intake(township, tmp_path, monkeypatch):
    monkeypatch.setenv("DUBAN_GRACEFUL_SECONDS", str(GRACE))
    with running_system(township, logs=tmp_path, services=["intake"]) as system:
        yield system


def in_work(system):
    """How many commands intake has taken and not acknowledged."""

    async def ask():
        async with duban(system.nats_url) as town:
            return (await town.client.jetstream().consumer_info("INTAKE_CMD", "intake")).num_ack_pending

    return asyncio.run(ask())


def submit(system):
    async def send():
        async with duban(system.nats_url) as town:
            await town.send(Order(SubmitMatter(title="t", category="garbage"), "test:1", "gateway"))

    asyncio.run(send())


def test_a_stop_is_bounded_even_where_mongodb_hangs_and_nothing_is_lost(intake):
    intake.mongo.pause()
    try:
        submit(intake)
        until(lambda: in_work(intake) == 1)
        started = monotonic()
        status = intake["intake"].child.terminate(60)
        assert monotonic() - started < GRACE + SPARE
        assert status == 0
    finally:
        intake.mongo.resume()
    assert in_work(intake) == 1  # it comes again to whoever is started next

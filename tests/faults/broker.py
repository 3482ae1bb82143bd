"""Faults of what the broker holds: consumers, credentials, room."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from nats.js.api import StreamConfig

from duban_contracts.subjects import DEAD_STREAM, command_stream, fact_stream, is_command
from duban_contracts.topology import streams_heard
from services.console.client import Duban
from tests.faults.faults import CALM, Site, deaf_loud_and_calm, fault
from tests.faults.poison import MARK, buried, poison, publish
from tests.faults.town import Town, busy
from tests.waiting import until

OTHERS = 1_000_000
"""Added to the seed, so that these messages have other marks than those of the fault of messages."""


@fault("stale consumers at restart")
def stale_consumers(site: Site) -> int:
    """Left by an older installation: another waiting time, few messages at once."""
    for name in ("ledger", "rating"):
        site.service(name).child.kill()
        site.town.do(partial(_stale, name=name))
        site.service(name).child.start()
    site.town.await_ready("ledger", "rating")
    site.more()
    site.town.provision()
    return 2


async def _stale(town: Duban, name: str) -> None:
    jetstream = town.client.jetstream(timeout=10)
    for stream in streams_heard(name):
        config = (await jetstream.consumer_info(stream, name)).config
        assert config is not None
        await jetstream.add_consumer(stream, config.evolve(ack_wait=1.0, max_ack_pending=7))


@fault("consumers deleted")
def delete_consumers(site: Site) -> int:
    """Loud, calm, and well again as soon as somebody provisions; all history is heard once more."""
    streams = list(streams_heard("rating"))
    site.town.do(partial(_delete, name="rating"))
    deaf_loud_and_calm(site.service("rating"), streams)
    site.town.provision()
    site.town.await_ready("rating")
    return len(streams)


async def _delete(town: Duban, name: str) -> None:
    for stream in streams_heard(name):
        await town.client.jetstream(timeout=10).delete_consumer(stream, name)


@fault("consumer lost from memory")
def lose_consumer(site: Site) -> int:
    async def in_memory(town: Duban) -> None:
        jetstream = town.client.jetstream(timeout=10)
        info = await jetstream.consumer_info(stream, "supervision")
        assert info.config is not None
        await jetstream.delete_consumer(stream, "supervision")
        await jetstream.add_consumer(stream, info.config.evolve(mem_storage=True))

    stream = command_stream("supervision")
    site.town.do(in_memory)
    site.town.system.nats.kill()
    site.town.system.nats.start()
    deaf_loud_and_calm(site.service("supervision"), [stream])
    site.town.provision()
    site.town.await_ready("supervision")
    return 1


@fault("credential revoked")
def revoke(site: Site) -> int:
    """The broker cuts the connection: the process ends loudly, and comes back with its credential."""
    nats, victim = site.town.system.nats, site.service("ledger")
    nats.revoke("ledger")
    nats.reload()
    until(lambda: not victim.child.running or victim.report().get("nats", "ok") != "ok", 30)
    nats.revoke()
    nats.reload()
    return 1


@fault("credential wrong while reconnecting")
def wrong_while_reconnecting(site: Site) -> int:
    """The same process must reconnect when the credential is right again."""
    nats, victim = site.town.system.nats, site.service("ledger")
    pid = victim.child.pid
    nats.kill()
    nats.revoke("ledger")
    nats.start()
    site.town.await_ready("intake", "rating", "supervision", "escalation")
    until(lambda: victim.report().get("nats") == "disconnected", 30)
    share = busy(victim)
    assert share < CALM, f"ledger uses {share:.0%} of a core while it is shut out"
    nats.revoke()
    nats.reload()
    site.town.await_ready("ledger")
    assert victim.child.pid == pid, "ledger did not reconnect by itself"
    return 1


@fault("fact stream full")
def fact_stream_full(site: Site) -> int:
    """What cannot be told is given back until it can."""
    with _full(site.town, fact_stream("ledger")):
        until(lambda: site.town.do(_redelivered) > 0, 60)
    return 1


@fault("dead letter stream full")
def dead_letters_full(site: Site) -> int:
    """An unreadable fact is given back until it can be buried, an unreadable command is let go without a
    letter; their neighbours go on meanwhile."""
    letters = list(poison(site.seed + OTHERS, 50, site.random))
    marks = {headers[MARK] for _, headers, _ in letters}
    facts = {headers[MARK] for subject, headers, _ in letters if not is_command(subject)}
    with _full(site.town, DEAD_STREAM):
        site.town.do(partial(publish, messages=letters))
        site.more()
        assert not marks & site.town.do(_buried)
    until(lambda: facts <= site.town.do(_buried), 90)
    return len(letters)


@fault("command stream full")
def command_stream_full(site: Site) -> int:
    """The publisher is told no, and nothing that was acknowledged goes."""
    with _full(site.town, command_stream("intake")):
        before = len(site.load.acknowledged)
        until(lambda: site.load.refused > 0, 60)
        assert len(site.load.acknowledged) >= before
    return 1


async def _buried(town: Duban) -> set[str]:
    return await buried(town.client)


async def _redelivered(town: Duban) -> int:
    jetstream = town.client.jetstream(timeout=10)
    heard = [await jetstream.consumer_info(stream, "ledger") for stream in streams_heard("ledger")]
    return sum(info.num_redelivered or 0 for info in heard)


@contextmanager
def _full(town: Town, stream: str) -> Iterator[None]:
    town.do(lambda connected: _limited(connected, stream, fill=True))
    try:
        yield
    finally:
        town.do(lambda connected: _limited(connected, stream, fill=False))


async def _limited(town: Duban, stream: str, fill: bool) -> None:
    """To what it holds now and not a byte more; or without limit again."""
    jetstream = town.client.jetstream(timeout=10)
    info = await jetstream.stream_info(stream)
    config: StreamConfig = info.config
    await jetstream.update_stream(config.evolve(max_bytes=max(info.state.bytes, 1) if fill else -1))

"""The vocabulary of faults. Each is done to a town under load and undone again; it returns how often.

A fault that must be loud asserts so itself: what the service says on `/ready`, or that its process ends. One
that must not spin measures the processor. Whatever it leaves broken is the invariants' to find.
"""

import re
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from random import Random
from time import monotonic
from typing import Any

from nats.js.api import StreamConfig

from duban_contracts.message import SERVICES
from duban_contracts.subjects import command_stream, fact_stream
from duban_contracts.topology import streams_heard
from services.console.client import Duban
from services.console.embedded import Server
from services.console.system import Running
from tests.faults.load import Load
from tests.faults.poison import buried, poison, publish
from tests.faults.proxy import Proxy
from tests.faults.town import ACK_WAIT, Town, busy
from tests.waiting import until

CALM = 0.5
"""Share of a core below which a service that can do nothing counts as not spinning."""
HOUR = 3600


@dataclass
class Site:
    """Where a fault happens: the town, the load that goes on meanwhile, and the run's dice."""

    town: Town
    load: Load
    random: Random
    seed: int

    def service(self, name: str) -> Running:
        return self.town.system[name]

    def more(self, commands: int = 40) -> None:
        """The load goes on for so many commands, or to its end."""
        goal = len(self.load.acknowledged) + commands
        until(lambda: len(self.load.acknowledged) >= goal or not self.load.going)


Strike = Callable[[Site], int]
FAULTS: dict[str, Strike] = {}


def fault(name: str) -> Callable[[Strike], Strike]:
    def entered(strike: Strike) -> Strike:
        FAULTS[name] = strike
        return strike

    return entered


def _kill_service(name: str) -> Strike:
    def strike(site: Site) -> int:
        for _ in range(3):
            site.more()
            site.service(name).child.kill()
            site.service(name).child.start()
        return 3

    return strike


for _name in SERVICES:
    FAULTS[f"kill -9 {_name}"] = _kill_service(_name)


@fault("kill -9 nats-server")
def kill_nats(site: Site) -> int:
    return _kill_server(site, site.town.system.nats)


@fault("kill -9 mongod")
def kill_mongod(site: Site) -> int:
    return _kill_server(site, site.town.system.mongo)


def _kill_server(site: Site, server: Server) -> int:
    for _ in range(2):
        site.more()
        server.kill()
        server.start()
    return 2


@fault("kill -9 everything at once")
def kill_everything(site: Site) -> int:
    system = site.town.system
    for service in system.services:
        service.child.kill()
    system.mongo.kill()
    system.nats.kill()
    for service in system.services:
        service.child.start()  # before what they need: they wait for it, or end and are revived
    system.nats.start()
    system.mongo.start()
    return 1


@fault("SIGSTOP services")
def pause_services(site: Site) -> int:
    """For longer than the broker waits for an acknowledgement: what they had comes again beside it."""
    with _paused(*(service.child for service in site.town.system.services)):
        _outlive_ack_wait()
    return len(SERVICES)


@fault("SIGSTOP servers")
def pause_servers(site: Site) -> int:
    for server in (site.town.system.nats, site.town.system.mongo):
        with _paused(server):
            _outlive_ack_wait()
    return 2


@contextmanager
def _paused(*processes: Any) -> Iterator[None]:
    for process in processes:
        process.pause()
    try:
        yield
    finally:
        for process in processes:
            process.resume()


def _outlive_ack_wait() -> None:
    ends = monotonic() + ACK_WAIT + 0.5
    until(lambda: monotonic() > ends)


@fault("two replicas, one dies")
def replicas(site: Site) -> int:
    system = site.town.system
    second = [system.add("ledger"), system.add("escalation")]
    site.town.await_ready()
    site.more(80)
    for service in second:
        service.child.kill()
        system.services.remove(service)
    return 2


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


def deaf_loud_and_calm(service: Running, streams: list[str]) -> None:
    until(lambda: all("provision" in service.report().get(stream, "") for stream in streams), 30)
    share = busy(service)
    assert share < CALM, f"{service.name} uses {share:.0%} of a core while it is deaf"


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
    assert victim.report().get("nats") == "disconnected", victim.report()
    share = busy(victim)
    assert share < CALM, f"ledger uses {share:.0%} of a core while it is shut out"
    nats.revoke()
    nats.reload()
    site.town.await_ready("ledger")
    assert victim.child.pid == pid, "ledger did not reconnect by itself"
    return 1


@fault("connection closed for good")
def close_client(site: Site) -> int:
    """A process that cannot hear must not look alive: it ends with a status that says so."""
    for name in SERVICES:
        (site.town.control / f"close-{name}").touch()
    children = [service.child for service in site.town.system.services]
    until(lambda: not any(child.running for child in children), 30)
    statuses = [child.wait() for child in children]
    assert all(statuses), f"ended with {statuses}, as if it had been wanted"
    return len(children)


@fault("poison among good messages")
def poison_flood(site: Site) -> int:
    """Every one becomes a dead letter with its reason; the invariants look after its neighbours."""
    flood = list(poison(site.seed, 250, site.random))
    for start in range(0, len(flood), 25):
        site.town.do(partial(publish, messages=flood[start : start + 25]))
        site.more(10)
    marks = {headers["x-mark"] for _, headers, _ in flood}
    until(lambda: marks <= site.town.do(lambda town: buried(town.client)), 60)
    return len(flood)


@fault("nothing but poison")
def nothing_but_poison(site: Site) -> int:
    """Beyond the cap the service stops and says so; mended, that is restarted, it goes on."""
    victim = site.service("supervision")
    site.load.pause()
    site.town.caught_up()
    letters = [(f"cmd.supervision.sing.v1.{n}", {"x-mark": f"poison-cap-{n}"}, b"la") for n in range(150)]
    site.town.do(lambda town: publish(town, letters))
    until(lambda: "stopped" in victim.report().get("dead_letters", ""), 30)
    assert busy(victim) < CALM
    site.load.resume()
    victim.child.terminate()
    victim.child.start()
    return len(letters)


@fault("dropped, doubled, out of order")
def through_a_proxy(site: Site) -> int:
    """Commands come through a stream that loses acknowledgements, repeats and shuffles."""
    with Proxy(site.town.system.nats_url, site.random) as proxy:
        site.load.send = proxy.send
        try:
            site.more(150)
        finally:
            site.load.send = site.load.straight
        site.load.pause()
        proxy.drain()
        site.load.resume()
    assert proxy.doubled > 0
    assert proxy.out_of_order > 0
    return proxy.doubled + proxy.dropped


@fault("fact stream full")
def fact_stream_full(site: Site) -> int:
    """What cannot be told is given back until it can."""
    with _full(site.town, fact_stream("ledger")):
        until(lambda: site.town.do(_redelivered) > 0, 60)
    return 1


@fault("command stream full")
def command_stream_full(site: Site) -> int:
    """The publisher is told no, and nothing that was acknowledged goes."""
    with _full(site.town, command_stream("intake")):
        before = len(site.load.acknowledged)
        until(lambda: site.load.refused > 0, 60)
        assert len(site.load.acknowledged) >= before
    return 1


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


@fault("clock an hour wrong")
def clock_steps(site: Site) -> int:
    """Forward over midnight, so that deadlines fall due too early; then backward; then right again."""
    woken = _wakes(site.service("ledger"))
    _set_clocks(site.town, HOUR)
    until(lambda: _wakes(site.service("ledger")) > woken, 60)
    _set_clocks(site.town, -HOUR)
    site.more()
    _set_clocks(site.town, 0)
    return 3


def _set_clocks(town: Town, seconds: int) -> None:
    new = town.control / "clock.new"
    new.write_text(str(seconds))
    new.replace(town.control / "clock")


def _wakes(service: Running) -> float:
    with urllib.request.urlopen(f"{service.http_url}/metrics", timeout=5) as answer:
        found = re.search(rf'duban_wakes_total{{consumer="{service.name}"}} (\S+)', answer.read().decode())
    return float(found[1]) if found else 0.0

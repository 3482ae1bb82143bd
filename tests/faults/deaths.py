"""Faults of processes: killed, stopped, replaced, closed."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

from duban_contracts.message import SERVICES
from services.console.embedded import Server
from tests.faults.faults import FAULTS, Site, Strike, fault
from tests.faults.town import ACK_WAIT
from tests.waiting import until


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


@fault("kill -9 in a backlog")
def kill_in_a_backlog(site: Site) -> int:
    """Large batches are in work when it dies, at another moment each time."""
    victim = site.service("escalation")
    victim.child.kill()
    site.more(300)
    for _ in range(6):
        victim.child.start()
        until(lambda: victim.report().get("charter") == "ok" or not victim.child.running)
        _outlive(site.random.uniform(0, 0.4))
        victim.child.kill()
    victim.child.start()
    return 7


@fault("SIGSTOP services")
def pause_services(site: Site) -> int:
    """For longer than the broker waits for an acknowledgement: what they had comes again beside it."""
    with _paused(*(service.child for service in site.town.system.services)):
        _outlive(ACK_WAIT + 0.5)
    return len(SERVICES)


@fault("SIGSTOP servers")
def pause_servers(site: Site) -> int:
    for server in (site.town.system.nats, site.town.system.mongo):
        with _paused(server):
            _outlive(ACK_WAIT + 0.5)
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


def _outlive(seconds: float) -> None:
    ends = monotonic() + seconds
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

"""The whole system on this machine: both servers, and every service as a process of its own."""

import asyncio
import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from duban_contracts.charter import Charter
from duban_contracts.message import SERVICES
from services.chassis.charter_bucket import publish_charter, published_charter
from services.chassis.health import goes_on
from services.chassis.provision import ACK_WAIT, provision
from services.chassis.settings import ClockMode
from services.console.client import duban
from services.console.embedded import Child, MongoServer, NatsServer, embedded_mongo, embedded_nats
from services.console.embedded.servers import free_port

START_SECONDS = 60.0


class NotReady(Exception):
    """A service did not become ready; the message says which and why."""


@dataclass
class Running:
    """One service process and where it answers."""

    name: str
    child: Child
    http_port: int

    @property
    def http_url(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"

    def report(self) -> dict[str, str]:
        """What `/ready` says; a service that does not answer says nothing."""
        try:
            with urllib.request.urlopen(f"{self.http_url}/ready", timeout=2) as answer:  # noqa: S310
                return dict(json.load(answer))
        except urllib.error.HTTPError as error:
            return dict(json.load(error))
        except OSError:
            return {}

    @property
    def ready(self) -> bool:
        report = self.report()
        return bool(report) and all(goes_on(state) for state in report.values())


@dataclass
class System:
    nats: NatsServer
    mongo: MongoServer
    clock: ClockMode = ClockMode.SYSTEM
    logs: Path | None = None
    """A folder for one log file per service; None: all to our own standard output."""
    database_prefix: str = "duban"
    module: str = "services"
    """What is run, with the service's name as its argument."""
    services: list[Running] = field(default_factory=list)

    @property
    def nats_url(self) -> str:
        return self.nats.url

    def start(self, names: Sequence[str] = SERVICES) -> None:
        """Start the services and wait until each is ready; a charter must have been published."""
        for name in names:
            self.add(name)
        self.await_ready()

    def add(self, name: str) -> Running:
        """One more process of a service; several of one service share its work."""
        port = free_port()
        environment = {
            **os.environ,
            "DUBAN_NATS_URL": self.nats.url_for(name),
            "DUBAN_MONGO_URL": self.mongo.url,
            "DUBAN_CLOCK": self.clock,
            "DUBAN_DATABASE_PREFIX": self.database_prefix,
            "DUBAN_HTTP_PORT": str(port),
            "DUBAN_LOG_FORMAT": "console",
        }
        log = self.logs / f"{name}-{port}.log" if self.logs else None
        child = Child([sys.executable, "-m", self.module, name], env=environment, log=log)
        child.start()
        running = Running(name, child, port)
        self.services.append(running)
        return running

    def __getitem__(self, name: str) -> Running:
        return next(service for service in self.services if service.name == name)

    def await_ready(self, patience: float = START_SECONDS) -> None:
        for service in self.services:
            waiting = Retrying(
                retry=retry_if_result(lambda ready: not ready),
                wait=wait_fixed(0.1),
                stop=stop_after_delay(patience),
                retry_error_callback=lambda _: False,
            )
            if not waiting(lambda service=service: service.ready or not service.child.running):
                raise NotReady(f"{service.name} is not ready after {patience:.0f} s: {service.report()}")
            if not service.child.running:
                raise NotReady(f"{service.name} ended with status {service.child.wait()}")

    def stop(self) -> None:
        with ThreadPoolExecutor() as side_by_side:
            list(side_by_side.map(lambda service: service.child.terminate(), self.services))


async def charter_in_force(nats_url: str, default: Charter) -> tuple[Charter, bool]:
    """What is published; where nothing is, `default` is, and the second value is True.

    Raises ValidationError where the published one cannot be read by this version.
    """
    async with duban(nats_url) as system:
        found = await published_charter(system.client)
        if found is not None:
            return found, False
        revision = await publish_charter(system.client, default)
        return default.model_copy(update={"revision": revision}), True


async def set_up(nats_url: str, charter: Charter | None, ack_wait: float = ACK_WAIT) -> int | None:
    """Streams, consumers and buckets; then the charter, if one is given: returns its revision."""
    async with duban(nats_url) as system:
        await provision(system.client, ack_wait=ack_wait)
        return await publish_charter(system.client, charter) if charter else None


@contextmanager
def running_system(
    charter: Charter | None,
    *,
    data: Path | None = None,
    clock: ClockMode = ClockMode.SYSTEM,
    logs: Path | None = None,
    services: Sequence[str] = SERVICES,
    nats_port: int | None = None,
    nats: AbstractContextManager[NatsServer] | None = None,
    prepared: Callable[[str], None] = lambda _url: None,
) -> Iterator[System]:
    """Servers first, services last; at the end the other way round. Nothing outlives us.

    `nats` is the server to use, by default one of `embedded_nats`. `prepared` is called with its address when
    streams and buckets are there and no service runs yet.
    """
    with ExitStack() as stack:
        server = stack.enter_context(nats or embedded_nats(data / "nats" if data else None, nats_port))
        mongo = stack.enter_context(embedded_mongo(data / "mongo" if data else None))
        asyncio.run(set_up(server.url, charter))
        prepared(server.url)
        system = System(server, mongo, clock, logs)
        stack.callback(system.stop)
        system.start(services)
        yield system

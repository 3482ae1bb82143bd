"""Where a benchmark is played: real servers with durable settings, a filled stream, and a stopwatch."""

import asyncio
import itertools
import os
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import TypeVar
from uuid import uuid4

from nats.aio.client import Client

from duban_contracts.envelope import Attributes, encode
from duban_contracts.subjects import subject_of
from services.chassis.charter_file import read_charter
from services.chassis.provision import provision
from services.console.client import Duban, duban
from services.console.embedded import Child
from services.console.system import System, running_system
from tests.benchmarks.account import Post

CHARTER = Path(__file__).parents[2] / "deploy" / "charters" / "township-2024.yaml"
LOGS = Path("build") / "bench-logs"
COMMANDS, FACTS = "RATING_CMD", "RATING_EVT"
STATION = "qingjieban"
AT_ONCE = 1000
Told = TypeVar("Told")


@dataclass(frozen=True)
class Rate:
    """What was done in how long."""

    name: str
    messages: int
    seconds: float

    @property
    def per_second(self) -> float:
        return self.messages / self.seconds


@contextmanager
def stage(services: Sequence[str] = ()) -> Iterator[System]:
    LOGS.mkdir(parents=True, exist_ok=True)
    with running_system(read_charter(CHARTER), logs=LOGS, services=services) as system:
        yield system


def on_system(system: System, story: Callable[[Duban], Awaitable[Told]]) -> Told:
    async def run() -> Told:
        async with duban(system.nats_url, "duban/bench") as connected:
            return await story(connected)

    return asyncio.run(run())


@contextmanager
def process(
    system: System, module: str, *arguments: str, database: str | None = None, http_port: int | None = None
) -> Iterator[Child]:
    """One service process of our own making, on the stage's servers; its store is empty unless named."""
    environment = {
        **os.environ,
        "DUBAN_NATS_URL": system.nats.url,
        "DUBAN_MONGO_URL": system.mongo.url,
        "DUBAN_DATABASE_PREFIX": database or new_database(),
        "DUBAN_LOG_FORMAT": "console",
    }
    if http_port is not None:
        environment["DUBAN_HTTP_PORT"] = str(http_port)
    child = Child([sys.executable, "-m", module, *arguments], env=environment, log=LOGS / "process.log")
    child.start()
    try:
        yield child
    finally:
        child.kill()


def new_database() -> str:
    return f"bench_{uuid4().hex[:8]}"


async def emptied(client: Client) -> None:
    """Streams and consumers as on the first day."""
    jetstream = client.jetstream(timeout=30)
    for stream in (COMMANDS, FACTS):
        await jetstream.delete_stream(stream)
    await provision(client)
    # One station fills the stream before anybody listens, with more than one may have waiting.
    commands = (await jetstream.stream_info(COMMANDS)).config
    await jetstream.update_stream(commands.evolve(max_msgs_per_subject=-1, discard_new_per_subject=False))


async def publish(client: Client, posts: Sequence[tuple[str, Post]]) -> None:
    """Many at once: filling is not what is measured."""
    jetstream = client.jetstream(timeout=30)
    for start in range(0, len(posts), AT_ONCE):
        await asyncio.gather(
            *(
                jetstream.publish(
                    subject_of(command, STATION),
                    command.model_dump_json().encode(),
                    headers=encode(attributes(key, command)),
                )
                for key, command in posts[start : start + AT_ONCE]
            )
        )


def attributes(key: str, command: Post) -> Attributes:
    message = uuid4().hex
    return Attributes(message, "duban/bench", command.type, datetime.now(UTC), key, message)


def posts(messages: int, keys: int) -> list[tuple[str, Post]]:
    """Every key in turn, so that a batch of 500 meets 500 keys."""
    return posts_to([f"account-{n}" for n in range(keys)], messages)


def posts_to(keys: Sequence[str], messages: int) -> list[tuple[str, Post]]:
    turn = itertools.cycle(keys)
    return [(next(turn), Post(amount=n % 7, note=f"第{n}笔")) for n in range(messages)]


async def drained(client: Client, expected: int, stream: str = FACTS, patience: float = 600) -> Rate:
    """From a tenth of the facts to all of them: the start of a process is not counted."""
    jetstream = client.jetstream(timeout=10)
    deadline, before, since = monotonic() + patience, (monotonic(), 0), None
    while True:
        look = (monotonic(), (await jetstream.stream_info(stream)).state.messages)
        if since is None and look[1] >= expected // 10:
            since = look if look[1] < expected else before  # so few that one look missed them all
        if since is not None and look[1] >= expected:
            return Rate("", look[1] - since[1], look[0] - since[0])
        if look[0] > deadline:
            raise TimeoutError(f"{look[1]} of {expected} told after {patience:.0f} s")
        before = look
        await asyncio.sleep(0.02)

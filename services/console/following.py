"""The facts of a service that one may hear, in order, without gaps, through restarts of the broker.

A plain subscription says that something happened; the question `facts` then gives what was stored since. So
nothing is missed while the connection is down, nothing comes twice, and no consumer is made.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from duban_contracts.queries import AskFacts, FactsPage, HeardFact
from duban_contracts.readers import Reader, reader_of
from duban_contracts.visibility import subjects_heard
from services.console.client import Duban, Misasked, Unreachable

RETRY_SECONDS = 1.0
SILENCE_SECONDS = 2.0
"""After so long without hearing anything we ask: what was told while the connection was down is not heard."""
SETTLE_SECONDS = 0.02
"""A fact is heard a moment before its stream has it: then we ask once more, so much later."""

Troubled = Callable[[Exception], None]


async def last_sequence(system: Duban, service: str) -> int:
    return (await system.ask(service, "facts", AskFacts(), FactsPage)).next


async def reader(system: Duban) -> Reader | None:
    """Who asks on this connection; None: neither we nor the charter know the name."""
    charter = await system.charter()
    return reader_of(system.actor, charter.everyone() if charter else {})


async def follow(
    system: Duban, service: str, after: int, troubled: Troubled
) -> AsyncGenerator[HeardFact, None]:
    """Runs until cancelled. `troubled` is called for each try that failed."""
    news = asyncio.Event()
    async with _hearing(system, service, news):
        while True:
            news.clear()
            try:
                page = await _page(system, service, after)
                while page.facts or page.more:
                    for fact in page.facts:
                        yield fact
                    after = page.next
                    page = await _page(system, service, after)
                after = page.next
            except (Unreachable, Misasked, NatsError, TimeoutError) as error:
                troubled(error)
                await asyncio.sleep(RETRY_SECONDS)
                if isinstance(error, Misasked):  # a broker that lost its disk counts from one again
                    with suppress(Unreachable, Misasked, NatsError, TimeoutError):
                        after = min(after, await last_sequence(system, service))
                continue
            with suppress(TimeoutError):
                await asyncio.wait_for(news.wait(), SILENCE_SECONDS)
                await asyncio.sleep(SETTLE_SECONDS)


async def _page(system: Duban, service: str, after: int) -> FactsPage:
    return await system.ask(service, "facts", AskFacts(after=after), FactsPage, patience=0)


@asynccontextmanager
async def _hearing(system: Duban, service: str, news: asyncio.Event) -> AsyncIterator[None]:
    """Subscribed to what this credential may hear of the service; `news` is set with everything heard."""

    async def heard(_: Msg) -> None:
        news.set()

    known = await reader(system)
    subjects = [_of_service(subject, service) for subject in subjects_heard(known)] if known else []
    subscriptions = [
        await system.client.subscribe(subject, cb=heard) for subject in subjects if subject is not None
    ]
    try:
        yield
    finally:
        for subscription in subscriptions:
            with suppress(NatsError, TimeoutError):
                await subscription.unsubscribe()


def _of_service(subject: str, service: str) -> str | None:
    """The part of it that is about one service."""
    kind, of, rest = subject.split(".", 2)
    return f"{kind}.{service}.{rest}" if of in ("*", service) else None

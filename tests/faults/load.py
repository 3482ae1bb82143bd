"""A load of many matters that live their lives at once, and the witness of what the broker acknowledged.

Every producer counts its commands, and the counter is in their ids: what is lost or doubled has a name. The
seed fixes what each producer chooses; how far the services are when it chooses is up to the machine.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random

from nats.errors import Error as NatsError
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_fixed

from duban_contracts.charter import Charter, Ground
from duban_contracts.escalation import AcknowledgeOrder, AnswerOrder
from duban_contracts.intake import SubmitMatter, SupplementMatter
from duban_contracts.ledger import Accept, RecordProgress, Resolve, Verify
from duban_contracts.message import Command
from duban_contracts.queries import FindEntry, Found
from duban_contracts.rating import CallbackResult, Level, Rate, RecordCallback
from duban_contracts.supervision import RecordFinding, StartCampaign, VerifyRectification
from services.console.client import Duban, Misasked, Order, Unreachable, duban
from tests.faults import OFFICE
from tests.waiting import until

PRODUCERS = 6
PACE_SECONDS = 0.02
"""The longest pause of a producer between two commands: load while something is broken, not a flood."""
SOURCE = "duban/load"
PATIENCE = 120.0

Send = Callable[[Duban, Order], Awaitable[None]]


async def straight(town: Duban, order: Order) -> None:
    await town.send(order, patience=0)  # who tries again counts it


@dataclass
class Life:
    """One matter, as its producer knows it."""

    key: str
    station: str
    number: str | None = None
    round: int = 1
    step: int = 0


@dataclass
class Producer:
    n: int
    seed: int
    charter: Charter
    today: date
    random: Random = field(init=False)
    counter: int = 0
    lives: list[Life] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = Random(f"{self.seed}/{self.n}")

    async def next(self, town: Duban) -> Order:
        chance = self.random.random()
        if self.counter == 0:
            return self.order(StartCampaign(), "campaign/2024", "office")
        if chance < 0.25 or not self.lives:
            return self.submitted()
        if chance < 0.35:
            return self.inspected()
        if chance < 0.40:
            return self.under_an_order()
        return await self.advanced(town, self.random.choice(self.lives))

    def order(self, command: Command, key: str, actor: str, at: datetime | None = None) -> Order:
        self.counter += 1
        return Order(command, key, actor, f"{self.seed}-p{self.n}-{self.counter:05d}", at)

    def submitted(self) -> Order:
        """Today's at the window; or an older one that is late already, or will be at midnight."""
        category = self.random.choice(list(self.charter.categories))
        life = Life(f"load:{self.seed}-{self.n}-{self.counter}", self.charter.categories[category].lead)
        self.lives.append(life)
        title = f"matter {self.counter} of producer {self.n}"
        if self.random.random() < 0.5:
            return self.order(SubmitMatter(title=title, category=category), life.key, "gateway")
        at = datetime.now(UTC) - timedelta(days=self.random.uniform(2, 20))
        due_on = self.today - timedelta(days=self.random.randint(0, 1))
        return self.order(SubmitMatter(title=title, category=category, due_on=due_on), life.key, "import", at)

    def inspected(self) -> Order:
        if self.findings and self.random.random() < 0.5:
            key = self.findings.pop()
            return self.order(VerifyRectification(passed=self.random.random() < 0.7), key, "office")
        key = f"finding/{self.seed}-{self.n}-{self.counter}"
        self.findings.append(key)
        finding = RecordFinding(
            station=self.random.choice(list(self.charter.stations)),
            ground=self.random.choice(list(Ground)),
            text="found by the load",
        )
        return self.order(finding, key, "office")

    def under_an_order(self) -> Order:
        """Perhaps there is such an order by now; else the answer is no."""
        station = self.random.choice(list(self.charter.stations))
        order = f"{station}-{self.today.year}-{self.random.randint(1, 3)}"
        if self.random.random() < 0.5:
            return self.order(AcknowledgeOrder(order=order), order, station)
        return self.order(AnswerOrder(order=order, answer="we are on it"), order, station)

    async def advanced(self, town: Duban, life: Life) -> Order:
        if life.number is None:
            life.number = await self.number(town, life)
        if life.number is None:
            return self.order(SupplementMatter(materials=("身份证",)), life.key, "gateway")
        return self.stepped(life, life.number)

    async def number(self, town: Duban, life: Life) -> str | None:
        try:
            asked = FindEntry(submission=life.key)
            return (await town.ask("ledger", "find", asked, Found, patience=0.5)).entry
        except (Unreachable, Misasked):  # it is gone, or so newly back that it has no charter yet
            return None

    def stepped(self, life: Life, number: str) -> Order:
        life.step += 1
        match life.step:
            case 1:
                return self.order(Accept(), number, life.station)
            case 2:
                return self.order(RecordProgress(note="half way", percent=50), number, life.station)
            case 3:
                return self.order(Resolve(answer="done"), number, life.station)
            case 4 if self.random.random() < 0.15:
                life.step, life.round = 2, life.round + 1
                return self.order(Verify(passed=False, reason="not solved"), number, "office")
            case 4:
                return self.order(Verify(passed=True), number, "office")
            case 5:
                level = self.random.choice(list(Level))
                return self.order(Rate(level=level), f"{number}/{life.round}", "gateway")
            case _:
                self.lives.remove(life)
                result = self.random.choice(list(CallbackResult))
                return self.order(RecordCallback(result=result), f"{number}/{life.round}", "office")


class Load:
    """`acknowledged` holds every command that the broker said it has, by identity."""

    straight = staticmethod(straight)

    def __init__(self, seed: int, charter: Charter, today: date, producers: int = PRODUCERS) -> None:
        self.producers = [Producer(n, seed, charter, today) for n in range(producers)]
        self.acknowledged: dict[str, Order] = {}
        self.refused = 0
        """How often the broker would not take one, or did not answer: it was sent again."""
        self.send: Send = straight
        self._trouble: BaseException | None = None
        self._left = self._sending = 0
        self._stop, self._goes_on = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, url: str, at_most: int) -> None:
        """In a thread of its own, until `stop` or until so many commands were sent."""
        self._left, self._trouble, self.refused = at_most, None, 0
        self._stop.clear()
        self._goes_on.set()
        self._thread = threading.Thread(target=self._run, args=(url,), daemon=True)
        self._thread.start()

    @property
    def going(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def pause(self) -> None:
        """Returns when everything begun is acknowledged; nothing more is sent until `resume`."""
        self._goes_on.clear()
        until(lambda: self._sending == 0, PATIENCE)

    def resume(self) -> None:
        self._goes_on.set()

    def stop(self) -> None:
        """Returns when everything begun is acknowledged; raises what went wrong in the thread."""
        self._stop.set()
        self._goes_on.set()
        if self._thread is not None:
            self._thread.join()
        if self._trouble is not None:
            raise self._trouble

    def _run(self, url: str) -> None:
        try:
            asyncio.run(self._produce_all(url))
        except BaseException as trouble:
            self._trouble = trouble

    async def _produce_all(self, url: str) -> None:
        async with duban(url, SOURCE, patience=30, actor=OFFICE) as town:
            await asyncio.gather(*(self._produce(town, producer) for producer in self.producers))

    async def _produce(self, town: Duban, producer: Producer) -> None:
        while not self._stop.is_set() and self._left > 0:
            if self._goes_on.is_set():
                self._left -= 1
                self._sending += 1
                try:
                    await self._publish(town, await producer.next(town))
                finally:
                    self._sending -= 1
            await asyncio.sleep(producer.random.uniform(0, PACE_SECONDS))

    async def _publish(self, town: Duban, order: Order) -> None:
        """Again and again under the same id, until the broker has it."""
        retrying = AsyncRetrying(
            retry=retry_if_exception_type((Unreachable, NatsError, TimeoutError)),
            wait=wait_fixed(0.1),
            stop=stop_after_delay(PATIENCE),
            reraise=True,
        )
        async for attempt in retrying:
            with attempt:
                self.refused += attempt.retry_state.attempt_number > 1
                await self.send(town, order)
        self.acknowledged[order.identity(SOURCE)] = order

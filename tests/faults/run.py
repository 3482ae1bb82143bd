"""A run: one town endures one fault after another under load; then everything that must hold is checked."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from time import monotonic

from rich.console import Console
from rich.table import Table
from tenacity import RetryError

from duban_contracts.subjects import parse_subject
from services.console.system import set_up
from tests.faults import broker, deaths, messages
from tests.faults.faults import FAULTS, Site, Strike, deaf_loud_and_calm
from tests.faults.invariants import violations
from tests.faults.kept import Streams, answered, read_stores
from tests.faults.load import Load
from tests.faults.town import ACK_WAIT, Town, a_town, running_town
from tests.waiting import until

LOAD = 500
"""At most so many commands go with one fault."""
LONG_LOAD = {"kill -9 between two steps": 2_000}
"""Where one fault is many deaths, each under load."""
FIRST = 40
"""So many are acknowledged before the fault, and so many after it."""
MISSING_AT_START = "streams missing at start"
VOCABULARY = (deaths, broker, messages)
"""The modules that enter their faults in FAULTS."""
NAMES = [*FAULTS, MISSING_AT_START]


@dataclass(frozen=True)
class Row:
    fault: str
    times: int
    sent: int
    answered: int
    lost: int
    doubled: int
    recovery: float
    """Seconds from the end of the fault until all that was acknowledged before it ended is answered."""


@dataclass
class Run:
    seed: int
    rows: list[Row] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    checked: list[str] = field(default_factory=list)
    """What the invariants were looked for in."""

    @property
    def passed(self) -> bool:
        return not self.troubles and all(row.lost == row.doubled == 0 for row in self.rows)

    def endure(self, folder: Path, faults: Sequence[str]) -> Iterator[Row]:
        """Yields each row as it is done; afterwards `troubles` is complete."""
        shared = [name for name in faults if name != MISSING_AT_START]
        if shared:
            with running_town(folder / "town") as town:
                yield from self._endure(town, {name: FAULTS[name] for name in shared})
        if MISSING_AT_START in faults:
            with a_town(folder / "late") as town:
                yield from self._endure(town, {MISSING_AT_START: _nothing_there_yet})

    def _endure(self, town: Town, faults: Mapping[str, Strike]) -> Iterator[Row]:
        load, streams = Load(self.seed, town.charter, town.today()), Streams()
        for name, strike in faults.items():
            site = Site(town, load, Random(f"{self.seed}/{name}"), self.seed)
            row = self._one(site, streams, name, strike)
            self.rows.append(row)
            yield row
        town.caught_up()
        town.do(lambda connected: streams.read_on(connected.client))
        self.troubles += violations(town, load.acknowledged, streams)
        kinds = Counter(parse_subject(msg.subject).name for msg in streams.told.values())
        most = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
        self.checked.append(f"{len(load.acknowledged)} commands, {len(streams.told)} facts: {most}")

    def _one(self, site: Site, streams: Streams, name: str, strike: Strike) -> Row:
        town, load = site.town, site.load
        before, twice = set(load.acknowledged), len(streams.twice)
        load.start(town.system.nats_url, LONG_LOAD.get(name, LOAD))
        times = 0
        try:
            if name != MISSING_AT_START:
                site.more(FIRST)
            times = strike(site)
        except (AssertionError, RetryError) as trouble:
            self.troubles.append(f"{name}: {_why(trouble)}")
            town.mend()
        recovery = _recovery(town, list(load.acknowledged))
        site.more(FIRST)
        load.stop()
        town.caught_up()
        town.do(lambda connected: streams.read_on(connected.client))
        return _row(
            town, name, times, load.acknowledged.keys() - before, len(streams.twice) - twice, recovery
        )


def _recovery(town: Town, acknowledged: Sequence[str]) -> float:
    started, waiting = monotonic(), set(acknowledged)

    def recovered() -> bool:
        town.revive()
        waiting.difference_update(answered(town.system.mongo.url, waiting))
        return not waiting and all(service.ready for service in town.system.services)

    until(recovered, 120)
    return monotonic() - started


def _row(town: Town, name: str, times: int, sent: set[str], told_twice: int, recovery: float) -> Row:
    found = answered(town.system.mongo.url, sent)
    given_twice = sum(len(store.given_twice) for store in read_stores(town.system.mongo.url).values())
    return Row(name, times, len(sent), len(found), len(sent - found), told_twice + given_twice, recovery)


def _nothing_there_yet(site: Site) -> int:
    """The services come before their streams: they say what is missing, and begin when it is there."""
    town = site.town
    for name in ("intake", "ledger", "rating", "supervision", "escalation"):
        town.system.add(name)
    ledger = town.system["ledger"]
    deaf_loud_and_calm(ledger, ["LEDGER_CMD", "INTAKE_EVT"])
    site.town.do(lambda _: set_up(town.system.nats_url, town.charter, ACK_WAIT))
    town.await_ready()
    site.more(200)
    return 1


def _why(trouble: BaseException) -> str:
    if isinstance(trouble, RetryError):
        inner = trouble.last_attempt.exception()
        return f"waited in vain: {inner!r}" if inner else "waited in vain"
    return str(trouble) or repr(trouble)


def table(run: Run) -> Table:
    shown = Table(box=None)
    shown.add_column("fault")
    for name in ("times", "sent", "answered", "lost", "doubled", "recovery s"):
        shown.add_column(name, justify="right")
    for row in run.rows:
        figures = (row.times, row.sent, row.answered, row.lost, row.doubled)
        shown.add_row(row.fault, *map(str, figures), f"{row.recovery:.1f}")
    return shown


def report(run: Run, console: Console) -> None:
    console.print(table(run))
    for checked in run.checked:
        console.print(f"checked {checked}", highlight=False)
    for trouble in run.troubles:
        console.print(f"BROKEN {trouble}", style="red", highlight=False)
    verdict = "everything held" if run.passed else "NOT everything held"
    console.print(f"seed {run.seed}: {verdict}")

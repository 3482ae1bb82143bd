"""What the demo shows while it plays: a board on a terminal, one line per consequence everywhere else."""

from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from duban_contracts import escalation, intake, ledger, rating, supervision
from duban_contracts.message import Fact
from services.console.i18n import Lang, _, language
from services.console.reporting import rate
from services.console.sentences import SENTENCES, Town, printable, sentence
from services.console.words import word
from services.escalation.views import LaggardReport, LaggardRow

LINES = 12
"""Facts that stay on the board."""

QUIET: frozenset[type[Fact]] = frozenset(
    {
        escalation.ReminderSent,
        escalation.StationStillLagging,
        escalation.SupervisionBegan,
        escalation.ItemOpened,
        escalation.ItemClosed,
        escalation.ClosingNoted,
        escalation.RecoveryBegan,
    }
)
"""So many that they would drown the others."""
CONSEQUENCES: frozenset[type[Fact]] = frozenset(
    type_ for type_ in SENTENCES if type_.service == "escalation" and type_ not in QUIET
)
ON_THE_WAY: frozenset[type[Fact]] = frozenset(
    {
        intake.MatterIncomplete,
        ledger.EntryOpened,
        ledger.EntryOverdue,
        ledger.EntryStruckOff,
        ledger.VerificationRejected,
        ledger.EntryReopened,
        rating.RatingGiven,
        rating.CallbackRecorded,
        supervision.CampaignStarted,
        supervision.InspectionConducted,
        supervision.FindingRecorded,
        supervision.FindingVerified,
        escalation.ReminderSent,
    }
)
BOARD = CONSEQUENCES | ON_THE_WAY

AskReport = Callable[[datetime], Awaitable[LaggardReport]]


class Screen(Protocol):
    async def show(self, now: datetime, facts: Iterable[Fact], /) -> None: ...

    def on(self) -> AbstractContextManager[Any]: ...


def screen(console: Console, town: Town, ask: AskReport) -> Screen:
    return Board(town, ask, console) if console.is_terminal else Lines(town, console)


@dataclass
class Lines:
    """For files, pipes and terminals without colour."""

    town: Town
    console: Console

    async def show(self, _now: datetime, facts: Iterable[Fact]) -> None:
        for fact in facts:
            if type(fact) in CONSEQUENCES:
                self.console.print(line(fact, self.town), soft_wrap=True, markup=False)

    def on(self) -> AbstractContextManager[Any]:
        return nullcontext()


@dataclass
class Board:
    """The date, where each station stands, and the last facts; drawn anew after each half day."""

    town: Town
    ask: AskReport
    console: Console
    last: deque[Fact] = field(default_factory=lambda: deque(maxlen=LINES))
    live: Live = field(init=False)

    def __post_init__(self) -> None:
        self.live = Live(console=self.console, auto_refresh=False)

    def on(self) -> AbstractContextManager[Any]:
        return self.live

    async def show(self, now: datetime, facts: Iterable[Fact]) -> None:
        self.last += [fact for fact in facts if type(fact) in BOARD]
        self.live.update(self._drawn(now, await self.ask(now)), refresh=True)

    def _drawn(self, now: datetime, report: LaggardReport) -> Group:
        lines = [line(fact, self.town) for fact in self.last]
        stream = Text("\n".join(lines), no_wrap=True, overflow="ellipsis")
        return Group(standings(now, report, self.town), stream)


def line(fact: Fact, town: Town) -> str:
    return f"{town.moment(fact.at)}  {sentence(fact, town)}"


def standings(now: datetime, report: LaggardReport, town: Town) -> Table:
    """In the charter's order, so that each station keeps its line."""
    table = Table(title=_("Duban, time-lapse: {now}").format(now=town.moment(now)))
    for place, heading in enumerate(_headings()):
        table.add_column(
            heading, justify="left" if place < 2 else "right", no_wrap=place == 0, overflow="fold"
        )
    order = list(town.charter.stations) if town.charter else []
    for row in sorted(report.rows, key=lambda row: order.index(row.station) if order else 0):
        table.add_row(*_cells(row), style=STYLES[row.rung] if row.lagging_since else "")
    return table


STYLES = {
    escalation.Rung.REMINDER: "",
    escalation.Rung.SUPERVISED: "yellow",
    escalation.Rung.CIRCULAR: "dark_orange",
    escalation.Rung.LEADERS: "red",
    escalation.Rung.DISCIPLINE: "bold red",
}


def _headings() -> list[str]:
    return [
        _("Station"),
        _("Rung"),
        _("Open items"),
        _("Days late"),
        _("Dispatched"),
        _("Open"),
        _("On-time rate"),
    ]


def _cells(row: LaggardRow) -> list[str]:
    lags = row.lagging_since is not None or row.rung is escalation.Rung.DISCIPLINE
    return [
        printable(row.name if language() is Lang.ZH else row.name_en),
        word(row.rung) if lags else _("in order"),
        str(row.open_items),
        str(row.days_late),
        str(row.dispatched),
        str(row.open),
        rate(row.on_time_rate),
    ]

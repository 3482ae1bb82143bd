"""The screen of the demo: a board on a terminal, plain lines everywhere else."""

import io
from datetime import UTC, datetime

from rich.console import Console

from duban_contracts.charter import Charter, Ground
from duban_contracts.escalation import ItemKind, OpenItem, OrderIssued, ReminderSent, Rung, Standing
from duban_contracts.ledger import EntryAccepted
from services.console.demo.screen import LINES, line, screen
from services.console.i18n import Lang, use
from services.console.sentences import Town
from services.escalation.report import Scorecard
from services.escalation.views import LaggardReport, laggard_report

NOON = datetime(2024, 5, 7, 4, tzinfo=UTC)


def order(items: int = 1) -> OrderIssued:
    return OrderIssued(
        at=NOON,
        station="qingjieban",
        order="qingjieban-2024-1",
        number="某镇营商办督〔2024〕镇清洁办1号",
        items=tuple(
            OpenItem(id=f"overdue/2024-{n:06d}", kind=ItemKind.ENTRY_OVERDUE, since=NOON)
            for n in range(items)
        ),
        acknowledge_by=NOON,
        answer_by=NOON,
    )


class Asked:
    """Answers like the service: one station on rung 2, because of its ground."""

    def __init__(self, charter: Charter) -> None:
        self.charter = charter

    async def __call__(self, now: datetime) -> LaggardReport:
        item = OpenItem(id="finding/1", kind=ItemKind.FINDING, ground=Ground.PERFUNCTORY, since=NOON)
        standing = Standing(
            station="wenhuazhan", version=1, at=NOON, rung=Rung.CIRCULAR, lagging_since=NOON, items=(item,)
        )
        return laggard_report({"jiwei": Scorecard(dispatched=3)}, {"wenhuazhan": standing}, self.charter, now)


async def shown(
    console: Console, charter: Charter, *facts: OrderIssued | ReminderSent | EntryAccepted
) -> str:
    view = screen(console, Town(charter), Asked(charter))
    with view.on():
        await view.show(NOON, facts)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


async def test_without_a_terminal_each_consequence_is_one_plain_line(township: Charter) -> None:
    reminder = ReminderSent(at=NOON, station="jiwei", entry="2024-000001")
    accepted = EntryAccepted(at=NOON, station="jiwei", entry="2024-000001")
    text = await shown(Console(file=io.StringIO(), width=80), township, order(), reminder, accepted)
    assert text == f"{line(order(), Town(township))}\n"
    assert "\x1b" not in text
    assert "2024-05-07 12:00" in text


async def test_a_line_in_a_pipe_is_never_cut(township: Charter) -> None:
    text = await shown(Console(file=io.StringIO(), width=80), township, order(40))
    assert text == f"{line(order(40), Town(township))}\n"
    assert "2024-000039" in text
    assert "…" not in text


async def test_a_board_on_a_terminal_of_80_columns_keeps_names_whole(township: Charter) -> None:
    use(Lang.ZH)
    console = Console(file=io.StringIO(), force_terminal=True, color_system=None, width=80, height=60)
    text = await shown(console, township, order(40))
    use(Lang.EN)
    assert all(station.name in text for station in township.stations.values())
    assert text.count("…") <= 2  # the one long line, each time the board is drawn


async def test_a_terminal_shows_all_nine_stations_and_the_last_facts(township: Charter) -> None:
    console = Console(file=io.StringIO(), force_terminal=True, color_system=None, width=150, height=60)
    orders = [order().model_copy(update={"order": f"qingjieban-2024-{n}"}) for n in range(LINES + 5)]
    text = await shown(console, township, *orders)
    assert all(station.name_en in text for station in township.stations.values())
    assert "town-wide circular" in text
    assert "[qingjieban-2024-4]" not in text
    assert "[qingjieban-2024-5]" in text

"""`duban report laggards`: the table of the circular, for people, spreadsheets and programs."""

import csv
import io
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from duban_contracts.queries import WhoLags
from services.console.asking import moment
from services.console.i18n import N_, Lang, _, language
from services.console.paper_ledger import inert
from services.console.sentences import ABSENT, Town, printable
from services.console.terminal import (
    WIDTH,
    Format,
    complain,
    ending,
    escaped,
    harmless,
    misuse,
    on_system,
)
from services.console.words import word
from services.escalation.views import LaggardReport, LaggardRow

if TYPE_CHECKING:  # what is refused before it is asked starts without NATS
    from services.console.client import Duban

app = typer.Typer(help=N_("Reports"), no_args_is_help=True)


class Layout(StrEnum):
    TABLE = "table"
    JSON = "json"
    CSV = "csv"


@app.command("laggards", help=N_("Who lags: the table of the town-wide circular, worst first"))
def laggards(
    ctx: typer.Context,
    layout: Annotated[
        Layout, typer.Option("--format", help=N_("For people, programs or spreadsheets"))
    ] = Layout.TABLE,
    out: Annotated[
        Path | None, typer.Option("--out", help=N_("Write it to this file instead of the terminal"))
    ] = None,
    at: Annotated[
        str | None, typer.Option("--at", help=N_("As of this time, with a zone; default: now"))
    ] = None,
) -> None:
    with ending(Format.JSON if layout is Layout.JSON else Format.TEXT):
        question = WhoLags(at=moment(at))
        report, town = on_system(ctx, lambda system: _asked(system, question))
        text = LAYOUTS[layout](report, town)
        if out is None:
            typer.echo(escaped(text) if layout is Layout.JSON else harmless(text))
        else:
            _write(out, text, "utf-8-sig" if layout is Layout.CSV else "utf-8")


async def _asked(system: "Duban", question: WhoLags) -> tuple[LaggardReport, Town]:
    report = await system.ask("escalation", "laggards", question, LaggardReport)
    return report, Town(await system.charter())


def _write(out: Path, text: str, encoding: str) -> None:
    """Spreadsheet programs know UTF-8 by its mark only, hence the encoding."""
    try:
        out.write_text(text + "\n", encoding=encoding)
    except OSError as error:
        raise misuse(_("{file} cannot be written: {why}").format(file=out, why=error.strerror)) from None
    complain(_("the report stands in {file}").format(file=out))


def as_table(report: LaggardReport, town: Town) -> str:
    table = Table(title=_title(report, town), caption=_note(report))
    for place, heading in enumerate(_headings()):
        table.add_column(heading, justify="left" if place == 0 else "right")
    for row in report.rows:
        table.add_row(*_cells(row, town))
    width = WIDTH if not Console().is_terminal else None
    paper = Console(file=io.StringIO(), markup=False, emoji=False, highlight=False, width=width)
    with paper.capture() as drawn:
        paper.print(table)
    return drawn.get().rstrip("\n")


def as_csv(report: LaggardReport, town: Town) -> str:
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(_headings())
    lines.writerows(map(inert, _cells(row, town)) for row in report.rows)
    return text.getvalue().rstrip("\n")


def as_json(report: LaggardReport, _town: Town) -> str:
    return report.model_dump_json(indent=2)


LAYOUTS: dict[Layout, Callable[[LaggardReport, Town], str]] = {
    Layout.TABLE: as_table,
    Layout.CSV: as_csv,
    Layout.JSON: as_json,
}


def _title(report: LaggardReport, town: Town) -> str:
    return _("{charter}: as of {at}").format(charter=printable(report.charter), at=town.moment(report.at))


def _note(report: LaggardReport) -> str:
    text = _("Fewer than {count} dated closings do not rank. Rates without a denominator are shown as –.")
    return text.format(count=report.minimum_sample)


def _headings() -> list[str]:
    """The columns of the circular (domain.md §5.3), and where the station stands."""
    return [
        _("Station"),
        _("Dispatched"),
        _("Closed on time"),
        _("Closed late"),
        _("Open"),
        _("Close rate"),
        _("On-time rate"),
        _("Dissatisfied"),
        _("Dissatisfied rate"),
        _("Rank"),
        _("Rung"),
        _("Lagging since"),
        _("Open items"),
        _("Days late"),
    ]


def _cells(row: LaggardRow, town: Town) -> list[str]:
    return [
        _name(row),
        str(row.dispatched),
        str(row.closed_on_time),
        str(row.closed_late),
        str(row.open),
        rate(row.close_rate),
        rate(row.on_time_rate),
        str(row.dissatisfied),
        rate(row.dissatisfied_rate),
        ABSENT if row.rank is None else str(row.rank),
        word(row.rung) if row.lagging_since else _("in order"),
        town.moment(row.lagging_since) if row.lagging_since else ABSENT,
        str(row.open_items),
        str(row.days_late),
    ]


def _name(row: LaggardRow) -> str:
    name = printable(row.name if language() is Lang.ZH else row.name_en)
    return _("{name} (left the charter)").format(name=name) if row.left_charter else name


def rate(share: float | None) -> str:
    """In percent; nothing to divide by is not 100 %."""
    return ABSENT if share is None else f"{share:.1%}"

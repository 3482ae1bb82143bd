"""`duban report laggards`: the table of the circular, for people, spreadsheets and programs."""

import csv
import io
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from duban_contracts.laggard_report import LaggardReport, LaggardRow
from duban_contracts.queries import WhoLags
from services.console.asking import moment
from services.console.files import Layout, LayoutOption, layout_of, markdown
from services.console.i18n import N_, Lang, _, language
from services.console.listing import WideOption
from services.console.paper_ledger import inert
from services.console.sentences import ABSENT, Town, printable
from services.console.tables import table
from services.console.terminal import (
    Format,
    complain,
    ending,
    escaped,
    harmless,
    misuse,
    on_system,
)
from services.console.words import word

if TYPE_CHECKING:  # what is refused before it is asked starts without NATS
    from openpyxl import Workbook

    from services.console.client import Duban

app = typer.Typer(help=N_("Reports"), no_args_is_help=True)


@app.command("laggards", help=N_("Who lags: the table of the town-wide circular, worst first"))
def laggards(
    ctx: typer.Context,
    layout: LayoutOption = None,
    out: Annotated[
        Path | None, typer.Option("--out", help=N_("Write it to this file instead of the terminal"))
    ] = None,
    at: Annotated[
        str | None, typer.Option("--at", help=N_("As of this time of today, with a zone; default: now"))
    ] = None,
    wide: WideOption = False,
) -> None:
    with ending(Format.JSON if layout is Layout.JSON else Format.TEXT):
        form = layout_of(layout, out)
        asked = moment(at)
        report, town = on_system(ctx, lambda system: _asked(system, asked))
        if form is Layout.XLSX and out is not None:
            _write(out, lambda: as_workbook(report, town).save(out))
            return
        text = as_table(report, town, wide=wide or out is not None) if form is Layout.TABLE else ""
        text = text or LAYOUTS[form](report, town)
        if out is None:
            typer.echo(escaped(text) if form is Layout.JSON else harmless(text))
        else:
            encoding = "utf-8-sig" if form is Layout.CSV else "utf-8"
            _write(out, lambda: out.write_text(text + "\n", encoding=encoding))


async def _asked(system: "Duban", at: datetime | None) -> tuple[LaggardReport, Town]:
    """Raises Stop for another day than today: the counts are kept as they stand, not as they stood."""
    town = Town(await system.charter())
    if at is not None and at.astimezone(town.zone).date() != datetime.now(town.zone).date():
        raise misuse(
            _(
                "the report counts as things stand now, and {at} is not today: what stood there on another "
                "day is in the report that was kept on that day (--out FILE)"
            ).format(at=town.moment(at))
        )
    return await system.ask("escalation", "laggards", WhoLags(at=at), LaggardReport), town


def _write(out: Path, work: Callable[[], object]) -> None:
    """Spreadsheet programs know UTF-8 by its mark only, hence the encoding of CSV."""
    try:
        work()
    except OSError as error:
        raise misuse(_("{file} cannot be written: {why}").format(file=out, why=error.strerror)) from None
    complain(_("the report stands in {file}").format(file=out))


def as_table(report: LaggardReport, town: Town, *, wide: bool = False, width: int | None = None) -> str:
    """All columns where they fit; else those that say who lags and how much, and the way to the others."""
    rows = [_cells(row, town) for row in report.rows]
    drawn = table(_headings(), rows, wide=wide, width=width)
    note = _note(report)
    if not wide and _is_vertical(drawn):
        few = [[row[place] for place in BRIEF] for row in rows]
        drawn = table([_headings()[place] for place in BRIEF], few, width=width)
        note = f"{note}\n" + _("Fewer columns for want of room; --wide shows all.")
    return "\n".join(filter(None, (_title(report, town), drawn, note)))


def _is_vertical(drawn: str) -> bool:
    return drawn != "" and not set(drawn.splitlines()[1] if "\n" in drawn else "") <= {"-", " "}


BRIEF = (0, 9, 10, 3, 4, 13)
"""Station, rank, rung, closed late, open, days late: what fits on a narrow screen."""


def as_markdown(report: LaggardReport, town: Town) -> str:
    rows = [_cells(row, town) for row in report.rows]
    return f"{_title(report, town)}\n\n{markdown(_headings(), rows)}\n\n{_note(report)}"


def as_workbook(report: LaggardReport, town: Town) -> "Workbook":
    """One sheet; numbers are numbers, all else is text and never run."""
    from openpyxl import Workbook

    book = Workbook()
    sheet: Any = book.active
    sheet.title = _("Laggards")
    for line in [_headings(), *(_cells(row, town) for row in report.rows)]:
        sheet.append([int(cell) if cell.isdecimal() else cell for cell in line])
    for row in sheet.iter_rows():
        for cell in row:
            if isinstance(cell.value, str):
                cell.data_type = "s"
    sheet.freeze_panes = "B2"
    return book


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
    Layout.MARKDOWN: as_markdown,
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

"""The paper ledger (台账) in its columns: for people, programs and spreadsheets."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any

import typer
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from rich.table import Table

from duban_contracts.reading import EntryStatus, PaperRow
from services.console.i18n import N_, _
from services.console.sentences import printable
from services.console.terminal import complain, misuse, say


class Layout(StrEnum):
    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    XLSX = "xlsx"


STATUSES = {
    EntryStatus.OPEN: N_("open"),
    EntryStatus.ACCEPTED: N_("accepted"),
    EntryStatus.RESOLVED: N_("resolved"),
    EntryStatus.STRUCK_OFF: N_("struck off"),
    EntryStatus.CLOSED: N_("closed"),
}


def write(rows: list[PaperRow], layout: Layout, out: Path | None) -> None:
    if layout is Layout.XLSX and out is not None:
        _to_file(out, lambda: as_workbook(rows).save(out), len(rows))
    elif out is None:
        say(as_table(rows)) if layout is Layout.TABLE else typer.echo(TEXTS[layout](rows))
    else:
        text = TEXTS[Layout.CSV if layout is Layout.TABLE else layout](rows)
        # Spreadsheet programs know UTF-8 by its mark only.
        encoding = "utf-8" if layout is Layout.JSON else "utf-8-sig"
        _to_file(out, lambda: out.write_text(text + "\n", encoding=encoding), len(rows))


def _to_file(out: Path, work: Callable[[], Any], count: int) -> None:
    try:
        work()
    except OSError as error:
        raise misuse(_("{file} cannot be written: {why}").format(file=out, why=error.strerror)) from None
    complain(_("{count} entries stand in {file}").format(count=count, file=out))


def headings() -> list[str]:
    """The columns of the paper ledger."""
    return [
        _("No."),
        _("Problem"),
        _("Responsible stations"),
        _("Responsible leader"),
        _("Measures"),
        _("Time limit"),
        _("Progress"),
        _("Struck off"),
    ]


def cells(row: PaperRow) -> list[str]:
    return [
        row.number,
        row.problem,
        "、".join(row.stations),
        row.leader or "",
        row.measure,
        row.last_day.isoformat() if row.last_day else "",
        progress(row),
        row.struck_off.isoformat() if row.struck_off else "",
    ]


def progress(row: PaperRow) -> str:
    percent = f"{row.percent}%" if row.percent is not None else ""
    return " ".join(filter(None, (_(STATUSES[row.status]), percent, row.note)))


def as_table(rows: Iterable[PaperRow]) -> Table:
    table = Table(*headings())
    for row in rows:
        table.add_row(*map(printable, cells(row)))
    return table


def as_csv(rows: Iterable[PaperRow]) -> str:
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(headings())
    lines.writerows(inert(cells(row)) for row in rows)
    return text.getvalue().rstrip("\n")


def inert(cells: Iterable[str]) -> Iterator[str]:
    """A cell that a spreadsheet would take for a formula is marked as text."""
    return (f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t")) else cell for cell in cells)


def as_json(rows: Iterable[PaperRow]) -> str:
    documents = [row.model_dump(mode="json", exclude_none=True) for row in rows]
    return json.dumps({"entries": documents}, ensure_ascii=False, indent=2)


TEXTS: dict[Layout, Callable[[Iterable[PaperRow]], str]] = {Layout.CSV: as_csv, Layout.JSON: as_json}


def as_workbook(rows: Iterable[PaperRow]) -> Workbook:
    """One sheet; every cell is text, so that nothing in it is ever run."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(_("Ledger"))
    sheet.freeze_panes = "A2"
    for place, width in enumerate(WIDTHS):
        sheet.column_dimensions[chr(ord("A") + place)].width = width
    for line in (headings(), *map(cells, rows)):
        sheet.append([_as_text(sheet, value) for value in line])
    return book


def _as_text(sheet: Any, value: str) -> Any:
    cell: Any = WriteOnlyCell(sheet, value=printable(value))
    cell.data_type = "s"
    return cell


WIDTHS = (14, 48, 32, 14, 48, 12, 32, 12)
"""Of the columns, in characters."""

"""The paper ledger (台账) in its columns: for people, programs and spreadsheets."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from unicodedata import normalize

import typer

from duban_contracts.reading import PaperRow
from services.console.files import Layout, markdown
from services.console.i18n import _
from services.console.sentences import printable
from services.console.tables import table
from services.console.terminal import complain, misuse
from services.console.words import word

if TYPE_CHECKING:  # half a second to import, and needed for workbooks only
    from openpyxl import Workbook


def write(rows: list[PaperRow], layout: Layout, out: Path | None, *, wide: bool = False) -> None:
    if layout is Layout.XLSX and out is not None:
        _to_file(out, lambda: as_workbook(rows).save(out), len(rows))
    elif out is None:
        typer.echo(as_table(rows, wide=wide) if layout is Layout.TABLE else TEXTS[layout](rows))
    else:
        # Spreadsheet programs know UTF-8 by its mark only.
        encoding = "utf-8-sig" if layout is Layout.CSV else "utf-8"
        text = TEXTS[layout](rows)
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


class Done(NamedTuple):
    """How far it is: a number to a spreadsheet, which shows the status beside it."""

    percent: int
    status: str

    def __str__(self) -> str:
        return f"{self.status} {self.percent}%"


Cell = str | date | Done | None


def cells(row: PaperRow) -> list[Cell]:
    """A percent has its column to itself, so that a spreadsheet can sort by it and add it up: what was said
    of a measure stands behind the measure then, as it does with matters."""
    status = word(row.status)
    said, done = (row.note, None) if row.percent is not None else ("", row.note)
    return [
        row.number,
        row.problem,
        "、".join(row.stations),
        row.leader,
        " — ".join(filter(None, (row.measure, said))),
        row.last_day,
        " ".join(filter(None, (status, done))) if row.percent is None else Done(row.percent, status),
        row.struck_off,
    ]


def texts(row: PaperRow) -> list[str]:
    """On one line each, and without anything that steers whoever reads them."""
    return [printable(str(cell)) if cell is not None else "" for cell in cells(row)]


def as_table(rows: Iterable[PaperRow], *, wide: bool = False) -> str:
    return table(headings(), [texts(row) for row in rows], wide=wide)


def as_wide_table(rows: Iterable[PaperRow]) -> str:
    return as_table(rows, wide=True)


def as_markdown(rows: Iterable[PaperRow]) -> str:
    return markdown(headings(), [texts(row) for row in rows])


def as_csv(rows: Iterable[PaperRow]) -> str:
    text = io.StringIO()
    # All in quotes: a program that takes another separator for the right one makes no cell of half a text.
    lines = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
    lines.writerow(headings())
    lines.writerows(map(inert, texts(row)) for row in rows)
    return text.getvalue().rstrip("\n")


def inert(text: str) -> str:
    """A cell that a spreadsheet would take for a formula is marked as text (OWASP, CSV injection).

    It looks past what stands before the sign, and takes the signs of any width.
    """
    start = normalize("NFKC", text.strip()[:1])
    return f"'{text}" if start.startswith(FORMULA_SIGNS) else text


FORMULA_SIGNS = ("=", "+", "-", "@")


def as_json(rows: Iterable[PaperRow]) -> str:
    documents = [row.model_dump(mode="json", exclude_none=True) for row in rows]
    return json.dumps({"entries": documents}, ensure_ascii=False, indent=2)


TEXTS: dict[Layout, Callable[[Iterable[PaperRow]], str]] = {
    Layout.TABLE: as_wide_table,
    Layout.CSV: as_csv,
    Layout.JSON: as_json,
    Layout.MARKDOWN: as_markdown,
}


def as_workbook(rows: Sequence[PaperRow]) -> "Workbook":
    """One sheet to sort and filter: days are days and percents numbers; all else is text and never run."""
    from openpyxl import Workbook
    from openpyxl.utils import get_column_letter

    book = Workbook(write_only=True)
    sheet = book.create_sheet(_("Ledger"))
    sheet.freeze_panes = "A2"
    columns = [get_column_letter(place) for place in range(1, len(WIDTHS) + 1)]
    for column, width in zip(columns, WIDTHS, strict=True):
        sheet.column_dimensions[column].width = width
    sheet.auto_filter.ref = f"{columns[0]}1:{columns[-1]}{len(rows) + 1}"
    lines: list[Sequence[Cell]] = [headings(), *map(cells, rows)]
    for line in lines:
        sheet.append([_written(sheet, value) for value in line])
    return book


def _written(sheet: Any, value: Cell) -> Any:
    match value:
        case None | "":
            return None
        case date():
            return _cell(sheet, value, "yyyy-mm-dd")
        case Done(percent=percent, status=status):
            return _cell(sheet, percent / 100, f'"{status} "0%')
        case str():
            # "@" keeps it text when somebody edits it.
            cell = _cell(sheet, printable(value), "@")
            cell.data_type = "s"
            return cell


def _cell(sheet: Any, value: Any, number_format: str) -> Any:
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Alignment

    cell: Any = WriteOnlyCell(sheet, value=value)
    cell.number_format = number_format
    cell.alignment = Alignment(vertical="top", wrap_text=True)
    return cell


WIDTHS = (14, 48, 32, 14, 48, 12, 24, 12)
"""Of the columns, in characters."""

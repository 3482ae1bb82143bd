"""The cells of a workbook, row by row, within bounds.

A workbook is packed: a megabyte of it may unpack to gigabytes. So its parts are measured before anything is
made of them, and the page is read as a stream of rows, each of them with a bound.
"""

import warnings
from collections.abc import Generator, Iterator
from contextlib import closing
from datetime import date, datetime
from pathlib import Path
from typing import IO, Any
from zipfile import ZipFile, ZipInfo

from openpyxl import Workbook
from openpyxl.reader.excel import ExcelReader
from openpyxl.worksheet._read_only import ReadOnlyWorksheet

from services.console.i18n import _
from services.console.importing.cells import BadFile, Cell, NumberText
from services.console.importing.mapping import near

MOST_PARTS = 2_000
MOST_PAGE_BYTES = 512_000_000
"""Unpacked, of one page, which is streamed. A register of a million cells has some 50 MB."""
MOST_TEXT_BYTES, MOST_TEXT_TAGS = 128_000_000, 4_000_000
"""Of the table of texts, which is held in memory; a text takes about four tags."""
MOST_OTHER_BYTES, MOST_OTHER_TAGS = 16_000_000, 400_000
MOST_ROW_BYTES = 2_000_000
"""Unpacked, between two rows."""
MOST_ROWS = 1_048_576
"""What a page of a spreadsheet program can have."""
MOST_CELLS = 10_000_000
"""Also empty ones: some programs write a style into a million rows that hold nothing."""
PIECE = 1 << 16


class OutOfBounds(Exception):
    """The workbook is larger than any register; the message says in what."""


def is_workbook(path: Path) -> bool:
    return path.suffix.lower() in (".xlsx", ".xlsm")


def read_workbook(path: Path, sheet: str | None) -> Generator[list[Cell], None, None]:
    """Raises BadFile, OSError where there is no file."""
    with path.open("rb") as file:  # opened here: a workbook that does not load would leave it open
        try:
            measure(file)
            with warnings.catch_warnings(action="ignore"):  # styles that it cannot read are no matter here
                book = _load(file)
            with closing(book):
                page = _page(path, book, sheet)
                page.reset_dimensions()  # some programs write a wrong size, which would cut rows off
                yield from _rows(page)
        except BadFile:
            raise
        except OutOfBounds as error:
            said = _("{path}: {problem}; delete what is empty in it, or export the register as CSV")
            raise BadFile(said.format(path=path, problem=error)) from None
        except Exception as error:  # a broken file makes the library raise what its parts raise, of any kind
            said = _("{path}: not readable as a workbook: {problem}; save it as .xlsx again")
            raise BadFile(said.format(path=path, problem=str(error)[:200])) from None


def sheet_names(path: Path) -> list[str]:
    with path.open("rb") as file:
        measure(file)
        with closing(_load(file)) as book:
            return [sheet.title for sheet in book.worksheets]


def _load(file: IO[bytes]) -> Workbook:
    """As `openpyxl.load_workbook`, with pages that are metered: it looks into each of them while it loads."""
    reader = ExcelReader(file, read_only=True, data_only=True, keep_links=False)
    reader.archive = _Parts(file)
    reader.read()
    return reader.wb


class _Parts(ZipFile):
    """The parts of a workbook; a page comes as a metered stream."""

    def open(self, name: Any, *more: Any, **named: Any) -> Any:
        part = super().open(name, *more, **named)
        return _Metered(part) if _is_page(getattr(name, "filename", name)) else part


def measure(file: IO[bytes]) -> None:
    """Raises OutOfBounds. Reads each part once, in pieces: a part cannot unpack to more than it declares."""
    with ZipFile(file) as parts:
        if len(parts.infolist()) > MOST_PARTS:
            raise OutOfBounds(_("it has {count} parts").format(count=len(parts.infolist())))
        for part in parts.infolist():
            if part.filename.endswith((".xml", ".rels")):
                _measure_part(parts, part)
    file.seek(0)


def _measure_part(parts: ZipFile, part: ZipInfo) -> None:
    most_bytes, most_tags = _bounds(part.filename)
    if part.file_size > most_bytes:
        said = _("{part} unpacks to {size} MB")
        raise OutOfBounds(said.format(part=part.filename, size=part.file_size // 1_000_000))
    tags, before = 0, b""
    with parts.open(part) as content:
        while piece := content.read(PIECE):
            tags += piece.count(b"<")
            if b"<!DOCTYPE" in (before[-20:] + piece).replace(b"\0", b""):
                raise OutOfBounds(_("{part} declares a document type").format(part=part.filename))
            if most_tags is not None and tags > most_tags:
                raise OutOfBounds(
                    _("{part} has more than {most} tags").format(part=part.filename, most=most_tags)
                )
            before = piece


def _bounds(name: str) -> tuple[int, int | None]:
    if _is_page(name):
        return MOST_PAGE_BYTES, None
    if name.lower().endswith("sharedstrings.xml"):
        return MOST_TEXT_BYTES, MOST_TEXT_TAGS
    return MOST_OTHER_BYTES, MOST_OTHER_TAGS


def _is_page(name: str) -> bool:
    return name.startswith("xl/worksheets/") and name.endswith(".xml")


class _Metered:
    """A part that is read as a stream; raises where too much comes without a row."""

    def __init__(self, part: IO[bytes]) -> None:
        self._part, self._read = part, 0

    def row(self) -> None:
        self._read = 0

    def read(self, size: int = -1) -> bytes:
        found = self._part.read(min(size, PIECE) if size > 0 else PIECE)
        self._read += len(found)
        if self._read > MOST_ROW_BYTES:
            raise OutOfBounds(
                _("a row unpacks to more than {most} MB").format(most=MOST_ROW_BYTES // 1_000_000)
            )
        return found

    def close(self) -> None:
        self._part.close()

    def __enter__(self) -> "_Metered":
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


def _rows(page: ReadOnlyWorksheet) -> Iterator[list[Cell]]:
    metered = _Metered(page._get_source())  # type: ignore[attr-defined] # unknown to the stubs
    page._get_source = lambda: metered  # type: ignore[attr-defined] # so the library opens it
    cells = 0
    rows = page.iter_rows(values_only=True)  # type: ignore[misc] # the stubs' own slip
    for number, row in enumerate(rows, start=1):
        metered.row()
        cells += len(row) + 1
        if number > MOST_ROWS:
            raise OutOfBounds(_("it has more than {most} rows").format(most=MOST_ROWS))
        if cells > MOST_CELLS:
            raise OutOfBounds(_("it has more than {most} cells").format(most=MOST_CELLS))
        yield [_plain(cell) for cell in row]


def _page(path: Path, book: Workbook, wanted: str | None) -> ReadOnlyWorksheet:
    sheets = {sheet.title: sheet for sheet in book.worksheets if isinstance(sheet, ReadOnlyWorksheet)}
    found = next(iter(sheets.values()), None) if wanted is None else sheets.get(wanted)
    if found is None:
        said = _("{path}: there is no sheet {name!r}{hint}")
        raise BadFile(said.format(path=path, name=wanted or "", hint=near(wanted or "", sheets)))
    return found


def _plain(cell: Any) -> Cell:
    """What a person sees in the cell: 123 for a number that is whole, nothing for an empty one."""
    match cell:
        case None:
            return ""
        case datetime() | date():
            return cell
        case bool():
            return str(cell).lower()
        case float() if cell.is_integer():
            return NumberText(int(cell))
        case int() | float():
            return NumberText(cell)
        case _:
            return str(cell).strip()

"""Rows of a CSV file or of a workbook, one at a time: what stands under which heading, and where."""

import csv
import warnings
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from itertools import zip_longest
from pathlib import Path

from openpyxl import Workbook, load_workbook
from openpyxl.worksheet._read_only import ReadOnlyWorksheet

from services.console.i18n import _
from services.console.importing.mapping import ImportMap, near

Cell = str | datetime | date
"""Text without blanks around it; or, from a workbook, a date or a time that was typed as such."""


class BadFile(Exception):
    """The file cannot be read, or not to its end; the message says where and what to do."""


@dataclass(frozen=True)
class Row:
    number: int
    """As a spreadsheet counts: the header is row 1."""
    cells: Mapping[str, Cell]
    surplus: int = 0
    """Filled cells beyond the last heading: what stands where is then anyone's guess."""

    def __getitem__(self, column: str) -> Cell:
        return self.cells[column]


@dataclass(frozen=True)
class Sheet:
    header: tuple[str, ...]
    rows: Iterator[Row]


def is_workbook(path: Path) -> bool:
    return path.suffix.lower() in (".xlsx", ".xlsm")


@contextmanager
def opened(path: Path, import_map: ImportMap) -> Iterator[Sheet]:
    """The rows are read as they are asked for; raises BadFile then too, OSError where there is no file."""
    raw = _workbook(path, import_map) if is_workbook(path) else _csv(path, import_map)
    with closing(raw):
        header = tuple(str(cell) for cell in next(raw, ()))
        if not any(header):
            raise BadFile(_("{path}: the first row names no columns").format(path=path))
        yield Sheet(header, _rows(header, raw))


def count(path: Path, import_map: ImportMap) -> int:
    """How many rows there are; reading to the end tells a broken file before anything is sent."""
    with opened(path, import_map) as sheet:
        return sum(1 for _row in sheet.rows)


def _rows(header: tuple[str, ...], raw: Iterator[list[Cell]]) -> Iterator[Row]:
    """Empty rows are passed over, and counted where they stand."""
    for number, cells in enumerate(raw, start=2):
        if any(cell != "" for cell in cells):
            surplus = sum(cell != "" for cell in cells[len(header) :])
            named = zip_longest(header, cells[: len(header)], fillvalue="")
            yield Row(number, {str(name): cell for name, cell in named}, surplus)


def _csv(path: Path, import_map: ImportMap) -> Generator[list[Cell], None, None]:
    with path.open(encoding=import_map.encoding, newline="") as file:
        reader = csv.reader(file, delimiter=import_map.delimiter, strict=True)
        try:
            for cells in reader:
                yield [cell.strip() for cell in cells]
        except csv.Error as error:
            said = _("{path}, line {line}: not readable as CSV: {problem}; look for a quote too many or few")
            raise BadFile(said.format(path=path, line=reader.line_num, problem=error)) from None
        except UnicodeError:
            said = _("{path}, after line {line}: not {encoding} text; name the file's encoding in the map")
            encoding = import_map.encoding
            raise BadFile(said.format(path=path, line=reader.line_num, encoding=encoding)) from None


def _workbook(path: Path, import_map: ImportMap) -> Generator[list[Cell], None, None]:
    with path.open("rb") as file:  # opened here: a workbook that does not load would leave it open
        try:
            with warnings.catch_warnings(action="ignore"):  # styles that it cannot read are no matter here
                book = load_workbook(file, read_only=True, data_only=True)
            with closing(book):
                sheet = _sheet(path, book, import_map.sheet)
                sheet.reset_dimensions()  # some programs write a wrong size, which would cut rows off
                for cells in sheet.iter_rows(values_only=True):  # type: ignore[misc] # the stubs' own slip
                    yield [_plain(cell) for cell in cells]
        except BadFile:
            raise
        except Exception as error:  # a broken file makes the library raise what its parts raise, of any kind
            said = _("{path}: not readable as a workbook: {problem}; save it as .xlsx again")
            raise BadFile(said.format(path=path, problem=error)) from None


def _sheet(path: Path, book: Workbook, wanted: str | None) -> ReadOnlyWorksheet:
    sheets = {sheet.title: sheet for sheet in book.worksheets if isinstance(sheet, ReadOnlyWorksheet)}
    found = next(iter(sheets.values()), None) if wanted is None else sheets.get(wanted)
    if found is None:
        said = _("{path}: there is no sheet {name!r}{hint}")
        raise BadFile(said.format(path=path, name=wanted or "", hint=near(wanted or "", sheets)))
    return found


def _plain(cell: object) -> Cell:
    """What a person sees in the cell: 123 for a number that is whole, nothing for an empty one."""
    match cell:
        case None:
            return ""
        case datetime() | date():
            return cell
        case bool():
            return str(cell).lower()
        case float() if cell.is_integer():
            return str(int(cell))
        case _:
            return str(cell).strip()

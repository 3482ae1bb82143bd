"""Rows of a CSV file or of a workbook, one at a time: what stands under which heading, and where."""

from collections.abc import Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import islice, zip_longest
from pathlib import Path

from services.console.i18n import _
from services.console.importing.cells import BadFile as BadFile
from services.console.importing.cells import Cell as Cell
from services.console.importing.csv_file import read_csv
from services.console.importing.mapping import ImportMap
from services.console.importing.workbook import is_workbook as is_workbook
from services.console.importing.workbook import read_workbook

OTHER_FORMATS = {
    b"PK\x03\x04": ".xlsx",
    b"\xd0\xcf\x11\xe0": ".xls",
    b"%PDF": ".pdf",
}
"""How files begin that are no CSV, whatever their name says."""


@dataclass(frozen=True)
class Row:
    number: int
    """As a spreadsheet counts: the first row is 1, whatever row the headings stand in."""
    cells: Mapping[str, Cell]
    surplus: int = 0
    """Filled cells beyond the last heading: what stands where is then anyone's guess."""

    def __getitem__(self, column: str) -> Cell:
        return self.cells[column]


@dataclass(frozen=True)
class Sheet:
    header: tuple[str, ...]
    rows: Iterator[Row]


@contextmanager
def opened(path: Path, import_map: ImportMap) -> Iterator[Sheet]:
    """The rows are read as they are asked for; raises BadFile then too, OSError where there is no file."""
    with closing(raw_rows(path, import_map.encoding, import_map.delimiter, import_map.sheet)) as raw:
        heading = next(islice(raw, import_map.header_row - 1, None), [])
        header = tuple(str(cell) for cell in heading)
        if not any(header):
            said = _("{path}: row {row} names no columns; write header_row in the map")
            raise BadFile(said.format(path=path, row=import_map.header_row))
        yield Sheet(header, _rows(header, raw, import_map.header_row + 1))


def raw_rows(
    path: Path, encoding: str, delimiter: str, sheet: str | None
) -> Generator[list[Cell], None, None]:
    """Every row of the file, as it stands."""
    if is_workbook(path):
        return read_workbook(path, sheet)
    _check_format(path)
    return read_csv(path, encoding, delimiter)


def _check_format(path: Path) -> None:
    with path.open("rb") as file:
        begins = file.read(4)
    if begins in OTHER_FORMATS:
        said = _("{path}: not a CSV file but a {kind} file; save it as .xlsx or .csv")
        raise BadFile(said.format(path=path, kind=OTHER_FORMATS[begins]))


def count(path: Path, import_map: ImportMap) -> int:
    """How many rows there are; reading to the end tells a broken file before anything is sent."""
    with opened(path, import_map) as sheet:
        return sum(1 for _row in sheet.rows)


def _rows(header: tuple[str, ...], raw: Iterator[list[Cell]], first: int) -> Iterator[Row]:
    """Empty rows are passed over, and counted where they stand."""
    for number, cells in enumerate(raw, start=first):
        if any(cell != "" for cell in cells):
            surplus = sum(cell != "" for cell in cells[len(header) :])
            named = zip_longest(header, cells[: len(header)], fillvalue="")
            yield Row(number, {str(name): cell for name, cell in named}, surplus)

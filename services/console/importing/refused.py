"""The file of refused rows: the columns that the map reads, and for each row why it stayed out.

It is made to be mended and imported again, by the operator whose file the input is, and readable by him
alone (mode 0600). So it holds what that takes, and no more of a person: columns that the map does not read
are left out, and in the others personal data is masked as the system would mask it. Ids and dates stay as
they are. Who wants a petitioner's words whole in intake mends the row in the input instead and imports that
again: what is there already is passed over.
"""

import csv
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from tempfile import NamedTemporaryFile
from types import TracebackType
from typing import IO, Self

from duban_contracts.masking import mask
from services.console.i18n import _
from services.console.importing.convert import Refused
from services.console.importing.dates import as_text
from services.console.importing.mapping import ImportMap
from services.console.importing.rows import is_workbook

OURS = ("refused_row", "reason_code", "reason")
"""The columns that we add; a file that ends in them is ours to replace and to remove."""


class NotOurs(Exception):
    """There is a file of that name which we did not write; the message says what to do."""


def place_for(source: Path, wanted: Path | None, import_map: ImportMap) -> Path:
    """Where refused rows go: as wanted, else beside the input, else (it is read-only) in the current folder.

    Raises NotOurs rather than lose a file that somebody else wrote.
    """
    beside = source.with_name(f"{source.stem}.refused.csv")
    place = wanted or (beside if os.access(source.absolute().parent, os.W_OK) else Path(beside.name))
    encoding, row = _encoding(source, import_map), import_map.header_row
    if place.exists() and (place.samefile(source) or not _is_ours(place, encoding, row)):
        said = _("{path} is there already, and is not ours to replace; name another file with --refused")
        raise NotOurs(said.format(path=place))
    return place


def _is_ours(path: Path, encoding: str, header_row: int) -> bool:
    with path.open(encoding=encoding, errors="replace") as file:
        heading = next(islice(file, header_row - 1, None), "")
        return heading.rstrip("\r\n").endswith(tuple(mark.join(OURS) for mark in ",;\t|"))


def _encoding(source: Path, import_map: ImportMap) -> str:
    """As the input, so that the corrected rows go in with the same map."""
    return "utf-8-sig" if is_workbook(source) else import_map.encoding


@dataclass
class RefusedRows:
    """Collects beside `path`, and takes its place at the end of the block, whole or not at all.

    Without a refused row a file from an earlier run is removed, unless `only_looking`.
    """

    path: Path
    source: Path
    map: ImportMap
    header: Sequence[str]
    only_looking: bool = False
    by_code: Counter[str] = field(default_factory=Counter)
    _file: IO[str] | None = None

    def add(self, refused: Refused) -> None:
        self.by_code[refused.code] += 1
        cells = (self._cell(refused, column) for column in self._columns)
        self._write([*cells, refused.row.number, refused.code, mask(refused.reason).text])

    def _cell(self, refused: Refused, column: str) -> str:
        text = as_text(refused.row[column], self.map)
        return text if column in self._verbatim else mask(text).text

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()
            if kind is None:
                os.replace(self._file.name, self.path)
            else:
                Path(self._file.name).unlink()
        elif kind is None and not self.only_looking:
            self.path.unlink(missing_ok=True)

    @property
    def _columns(self) -> list[str]:
        read = {column for _field, column in self.map.columns.named()}
        return [column for column in dict.fromkeys(self.header) if column in read and column not in OURS]

    @property
    def _verbatim(self) -> set[str]:
        """By its id a row is known again, and a date is none if a sign of it is missing."""
        of = self.map.columns
        return {each for each in (of.id, of.submitted_at, of.due_on, of.due_at, of.closed_at) if each}

    def _write(self, cells: Sequence[object]) -> None:
        if self._file is None:
            self._file = self._started()
            self._file.write("\r\n" * (self.map.header_row - 1))  # so that the same map finds the headings
            self._write([*self._columns, *OURS])
        csv.writer(self._file, delimiter=self.map.delimiter).writerow(cells)

    def _started(self) -> IO[str]:
        encoding = _encoding(self.source, self.map)
        return NamedTemporaryFile(
            "w", delete=False, newline="", encoding=encoding, dir=self.path.parent, prefix=".refused-"
        )

"""The cells of a CSV file, row by row, within bounds: no line, field or row grows without end."""

import csv
import re
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from services.console.i18n import _
from services.console.importing.cells import BadFile, Cell

LONGEST_LINE = 1_000_000
"""Characters."""
LONGEST_ROW = 4_000_000
"""Characters of all lines of one row: quoted cells may hold line breaks."""
DELIMITERS = (",", ";", "\t", "|")
ENCODINGS = ("utf-8-sig", "gb18030")
"""What registers are written in, in the order in which they are tried. Nearly any bytes are some GB18030, so
it comes last; GBK and GB2312 are parts of it."""
MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
SAMPLE_BYTES = 200_000
AS_TEXT = re.compile(r'^="(.*)"$', re.DOTALL)
"""How programs write a text that a spreadsheet would take for a number."""


class TooLong(Exception):
    """A line or a row passed its bound."""


def read_csv(path: Path, encoding: str, delimiter: str) -> Generator[list[Cell], None, None]:
    """Raises BadFile, OSError where there is no file."""
    with path.open(encoding=encoding, newline="") as file:
        lines = _Lines(file)
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        try:
            for cells in reader:
                lines.begin_row()
                yield [_plain(cell) for cell in cells]
        except TooLong:
            said = _(
                "{path}, line {line}: longer than any row of a register; look for a quote too many or few"
            )
            raise BadFile(said.format(path=path, line=reader.line_num + 1)) from None
        except csv.Error as error:
            said = _("{path}, line {line}: not readable as CSV: {problem}; look for a quote too many or few")
            raise BadFile(said.format(path=path, line=reader.line_num, problem=error)) from None
        except UnicodeError:
            raise BadFile(_wrong_encoding(path, encoding, reader.line_num)) from None


class _Lines:
    """The lines of a file, none of them read beyond its bound."""

    def __init__(self, file: IO[str]) -> None:
        self._file, self._row = file, 0

    def begin_row(self) -> None:
        self._row = 0

    def __iter__(self) -> Iterator[str]:
        while line := self._file.readline(LONGEST_LINE):
            self._row += len(line)
            if len(line) == LONGEST_LINE or self._row > LONGEST_ROW:
                raise TooLong
            yield line


def _plain(cell: str) -> str:
    cell = cell.strip()
    text = AS_TEXT.match(cell)
    return text[1].strip() if text else cell


def _wrong_encoding(path: Path, encoding: str, line: int) -> str:
    said = _("{path}, after line {line}: not {encoding} text; name the file's encoding in the map")
    told = said.format(path=path, line=line, encoding=encoding)
    seems = guessed_encoding(path)
    hint = _(" (it seems to be {encoding})").format(encoding=seems) if seems else ""
    return told + hint


def guessed_encoding(path: Path) -> str | None:
    """By its first bytes; None where it is none that we know."""
    with path.open("rb") as file:
        sample = file.read(SAMPLE_BYTES)
    for mark, encoding in MARKS.items():
        if sample.startswith(mark):
            return encoding
    whole = sample[: sample.rfind(b"\n") + 1] or sample  # not cut within a character
    for encoding in ENCODINGS:
        try:
            whole.decode(encoding)
        except UnicodeDecodeError:
            continue
        return encoding
    return None


def guessed_delimiter(path: Path, encoding: str) -> str:
    """The one that stands most often in the lines that have most of them."""
    with _sampled(path, encoding) as lines:
        counted = {mark: sorted(line.count(mark) for line in lines)[len(lines) // 2 :] for mark in DELIMITERS}
    return max(DELIMITERS, key=lambda mark: sum(counted[mark]))


@contextmanager
def _sampled(path: Path, encoding: str) -> Iterator[list[str]]:
    with path.open(encoding=encoding, errors="replace", newline="") as file:
        yield [line for line in (file.readline(LONGEST_LINE) for _count in range(50)) if line] or [""]

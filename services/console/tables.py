"""Tables that stay readable: a record under the other where the screen is too narrow for columns.

Names and numbers are never cut, for people copy them. Cells are plain text; a CJK
character counts two columns.
"""

import os
import shutil
import sys
from collections.abc import Iterable, Sequence
from unicodedata import combining, east_asian_width

UNLIMITED = 10_000
"""Columns of a file or a pipe: nothing there is wrapped or cut."""
GAP = "  "
ALONE = 2
"""Columns of a character that does not stand in a last line by itself."""
NARROWEST = 8
"""Columns below which a cell of several words is not squeezed."""


def columns() -> int:
    """Of the terminal; COLUMNS where it is set. Unlimited for a file or a pipe."""
    if not sys.stdout.isatty() and not os.environ.get("COLUMNS", "").isdecimal():
        return UNLIMITED
    return shutil.get_terminal_size((80, 24)).columns


def text_width(text: str) -> int:
    """In columns of a terminal."""
    return sum(_char_width(char) for char in text)


def pad(text: str, width: int) -> str:
    return text + " " * max(0, width - text_width(text))


def wrap(text: str, width: int) -> list[str]:
    """Lines of at most `width` columns, broken at spaces and between CJK characters.

    A word that is longer than a line is not broken: it can still be copied.
    """
    return [line for given in text.split("\n") for line in _wrapped(given, max(1, width))]


def table(
    headings: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    width: int | None = None,
    wide: bool = False,
    keep: Iterable[int] = (0,),
) -> str:
    """Columns where they fit into `width` (default: the screen's), else each row as lines `heading  value`.

    Cells are wrapped at spaces to make columns fit, those of the columns `keep` never. `wide` never wraps and
    never drops to lines.
    """
    told = [[str(cell) for cell in row] for row in rows]
    room = UNLIMITED if wide else columns() if width is None else width
    widths = _fitted(headings, told, room, frozenset(keep))
    if widths is None:
        return vertical(headings, told, width=room)
    lines = _line(headings, widths)
    lines.append(GAP.join("-" * each for each in widths))
    for row in told:
        lines += _line(row, widths)
    return "\n".join(lines)


def vertical(headings: Sequence[str], rows: Iterable[Sequence[str]], *, width: int | None = None) -> str:
    """Each row as lines `heading  value`, an empty line between rows; empty values are left out."""
    room = columns() if width is None else width
    label = max(map(text_width, headings), default=0)
    blocks = []
    for row in rows:
        lines = []
        for heading, value in zip(headings, row, strict=True):
            if not value:
                continue
            first, *rest = wrap(value, room - label - len(GAP))
            lines.append(f"{pad(heading, label)}{GAP}{first}".rstrip())
            lines += [f"{' ' * label}{GAP}{each}" for each in rest]
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def _fitted(
    headings: Sequence[str], rows: Sequence[Sequence[str]], room: int, keep: frozenset[int]
) -> list[int] | None:
    """The width of each column; None where they do not fit even when wrapped."""
    cells = [[heading, *(row[place] for row in rows)] for place, heading in enumerate(headings)]
    wanted = [max(text_width(line) for cell in column for line in cell.split("\n")) for column in cells]
    least = [
        wanted[place] if place in keep else min(wanted[place], max(NARROWEST, *map(_longest_word, column)))
        for place, column in enumerate(cells)
    ]
    spare = room - len(GAP) * (len(wanted) - 1) - sum(least)
    if spare < 0:
        return None
    widths = list(least)
    for place in sorted(range(len(wanted)), key=lambda each: wanted[each] - least[each]):
        more = min(spare, wanted[place] - least[place])
        widths[place] += more
        spare -= more
    return widths


def _line(cells: Sequence[str], widths: Sequence[int]) -> list[str]:
    wrapped = [wrap(cell, width) for cell, width in zip(cells, widths, strict=True)]
    height = max(map(len, wrapped), default=0)
    return [
        GAP.join(
            pad(lines[row] if row < len(lines) else "", width)
            for lines, width in zip(wrapped, widths, strict=True)
        ).rstrip()
        for row in range(height)
    ]


def _wrapped(text: str, width: int) -> list[str]:
    lines: list[list[str]] = [[]]
    taken = 0
    for piece in _pieces(text):
        if "".join(lines[-1]).strip() and taken + text_width(piece.rstrip()) > width:
            lines.append([])
            taken = 0
        lines[-1].append(piece)
        taken += text_width(piece)
    if len(lines) > 1 and len(lines[-2]) > 1 and text_width("".join(lines[-1])) <= ALONE:
        lines[-1].insert(0, lines[-2].pop())
    return ["".join(line).rstrip() for line in lines]


def _pieces(text: str) -> list[str]:
    """Between two of them a line may end: after a space, and between CJK characters."""
    pieces: list[str] = []
    for char in text:
        if pieces and _sticks(pieces[-1], char):
            pieces[-1] += char
        else:
            pieces.append(char)
    return pieces


def _sticks(before: str, char: str) -> bool:
    if char == " " or char in "，。；：、）》？！”,.;:)":
        return True
    last = before[-1]
    return last != " " and (last in "（《“(" or not (_wide(last) or _wide(char)))


def _longest_word(text: str) -> int:
    return max(
        (text_width(piece.rstrip()) for line in text.split("\n") for piece in _pieces(line)), default=0
    )


def _wide(char: str) -> bool:
    return east_asian_width(char) in "WF"


def _char_width(char: str) -> int:
    return 0 if combining(char) else 2 if _wide(char) else 1

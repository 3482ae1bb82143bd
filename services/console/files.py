"""Which form an output has: as `--format` says, else as the ending of the file; both must agree."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from services.console.i18n import N_, _
from services.console.terminal import misuse


class Layout(StrEnum):
    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    XLSX = "xlsx"
    MARKDOWN = "markdown"


ENDINGS = {
    ".txt": Layout.TABLE,
    ".json": Layout.JSON,
    ".csv": Layout.CSV,
    ".xlsx": Layout.XLSX,
    ".md": Layout.MARKDOWN,
    ".markdown": Layout.MARKDOWN,
}


LayoutOption = Annotated[
    Layout | None,
    typer.Option("-o", "--format", "--output", help=N_("Default: a table, or what the file's ending says")),
]


def layout_of(told: Layout | None, out: Path | None) -> Layout:
    """Raises Stop where the ending is none of ours, or says otherwise than `--format`."""
    if out is None:
        if told is Layout.XLSX:
            raise misuse(_("a spreadsheet goes to a file; name it with --out"))
        return told or Layout.TABLE
    ending = out.suffix.lower()
    meant = ENDINGS.get(ending)
    if meant is not None and told in (None, meant):
        return meant
    if meant is not None and told is not None:
        sentence = _("{file} is to hold {ending}, and --format says {layout}; leave one of them out")
        raise misuse(sentence.format(file=out, ending=meant.value, layout=told.value))
    if told is not None and ending in ("", ".out", ".tmp"):
        return told
    if ending == ".pdf":
        raise misuse(_("a PDF cannot be written here; write .xlsx and print that, or .md"))
    sentence = _("{file} cannot be written: an ending {endings} says what it is to hold")
    raise misuse(sentence.format(file=out, endings=", ".join(ENDINGS)))


def markdown(headings: list[str], rows: list[list[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join("| " + " | ".join(_escaped(cell) for cell in line) + " |" for line in lines)


def _escaped(cell: str) -> str:
    return cell.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ")

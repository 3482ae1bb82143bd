"""`duban import FILE --mapping MAP.yaml`: look at everything first, then send, then say what became of it."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path
from time import monotonic
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from duban_contracts.charter import Charter
from services.chassis.charter_file import CharterErrors, read_charter
from services.console.charter_commands import errors_text
from services.console.client import Duban, Unreachable
from services.console.i18n import N_, _
from services.console.importing.convert import (
    ANSWER_OF_AN_OPEN_CASE,
    CLOSING_OF_AN_OPEN_CASE,
    IDS_ARE_NUMBERS,
    Refused,
)
from services.console.importing.explain import explained
from services.console.importing.mapping import ImportMap, MapErrors, check_header, read_map
from services.console.importing.propose import feed_of, propose, written
from services.console.importing.refused import NotOurs, RefusedRows, place_for
from services.console.importing.rehearse import Rehearsal
from services.console.importing.rows import BadFile, count, opened
from services.console.importing.run import CHUNK, Conversion, Import, Stalled, Tally, already_there
from services.console.terminal import (
    Exit,
    Format,
    FormatOption,
    Stop,
    complain,
    ending,
    misuse,
    on_system,
    say,
    say_json,
)

PATIENCE_SECONDS = 300.0


@dataclass(frozen=True)
class Job:
    """What is imported, found fit to be read to its end."""

    file: Path
    map: ImportMap
    refused: Path
    total: int


@dataclass(frozen=True)
class Summary:
    """What came of a run; `stalled` says why it broke off, if it did."""

    tally: Tally
    refused_by_reason: dict[str, int]
    refused_file: Path
    seconds: float = 0.0
    dry_run: bool = False
    stalled: str | None = None
    checked: bool = True
    """Against a charter; a real run always is."""

    def document(self) -> dict[str, Any]:
        return {
            "dry_run": self.dry_run,
            "checked_against_charter": self.checked,
            **asdict(self.tally),
            "refused_by_reason": self.refused_by_reason,
            "refused_file": str(self.refused_file) if self.refused_by_reason else None,
            "seconds": round(self.seconds, 1),
        }


def import_file(
    ctx: typer.Context,
    file: Annotated[
        Path | None, typer.Argument(help=N_("Cases of another system, .csv or .xlsx"), show_default=False)
    ] = None,
    mapping: Annotated[
        Path | None, typer.Option("--mapping", help=N_("What its columns and words mean, in YAML"))
    ] = None,
    init: Annotated[
        bool, typer.Option("--init", help=N_("Propose a map from the file's headings and words, and end"))
    ] = False,
    out: Annotated[
        Path | None, typer.Option("--out", help=N_("Where the proposed map goes; default: the terminal"))
    ] = None,
    explain_map: Annotated[
        bool, typer.Option("--explain-map", help=N_("Say what a map may hold, field by field, and end"))
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help=N_("Read, convert and check everything as the running system would, send nothing"),
        ),
    ] = False,
    charter: Annotated[
        Path | None,
        typer.Option(
            "--charter", help=N_("For a dry run or a proposal: this charter, not the running system's")
        ),
    ] = None,
    offline: Annotated[
        bool,
        typer.Option(
            "--offline", help=N_("For a dry run or a proposal: no charter; a dry run only converts")
        ),
    ] = False,
    allow_refused: Annotated[
        int,
        typer.Option(
            "--allow-refused", min=0, help=N_("Rows that may be refused without the status being 4")
        ),
    ] = 0,
    refused: Annotated[
        Path | None,
        typer.Option("--refused", help=N_("Where refused rows go; default: FILE.refused.csv beside it")),
    ] = None,
    patience: Annotated[
        float, typer.Option("--patience", min=0, help=N_("Seconds without any progress until we give up"))
    ] = PATIENCE_SECONDS,
    output: FormatOption = Format.TEXT,
) -> None:
    with ending(output):
        if explain_map:
            say(explained())
            return
        if file is None:
            raise misuse(_("name the file to import; `duban import --help` explains how"))
        if init:
            proposed(ctx, file, charter, out, offline=offline)
            return
        if mapping is None:
            raise misuse(_("name the map with --mapping; `duban import --init FILE` proposes one"))
        job = prepared(file, mapping, refused)
        started = monotonic()
        with reading(), progress(job.total, output) as moved:
            if dry_run:
                summary = dry_run_of(ctx, job, charter, offline, moved)
            else:
                summary = on_system(ctx, lambda system: imported(system, job, patience, moved), spinner=False)
        tell(replace(summary, seconds=monotonic() - started), job.total, output)
        if summary.tally.refused > allow_refused:
            raise typer.Exit(Exit.PARTLY)


def proposed(
    ctx: typer.Context, file: Path, charter: Path | None, out: Path | None, *, offline: bool
) -> None:
    """By the charter of the file, else of the running system; if there is none its names are left open."""
    with reading():
        if out is not None and out.exists():
            raise misuse(_("{file} is there already; name another file").format(file=out))
        found = propose(file)
        if charter is None and not offline:
            names = _running_charter(ctx)
        else:
            names = charter_in(charter) if charter else None
        text = written(found, feed_of(file), names)
        if out is None:
            say(text.rstrip("\n"))
        else:
            out.write_text(text, encoding="utf-8")
            complain(_("the proposed map stands in {file}; look through it").format(file=out))


def _running_charter(ctx: typer.Context) -> Charter | None:
    try:
        return on_system(ctx, lambda system: system.charter())
    except Unreachable:
        complain(_("no system answers, so the names are left open; --charter FILE looks them up there"))
        return None


def prepared(file: Path, mapping: Path, refused: Path | None) -> Job:
    """Everything that can be wrong before a row is sent; raises Stop."""
    with reading():
        import_map = read_map(mapping)
        with opened(file, import_map) as sheet:
            check_header(mapping, import_map, sheet.header)
        place = place_for(file, refused, import_map)
        if refused is None and place.parent.absolute() != file.parent.absolute():
            said = _("{folder} is read-only; refused rows will be in {place}")
            complain(said.format(folder=file.absolute().parent, place=place))
        return Job(file, import_map, place, count(file, import_map))


@contextmanager
def reading() -> Iterator[None]:
    """A file that cannot be used is misuse, told in its own words."""
    try:
        yield
    except MapErrors as errors:
        raise misuse(str(errors), findings=errors.findings) from None
    except (BadFile, NotOurs) as error:
        raise misuse(str(error)) from None
    except OSError as error:
        if error.filename is None:
            raise
        raise misuse(f"{error.filename}: {error.strerror}") from None


Moved = Callable[[int], None]
"""Told how many rows are done with."""


async def rehearsed(job: Job, charter: Charter | None, system: Duban | None, moved: Moved) -> Summary:
    """Nothing is sent. Under a charter each row is decided as intake would; without one, only converted.

    With a system, what is there already counts as such.
    """
    with (
        opened(job.file, job.map) as sheet,
        RefusedRows(job.refused, job.file, job.map, sheet.header, only_looking=True) as refused,
    ):
        conversion = Conversion(job.map, refused)
        rehearsal = Rehearsal(charter, job.map.actor) if charter else None
        cases = conversion.cases(sheet.rows)
        while chunk := list(islice(cases, CHUNK)):
            there = await already_there(system, chunk, job.map.actor) if system else set()
            for case in chunk:
                if case.id in there:
                    conversion.tally.already_there += 1
                elif rehearsal and (no := rehearsal.refusal(case)):
                    conversion.refuse(Refused(case.row, no.code, no.reason))
                else:
                    conversion.tally.would_be_sent += 1
            moved(conversion.tally.rows)
        by_code = dict(refused.by_code)
        return Summary(conversion.tally, by_code, job.refused, dry_run=True, checked=charter is not None)


def dry_run_of(ctx: typer.Context, job: Job, charter: Path | None, offline: bool, moved: Moved) -> Summary:
    """Against the charter of the file, else of the running system, or against none if `offline`."""
    if charter is None and not offline:
        return on_system(ctx, lambda system: _against_the_system(system, job, moved))
    return asyncio.run(rehearsed(job, charter_in(charter) if charter else None, None, moved))


async def _against_the_system(system: Duban, job: Job, moved: Moved) -> Summary:
    charter = await system.charter()
    if charter is None:
        raise Stop(
            Exit.UNREACHABLE, "without_charter", _("there is no charter yet; run `duban charter apply`")
        )
    return await rehearsed(job, charter, system, moved)


def charter_in(file: Path) -> Charter:
    try:
        return read_charter(file)
    except CharterErrors as errors:
        raise misuse(errors_text(errors)) from None


async def imported(system: Duban, job: Job, patience: float, moved: Moved) -> Summary:
    with (
        opened(job.file, job.map) as sheet,
        RefusedRows(job.refused, job.file, job.map, sheet.header) as refused,
    ):
        conversion, stalled = Conversion(job.map, refused), None
        run = Import(system, conversion, patience, lambda: moved(conversion.tally.settled))
        try:
            await run.run(sheet.rows)
        except Stalled as why:
            stalled = str(why)
        return Summary(conversion.tally, dict(refused.by_code), job.refused, stalled=stalled)


@contextmanager
def progress(total: int, output: Format) -> Iterator[Moved]:
    """A bar on the error output, where a person sees it."""
    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=output is Format.JSON or not console.is_terminal,
        transient=True,
    )
    with bar:
        task = bar.add_task(_("importing"), total=total)
        yield lambda done: bar.update(task, completed=done)


def tell(summary: Summary, total: int, output: Format) -> None:
    """Raises Stop where the run broke off."""
    if summary.stalled is not None:
        missing = total - summary.tally.settled
        said = (
            _("gave up: {why}; {missing} of {total} rows are not settled, run it again to continue")
            if missing
            else _("every row is settled, but not yet all that follows: {why}; run it again to wait for it")
        )
        sentence = said.format(why=summary.stalled, missing=missing, total=total)
        if output is Format.TEXT:
            say(table(summary))
        raise Stop(Exit.UNREACHABLE, "stalled", sentence, missing=missing, summary=summary.document())
    if output is Format.JSON:
        say_json(summary.document())
        return
    say(table(summary))
    for sentence in notes(summary):
        say(sentence)
    if summary.refused_by_reason:
        say(_("refused rows, each with its reason: {place}").format(place=summary.refused_file))


NOTES: Mapping[str, str] = {
    CLOSING_OF_AN_OPEN_CASE: N_(
        "{count} rows are open by their status and have a closing time, which is not kept: rows {rows}"
    ),
    ANSWER_OF_AN_OPEN_CASE: N_(
        "{count} rows are open by their status and have an answer, which is not kept: rows {rows}"
    ),
    IDS_ARE_NUMBERS: N_(
        "{count} ids are numbers in this workbook: zeros in front, if there were any, are lost and cannot be "
        "seen; if there were, format the column as text and export it again: rows {rows}"
    ),
}


def notes(summary: Summary) -> Iterator[str]:
    for code, total in sorted(summary.tally.notes.items()):
        rows = summary.tally.noted_rows[code]
        shown = ", ".join(map(str, rows)) + (" …" if total > len(rows) else "")
        yield _(NOTES[code]).format(count=total, rows=shown)
    if not summary.checked:
        yield _("not checked against a charter: the running system may refuse more")


def table(summary: Summary) -> Table:
    tally = summary.tally
    shown = Table(box=None, show_header=False)
    shown.add_row(_("rows"), f"{tally.rows:,}")
    if summary.dry_run:
        shown.add_row(_("would be sent"), f"{tally.would_be_sent:,}")
    else:
        shown.add_row(_("imported"), f"{tally.imported:,}")
    shown.add_row(_("already there"), f"{tally.already_there:,}")
    shown.add_row(_("refused"), f"{tally.refused:,}")
    for reason, rows in sorted(summary.refused_by_reason.items()):
        shown.add_row(f"  {reason}", f"{rows:,}")
    shown.add_row(_("seconds"), f"{summary.seconds:.1f}")
    return shown

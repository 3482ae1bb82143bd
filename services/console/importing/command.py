"""`duban import FILE --mapping MAP.yaml`: look at everything first, then send, then say what became of it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from time import monotonic
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from services.console.client import Duban
from services.console.i18n import N_, _
from services.console.importing.mapping import ImportMap, MapErrors, check_header, read_map
from services.console.importing.refused import NotOurs, RefusedRows, place_for
from services.console.importing.rows import BadFile, count, opened
from services.console.importing.run import Conversion, Import, Stalled, Tally
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

    def document(self) -> dict[str, Any]:
        return {
            "dry_run": self.dry_run,
            **asdict(self.tally),
            "refused_by_reason": self.refused_by_reason,
            "refused_file": str(self.refused_file) if self.refused_by_reason else None,
            "seconds": round(self.seconds, 1),
        }


def import_file(
    ctx: typer.Context,
    file: Annotated[
        Path, typer.Argument(help=N_("Cases of another system, .csv or .xlsx"), show_default=False)
    ],
    mapping: Annotated[Path, typer.Option("--mapping", help=N_("What its columns and words mean, in YAML"))],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help=N_("Read and convert everything, send nothing"))
    ] = False,
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
        job = prepared(file, mapping, refused)
        started = monotonic()
        with reading(), progress(job.total, output) as moved:
            if dry_run:
                summary = rehearsed(job, moved)
            else:
                summary = on_system(ctx, lambda system: imported(system, job, patience, moved), spinner=False)
        tell(replace(summary, seconds=monotonic() - started), job.total, output)


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


def rehearsed(job: Job, moved: Moved) -> Summary:
    with (
        opened(job.file, job.map) as sheet,
        RefusedRows(job.refused, job.file, job.map, sheet.header, only_looking=True) as refused,
    ):
        conversion = Conversion(job.map, refused)
        for _case in conversion.cases(sheet.rows):
            moved(conversion.tally.rows)
        return Summary(conversion.tally, dict(refused.by_code), job.refused, dry_run=True)


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
    if summary.refused_by_reason:
        say(_("refused rows, each with its reason: {place}").format(place=summary.refused_file))


def table(summary: Summary) -> Table:
    tally = summary.tally
    shown = Table(box=None, show_header=False)
    shown.add_row(_("rows"), f"{tally.rows:,}")
    if summary.dry_run:
        shown.add_row(_("would be sent"), f"{tally.ready:,}")
    else:
        shown.add_row(_("imported"), f"{tally.imported:,}")
        shown.add_row(_("already there"), f"{tally.already_there:,}")
    shown.add_row(_("refused"), f"{tally.refused:,}")
    for reason, rows in sorted(summary.refused_by_reason.items()):
        shown.add_row(f"  {reason}", f"{rows:,}")
    shown.add_row(_("seconds"), f"{summary.seconds:.1f}")
    return shown

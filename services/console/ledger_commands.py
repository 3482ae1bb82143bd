"""`duban ledger`: lists, one entry, its history, and the paper ledger as a file."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from rich.table import Table

from duban_contracts.charter import MatterKind
from duban_contracts.ledger import EntryKind
from duban_contracts.queries import ShowEntry, Shown
from duban_contracts.reading import EntryInFull, EntryPage, EntryStatus, ListEntries, PaperPage, PaperRow
from services.chassis.charter_bucket import published_charter
from services.chassis.queries import Answers, HistoryOf
from services.console.asking import fact_document, fact_line, moment
from services.console.client import Duban
from services.console.i18n import N_, _
from services.console.paper_ledger import STATUSES, Layout, write
from services.console.sentences import ABSENT, Town, printable
from services.console.terminal import (
    Exit,
    Format,
    FormatOption,
    Stop,
    ending,
    misuse,
    on_system,
    say,
    say_json,
)

app = typer.Typer(help=N_("The register of entries (台账)"), no_args_is_help=True)
MOST = 500
"""Entries in one page of a question."""


Station = Annotated[str | None, typer.Option("--station", help=N_("The responsible station"))]
Statuses = Annotated[list[EntryStatus] | None, typer.Option("--status", help=N_("Repeatable"))]
Register = Annotated[EntryKind | None, typer.Option("--of", help=N_("Matters, measures or applications"))]
Kind = Annotated[MatterKind | None, typer.Option("--kind", help=N_("Kind of matter"))]
Category = Annotated[str | None, typer.Option("--category", help=N_("Category of the charter"))]
Village = Annotated[str | None, typer.Option("--village", help=N_("Village of the charter"))]
DueFrom = Annotated[str | None, typer.Option("--due-from", help=N_("Due on this day or later"))]
DueUntil = Annotated[str | None, typer.Option("--due-until", help=N_("Due on this day or earlier"))]
Since = Annotated[
    str | None, typer.Option("--updated-since", help=N_("Changed since this time, with a zone"))
]
Text = Annotated[str | None, typer.Option("--text", help=N_("Stands in the title"))]
Restricted = Annotated[
    bool, typer.Option("--restricted", help=N_("With conduct matters; for the office and the commission"))
]


@app.command("list", help=N_("Entries by station, status, category ..., sorted by due date"))
def list_(
    ctx: typer.Context,
    station: Station = None,
    status: Statuses = None,
    of: Register = None,
    kind: Kind = None,
    category: Category = None,
    village: Village = None,
    due_from: DueFrom = None,
    due_until: DueUntil = None,
    updated_since: Since = None,
    text: Text = None,
    restricted: Restricted = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=MOST, help=N_("Entries on one page"))] = 50,
    after: Annotated[str | None, typer.Option("--after", help=N_("Go on where a page ended"))] = None,
    output: FormatOption = Format.TEXT,
) -> None:
    with ending(output):
        question = asked(
            station=station,
            statuses=tuple(status or ()),
            entry_kind=of,
            kind=kind,
            category=category,
            village=village,
            due_from=day(due_from),
            due_until=day(due_until),
            updated_since=moment(updated_since),
            text=text,
            limit=limit,
            after=after,
        )
        name = "list_restricted" if restricted else "list"
        page, town = on_system(ctx, lambda system: _with_town(system, name, question, EntryPage))
        if output is Format.JSON:
            say_json(page.model_dump(mode="json", exclude_none=True))
        else:
            tell_page(page, town)


@app.command("show", help=N_("Everything that the register shows of one entry"))
def show(
    ctx: typer.Context,
    entry: Annotated[str, typer.Argument(help=N_("Number of the entry, e.g. 2024-000123"))],
    restricted: Restricted = False,
    output: FormatOption = Format.TEXT,
) -> None:
    with ending(output):
        name, question = "show_restricted" if restricted else "show", ShowEntry(entry=entry)
        shown, town = on_system(ctx, lambda system: _with_town(system, name, question, Shown))
        if shown.entry is None:
            raise _no_such(entry)
        if output is Format.JSON:
            say_json(shown.entry.model_dump(mode="json", exclude_none=True))
        else:
            say(in_full(shown.entry, town))


@app.command("history", help=N_("Everything that ever happened to one entry"))
def history(
    ctx: typer.Context,
    entry: Annotated[str, typer.Argument(help=N_("Number of the entry, e.g. 2024-000123"))],
    output: FormatOption = Format.TEXT,
) -> None:
    with ending(output):
        question = HistoryOf(key=entry)
        answers, town = on_system(ctx, lambda system: _with_town(system, "history", question, Answers))
        facts = [told for given in answers.answers for told in given.facts]
        if not facts:
            raise _no_such(entry)
        if output is Format.JSON:
            say_json({"entry": entry, "facts": [fact_document(told, town) for told in facts]})
        else:
            for told in facts:
                say(fact_line(told, town))


@app.command("export", help=N_("The paper ledger: every entry that is asked for, none left out"))
def export(
    ctx: typer.Context,
    station: Station = None,
    status: Statuses = None,
    of: Register = None,
    kind: Kind = None,
    category: Category = None,
    village: Village = None,
    due_from: DueFrom = None,
    due_until: DueUntil = None,
    updated_since: Since = None,
    text: Text = None,
    restricted: Restricted = False,
    layout: Annotated[
        Layout, typer.Option("--format", help=N_("For people, programs or spreadsheets"))
    ] = Layout.TABLE,
    out: Annotated[
        Path | None, typer.Option("--out", help=N_("Write it to this file instead of the terminal"))
    ] = None,
) -> None:
    with ending(Format.JSON if layout is Layout.JSON else Format.TEXT):
        if layout is Layout.XLSX and out is None:
            raise misuse(_("a spreadsheet goes to a file; name it with --out"))
        question = asked(
            station=station,
            statuses=tuple(status or ()),
            entry_kind=of,
            kind=kind,
            category=category,
            village=village,
            due_from=day(due_from),
            due_until=day(due_until),
            updated_since=moment(updated_since),
            text=text,
            limit=MOST,
        )
        name = "export_restricted" if restricted else "export"
        rows = on_system(ctx, lambda system: every_row(system, name, question))
        write(rows, layout, out)


def asked(**filters: Any) -> ListEntries:
    try:
        return ListEntries(**filters)
    except ValidationError as error:
        faults = ((".".join(map(str, each["loc"])), each["msg"]) for each in error.errors())
        raise misuse("; ".join(f"{field}: {why}" for field, why in faults)) from None


def day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise misuse(_("{text!r} is not a day like 2024-04-15").format(text=text)) from None


async def _with_town(system: Duban, name: str, question: Any, reply: type[Any]) -> tuple[Any, Town]:
    answer = await system.ask("ledger", name, question, reply)
    return answer, Town(await published_charter(system.client))


async def every_row(system: Duban, name: str, question: ListEntries) -> list[PaperRow]:
    """Page after page until there is none."""
    rows: list[PaperRow] = []
    while True:
        page = await system.ask("ledger", name, question, PaperPage)
        rows += page.rows
        if page.next is None:
            return rows
        question = question.model_copy(update={"after": page.next})


def _no_such(entry: str) -> Stop:
    sentence = _("the register has no number {entry}; check the number").format(entry=entry)
    return Stop(Exit.REFUSED, "no_such_entry", sentence, entry=entry)


def tell_page(page: EntryPage, town: Town) -> None:
    table = Table(_("Number"), _("Title"), _("Station"), _("Status"), _("Due"), _("Late"))
    for entry in page.entries:
        table.add_row(*line(entry, town, datetime.now(UTC)))
    say(table)
    if page.next:
        say(_("there are more; go on with --after {mark}").format(mark=page.next))


def line(entry: EntryInFull, town: Town, now: datetime) -> list[str]:
    ended = entry.ended_at is not None
    late = entry.late if ended else entry.due_at is not None and entry.due_at <= now
    return [
        entry.number,
        printable(entry.title),
        town.name(entry.station),
        _(STATUSES[entry.status]),
        town.moment(entry.due_at) if entry.due_at else ABSENT,
        _("late") if late else "",
    ]


def in_full(entry: EntryInFull, town: Town) -> Table:
    """Field by field; what an entry has not is left out."""
    table = Table(_("Field"), _("Value"), show_header=False)
    for name, value in entry:
        if value not in (None, "", (), False):
            table.add_row(name, _shown(name, value, town))
    return table


def _shown(name: str, value: Any, town: Town) -> str:
    match value:
        case EntryStatus():
            return _(STATUSES[value])
        case datetime():
            return town.moment(value)
        case tuple():
            return _(", ").join(town.name(each) for each in value)
        case _ if name == "station":
            return town.name(str(value))
        case _ if name == "due":
            return printable(str(value.rule))
        case _:
            return printable(str(value))

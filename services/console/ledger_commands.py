"""`duban ledger`: lists, one entry, its history, and the paper ledger as a file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from duban_contracts.ledger import EntryKind
from duban_contracts.queries import Answers, HistoryOf, ShowEntry, Shown, ToldFact
from duban_contracts.reading import EntryStatus, PaperPage, PaperRow
from duban_contracts.subjects import NOBODY
from services.console.asking import day, fact_document, fact_line, moment
from services.console.asking_register import asking, every_page, no_such, with_town
from services.console.entries import in_full, tell_page
from services.console.files import Layout, LayoutOption, layout_of
from services.console.filtering import (
    DueWithin,
    Filter,
    Names,
    coded,
    kinds_of,
    listed,
    listing_order,
)
from services.console.history import told
from services.console.i18n import N_, _
from services.console.listing import WideOption
from services.console.numbers import entry_number
from services.console.overviews import disclosure, hot
from services.console.paper_ledger import write
from services.console.pending import pending
from services.console.sentences import Town
from services.console.tables import vertical
from services.console.terminal import (
    Format,
    FormatOption,
    ending,
    on_system,
    say,
    say_json,
)

if TYPE_CHECKING:  # what is refused before it is asked starts without NATS
    from services.console.client import Duban

app = typer.Typer(help=N_("The register of entries (台账)"), no_args_is_help=True)
MOST = 500
"""Entries in one page of a question."""


Station = Annotated[str | None, typer.Option("--station", help=N_("The responsible station"))]
Statuses = Annotated[
    list[EntryStatus] | None,
    typer.Option(
        "--status",
        parser=coded(EntryStatus),
        metavar="|".join(EntryStatus),
        help=N_("Repeatable; default: what is open"),
    ),
]
Register = Annotated[
    EntryKind | None,
    typer.Option(
        "--of",
        parser=coded(EntryKind),
        metavar="|".join(EntryKind),
        help=N_("Matters, measures or applications"),
    ),
]
Kind = Annotated[
    str | None, typer.Option("--kind", help=N_("Kind of matter, or matter, measure, application"))
]
Category = Annotated[str | None, typer.Option("--category", help=N_("Category of the charter"))]
Village = Annotated[str | None, typer.Option("--village", help=N_("Village of the charter"))]
DueFrom = Annotated[str | None, typer.Option("--due-from", help=N_("Due on this day or later"))]
DueUntil = Annotated[str | None, typer.Option("--due-until", help=N_("Due on this day or earlier"))]
DueOption = Annotated[
    DueWithin | None, typer.Option("--due", help=N_("Due today, tomorrow, or in the seven days from today"))
]
Since = Annotated[
    str | None, typer.Option("--updated-since", help=N_("Changed since this time, with a zone"))
]
Text = Annotated[str | None, typer.Option("--text", help=N_("Stands in the title"))]
Overdue = Annotated[
    bool, typer.Option("--overdue", help=N_("Only what its station has in hand and should have answered"))
]
Unassigned = Annotated[
    bool, typer.Option("--unassigned", help=N_("Only what no station has: the office has to say whose it is"))
]


@app.command("list", help=N_("Entries by station, status, category ..., sorted by due date"))
def list_(
    ctx: typer.Context,
    station: Station = None,
    unassigned: Unassigned = False,
    status: Statuses = None,
    all_: Annotated[
        bool, typer.Option("--all", help=N_("Also what is off the register, after what is open"))
    ] = False,
    of: Register = None,
    kind: Kind = None,
    category: Category = None,
    village: Village = None,
    due: DueOption = None,
    due_from: DueFrom = None,
    due_until: DueUntil = None,
    overdue: Overdue = False,
    updated_since: Since = None,
    text: Text = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=MOST, help=N_("Entries on one page"))] = 50,
    after: Annotated[str | None, typer.Option("--after", help=N_("Go on where a page ended"))] = None,
    wide: WideOption = False,
    output: FormatOption = Format.TEXT,
) -> None:
    with ending(output):
        order = listing_order(status, all_, open_only=not (overdue or updated_since))
        kinds = kinds_of(kind, of)
        wanted = Filter.of(
            Names(station=NOBODY if unassigned else station, category=category, village=village),
            due,
            **kinds,
            due_from=day(due_from),
            due_until=day(due_until),
            overdue=overdue,
            updated_since=moment(updated_since),
            text=text,
            limit=limit,
        )
        page, town = on_system(ctx, lambda system: listed(system, wanted, order, after))
        if output is Format.JSON:
            say_json(page.model_dump(mode="json", exclude_none=True))
        else:
            tell_page(page, town, wide=wide)


@app.command(
    "show", help=N_("Everything that the register shows of one entry, and what is under way with it")
)
def show(
    ctx: typer.Context,
    entry: Annotated[
        str, typer.Argument(help=N_("Number of the entry, e.g. 2024-000123; 123 is this year's"))
    ],
    output: FormatOption = Format.TEXT,
) -> None:
    with ending(output):
        entry = entry_number(entry)
        question = asking(ShowEntry, entry=entry)
        shown, waiting, town = on_system(ctx, lambda system: with_pending(system, question))
        if shown.entry is None:
            raise no_such(entry)
        if output is Format.JSON:
            document = shown.entry.model_dump(mode="json", exclude_none=True)
            say_json({**document, "pending": [fact_document(told, town) for told in waiting]})
            return
        rows = in_full(shown.entry, town)
        say(vertical([name for name, _value in rows], [[value for _name, value in rows]]))
        if waiting:
            say("\n" + _("Under way, and since when:"))
            for told in waiting:
                say("  " + fact_line(told, town))


async def with_pending(system: "Duban", question: ShowEntry) -> tuple[Shown, list[ToldFact], Town]:
    """The entry, and what is under way by its own history and that of its present rating."""
    shown, town = await with_town(system, "show", question, Shown)
    if shown.entry is None:
        return shown, [], town
    facts, _kept_back, _town = await told(system, ["ledger"], HistoryOf(key=question.entry))
    key = f"{question.entry}/{shown.entry.round}"
    rated, _kept_back, _town = await told(system, ["rating"], HistoryOf(key=key))
    return shown, pending([*facts, *rated]), town


@app.command("history", help=N_("Everything that ever happened to one entry"))
def history(
    ctx: typer.Context,
    entry: Annotated[
        str, typer.Argument(help=N_("Number of the entry, e.g. 2024-000123; 123 is this year's"))
    ],
    output: FormatOption = Format.TEXT,
) -> None:
    with ending(output):
        entry = entry_number(entry)
        question = asking(HistoryOf, key=entry)
        facts, town = on_system(ctx, lambda system: every_fact(system, "history", question))
        if not facts:
            raise no_such(entry)
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
    overdue: Overdue = False,
    updated_since: Since = None,
    text: Text = None,
    layout: LayoutOption = None,
    out: Annotated[
        Path | None, typer.Option("--out", help=N_("Write it to this file instead of the terminal"))
    ] = None,
    wide: WideOption = False,
) -> None:
    with ending(Format.JSON if layout is Layout.JSON else Format.TEXT):
        form = layout_of(layout, out)
        wanted = Filter.of(
            Names(station=station, category=category, village=village),
            None,
            statuses=tuple(status or ()),
            **kinds_of(kind, of),
            due_from=day(due_from),
            due_until=day(due_until),
            overdue=overdue,
            updated_since=moment(updated_since),
            text=text,
            limit=MOST,
        )
        rows = on_system(ctx, lambda system: every_row(system, "export", wanted))
        write(rows, form, out, wide=wide)


app.command("hot", help=N_("Where similar matters pile up (举一反三), each to be judged"))(hot)
app.command("disclosure", help=N_("What is public of applications: stage and outcome, never who"))(disclosure)


async def every_fact(system: "Duban", name: str, question: HistoryOf) -> tuple[list[ToldFact], Town]:
    pages = await every_page(system, name, question, Answers)
    facts = [told for page in pages for given in page.answers for told in given.facts]
    return facts, Town(await system.charter())


async def every_row(system: "Duban", name: str, wanted: "Filter") -> list[PaperRow]:
    question = wanted.on(await system.charter())
    return [row for page in await every_page(system, name, question, PaperPage) for row in page.rows]

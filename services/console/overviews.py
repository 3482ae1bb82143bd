"""`duban ledger hot` and `duban ledger disclosure`: where matters pile up, and what is public."""

from typing import TYPE_CHECKING, Annotated

import typer

from duban_contracts.reading import AskDisclosure, AskHotList, Cluster, Disclosed, HotListShown
from services.console.asking_register import asking, full_page, more, with_town
from services.console.i18n import N_, _
from services.console.names import have_names, in_tokens, without_names
from services.console.sentences import ABSENT, Town, printable
from services.console.tables import table
from services.console.terminal import Format, FormatOption, ending, on_system, say, say_json
from services.console.words import word

if TYPE_CHECKING:  # what is refused before it is asked starts without NATS
    from services.console.client import Duban

MOST = 500
"""Lines in one page of a question."""
Category = Annotated[str | None, typer.Option("--category", help=N_("Category of the charter"))]
After = Annotated[str | None, typer.Option("--after", help=N_("Go on where a page ended"))]


def hot(
    ctx: typer.Context,
    category: Category = None,
    village: Annotated[str | None, typer.Option("--village", help=N_("Village of the charter"))] = None,
    within_days: Annotated[
        int | None,
        typer.Option("--within-days", min=1, max=3660, help=N_("How far back; default: the charter's")),
    ] = None,
    at_least: Annotated[
        int | None,
        typer.Option("--at-least", min=2, max=1000, help=N_("Matters that pile up; default: the charter's")),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=MOST, help=N_("Piles on one page"))] = 50,
    after: After = None,
    output: FormatOption = Format.TEXT,
) -> None:
    with ending(output):
        fields = {
            "category": category,
            "village": village,
            "within_days": within_days,
            "at_least": at_least,
            "limit": limit,
            "after": after,
        }
        asking(AskHotList, **without_names(fields))

        async def asked(system: "Duban") -> tuple[HotListShown, Town]:
            charter = await system.charter() if have_names(fields) else None
            question = asking(AskHotList, **in_tokens(charter, fields))
            return await with_town(system, "hot_list", question, HotListShown)

        shown, town = on_system(ctx, asked)
        if output is Format.JSON:
            say_json(shown.model_dump(mode="json", exclude_none=True))
        else:
            tell_hot(shown, town)


def tell_hot(shown: HotListShown, town: Town) -> None:
    """One row for each matter, a line below each pile."""
    same, each = [_("Category"), _("Village"), _("Matters")], [_("Number"), _("Title"), _("Station")]
    headings = [*same, *each, _("Status"), _("Opened")]
    rows = [row for cluster in shown.clusters for row in pile(cluster, town)]
    since = town.moment(shown.since)
    if shown.clusters:
        say(table(headings, rows, keep=(3,)))
    else:
        say(_("nowhere do similar matters pile up since {since}").format(since=since))
    say(_("{count} matters since {since} were compared").format(count=shown.looked_at, since=since))
    if not shown.all_of_them:
        say(_("there were more than can be compared: ask for one --category, --village or fewer days"))
    if shown.next:
        say(more(shown.next))


def pile(cluster: Cluster, town: Town) -> list[list[str]]:
    """What is the same for all of them stands in the first row."""
    same = [town.category(cluster.category), town.name(cluster.village) if cluster.village else ABSENT]
    return [
        [
            *([*same, str(cluster.size)] if place == 0 else ["", "", ""]),
            matter.number,
            printable(matter.title),
            town.name(matter.station),
            word(matter.status),
            town.moment(matter.opened_at),
        ]
        for place, matter in enumerate(cluster.members)
    ]


def disclosure(
    ctx: typer.Context,
    category: Category = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=MOST, help=N_("Applications on one page"))] = 50,
    after: After = None,
    output: FormatOption = Format.TEXT,
) -> None:
    with ending(output):
        fields = {"category": category, "limit": limit, "after": after}
        asking(AskDisclosure, **without_names(fields))

        async def asked(system: "Duban") -> Disclosed:
            charter = await system.charter() if have_names(fields) else None
            question = asking(AskDisclosure, **in_tokens(charter, fields))
            return (await full_page(system, "disclosure", question, Disclosed, "applications"))[0]

        shown = on_system(ctx, asked)
        if output is Format.JSON:
            say_json(shown.model_dump(mode="json", exclude_none=True))
        else:
            tell_disclosed(shown)


def tell_disclosed(shown: Disclosed) -> None:
    headings = [_("Benefit"), _("Stage"), _("Village"), _("Status"), _("Outcome"), _("Last change")]
    rows = [
        [
            printable(application.name),
            printable(application.stage),
            printable(application.village) if application.village else ABSENT,
            word(application.status),
            word(application.outcome) if application.outcome else ABSENT,
            application.since.isoformat(),
        ]
        for application in shown.applications
    ]
    say(table(headings, rows))
    if shown.next:
        say(more(shown.next))

"""`duban list`: what the charter in force calls things, with the tokens that commands take."""

from collections.abc import Callable, Mapping
from typing import Annotated

import typer

from duban_contracts.charter import Charter
from services.console.i18n import N_, _
from services.console.names import LISTS, Named
from services.console.sentences import ABSENT, Town, printable
from services.console.tables import table
from services.console.terminal import (
    Exit,
    Format,
    FormatOption,
    Stop,
    ending,
    misuse,
    on_system,
    say_json,
    say_long,
)
from services.console.words import limit_in_words, word

Rows = list[list[str]]
WideOption = Annotated[bool, typer.Option("--wide", help=N_("All columns side by side, however wide"))]


def list_(
    ctx: typer.Context,
    kind: Annotated[
        str,
        typer.Argument(
            metavar="stations|actors|categories|villages|stages|measures",
            help=N_("What to list"),
            show_default=False,
        ),
    ],
    wide: WideOption = False,
    output: FormatOption = Format.TEXT,
) -> None:
    with ending(output):
        wanted = kind_of(kind)
        charter = in_force(on_system(ctx, lambda system: system.charter()))
        headings, rows = listed(charter, wanted)
        if output is Format.JSON:
            say_json({LISTS[wanted]: documents(charter, wanted)})
        elif rows:
            say_long(table(headings, rows, wide=wide, keep=(0,)), ctx)
        else:
            say_long(_("the charter has none"), ctx)


def in_force(charter: Charter | None) -> Charter:
    """Raises Stop where none was published yet."""
    if charter is None:
        raise Stop(Exit.REFUSED, "no_charter", _("no charter is in force yet; `duban charter apply FILE`"))
    return charter


def kind_of(name: str) -> Named:
    """By the plural, the singular, or the beginning of one of them."""
    from difflib import get_close_matches

    asked = name.casefold()
    for kind, plural in LISTS.items():
        if asked in (plural, kind.value) or (len(asked) > 2 and plural.startswith(asked)):
            return kind
    near = get_close_matches(asked, LISTS.values(), 1) or list(LISTS.values())
    hint = _("; did you mean {names}?").format(names=_(", ").join(near))
    raise misuse(_("nothing is called {name!r} here").format(name=name) + hint)


def listed(charter: Charter, kind: Named) -> tuple[list[str], Rows]:
    """Headings, and a row for each token."""
    headings, rows = TABLES[kind]
    return [_(heading) for heading in headings], [
        [printable(cell) if cell else ABSENT for cell in row] for row in rows(charter)
    ]


def documents(charter: Charter, kind: Named) -> list[dict[str, str]]:
    """For programs: by the headings in English, in small letters."""
    headings, rows = TABLES[kind]
    keys = [heading.lower().replace(" ", "_") for heading in headings]
    return [dict(zip(keys, row, strict=True)) for row in rows(charter)]


def _stations(charter: Charter) -> Rows:
    return [
        [token, each.name, each.name_en, each.leader or "", each.superior or ""]
        for token, each in charter.stations.items()
    ]


def _actors(charter: Charter) -> Rows:
    return [
        [token, each.name, word(each.role), each.station or ""] for token, each in charter.everyone().items()
    ]


def _categories(charter: Charter) -> Rows:
    town = Town(charter)
    return [
        [
            token,
            each.name,
            word(each.kind),
            town.name(each.lead),
            limit_in_words(each.limit or charter.matters.limits.get(each.kind)),
            _(", ").join(each.required),
        ]
        for token, each in charter.categories.items()
    ]


def _villages(charter: Charter) -> Rows:
    return [
        [token, each.name, each.linked_leader or "", str(each.households or "")]
        for token, each in charter.villages.items()
    ]


def _stages(charter: Charter) -> Rows:
    return [
        [
            stage.id,
            stage.name,
            procedure.name,
            limit_in_words(stage.limit),
            _(", ").join(word(role) for role in stage.by),
        ]
        for procedure in charter.procedures.values()
        for stage in procedure.stages
    ]


def _measures(charter: Charter) -> Rows:
    town = Town(charter)
    problems = charter.plan.problems if charter.plan else ()
    return [
        [
            measure.id,
            measure.name,
            _(", ").join(town.name(each) for each in measure.stations),
            measure.due.isoformat() if measure.due else "",
            problem.name,
        ]
        for problem in problems
        for group in problem.groups
        for measure in group.measures
    ]


TABLES: Mapping[Named, tuple[tuple[str, ...], Callable[[Charter], Rows]]] = {
    Named.STATION: (
        (N_("Token"), N_("Name"), N_("English"), N_("Responsible leader"), N_("Superior")),
        _stations,
    ),
    Named.ACTOR: ((N_("Token"), N_("Name"), N_("Role"), N_("Station")), _actors),
    Named.CATEGORY: (
        (N_("Token"), N_("Name"), N_("Kind"), N_("Station"), N_("Time limit"), N_("Material")),
        _categories,
    ),
    Named.VILLAGE: ((N_("Token"), N_("Name"), N_("Responsible leader"), N_("Households")), _villages),
    Named.STAGE: ((N_("Token"), N_("Name"), N_("Procedure"), N_("Time limit"), N_("Who")), _stages),
    Named.MEASURE: ((N_("Token"), N_("Name"), N_("Station"), N_("Last day"), N_("Problem")), _measures),
}

"""`duban charter show|diff|history`: the charter in force, and what differs between two of them."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from duban_contracts.charter import Charter
from services.console.i18n import N_, _
from services.console.listing import WideOption, in_force
from services.console.sentences import Town, printable
from services.console.tables import table, vertical
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
    say_long,
)

if TYPE_CHECKING:  # what is refused before it is asked starts without NATS
    from services.console.client import Duban

OUTSIDE = {"revision", "published_at", "national_calendar"}
"""What publication gives a charter; two charters do not differ by it."""
REVISION_SECONDS = 3.0


def show(
    ctx: typer.Context,
    section: Annotated[
        str | None,
        typer.Argument(
            help=N_("A part of it, e.g. stations, matters.limits or stations.bianmin; default: an overview"),
            show_default=False,
        ),
    ] = None,
    wide: WideOption = False,
    output: FormatOption = Format.TEXT,
) -> None:
    with ending(output):
        charter = in_force(on_system(ctx, lambda system: system.charter()))
        if section is None and output is Format.TEXT:
            return say(overview(charter))
        document = part(charter, section)
        if output is Format.JSON:
            return say_json(document if isinstance(document, dict) else {str(section): document})
        rows = [[path, value] for path, value in flat(document, section or "")]
        return say_long(table([_("Place"), _("Value")], rows, wide=wide), ctx)


def overview(charter: Charter) -> str:
    """What it is, and how much of what it holds."""
    town = Town(charter)
    published = town.moment(charter.published_at) if charter.published_at else ""
    rows = [
        (_("Name"), printable(charter.name)),
        (_("Town"), printable(charter.township)),
        (_("Revision"), str(charter.revision)),
        (_("Published"), published),
        (_("Time zone"), charter.timezone),
        (_("Stations"), str(len(charter.stations))),
        (_("Actors"), str(len(charter.actors))),
        (_("Villages"), str(len(charter.villages))),
        (_("Categories"), str(len(charter.categories))),
        (_("Procedures"), str(len(charter.procedures))),
        (_("Plan"), printable(charter.plan.name) if charter.plan else ""),
        (
            _("Campaign"),
            printable(f"{charter.campaign.id} {charter.campaign.name}") if charter.campaign else "",
        ),
    ]
    said = vertical([heading for heading, _value in rows], [[value for _heading, value in rows]])
    sections = ", ".join(name for name, value in plain(charter).items() if isinstance(value, dict | list))
    hint = _("`duban charter show SECTION` shows a part: {sections}").format(sections=sections)
    return f"{said}\n\n{hint}"


def diff(
    ctx: typer.Context,
    file: Annotated[
        Path, typer.Argument(help=N_("A charter file: what would change by applying it"), show_default=False)
    ],
    other: Annotated[
        Path | None,
        typer.Argument(help=N_("Compare the first file with this one, not with the charter in force")),
    ] = None,
    wide: WideOption = False,
    output: FormatOption = Format.TEXT,
) -> None:
    with ending(output):
        if other is not None:
            old, new = charter_in(file), charter_in(other)
        else:
            new = charter_in(file)
            old = in_force(on_system(ctx, lambda system: system.charter()))
        changes = list(differences(old, new))
        if output is Format.JSON:
            keys = ("place", "before", "after")
            return say_json({"changes": [dict(zip(keys, each, strict=True)) for each in changes]})
        if not changes:
            return say(_("nothing differs"))
        rows = [[place, before or "", after or ""] for place, before, after in changes]
        return say_long(table([_("Place"), _("Before"), _("After")], rows, wide=wide), ctx)


def history(ctx: typer.Context, output: FormatOption = Format.TEXT) -> None:
    with ending(output):
        revisions, complete = on_system(ctx, past)
        if not revisions:
            raise Stop(
                Exit.REFUSED, "no_charter", _("no charter is in force yet; `duban charter apply FILE`")
            )
        newest = revisions[0]
        rows = []
        for place, charter in enumerate(revisions):
            before = revisions[place + 1] if place + 1 < len(revisions) else None
            changed = len(list(differences(before, charter))) if before else None
            at = Town(newest).moment(charter.published_at) if charter.published_at else ""
            rows.append(
                [str(charter.revision), at, printable(charter.name), "" if changed is None else str(changed)]
            )
        if output is Format.JSON:
            keys = ("revision", "published", "name", "changes")
            return say_json(
                {"revisions": [dict(zip(keys, row, strict=True)) for row in rows], "complete": complete}
            )
        say(table([_("Revision"), _("Published"), _("Name"), _("Places changed")], rows))
        if not complete:
            say(_("earlier revisions are shown to the administrator's credential only"))
        return None


async def past(system: "Duban") -> tuple[list[Charter], bool]:
    """Newest first, and whether these are all that are kept: the bucket is for administrators."""
    from nats.errors import Error as NatsError

    from services.chassis.charter_bucket import published_revisions
    from services.console.client import NotPermitted

    try:
        return await published_revisions(system.client, REVISION_SECONDS), True
    except (NatsError, TimeoutError, NotPermitted):
        current = await system.charter()
        return [current] if current else [], False


def charter_in(file: Path) -> Charter:
    """Raises Stop where it is none."""
    from services.chassis.charter_file import CharterErrors, read_charter

    try:
        return read_charter(file)
    except OSError as error:
        raise misuse(_("{file} cannot be read: {why}").format(file=file, why=error.strerror)) from None
    except CharterErrors:
        sentence = _("{file} is no valid charter; `duban charter check {file}` says why")
        raise misuse(sentence.format(file=file)) from None


def plain(charter: Charter) -> dict[str, Any]:
    document: dict[str, Any] = charter.model_dump(mode="json", exclude_none=True, exclude=OUTSIDE)
    return document


def part(charter: Charter, section: str | None) -> Any:
    """Raises Stop with what there is, where there is no such part."""
    found: Any = plain(charter)
    for name in section.split(".") if section else ():
        known = dict(_inside(found))
        if name not in known:
            from difflib import get_close_matches

            near = get_close_matches(name, known) or list(known)[:12]
            hint = _("; did you mean {names}?").format(names=_(", ").join(near)) if near else ""
            raise misuse(_("the charter has no part {name!r}").format(name=section) + hint)
        found = known[name]
    return found


def flat(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every value with its place; what is empty is left out."""
    if isinstance(value, dict | list):
        for name, inner in _inside(value):
            yield from flat(inner, f"{path}.{name}" if path else name)
    else:
        yield path, printable(str(value))


def _inside(value: Any) -> Iterator[tuple[str, Any]]:
    """Lists of things with an id by that, so that one more of them moves nothing."""
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list):
        for place, inner in enumerate(value, 1):
            name = inner.get("id") if isinstance(inner, dict) else None
            yield str(name or place), inner


def differences(old: Charter, new: Charter) -> Iterator[tuple[str, str | None, str | None]]:
    """Place, value before and value after, in the order of the new one; None: it is not there."""
    before, after = dict(flat(plain(old))), dict(flat(plain(new)))
    for place in [*after, *(each for each in before if each not in after)]:
        if before.get(place) != after.get(place):
            yield place, before.get(place), after.get(place)

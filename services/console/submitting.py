"""`duban submit`: a matter comes in over the counter; what intake says to it, and its number."""

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import NAMESPACE_URL, uuid4, uuid5

import typer

from duban_contracts.charter import MatterKind
from duban_contracts.intake import Channel, MatterAccepted, SubmitMatter
from duban_contracts.queries import AnswerGiven, EntryCard, FindEntry, Found, ShowEntry, Shown
from services.console.asking import (
    WAIT_SECONDS,
    ActingForOption,
    AtOption,
    WaitOption,
    day,
    moment,
    outcome,
    tell,
)
from services.console.bodies import build
from services.console.filtering import coded
from services.console.i18n import N_, _
from services.console.names import have_names, in_tokens, without_names
from services.console.numbers import half_width
from services.console.sentences import ABSENT, Town, deadline, read_fact
from services.console.terminal import Format, FormatOption, ending, on_system, say

if TYPE_CHECKING:  # what is refused before it is sent starts without NATS
    from services.console.client import Duban, Order

NUMBER_SECONDS = 5.0
PERSONAL = {"petitioner", "text"}


def submit(
    ctx: typer.Context,
    title: Annotated[str, typer.Option("--title", help=N_("What it is about, without names"))],
    category: Annotated[str, typer.Option("--category", help=N_("A category of the charter"))],
    kind: Annotated[
        MatterKind | None,
        typer.Option(
            "--kind",
            parser=coded(MatterKind),
            metavar="|".join(MatterKind),
            help=N_("Default: the category's"),
        ),
    ] = None,
    village: Annotated[str | None, typer.Option("--village", help=N_("A village of the charter"))] = None,
    channel: Annotated[
        Channel,
        typer.Option(
            "--channel", parser=coded(Channel), metavar="|".join(Channel), help=N_("How it came in")
        ),
    ] = Channel.OTHER,
    text: Annotated[str | None, typer.Option("--text", help=N_("The petitioner's own words"))] = None,
    name: Annotated[str | None, typer.Option("--name", help=N_("The petitioner's name"))] = None,
    phone: Annotated[str | None, typer.Option("--phone", help=N_("The petitioner's telephone"))] = None,
    on_behalf_of: Annotated[
        str | None, typer.Option("--on-behalf-of", help=N_("For whom the petitioner speaks"))
    ] = None,
    confidential: Annotated[
        bool, typer.Option("--confidential", help=N_("The petitioner wants to stay unnamed"))
    ] = False,
    hardship: Annotated[bool, typer.Option("--hardship", help=N_("A household in hardship"))] = False,
    safety: Annotated[bool, typer.Option("--safety", help=N_("Somebody is in danger"))] = False,
    urgent: Annotated[bool, typer.Option("--urgent", help=N_("Cannot wait"))] = False,
    material: Annotated[
        list[str] | None, typer.Option("--material", help=N_("Material that is there; repeatable"))
    ] = None,
    solved: Annotated[
        str | None, typer.Option("--solved", help=N_("Solved on the spot: the answer given"))
    ] = None,
    station: Annotated[
        str | None, typer.Option("--station", help=N_("The responsible station; from actors who may route"))
    ] = None,
    due_on: Annotated[
        str | None,
        typer.Option("--due-on", help=N_("Last day; from actors who may set deadlines")),
    ] = None,
    id_: Annotated[
        str | None,
        typer.Option("--id", help=N_("Its name elsewhere, e.g. hotline:4711; sent twice, taken once")),
    ] = None,
    actor: Annotated[
        str, typer.Option("--actor", envvar="DUBAN_ACTOR", help=N_("Who submits it"))
    ] = "gateway",
    at: AtOption = None,
    acting_for: ActingForOption = None,
    wait: WaitOption = WAIT_SECONDS,
    output: FormatOption = Format.TEXT,
) -> None:
    with ending(output):
        petitioner = {
            "name": name,
            "phone": phone,
            "on_behalf_of": on_behalf_of,
            "confidential": confidential or None,
        }
        fields: dict[str, Any] = {
            "title": title,
            "category": category,
            "kind": kind,
            "village": village,
            "channel": channel,
            "text": text,
            "petitioner": _given(petitioner) or None,
            "materials": material,
            "hardship": hardship,
            "safety": safety,
            "urgent": urgent,
            "solved_on_the_spot": solved,
            "station": station,
            "due_on": last.isoformat() if (last := day(due_on)) else None,
        }
        matter_of(**without_names(fields))
        known_as = half_width(id_) if id_ else None
        when, who = moment(at), {"actor": actor, "acting_for": acting_for}

        async def submitted(system: "Duban") -> tuple[AnswerGiven, Town, Numbered | None]:
            charter = await system.charter() if have_names(fields | who) else None
            matter, sender = matter_of(**in_tokens(charter, fields)), in_tokens(charter, who)
            order = order_of(matter, sender["actor"], known_as, when, sender["acting_for"])
            return await _submitted(system, order, wait)

        given, town, card = on_system(ctx, submitted)
        number = {"entry": card.model_dump(mode="json") if card else None}
        tell(given, town, output, **number)
        if output is Format.TEXT and _accepted(given):
            say(_numbered(card, town))


def matter_of(**fields: Any) -> SubmitMatter:
    """Raises Stop where a field breaks the contract."""
    matter = build(SubmitMatter, _given(fields))
    assert isinstance(matter, SubmitMatter)  # noqa: S101 - for the type checker: build gives what it was asked
    return matter


def _given(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def order_of(
    matter: SubmitMatter, actor: str, name: str | None, at: datetime | None, acting_for: str | None
) -> "Order":
    """With a name of its own, the same matter sent twice is the same message; without, a new one.

    Personal data is left out of the message id: it travels into facts as their cause.
    """
    from services.console.client import Order

    content = matter.model_dump_json(exclude=PERSONAL)
    id_ = uuid5(NAMESPACE_URL, f"{actor}/{name}/{content}") if name else uuid4()
    return Order(matter, key=name or str(uuid4()), actor=actor, id=str(id_), at=at, acting_for=acting_for)


Numbered = EntryCard | Found
"""A conduct matter has its number, and nothing of it is shown."""


async def _submitted(
    system: "Duban", order: "Order", wait: float
) -> tuple[AnswerGiven, Town, Numbered | None]:
    given, town = await outcome(system, order, wait)
    return given, town, await numbered(system, order.key, order.actor) if _accepted(given) else None


def _accepted(given: AnswerGiven) -> bool:
    return any(isinstance(read_fact(told), MatterAccepted) for told in given.facts)


async def numbered(
    system: "Duban", submission: str, actor: str, patience: float = NUMBER_SECONDS
) -> Numbered | None:
    """The entry that the ledger opened; None where it did not within `patience` seconds.

    Asked as the actor who submitted: who brought a conduct matter is given its number as a receipt.
    """
    from services.console.client import Misasked, NotPermitted, Unreachable

    try:
        async with asyncio.timeout(patience):
            return await _numbered_at_last(system, submission, actor)
    except (TimeoutError, Unreachable, Misasked, NotPermitted):
        return None


async def _numbered_at_last(system: "Duban", submission: str, actor: str) -> Numbered:
    pause = 0.05
    while True:
        found = await system.ask("ledger", "find", FindEntry(submission=submission), Found, actor=actor)
        if found.entry:
            show = ShowEntry(entry=found.entry)
            return (await system.ask("ledger", "show", show, Shown, actor=actor)).card or found
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, 0.5)


def _numbered(card: Numbered | None, town: Town) -> str:
    if card is None:
        return _("accepted, but the ledger has not given it a number yet")
    if isinstance(card, Found):
        return _("entry {entry}; more of it is shown to the office and the commission").format(
            entry=card.entry
        )
    last = deadline(card.due_at, town) if card.due_at else ABSENT
    return _("entry {entry}, due {due}").format(entry=card.entry, due=last)

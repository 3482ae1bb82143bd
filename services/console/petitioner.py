"""`duban petitioner`: who is behind an entry, for whoever has an open duty on it. Shown, and kept nowhere."""

from typing import Annotated

import typer
from rich.table import Table

from duban_contracts.intake import PetitionerShown, ShowPetitioner
from duban_contracts.queries import AnswerGiven, AskPetitioner, PetitionerFound, PetitionerRead
from services.console.asking import WAIT_SECONDS, ActorOption, WaitOption, outcome, tell
from services.console.bodies import build
from services.console.client import Duban, Order
from services.console.i18n import N_, _
from services.console.names import have_names, in_tokens
from services.console.numbers import entry_number
from services.console.sentences import ABSENT, Town, printable, read_fact
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
from services.console.words import word


def petitioner(
    ctx: typer.Context,
    entry: Annotated[str, typer.Argument(help=N_("Number of the entry, e.g. 2024-000123"))],
    reason: Annotated[
        str, typer.Option("--reason", help=N_("What it is needed for; it stays on record who read it"))
    ],
    actor: ActorOption = "",
    wait: WaitOption = WAIT_SECONDS,
    output: FormatOption = Format.TEXT,
) -> None:
    with ending(output):
        if not actor:
            raise misuse(_("{name} is missing").format(name="--actor"))
        command, number = build(ShowPetitioner, {"reason": reason}), entry_number(entry)
        who = {"actor": actor}

        async def shown(system: Duban) -> tuple[AnswerGiven, Town, PetitionerRead | None]:
            sender = in_tokens(await system.charter() if have_names(who) else None, who)
            order = Order(command, key=f"entry/{number}", actor=sender["actor"])
            return await _read(system, order, number, wait)

        given, town, read = on_system(ctx, shown)
        if not _granted(given):
            tell(given, town, output)
        elif read is None:
            sentence = _("intake has nothing of entry {entry} to show any more").format(entry=number)
            raise Stop(Exit.REFUSED, "nothing_to_show", sentence, entry=number)
        elif output is Format.JSON:
            say_json(read.model_dump(mode="json", exclude_none=True))
        else:
            say(table(read, town))


async def _read(
    system: Duban, order: Order, entry: str, wait: float
) -> tuple[AnswerGiven, Town, PetitionerRead | None]:
    """The reading is on record before anything is read."""
    given, town = await outcome(system, order, wait)
    if not _granted(given):
        return given, town, None
    question = AskPetitioner(entry=entry)
    found = await system.ask("intake", "petitioner", question, PetitionerFound, actor=order.actor)
    return given, town, found.read


def _granted(given: AnswerGiven) -> bool:
    return any(isinstance(read_fact(told), PetitionerShown) for told in given.facts)


def table(read: PetitionerRead, town: Town) -> Table:
    shown = Table(box=None, show_header=False)
    person = read.petitioner
    for label, value in (
        (_("Entry"), read.entry),
        (_("Submission"), read.submission),
        (_("came in"), f"{town.moment(read.submitted_at)}, {word(read.channel)}"),
        (_("Title"), read.title),
        (_("Petitioner"), person.name if person else None),
        (_("Telephone"), person.phone if person else None),
        (_("On behalf of"), person.on_behalf_of if person else None),
        (_("In his own words"), read.text),
    ):
        shown.add_row(label, printable(value) if value else ABSENT)
    if read.withheld:
        shown.add_row("", _("the petitioner wants to stay unnamed: the office alone sees who it is"))
    elif person and person.confidential:
        shown.add_row("", _("the petitioner wants to stay unnamed"))
    return shown

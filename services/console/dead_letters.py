"""`duban dead-letters`: messages that could not be read: list, show, replay and drop them."""

import asyncio
from typing import Annotated

import typer

from duban_contracts.message import SERVICES
from duban_contracts.operations import (
    DeadLetterCard,
    DeadLetterDecided,
    DeadLetterPage,
    DeadLetterShown,
    DeadLetterVerb,
    DecideDeadLetter,
    ListDeadLetters,
    ShowDeadLetter,
)
from services.console.client import Duban
from services.console.i18n import N_, _
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
)
from services.console.unreadable import why_unreadable

app = typer.Typer(help=N_("Messages that could not be read"), no_args_is_help=True)
Letter = Annotated[str, typer.Argument(help=N_("Its name, e.g. INTAKE_CMD.intake.17"), show_default=False)]
ServiceOption = Annotated[str | None, typer.Option("--service", help=N_("Of one service only"))]
STATES = {"waiting": N_("waiting"), "replayed": N_("replayed"), "dropped": N_("dropped")}


@app.command("list", help=N_("Those that wait for a decision, newest first"))
def list_(
    ctx: typer.Context,
    service: ServiceOption = None,
    everything: Annotated[
        bool, typer.Option("--all", help=N_("Also those that were replayed or dropped"))
    ] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=500, help=N_("At most, of each service"))] = 50,
    output: FormatOption = Format.TEXT,
) -> None:
    with ending(output):
        if service is not None and service not in SERVICES:
            raise _no_service(service)
        asked = ListDeadLetters(everything=everything, limit=limit)
        names = [service] if service else list(SERVICES)
        pages = on_system(ctx, lambda system: _pages(system, names, asked))
        cards = [card for page in pages for card in page.letters]
        if output is Format.JSON:
            say_json({"letters": [card.model_dump(mode="json") for card in cards]})
        elif cards:
            say(table([_("Letter"), _("Reason"), _("Actor"), _("State"), _("Detail")], map(_row, cards)))
            if any(page.next for page in pages):
                say(_("there are more; ask with a larger --limit"))
        else:
            say(_("no dead letters wait"))


@app.command("show", help=N_("One of them, with its beginning; personal data are masked"))
def show(ctx: typer.Context, letter: Letter, output: FormatOption = Format.TEXT) -> None:
    with ending(output):
        service, asked = _service_of(letter), ShowDeadLetter(letter=letter)
        shown = on_system(ctx, lambda system: system.ask(service, "dead_letter", asked, DeadLetterShown))
        if shown.card is None:
            raise Stop(
                Exit.REFUSED, "no_such_letter", _("there is no dead letter {letter}").format(letter=letter)
            )
        if output is Format.JSON:
            say_json(shown.model_dump(mode="json"))
        else:
            facts = _facts(shown.card)
            say(vertical([name for name, _value in facts], [[value for _name, value in facts]]))
            for name, value in shown.headers.items():
                say(f"{name}: {value}")
            say("")
            say(shown.body)


@app.command("replay", help=N_("Deliver the original once more, under its own identity"))
def replay(ctx: typer.Context, letter: Letter, output: FormatOption = Format.TEXT) -> None:
    _decide(ctx, letter, DeadLetterVerb.REPLAY, "", output)


@app.command("drop", help=N_("Give one up; who did it and why is kept"))
def drop(
    ctx: typer.Context,
    letter: Letter,
    reason: Annotated[str, typer.Option("--reason", help=N_("Why nobody needs it"))] = "",
    output: FormatOption = Format.TEXT,
) -> None:
    with ending(output):
        if not reason.strip():
            raise misuse(_("say why it is dropped, with --reason"))
    _decide(ctx, letter, DeadLetterVerb.DROP, reason, output)


def _decide(ctx: typer.Context, letter: str, verb: DeadLetterVerb, reason: str, output: Format) -> None:
    with ending(output):
        service = _service_of(letter)
        asked = DecideDeadLetter(letter=letter, verb=verb, reason=reason)
        decided = on_system(
            ctx,
            lambda system: system.ask(service, "decide_dead_letter", asked, DeadLetterDecided, patience=30),
        )
        if not decided.done:
            raise Stop(Exit.REFUSED, "not_done", decided.outcome, letter=letter)
        if output is Format.JSON:
            say_json(decided.model_dump(mode="json"))
        else:
            say(_("{letter}: done ({outcome})").format(letter=letter, outcome=decided.outcome))


async def _pages(system: Duban, services: list[str], asked: ListDeadLetters) -> list[DeadLetterPage]:
    return list(
        await asyncio.gather(*(system.ask(each, "dead_letters", asked, DeadLetterPage) for each in services))
    )


def _service_of(letter: str) -> str:
    """`<stream>.<consumer>.<sequence>`; the consumer `<service>-<view>` is one of that service."""
    parts = letter.split(".")
    service = parts[1].partition("-")[0] if len(parts) == 3 else ""
    if service not in SERVICES:
        example = "INTAKE_CMD.intake.17"
        raise misuse(
            _("{letter!r} is no dead letter's name; it is like {example}").format(
                letter=letter, example=example
            )
        )
    return service


def _no_service(name: str) -> Stop:
    known = ", ".join(SERVICES)
    return misuse(_("there is no service {name!r}; there are {known}").format(name=name, known=known))


def _row(card: DeadLetterCard) -> tuple[str, ...]:
    return card.letter, card.reason, card.actor or "-", _(STATES[card.state]), why_unreadable(card.detail)


def _facts(card: DeadLetterCard) -> list[tuple[str, str]]:
    facts = [
        (_("Letter"), card.letter),
        (_("Reason"), f"{card.reason}: {why_unreadable(card.detail)}"),
        (_("Subject"), card.subject),
        (_("Actor"), card.actor or "-"),
        (_("Stored"), card.stored_at.isoformat()),
        (_("Bytes"), str(card.bytes)),
        (_("State"), _(STATES[card.state])),
    ]
    if card.by:
        facts.append((_("Decided by"), f"{card.by}: {card.outcome}"))
    return facts

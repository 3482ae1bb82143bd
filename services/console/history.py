"""`duban history`: everything that ever happened to a key, in whichever services know it."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from duban_contracts.charter import Charter
from duban_contracts.message import SERVICES
from duban_contracts.queries import Answers, HistoryOf, ToldFact
from services.console.asking import fact_document, fact_line
from services.console.asking_register import asking
from services.console.i18n import N_, _
from services.console.names import Named, token_of
from services.console.numbers import entry_number
from services.console.sentences import Town
from services.console.terminal import (
    Exit,
    Format,
    FormatOption,
    Stop,
    complain,
    ending,
    misuse,
    on_system,
    say_json,
    say_long,
)

if TYPE_CHECKING:  # what is refused before it is asked starts without NATS
    from services.console.client import Duban

FORBIDDEN = 403


class ServiceName(StrEnum):
    INTAKE = "intake"
    LEDGER = "ledger"
    RATING = "rating"
    SUPERVISION = "supervision"
    ESCALATION = "escalation"


def history(
    ctx: typer.Context,
    key: Annotated[
        str,
        typer.Argument(
            help=N_(
                "An entry (15 is this year's), a round (2026-000015/1), a submission, campaign/2026, "
                "finding/..., plan/2026, a station or an actor"
            )
        ),
    ],
    service: Annotated[
        ServiceName | None, typer.Option("--service", help=N_("Ask only this one; default: all"))
    ] = None,
    output: FormatOption = Format.TEXT,
) -> None:
    with ending(output):
        number = entry_number(key)
        question = asking(HistoryOf, key=number)
        asked = [service.value] if service else list(SERVICES)
        facts, kept_back, town = on_system(ctx, lambda system: told(system, asked, question))
        if not facts:
            if service and kept_back:
                raise misuse(_("this actor may not ask {service} for a history").format(service=service))
            sentence = _("nothing is known of {key} here; check the key").format(key=number)
            raise Stop(Exit.REFUSED, "no_such_key", sentence + _not_asked(kept_back), key=number)
        if output is Format.JSON:
            say_json({"key": number, "facts": [fact_document(each, town) for each in facts]})
        else:
            say_long("\n".join(fact_line(each, town) for each in facts), ctx)
            if kept_back:
                complain(_not_asked(kept_back).removeprefix("\n"))


def _not_asked(kept_back: list[str]) -> str:
    """On a line of its own; empty where every service answered."""
    sentence = _("not asked, for this actor may not: {services}; DUBAN_ACTOR says who asks")
    return f"\n{sentence.format(services=_(', ').join(kept_back))}" if kept_back else ""


async def told(
    system: "Duban", services: list[str], question: HistoryOf
) -> tuple[list[ToldFact], list[str], Town]:
    """In the order of time, and which services do not answer this actor."""
    from services.console.client import Misasked, NotPermitted

    charter = await system.charter()
    question = question.model_copy(update={"key": key_of(charter, question.key)})
    facts, kept_back = list[ToldFact](), list[str]()
    for service in services:
        try:
            facts += await of_service(system, service, question)
        except NotPermitted:
            kept_back.append(service)
        except Misasked as fault:
            if fault.code != FORBIDDEN:
                raise
            kept_back.append(service)
    return sorted(facts, key=lambda each: each.time), kept_back, Town(charter)


def key_of(charter: Charter | None, text: str) -> str:
    """A station or an actor may be called by name; any other key is none of the charter's."""
    try:
        return token_of(charter, Named.ACTOR, text)
    except Stop:
        return text


async def of_service(system: "Duban", service: str, question: HistoryOf) -> list[ToldFact]:
    page = await system.ask(service, "history", question, Answers)
    facts = [told for given in page.answers for told in given.facts]
    while page.next:
        page = await system.ask(service, "history", question.model_copy(update={"after": page.next}), Answers)
        facts += [told for given in page.answers for told in given.facts]
    return facts

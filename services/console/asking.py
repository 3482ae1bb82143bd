"""`duban do`: any command of the catalogue, sent and waited for; what came of it, fact by fact."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import uuid4

import typer
from pydantic import AwareDatetime, TypeAdapter, ValidationError

from duban_contracts.intake import MatterIncomplete
from duban_contracts.message import Command, CommandRefused
from duban_contracts.queries import AnswerGiven, ToldFact
from services.console.bodies import body_of, build, commands, find_command, full_name
from services.console.i18n import N_, _
from services.console.sentences import Town, read_fact, sentence
from services.console.tables import table
from services.console.terminal import (
    Exit,
    Format,
    FormatOption,
    Stop,
    YesOption,
    confirm,
    ending,
    misuse,
    on_system,
    say,
    say_json,
    say_long,
)
from services.console.words import word

if TYPE_CHECKING:  # what only lists or refuses starts without NATS
    from services.console.client import Duban, Order

WAIT_SECONDS = 30.0
GRAVE = {"escalation.approve_step"}
"""A named human decides these: without --yes they are refused where nobody can be asked."""
ASKED = GRAVE | {"escalation.withdraw_circular"}
"""Before these a person is asked whether it is meant."""
NOT_DONE = (MatterIncomplete,)
"""Facts beside the refusal by which what was asked for did not come about."""

ActorOption = Annotated[
    str,
    typer.Option("--actor", envvar="DUBAN_ACTOR", help=N_("Who is acting: a station or an actor's token")),
]
AtOption = Annotated[
    str | None,
    typer.Option("--at", help=N_("When it was done, with a zone; believed from marked actors only")),
]
ActingForOption = Annotated[
    str | None,
    typer.Option("--acting-for", help=N_("Who did it, where a marked actor reports what others did")),
]
WaitOption = Annotated[float, typer.Option("--wait", min=0.0, help=N_("Seconds to wait for the outcome"))]


def do(
    ctx: typer.Context,
    command: Annotated[
        str, typer.Argument(help=N_("Name of the command, e.g. accept or ledger.accept"), show_default=False)
    ] = "",
    key: Annotated[
        str, typer.Option("--key", help=N_("What it is about: an entry, a station, a submission ..."))
    ] = "",
    actor: ActorOption = "",
    file: Annotated[
        str | None, typer.Option("--file", help=N_("JSON file with the body; - for standard input"))
    ] = None,
    field: Annotated[
        list[str] | None, typer.Option("--field", help=N_("One field of the body, name=value; repeatable"))
    ] = None,
    id_: Annotated[
        str | None, typer.Option("--id", help=N_("Message id, by which a repeat is recognised"))
    ] = None,
    at: AtOption = None,
    acting_for: ActingForOption = None,
    wait: WaitOption = WAIT_SECONDS,
    list_: Annotated[
        bool, typer.Option("--list", help=N_("List all commands and who may send them"))
    ] = False,
    help_fields: Annotated[
        bool, typer.Option("--help-fields", help=N_("Show the fields of the command's body"))
    ] = False,
    yes: YesOption = False,
    output: FormatOption = Format.TEXT,
) -> None:
    with ending(output):
        if list_:
            show_commands(output)
        elif help_fields:
            show_fields(find_command(_needed("COMMAND", command)), output)
        else:
            from services.console.client import Order

            order = Order(
                _command(_needed("COMMAND", command), file, field or ()),
                key=_needed("--key", key),
                actor=_needed("--actor", actor),
                id=id_ or str(uuid4()),
                at=moment(at),
                acting_for=acting_for,
            )
            _meant(full_name(type(order.command)), order.key, yes)
            tell(*on_system(ctx, lambda system: outcome(system, order, wait)), output)


def _meant(command: str, key: str, yes: bool) -> None:
    if command in ASKED:
        question = _("{command} for {key} has consequences that cannot be taken back. Is it meant?")
        confirm(question.format(command=command, key=key), yes=yes, grave=command in GRAVE)


def _command(name: str, file: str | None, fields: Iterable[str]) -> Command:
    model = find_command(name)
    return build(model, *body_of(file, fields))


def _needed(name: str, value: str) -> str:
    if not value:
        raise misuse(_("{name} is missing").format(name=name))
    return value


def moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return TypeAdapter(AwareDatetime).validate_strings(text).astimezone(UTC)
    except (ValidationError, OverflowError):
        sentence = _("{text!r} is not a time with a zone, like 2024-04-15T09:00:00+08:00")
        raise misuse(sentence.format(text=text)) from None


async def outcome(system: "Duban", order: "Order", wait: float = WAIT_SECONDS) -> tuple[AnswerGiven, Town]:
    """Send it and wait; raises Unreachable, or Stop where it is stored but not answered yet."""
    from services.console.client import NotAnswered, Unreachable

    await system.send(order)
    try:
        given = await system.outcome(order, wait)  # sends again, which the broker knows for a copy by its id
    except (NotAnswered, Unreachable):
        text = _("{command} is stored as {id} and will be answered, but was not within {seconds:g} s")
        stored = text.format(command=full_name(type(order.command)), id=order.id, seconds=wait)
        raise Stop(Exit.UNREACHABLE, "not_answered", stored, id=order.id, key=order.key) from None
    return given, Town(await system.charter())


def tell(given: AnswerGiven, town: Town, output: Format, **more: Any) -> None:
    """Every fact with its sentence; ends with status 1 if one of them says that it was not to be."""
    answers = [read_fact(told) for told in given.facts]
    refused = any(isinstance(fact, CommandRefused) for fact in answers)
    if output is Format.JSON:
        facts = [fact_document(told, town) for told in given.facts]
        say_json({"key": given.key, "message": given.message, "refused": refused, "facts": facts, **more})
    else:
        for told in given.facts:
            say(fact_line(told, town))
    if refused or any(isinstance(fact, NOT_DONE) for fact in answers):
        raise typer.Exit(Exit.REFUSED)


def fact_line(told: ToldFact, town: Town) -> str:
    when = town.moment(datetime.fromisoformat(told.time))
    return f"{when}  {told.type}  {_sentence(told, town)}"


def fact_document(told: ToldFact, town: Town) -> dict[str, Any]:
    data: Any = TypeAdapter(dict[str, Any]).validate_json(told.data)
    return {"type": told.type, "time": told.time, "data": data, "sentence": _sentence(told, town)}


def _sentence(told: ToldFact, town: Town) -> str:
    fact = read_fact(told)
    return sentence(fact, town) if fact else _("(a fact that this program does not know yet)")


def show_commands(output: Format) -> None:
    if output is Format.JSON:
        known = {
            name: {"by": sorted(each.by), "about": _about(each), "fields": list(each.model_fields)}
            for name, each in commands().items()
        }
        return say_json(known)
    rows = [
        [name, _(", ").join(word(role) for role in sorted(each.by)), " ".join(each.model_fields)]
        for name, each in commands().items()
    ]
    return say_long(table([_("Command"), _("Who may send it"), _("Fields")], rows))


def show_fields(model: type[Command], output: Format) -> None:
    schema = model.model_json_schema()
    if output is Format.JSON:
        return say_json(schema)
    say(f"{full_name(model)}: {_about(model)}".rstrip(": "))
    rows = []
    for name, field in schema.get("properties", {}).items():
        required = _("yes") if name in schema.get("required", ()) else _("no")
        rows.append([name, _kind(field, schema.get("$defs", {})), required, field.get("description", "")])
    return say_long(table([_("Field"), _("Values"), _("Required"), _("Meaning")], rows))


def _about(model: type[Command]) -> str:
    return (model.__doc__ or "").strip().partition("\n")[0]


def _kind(field: dict[str, Any], defined: dict[str, Any]) -> str:
    """The values of a field in words: its type, or all that it may be."""
    match field:
        case {"$ref": str(reference)}:
            return _kind(defined[reference.rpartition("/")[2]], defined)
        case {"enum": list(values)}:
            return " | ".join(map(str, values))
        case {"anyOf": list(options)}:
            return " | ".join(_kind(each, defined) for each in options if each.get("type") != "null")
        case {"type": "array", "items": dict(item)}:
            return f"[{_kind(item, defined)}, ...]"
        case {"type": "object", "properties": dict(inside)}:
            return "{" + ", ".join(inside) + "}"
        case _:
            return str(field.get("format") or field.get("type", ""))

"""`duban do`: any command of the catalogue, sent and waited for; what came of it, fact by fact."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import uuid4

import typer
from pydantic import AwareDatetime, TypeAdapter, ValidationError

from duban_contracts.intake import MatterIncomplete
from duban_contracts.message import Command, CommandRefused, Refusal
from duban_contracts.queries import AnswerGiven, ToldFact
from services.console import command_help
from services.console.bodies import Given, body_of, build, commands, find_command, full_name, split_words
from services.console.i18n import N_, _
from services.console.names import FIELDS, LISTS, Named, is_token, token_of
from services.console.numbers import entry_number, half_width, round_key
from services.console.sentences import Town, read_fact, sentence
from services.console.tables import table
from services.console.terminal import (
    Exit,
    Format,
    FormatOption,
    Stop,
    YesOption,
    complain,
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
    from duban_contracts.charter import Charter
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


CONTEXT_SETTINGS = {"ignore_unknown_options": True, "allow_extra_args": True}
"""Fields of the body may stand on the line as options: which there are depends on the command."""


def explain(words: list[str]) -> str | None:
    """The page of the command that is named; None: the general help."""
    known = {name for full in commands() for name in (full, full.partition(".")[2])}
    bare = [word.replace("-", "_") for word in words if not word.startswith("-")]
    named = next((word for word in bare if word in known), bare[0] if bare else None)
    return command_help.explained(find_command(named)) if named else None


def do(
    ctx: typer.Context,
    command: Annotated[
        str,
        typer.Argument(
            help=N_("Name of the command, e.g. accept or ledger.accept; its --help explains it"),
            show_default=False,
        ),
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
            show_fields(find_command(_needed("COMMAND", command, _("`duban do --list` shows all"))), output)
        else:
            model = find_command(_needed("COMMAND", command, _("`duban do --list` shows all")))
            bare, fields = split_words(ctx.args, model)
            body, given = body_of(file, [*(field or ()), *fields])
            about = _key(model, key, bare, body, given)
            draft = Draft.of(
                model,
                body,
                _with_key(model, about, body, given),
                key=about,
                actor=half_width(_needed("--actor", actor, _("DUBAN_ACTOR or a context gives it, too"))),
                id=half_width(id_ or "") or str(uuid4()),
                at=moment(at),
                acting_for=acting_for and half_width(acting_for),
            )
            _meant(full_name(model), draft.key, yes)
            tell(*on_system(ctx, lambda system: draft.sent(system, wait)), output)


def _key(model: type[Command], key: str, bare: list[str], body: Mapping[str, Any], given: Given) -> str:
    """As `--key` says, else the word behind the command, else the field that holds it too."""
    form = command_help.key_form(model)
    known = {**body, **dict(given)}
    held = str(known.get(form.field, "")) if form.field else ""
    words = [word for word in (key, *bare) if word]
    if len(words) > 1:
        raise misuse(_("not understood: {names}").format(names=_(", ").join(words[1:])))
    found = words[0] if words else form.always or held
    if not found:
        sentence = _("{name} is missing").format(name="--key")
        hint = _("{form}, e.g. {example}").format(form=_(form.form), example=form.example)
        raise misuse(f"{sentence}: {hint}")
    if form is command_help.ROUND:
        return round_key(found)
    return entry_number(found) if form is command_help.ENTRY else half_width(found)


def _with_key(model: type[Command], key: str, body: Mapping[str, Any], given: Given) -> Given:
    """The key stands for the field that says the same, where that is not given."""
    name = command_help.key_form(model).field
    if name is None or name in {**body, **dict(given)}:
        return given
    return [*given, (name, key)]


ENTRY_FIELDS = ("into", "recurs")
"""Fields of commands that hold the number of an entry."""


@dataclass(frozen=True)
class Draft:
    """A command as it was typed: names of the charter become tokens when the charter is at hand."""

    model: type[Command]
    body: Mapping[str, Any]
    given: Given
    key: str
    actor: str
    id: str
    at: datetime | None
    acting_for: str | None

    @classmethod
    def of(cls, model: type[Command], body: Mapping[str, Any], given: Given, **about: Any) -> "Draft":
        """Raises Stop where it breaks its contract, whatever its names turn out to be."""
        draft = cls(model, body, given, **about)
        draft.command(lambda _kind, text: text if is_token(text) else "name")
        return draft

    def command(self, token: Callable[[Named, str], str]) -> Command:
        given = [(name, self._token(name, text, token)) for name, text in self.given]
        return build(self.model, self.body, given)

    def _token(self, name: str, text: str, token: Callable[[Named, str], str]) -> str:
        if name in ENTRY_FIELDS:
            return entry_number(text)
        kind = FIELDS.get(name)
        if kind is None or not command_help.holds_tokens(self.model, name) or text.startswith("["):
            return half_width(text) if command_help.holds_key(self.model, name) else text
        return token(kind, half_width(text))

    async def sent(self, system: "Duban", wait: float) -> tuple[AnswerGiven, Town]:
        from services.console.client import Order

        charter = await system.charter() if self._has_names() else None

        def token(kind: Named, text: str) -> str:
            return text if is_token(text) and charter is None else token_of(charter, kind, text)

        order = Order(
            self.command(token),
            key=self.key,
            actor=token(Named.ACTOR, self.actor),
            id=self.id,
            at=self.at,
            acting_for=self.acting_for and token(Named.ACTOR, self.acting_for),
        )
        return await outcome(system, order, wait)

    def _has_names(self) -> bool:
        named: list[str] = []

        def seen(_kind: Named, text: str) -> str:
            named.append(text)
            return text if is_token(text) else "name"

        self.command(seen)
        return not all(map(is_token, filter(None, (*named, self.actor, self.acting_for))))


def _meant(command: str, key: str, yes: bool) -> None:
    if command in ASKED:
        question = _("{command} for {key} has consequences that cannot be taken back. Is it meant?")
        confirm(question.format(command=command, key=key), yes=yes, grave=command in GRAVE)


def _needed(name: str, value: str, hint: str) -> str:
    if not value:
        raise misuse(_("{name} is missing").format(name=name) + _("; ") + hint)
    return value


def moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return TypeAdapter(AwareDatetime).validate_strings(half_width(text)).astimezone(UTC)
    except (ValidationError, OverflowError):
        sentence = _("{text!r} is not a time with a zone, like 2024-04-15T09:00:00+08:00")
        raise misuse(sentence.format(text=text)) from None


def day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(half_width(text))
    except ValueError:
        raise misuse(_("{text!r} is not a day like 2024-04-15").format(text=text)) from None


def _check_believed(charter: "Charter | None", actor: str) -> None:
    """Raises Stop where the services would take the time of arrival instead of `--at`, and not say so."""
    known = charter.everyone().get(actor) if charter else None
    if known is not None and not known.may_backdate:
        sentence = _(
            "--at is not believed of {actor}, who is not marked may_backdate in the charter: leave --at "
            "out, or send it as an actor who is marked (`duban list actors`); nothing was sent"
        )
        raise Stop(Exit.REFUSED, "not_believed", sentence.format(actor=actor), actor=actor)


async def outcome(system: "Duban", order: "Order", wait: float = WAIT_SECONDS) -> tuple[AnswerGiven, Town]:
    """Send it and wait; raises Unreachable, or Stop where it is stored but not answered yet."""
    from services.console.client import NotAnswered, Unreachable

    if order.at is not None:
        _check_believed(await system.charter(), order.actor)
    await system.send(order, patience=wait)
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
        if not given.facts:
            say(_("done; nothing changed that would be told"))
        for fact in answers:
            if isinstance(fact, CommandRefused) and (hint := refusal_hint(fact, town)):
                complain(hint)
    if refused or any(isinstance(fact, NOT_DONE) for fact in answers):
        raise typer.Exit(Exit.REFUSED)


UNKNOWN: Mapping[Refusal, Named] = {
    Refusal.UNKNOWN_STATION: Named.STATION,
    Refusal.UNKNOWN_CATEGORY: Named.CATEGORY,
    Refusal.UNKNOWN_VILLAGE: Named.VILLAGE,
    Refusal.UNKNOWN_MEASURE: Named.MEASURE,
    Refusal.UNKNOWN_ACTOR: Named.ACTOR,
}


def refusal_hint(fact: CommandRefused, town: Town) -> str:
    """What may be meant, where the service knows no such token."""
    kind = UNKNOWN.get(fact.reason)
    if kind is None or town.charter is None:
        return ""
    return _("see `duban list {kind}` for what there is").format(kind=LISTS[kind])


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
            name: {
                "by": sorted(each.by),
                "about": command_help.about(each),
                "fields": list(each.model_fields),
            }
            for name, each in commands().items()
        }
        return say_json(known)
    rows = [
        [name, _(", ").join(word(role) for role in sorted(each.by)), " ".join(each.model_fields)]
        for name, each in commands().items()
    ]
    return say_long(table([_("Command"), _("Who may send it"), _("Fields")], rows))


def show_fields(model: type[Command], output: Format) -> None:
    if output is Format.JSON:
        return say_json(model.model_json_schema())
    return say_long(command_help.explained(model))

"""`duban help`: the help of a command, and topics that belong to no command."""

from typing import Annotated, Any

import typer

from services.console.exit_codes import MEANINGS
from services.console.i18n import N_, _
from services.console.tables import columns, table
from services.console.terminal import misuse, say, say_long

EXIT_CODES = "exit-codes"
ENVIRONMENT = "environment"
TOPICS = {
    EXIT_CODES: N_("What the exit codes of every command mean"),
    ENVIRONMENT: N_("The variables of the environment that are read"),
}
VARIABLES = {
    "DUBAN_NATS_URL": N_("address of NATS, with the credential; `up` starts its own all the same"),
    "DUBAN_CONTEXT": N_("name of the context, see `duban context --help`"),
    "DUBAN_ACTOR": N_("who is acting, where a command has --actor"),
    "DUBAN_LANG": N_("en or zh; default: the locale's language"),
    "DUBAN_MONGO_URL": N_("for `up` and `demo`: a running MongoDB instead of their own"),
    "DUBAN_NATS_PORT": N_("port of the NATS that `up` starts"),
    "DUBAN_PAGER": N_("shows long output on a terminal; default: PAGER, else less; empty: none"),
    "DUBAN_DEBUG": N_("1: a fault in this program shows where"),
    "NO_COLOR": N_("set: no colours; CLICOLOR=0 says the same"),
    "XDG_CONFIG_HOME": N_("folder of the contexts; default: ~/.config"),
}


def help_(
    ctx: typer.Context,
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[COMMAND | TOPIC]...", help=N_("Without any: what there is")),
    ] = None,
) -> None:
    match names or []:
        case []:
            root = ctx.find_root()
            topics = table([_("Topic"), _("Meaning")], [[name, _(text)] for name, text in TOPICS.items()])
            say(f"{root.command.get_help(root)}\n\n{topics}")
        case [topic] if topic == EXIT_CODES:
            say(exit_codes())
        case [topic] if topic == ENVIRONMENT:
            say(environment())
        case words:
            say_long(_help_of(ctx, words), ctx)


def exit_codes() -> str:
    rows = [[str(int(code)), _(text)] for code, text in MEANINGS.items()]
    return table([_("Exit code"), _("Meaning")], rows, width=min(columns(), 100))


def environment() -> str:
    rows = [[name, _(text)] for name, text in VARIABLES.items()]
    return table([_("Variable"), _("Meaning")], rows, width=min(columns(), 100))


def _help_of(ctx: typer.Context, words: list[str]) -> str:
    here: Any = ctx.find_root()
    for word in words:
        command = getattr(here.command, "commands", {}).get(word)
        if command is None:
            raise misuse(_("there is no command or topic {name!r}").format(name=" ".join(words)))
        here = type(here)(command, info_name=word, parent=here)
    return str(here.command.get_help(here))

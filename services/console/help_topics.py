"""`duban help`: the help of a command, and topics that belong to no command."""

from difflib import get_close_matches
from typing import Annotated, Any

import typer

from services.console.exit_codes import MEANINGS
from services.console.i18n import N_, _
from services.console.tables import columns, table
from services.console.terminal import Stop, misuse, say, say_long

EXIT_CODES = "exit-codes"
ENVIRONMENT = "environment"
LADDER = "ladder"
TOPICS = {
    EXIT_CODES: N_("What the exit codes of every command mean"),
    ENVIRONMENT: N_("The variables of the environment that are read"),
    LADDER: N_("The rungs on which a station that lags is supervised"),
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

RUNGS = (
    (N_("reminder"), N_("before an entry is due, and on the day; no blame is attached")),
    (N_("supervised handling"), N_("a numbered order to the station, with a day to answer by")),
    (N_("town-wide circular"), N_("proposed by the rules, decided by a person: the town is told who lags")),
    (N_("principal leaders"), N_("decided by a person: the town's principal leaders are told")),
    (N_("discipline commission"), N_("decided by a person: the case goes to the discipline commission")),
)
"""From 0 on; how long a station stands on each is the charter's `ladder` (deploy/charters)."""


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
        case [topic] if topic == LADDER:
            say(ladder())
        case words:
            say_long(_help_of(ctx, words), ctx)


def exit_codes() -> str:
    rows = [[str(int(code)), _(text)] for code, text in MEANINGS.items()]
    return table([_("Exit code"), _("Meaning")], rows, width=min(columns(), 100))


def ladder() -> str:
    rows = [[str(number), _(name), _(text)] for number, (name, text) in enumerate(RUNGS)]
    return table([_("Rung"), _("Name"), _("Meaning")], rows, width=min(columns(), 100))


def environment() -> str:
    rows = [[name, _(text)] for name, text in VARIABLES.items()]
    return table([_("Variable"), _("Meaning")], rows, width=min(columns(), 100))


def _unknown(here: Any, words: list[str], word: str) -> Stop:
    """With what is near: a topic is no command below another."""
    known = [*getattr(here.command, "commands", {}), *(TOPICS if here.parent is None else ())]
    sentence = _("there is no command or topic {name!r}").format(name=" ".join(words))
    near = get_close_matches(word, known)
    if near:
        return misuse(sentence + _("; did you mean {names}?").format(names=_(", ").join(near)))
    return misuse(f"{sentence}; " + _("`duban help` lists them"))


def _help_of(ctx: typer.Context, words: list[str]) -> str:
    here: Any = ctx.find_root()
    for word in words:
        command = getattr(here.command, "commands", {}).get(word)
        if command is None:
            raise _unknown(here, words, word)
        here = type(here)(command, info_name=word, parent=here)
    return str(here.command.get_help(here))

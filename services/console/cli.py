"""`duban`, the operators' command line: one line per command, the rest in its module."""

import sys
from collections.abc import Sequence
from itertools import islice
from typing import Annotated, Any

import typer
from typer.main import get_command

from services.console import (
    asking,
    charter_commands,
    ledger_commands,
    provisioning,
    reporting,
    submitting,
    up,
    watching,
    why,
)
from services.console.demo.command import demo
from services.console.i18n import N_, Lang, _, chosen, use
from services.console.importing.command import import_file
from services.console.terminal import Session

app = typer.Typer(name="duban", no_args_is_help=True, add_completion=False)
app.add_typer(charter_commands.app, name="charter")
app.add_typer(ledger_commands.app, name="ledger")
app.add_typer(reporting.app, name="report")
app.command("import", help=N_("Bring in past cases from a CSV or XLSX file"))(import_file)
app.command("up", help=N_("Run both servers and all services here, until Ctrl-C"))(up.up)
app.command("demo", help=N_("Play the plan's spring of 2024 through the services, as a time-lapse"))(demo)
app.command("provision", help=N_("Create or update streams, consumers and buckets"))(provisioning.provision)
app.command("submit", help=N_("Submit a matter"))(submitting.submit)
app.command("do", help=N_("Send any command of the catalogue, and wait for what comes of it"))(asking.do)
app.command("why", help=N_("Why an entry is due when it is due, day by day"))(why.why)
app.command("watch", help=N_("Where every station stands, and every consequence as it comes"))(watching.watch)


@app.callback(help=N_("Supervised handling (督办): the operators' command line"))
def before(
    ctx: typer.Context,
    nats: Annotated[
        str, typer.Option("--nats", envvar="DUBAN_NATS_URL", help=N_("Address of NATS"))
    ] = "nats://127.0.0.1:4222",
    lang: Annotated[  # noqa: ARG001 - read before all else, so that help is in it too
        Lang | None, typer.Option("--lang", envvar="DUBAN_LANG", help=N_("Default: the locale's language"))
    ] = None,
) -> None:
    ctx.obj = Session(nats)


def main(arguments: Sequence[str] | None = None) -> None:
    """Raises SystemExit with 0 done, 1 refused, 2 misuse, 3 system unreachable."""
    words = hoisted(sys.argv[1:] if arguments is None else arguments)
    use(chosen(words))
    command = get_command(app)
    localise(command)
    command(args=words, prog_name="duban")


def hoisted(arguments: Sequence[str]) -> list[str]:
    """The options of every command may stand anywhere: they are moved before the command's name."""
    front: list[str] = []
    rest: list[str] = []
    words = iter(arguments)
    for word in words:
        if word == "--":
            rest += [word, *words]
        elif word in ("--nats", "--lang"):
            front += [word, *islice(words, 1)]
        elif word.startswith(("--nats=", "--lang=")):
            front.append(word)
        else:
            rest.append(word)
    return front + rest


def localise(command: Any) -> None:
    """Put the help of a command, of its options and of the commands below it into the language in use."""
    command.help = _(command.help) if command.help else command.help
    for parameter in command.params:
        if getattr(parameter, "help", None):
            parameter.help = _(parameter.help)
    for below in getattr(command, "commands", {}).values():
        localise(below)


if __name__ == "__main__":
    main()

"""`duban`, the operators' command line: one line per command, the rest in its module.

A module is imported when its command is named, so `duban --help` and a misspelt command start fast; this
module and what it imports therefore stand without pydantic, NATS and rich.
"""

import os
import re
import sys
from collections.abc import Sequence
from itertools import islice
from typing import Annotated, Any

import typer
from typer.main import get_command

from services.console import contexts
from services.console.exit_codes import Exit
from services.console.i18n import N_, Lang, _, chosen, use
from services.console.lazy import COMMAND_SETTINGS, LazyCommand, LazyCommands, LazyGroup
from services.console.parser_errors import usage_error_text
from services.console.terminal import Session, Stop, complain, say_json, stop_for

COMMANDS = LazyCommands(
    LazyCommand("submit", "submitting:submit", N_("Submit a matter")),
    LazyCommand("do", "asking:do", N_("Send any command of the catalogue, and wait for what comes of it")),
    LazyCommand("ledger", "ledger_commands:app", N_("The register of entries (台账)")),
    LazyCommand(
        "list", "listing:list_", N_("What the charter calls stations, actors, categories, villages ...")
    ),
    LazyCommand(
        "history", "history:history", N_("Everything that ever happened to an entry, a station, a round ...")
    ),
    LazyCommand("why", "why:why", N_("Why an entry is due when it is due, day by day")),
    LazyCommand(
        "petitioner", "petitioner:petitioner", N_("Who is behind an entry; for open duties, and on record")
    ),
    LazyCommand(
        "watch", "watching:watch", N_("Where every station stands, and every consequence as it comes")
    ),
    LazyCommand("report", "reporting:app", N_("Reports")),
    LazyCommand("charter", "charter_commands:app", N_("The town's charter")),
    LazyCommand("import", "importing.command:import_file", N_("Bring in past cases from a CSV or XLSX file")),
    LazyCommand("up", "up:up", N_("Run both servers and all services here, until Ctrl-C")),
    LazyCommand(
        "demo",
        "demo.command:demo",
        N_("Play the plan's spring of 2024 through the services, as a time-lapse"),
    ),
    LazyCommand("provision", "provisioning:provision", N_("Create or update streams, consumers and buckets")),
    LazyCommand(
        "doctor", "doctor:doctor", N_("Check the way to the system and the system, and say what to do")
    ),
    LazyCommand("stuck", "stuck:stuck", N_("What does not get on, in each service")),
    LazyCommand("dead-letters", "dead_letters:app", N_("Messages that could not be read")),
    LazyCommand("context", "context_commands:app", N_("Which system, as whom, in which language")),
    LazyCommand(
        "completion", "completion:completion", N_("Print the script that completes words in a shell")
    ),
    LazyCommand("help", "help_topics:help_", N_("Explain a command, or a topic such as exit-codes")),
)

app = typer.Typer(
    name="duban",
    cls=LazyGroup,
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings=COMMAND_SETTINGS,
)

COMPLETION = "_DUBAN_COMPLETE"
"""Set by a shell that asks for words."""
FLAGS = ("--no-pager",)
VALUES = ("--nats", "--lang", "--context")
"""Options of every command: they may stand anywhere."""


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"duban {version('duban')}")
        raise typer.Exit


@app.callback(help=N_("Supervised handling (督办): the operators' command line"))
def before(
    ctx: typer.Context,
    nats: Annotated[
        str,
        typer.Option(
            "--nats",
            envvar="DUBAN_NATS_URL",
            help=N_("Address of NATS; `up` heeds it only as an option, not from the environment"),
        ),
    ] = contexts.DEFAULT_SERVER,
    lang: Annotated[  # noqa: ARG001 - read before all else, so that help is in it too
        Lang | None, typer.Option("--lang", envvar="DUBAN_LANG", help=N_("Default: the locale's language"))
    ] = None,
    context: Annotated[  # noqa: ARG001 - read before all else, as the language is
        str | None,
        typer.Option("--context", envvar="DUBAN_CONTEXT", help=N_("Server, actor and language by name")),
    ] = None,
    no_pager: Annotated[
        bool, typer.Option("--no-pager", help=N_("Do not show long output page by page"))
    ] = False,
    version: Annotated[  # noqa: ARG001 - answered by its callback
        bool, typer.Option("--version", callback=_version, is_eager=True, help=N_("Show the version"))
    ] = False,
) -> None:
    source = ctx.get_parameter_source("nats")
    told = source is not None and source.name == "COMMANDLINE"
    ctx.obj = Session(nats, told, not no_pager, contexts.asker(nats, ctx.default_map or {}))


def main(arguments: Sequence[str] | None = None) -> None:
    """Raises SystemExit with a code of `exit_codes`."""
    write_utf8()
    follow_colour_settings()
    words = hoisted(sys.argv[1:] if arguments is None else arguments)
    use(chosen(words))
    sys.exit(status_of(words))


def status_of(words: Sequence[str]) -> int:
    """Runs the command; whatever goes wrong is a sentence and an exit code, never a traceback."""
    try:
        known = contexts.in_force(words)
        use(chosen(words, known.lang))
        command: Any = get_command(app)
        if COMPLETION in os.environ:
            command.main(args=list(words), prog_name="duban")  # which answers the shell, and ends
        defaults = known.defaults(COMMANDS)
        with command.make_context("duban", list(words), default_map=defaults) as context:
            command.invoke(context)
        sys.stdout.flush()
        return Exit.DONE
    except typer.Exit as end:
        return end.exit_code
    except typer.TyperException as error:
        said = usage_error_text(error)
        if wants_json(words):
            say_json({"error": {"code": "misuse", "message": said.partition("\n")[0]}})
        else:
            complain(said)
        return Exit.MISUSE
    except typer.Abort:
        complain(_("stopped; nothing was done"))
        return Exit.REFUSED
    except KeyboardInterrupt:
        complain(_("interrupted by Ctrl-C"))
        return Exit.INTERRUPTED
    except BrokenPipeError:
        discard_output()
        return Exit.PIPE_CLOSED
    except Exception as trouble:
        stop: Stop = stop_for(trouble)
        complain(str(stop))
        return stop.status


def hoisted(arguments: Sequence[str]) -> list[str]:
    """The options of every command may stand anywhere: they are moved before the command's name."""
    front: list[str] = []
    rest: list[str] = []
    words = iter(arguments)
    for word in words:
        if word == "--":
            rest += [word, *words]
        elif word in VALUES:
            front += [word, *islice(words, 1)]
        elif word in FLAGS or word.startswith(tuple(f"{name}=" for name in VALUES)):
            front.append(word)
        else:
            rest.append(word)
    return front + (rest or ["--help"] * bool(front))  # `duban --lang zh` is as bare as `duban`


def wants_json(words: Sequence[str]) -> bool:
    """Whether a program reads the output: what the parser refuses is told before it has read that option."""
    return bool(re.search(r"(--format|--output|-o)[ =]json\b", " ".join(words)))


def write_utf8() -> None:
    """Also where the locale says ASCII: our output is UTF-8, and a character that is none is replaced."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure: Any = getattr(stream, "reconfigure", None)
        if reconfigure:
            reconfigure(encoding="utf-8", errors="backslashreplace")


def follow_colour_settings() -> None:
    """NO_COLOR is known to the libraries; CLICOLOR=0 says the same in another way."""
    if os.environ.get("CLICOLOR") == "0":
        os.environ.setdefault("NO_COLOR", "1")


def discard_output() -> None:
    """Nobody reads any more; the interpreter would complain when it flushes at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())


if __name__ == "__main__":
    main()

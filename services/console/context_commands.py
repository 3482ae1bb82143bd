"""`duban context`: add, list, show, select and remove contexts."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer

from services.console import contexts
from services.console.client_url import without_password
from services.console.contexts import Context
from services.console.i18n import N_, Lang, _
from services.console.tables import table, vertical
from services.console.terminal import Format, FormatOption, ending, misuse, say, say_json

app = typer.Typer(help=N_("Which system, as whom, in which language"), no_args_is_help=True)
Name = Annotated[str, typer.Argument(help=N_("Name of the context"), show_default=False)]
FIELDS = {
    "server": N_("Server"),
    "credential": N_("Credential"),
    "actor": N_("Actor"),
    "lang": N_("Language"),
}


@app.command("add", help=N_("Add a context, or change what is given of one that is there"))
def add(
    name: Name,
    server: Annotated[
        str | None, typer.Option("--server", help=N_("Address of NATS, with the credential or without"))
    ] = None,
    credential: Annotated[
        Path | None, typer.Option("--credential", help=N_("File that holds user:password, or an address"))
    ] = None,
    actor: Annotated[str | None, typer.Option("--actor", help=N_("Who is acting: a token"))] = None,
    language: Annotated[Lang | None, typer.Option("--language", help=N_("en or zh"))] = None,
    select: Annotated[bool, typer.Option("--select", help=N_("And use it from now on"))] = False,
) -> None:
    with ending():
        given = {
            "server": _address(server),
            "credential": str(_readable(credential)) if credential else None,
            "actor": actor,
            "lang": language.value if language else None,
        }
        before = contexts.read(name) if name in contexts.names() else Context()
        file = contexts.write(name, replace(before, **{key: value for key, value in given.items() if value}))
        if select or len(contexts.names()) == 1:
            contexts.select(name)
        say(_("context {name} stands in {file}").format(name=name, file=file))


@app.command("list", help=N_("All contexts; a star marks the selected one"))
def list_(output: FormatOption = Format.TEXT) -> None:
    with ending(output):
        known = {name: contexts.read(name) for name in contexts.names()}
        chosen = contexts.selected()
        if output is Format.JSON:
            say_json({"selected": chosen, "contexts": {name: _shown(each) for name, each in known.items()}})
        elif not known:
            say(_("there is no context yet; `duban context add NAME --server ...` makes one"))
        else:
            rows = [
                ["*" if name == chosen else "", name, *_shown(each).values()] for name, each in known.items()
            ]
            say(table(["", _("Name"), *map(_, FIELDS.values())], rows, keep=(0, 1)))


@app.command("show", help=N_("What stands in a context; default: the selected one"))
def show(
    name: Annotated[str, typer.Argument(help=N_("Name of the context"), show_default=False)] = "",
    output: FormatOption = Format.TEXT,
) -> None:
    with ending(output):
        wanted = name or contexts.selected()
        if not wanted:
            raise misuse(_("no context is selected; name one"))
        shown = _shown(contexts.read(wanted))
        if output is Format.JSON:
            say_json({"name": wanted, **shown})
        else:
            say(vertical([_("Name"), *map(_, FIELDS.values())], [[wanted, *shown.values()]]))


@app.command("select", help=N_("Use this context from now on"))
def select(name: Name) -> None:
    with ending():
        contexts.select(name)
        say(_("context {name} is used from now on").format(name=name))


@app.command("remove", help=N_("Forget a context; its credential's file stays"))
def remove(name: Name) -> None:
    with ending():
        contexts.remove(name)
        say(_("context {name} is removed").format(name=name))


def _shown(context: Context) -> dict[str, str]:
    """Without passwords."""
    held = {key: value or "" for key, value in asdict(context).items()}
    return held | {"server": without_password(held["server"])}


def _address(server: str | None) -> str | None:
    if server is None or "://" in server:
        return server
    return f"nats://{server}"


def _readable(file: Path) -> Path:
    if not file.expanduser().is_file():
        raise misuse(_("{name} does not exist").format(name=str(file)))
    return file.expanduser().absolute()

"""The one-shots of a deployment: `python -m services.console.deploying --help`."""

import json
import socket
from pathlib import Path
from typing import Annotated

import typer
from pymongo.errors import PyMongoError
from tenacity import RetryError, Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from services.chassis.charter_file import CharterErrors, read_charter
from services.console.deploying import storage
from services.console.deploying.mongo_users import prepare
from services.console.deploying.nats_reload import NotReloaded
from services.console.deploying.nats_reload import reload as reload_nats
from services.console.deploying.permissions import NameTaken, as_config, permissions
from services.console.deploying.seed import read_seed

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.add_typer(storage.app, name="storage", help="The volumes of a stopped deployment.")

PATIENCE_SECONDS = 60.0

SeedOption = Annotated[Path, typer.Option("--seed", exists=True, dir_okay=False)]


@app.command()
def accounts(
    seed: SeedOption,
    charter: Annotated[Path, typer.Option(exists=True, dir_okay=False)],
    out: Annotated[Path, typer.Option()],
) -> None:
    """Write the accounts that nats-server includes: every credential with what it may do."""
    try:
        users = permissions(read_charter(charter))
    except CharterErrors as errors:  # each line says which file
        typer.echo(str(errors), err=True)
        raise typer.Exit(1) from None
    except NameTaken as taken:
        typer.echo(f"{charter}: {taken}", err=True)
        raise typer.Exit(1) from None
    known = read_seed(seed)
    passwords = {user: known.password("nats", user) for user in users}
    text = "accounts: " + json.dumps(as_config(users, passwords), indent=1) + "\n"
    changed = not out.exists() or out.read_text("utf-8") != text
    if changed:
        replace(out, text)
    typer.echo(f"{out}: {len(users)} credentials, {'written' if changed else 'as before'}")


def replace(file: Path, text: str) -> None:
    """At once: a server that reads it meanwhile sees the old or the new."""
    fresh = file.with_suffix(".new")
    fresh.touch(mode=0o600)
    fresh.write_text(text, "utf-8")
    fresh.replace(file)


@app.command()
def mongo(
    seed: SeedOption,
    address: Annotated[str, typer.Option(help="Where mongod answers us")] = "127.0.0.1:27017",
    member: Annotated[str, typer.Option(help="Where the services find it")] = "mongo:27017",
) -> None:
    """Initiate the replica set; create or put right one user for each service."""
    try:
        prepare(address, member, read_seed(seed))
    except (PyMongoError, RetryError) as error:
        # The text may repeat the command, with a password in it.
        code = getattr(error, "code", None) or ""
        typer.echo(f"MongoDB at {address}: {type(error).__name__} {code}".rstrip(), err=True)
        raise typer.Exit(1) from None
    typer.echo("replica set and users are up to date")


@app.command()
def reload(
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False)],
    monitor: Annotated[str, typer.Option(help="The server's HTTP address")] = "http://127.0.0.1:8222",
) -> None:
    """Let NATS read its configuration again, where one of these files changed since."""
    try:
        reloaded = reload_nats(files, monitor)
    except NotReloaded as why:
        typer.echo(f"{why}; its log says why: docker compose logs nats", err=True)
        raise typer.Exit(1) from None
    typer.echo("NATS has read its configuration again" if reloaded else "NATS knows its configuration")


@app.command("await")
def await_port(address: str, patience: float = PATIENCE_SECONDS) -> None:
    """Wait until a server takes connections at `host:port`."""
    host, _, port = address.rpartition(":")
    waiting = Retrying(
        retry=retry_if_exception_type(OSError), wait=wait_fixed(0.2), stop=stop_after_delay(patience)
    )
    try:
        waiting(lambda: socket.create_connection((host, int(port)), timeout=2).close())
    except RetryError:
        typer.echo(f"nobody answers at {address}", err=True)
        raise typer.Exit(1) from None


if __name__ == "__main__":
    app()

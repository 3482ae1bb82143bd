"""The one-shots of a deployment: `python -m services.console.deploying --help`."""

import asyncio
import json
import socket
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from pymongo.errors import PyMongoError
from tenacity import RetryError, Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from services.chassis.charter_file import CharterErrors
from services.console.deploying import charter_step, storage
from services.console.deploying.charter_step import NAME_IT, NoCharter, charter_to_admit, file_named
from services.console.deploying.mongo_users import prepare
from services.console.deploying.nats_reload import NotReloaded
from services.console.deploying.nats_reload import reload as reload_nats
from services.console.deploying.permissions import NameTaken, as_config, permissions
from services.console.deploying.replacing import replace
from services.console.deploying.seed import read_seed
from services.console.terminal import ending

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.add_typer(storage.app, name="storage", help="The volumes of a stopped deployment.")

PATIENCE_SECONDS = 60.0

SeedOption = Annotated[Path, typer.Option("--seed", exists=True, dir_okay=False)]


CharterOption = Annotated[
    Path, typer.Option("--charter", help="The file; where none is named, the folder of all")
]
NoteOption = Annotated[Path | None, typer.Option("--in-force", help="Where the charter in force is noted")]


@app.command()
def accounts(
    seed: SeedOption,
    charter: CharterOption,
    out: Annotated[Path, typer.Option()],
    in_force: NoteOption = None,
) -> None:
    """Write the accounts that nats-server includes: every credential with what it may do."""
    with refusing():
        admitted, source = charter_to_admit(charter, in_force)
        try:
            users = permissions(admitted)
        except NameTaken as taken:
            raise NoCharter(f"{source}: {taken}") from None
        if source == charter_step.SHIPPED and not file_named(charter)[1]:
            _keep_all(out, users)
    known = read_seed(seed)
    passwords = {user: known.password("nats", user) for user in users}
    text = BEGINS + json.dumps(as_config(users, passwords), indent=1) + "\n"
    changed = not out.exists() or out.read_text("utf-8") != text
    if changed:
        replace(out, text)
    typer.echo(f"{out}: {len(users)} credentials by {source}, {'written' if changed else 'as before'}")


BEGINS = "accounts: "


def _keep_all(out: Path, users: Collection[str]) -> None:
    """The shipped charter takes no credential away. Raises NoCharter."""
    if not out.exists():
        return
    present = json.loads(out.read_text("utf-8").removeprefix(BEGINS)).values()
    if lost := {user["user"] for account in present for user in account["users"]} - set(users):
        raise NoCharter(
            f"DUBAN_CHARTER names no charter, and the shipped one would take away the credentials of "
            f"{', '.join(sorted(lost))}; {NAME_IT}"
        )


@contextmanager
def refusing() -> Iterator[None]:
    """What is wrong with the charter ends the step, in sentences."""
    try:
        yield
    except (CharterErrors, NoCharter) as why:  # each line of the errors says which file
        typer.echo(str(why), err=True)
        raise typer.Exit(1) from None


@app.command()
def publish(
    charter: CharterOption,
    admin: Annotated[Path, typer.Option(help="A file with the address of who publishes")],
    operator: Annotated[Path, typer.Option(help="A file with the address of who sees what is open")],
    in_force: Annotated[Path, typer.Option(help="Where the charter in force is noted")],
) -> None:
    """Publish the charter that is named, or the shipped one where none is in force.

    Says what is still open with what it leaves out.
    """
    addresses = (admin.read_text("utf-8").strip(), operator.read_text("utf-8").strip())
    with ending(), refusing():
        for line in asyncio.run(charter_step.publish(charter, *addresses, in_force)):
            typer.echo(line)


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

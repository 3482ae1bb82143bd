"""The one-shots of a deployment: `python -m services.console.deploying accounts|mongo`."""

import json
from pathlib import Path
from typing import Annotated

import typer

from services.chassis.charter_file import CharterErrors, read_charter
from services.console.deploying.mongo_users import prepare
from services.console.deploying.permissions import NameTaken, as_config, permissions
from services.console.deploying.seed import read_seed

app = typer.Typer(no_args_is_help=True, add_completion=False)

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
    except (CharterErrors, NameTaken) as errors:
        typer.echo(f"{charter}: {errors}", err=True)
        raise typer.Exit(1) from None
    known = read_seed(seed)
    passwords = {user: known.password("nats", user) for user in users}
    replace(out, "accounts: " + json.dumps(as_config(users, passwords), indent=1) + "\n")
    typer.echo(f"{out}: {len(users)} credentials")


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
    prepare(address, member, read_seed(seed))
    typer.echo("replica set and users are as they must be")


if __name__ == "__main__":
    app()

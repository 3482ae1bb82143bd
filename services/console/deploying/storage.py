"""The volumes of a stopped deployment: saved to standard output, loaded from standard input, mended.

`deploy/storage.py` calls this in a container of our own image, as the user to whom the volume belongs, so
that neither another image nor root is needed.
"""

import os
import shutil
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from duban_contracts.message import SERVICES
from duban_contracts.subjects import DEAD_STREAM, command_stream
from services.console.deploying.permissions import ACCOUNT

app = typer.Typer(no_args_is_help=True, add_completion=False)

REMOVABLE = (DEAD_STREAM, *map(command_stream, SERVICES))
"""Streams that `provision` makes anew without loss of record; facts are not among them."""

Volume = Annotated[str, typer.Argument(metavar="VOLUME")]
Below = Annotated[Path, typer.Option("--below", help="The folder that the volumes are mounted in")]
VOLUMES = Path("/volumes")


@app.command()
def save(volume: Volume, below: Below = VOLUMES) -> None:
    """Write an archive of the volume to standard output."""
    _tar("--create", below / volume)


@app.command()
def load(volume: Volume, below: Below = VOLUMES) -> None:
    """Fill an empty volume from an archive on standard input."""
    check_empty(volume, below)
    _tar("--extract", below / volume, "--preserve-permissions")


@app.command("check-empty")
def check_empty(volume: Volume, below: Below = VOLUMES) -> None:
    """End with an error where the volume holds anything."""
    if any((below / volume).iterdir()):
        _refuse(f"the volume {volume} is not empty")


@app.command("remove-stream")
def remove_stream(stream: str, below: Below = VOLUMES) -> None:
    """Remove a stream with all that is in it, and its consumers, from the store of a stopped NATS."""
    if stream not in REMOVABLE:
        _refuse(f"{stream} is not one of {', '.join(REMOVABLE)}")
    folder = below / "nats-data" / "jetstream" / ACCOUNT / "streams" / stream
    if not folder.is_dir():
        _refuse(f"there is no stream {stream}")
    shutil.rmtree(folder)
    typer.echo(f"{stream}: removed")


def _tar(verb: str, folder: Path, *options: str) -> NoReturn:
    if not folder.is_dir():
        _refuse(f"there is no volume {folder.name}")
    sys.stdout.flush()
    os.execvp("tar", ["tar", verb, "--gzip", "--file=-", f"--directory={folder}", *options, "."])  # noqa: S606


def _refuse(sentence: str) -> NoReturn:
    typer.echo(sentence, err=True)
    raise typer.Exit(1)

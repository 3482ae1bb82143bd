"""`duban up`: both servers and all services on this machine, until Ctrl-C."""

import signal
import threading
from pathlib import Path
from typing import Annotated

import typer

from services.chassis.charter_file import CharterErrors, read_charter
from services.chassis.settings import ClockMode
from services.console.embedded import ServerFailed, ServerMissing
from services.console.i18n import N_, _
from services.console.system import NotReady, System, running_system

DEFAULT_CHARTER = Path(__file__).parents[2] / "deploy" / "charters" / "township-2024.yaml"
LOOK_AGAIN_SECONDS = 1.0


def up(
    charter: Annotated[
        Path, typer.Option(help=N_("The charter to publish first"), exists=True, dir_okay=False)
    ] = DEFAULT_CHARTER,
    data: Annotated[
        Path | None, typer.Option(help=N_("Keep all data in this folder; default: a temporary one"))
    ] = None,
    port: Annotated[
        int, typer.Option(envvar="DUBAN_NATS_PORT", min=0, max=65535, help=N_("For NATS; 0: any free one"))
    ] = 4222,
    clock: Annotated[
        ClockMode, typer.Option(help=N_("told: time passes only by pass_time messages"))
    ] = ClockMode.SYSTEM,
) -> None:
    """Start nats-server, mongod and the five services here; Ctrl-C stops them all."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: stop.set())
    try:
        with running_system(read_charter(charter), data=data, clock=clock, nats_port=port or None) as system:
            typer.echo(ready_line(system))
            while not stop.wait(LOOK_AGAIN_SECONDS):
                revive(system)
            typer.echo(_("stopping"))
    except CharterErrors as errors:
        typer.echo(str(errors), err=True)
        raise typer.Exit(1) from None
    except (ServerMissing, ServerFailed, NotReady) as trouble:
        typer.echo(str(trouble), err=True)
        raise typer.Exit(3) from None


def ready_line(system: System) -> str:
    """One line that programs and people can wait for."""
    services = " ".join(f"{service.name}={service.http_url}" for service in system.services)
    return f"ready nats={system.nats_url} mongo={system.mongo.url} {services}"


def revive(system: System) -> None:
    """A service or server that died is started again: what it had not acknowledged comes again."""
    for server in (system.nats, system.mongo):
        if not server.running:
            typer.echo(_("{name} ended, starting it again").format(name=type(server).__name__), err=True)
            server.start()
    for service in system.services:
        if not service.child.running:
            typer.echo(_("{name} ended, starting it again").format(name=service.name), err=True)
            service.child.start()

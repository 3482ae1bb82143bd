"""`duban up`: both servers and all services on this machine, until Ctrl-C."""

import asyncio
import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from duban_contracts.charter import Charter
from services.chassis.charter_file import CharterErrors, read_charter
from services.chassis.settings import ClockMode
from services.console.charter_commands import errors_text
from services.console.client import duban
from services.console.embedded import (
    NatsServer,
    Occupied,
    ServerFailed,
    ServerMissing,
    await_port,
    borrowed_nats,
    own_nats,
)
from services.console.embedded.nats import URL_VARIABLE
from services.console.i18n import N_, _
from services.console.system import NotReady, System, charter_in_force, running_system
from services.console.tables import columns, text_width
from services.console.terminal import Exit, Session, Stop, complain, ending, misuse, say

DEFAULT_CHARTER = Path(__file__).parents[2] / "deploy" / "charters" / "township-2024.yaml"
DEFAULT_PORT = 4222
LOOK_AGAIN_SECONDS = 1.0


def up(
    ctx: typer.Context,
    charter: Annotated[
        Path | None,
        typer.Option(
            help=N_("Publish this charter; default: the shipped one, where none is published yet"),
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help=N_("Keep all data in this folder; default: a temporary one"))
    ] = None,
    port: Annotated[
        int, typer.Option(envvar="DUBAN_NATS_PORT", min=0, max=65535, help=N_("For NATS; 0: any free one"))
    ] = DEFAULT_PORT,
    clock: Annotated[
        ClockMode, typer.Option(help=N_("told: time passes only by pass_time messages"))
    ] = ClockMode.SYSTEM,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help=N_("Print the line that says it is ready, and nothing else"))
    ] = False,
    verbose: Annotated[
        bool,
        typer.Option("--verbose", "-v", help=N_("Print the logs of the services instead of keeping them")),
    ] = False,
) -> None:
    """Start nats-server, mongod and the five services here; Ctrl-C stops them all.

    `--nats` attaches to a running NATS instead; the environment names one for other commands.
    """
    session = ctx.find_object(Session) or Session("")
    stop, ready, interrupted = threading.Event(), threading.Event(), threading.Event()

    def end(_number: int, _frame: object) -> None:
        """While it starts, at once: all that was started is stopped on the way out."""
        if not ready.is_set():
            interrupted.set()
            raise KeyboardInterrupt
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    with ending(), starting(port, data), ended_by(interrupted):
        given = read_charter(charter) if charter else None
        if data:
            _usable(data)
        if os.environ.get(URL_VARIABLE) and not session.nats_from_option and not quiet:
            complain(_("{variable} is not used: `up` starts its own NATS").format(variable=URL_VARIABLE))
        if port and not session.nats_from_option:
            await_port(port)
        _say(quiet, _("starting nats-server, mongod and five services ..."))
        with (
            log_folder(data, verbose) as logs,
            running_system(
                given,
                data=data,
                clock=clock,
                logs=logs,
                nats=_nats(session, data, port or None),
                prepared=lambda url: _say(quiet, _charter_told(url, charter)),
            ) as system,
        ):
            *addresses, last = ready_lines(system)
            if not quiet:
                say("\n".join([*addresses, guide(system, logs)]))
            ready.set()
            say(last)
            while not stop.wait(LOOK_AGAIN_SECONDS):
                revive(system)
            _say(quiet, _("stopping"))


def _nats(session: Session, data: Path | None, port: int | None) -> AbstractContextManager[NatsServer]:
    if session.nats_from_option:
        asyncio.run(_reached(session.nats_url))
        return borrowed_nats(session.nats_url)
    return own_nats(data / "nats" if data else None, port)


async def _reached(url: str) -> None:
    """Raises Unreachable, before anything is started."""
    async with duban(url):
        pass


def _usable(data: Path) -> None:
    """Raises Stop where no data can be kept in the folder."""
    try:
        data.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=data):
            pass
    except (FileExistsError, NotADirectoryError):
        raise misuse(_("--data {folder}: that is a file; name a folder").format(folder=data)) from None
    except OSError as error:
        sentence = _("--data {folder} cannot be written: {why}; name a folder of your own")
        raise misuse(sentence.format(folder=data, why=error.strerror)) from None


def _charter_told(url: str, given: Path | None) -> str:
    """The charter in force, after the shipped one was published where there was none."""
    try:
        charter, new = asyncio.run(charter_in_force(url, read_charter(DEFAULT_CHARTER)))
    except ValidationError:
        sentence = _("the charter in force cannot be read by this version; publish one with --charter FILE")
        raise Stop(Exit.REFUSED, "unreadable_charter", sentence) from None
    return charter_line(charter, new or given is not None)


def charter_line(charter: Charter, published: bool) -> str:
    text = (
        _("charter in force: {name}, revision {revision}, published now")
        if published
        else _(
            "charter in force: {name}, revision {revision}, as published before; --charter FILE replaces it"
        )
    )
    return text.format(name=charter.name, revision=charter.revision)


@contextmanager
def log_folder(data: Path | None, verbose: bool) -> Iterator[Path | None]:
    """One log per service: with the data, or in a temporary folder that stays only where something failed."""
    if verbose:
        yield None
        return
    logs = data / "logs" if data else Path(tempfile.mkdtemp(prefix="duban-logs-"))
    logs.mkdir(exist_ok=True)
    yield logs
    if data is None:
        shutil.rmtree(logs, ignore_errors=True)


@contextmanager
def ended_by(interrupted: threading.Event) -> Iterator[None]:
    """Ctrl-C also reaches what was started: that it ends is no failure then."""
    try:
        yield
    except Exception:
        if interrupted.is_set():
            raise KeyboardInterrupt from None
        raise


@contextmanager
def starting(port: int, data: Path | None) -> Iterator[None]:
    """What keeps the system from starting, in one sentence that says what to do."""
    try:
        yield
    except CharterErrors as errors:
        raise Stop(Exit.MISUSE, "bad_charter", errors_text(errors)) from None
    except Occupied as trouble:
        raise _occupied(trouble, port, data) from None
    except (ServerMissing, NotReady) as trouble:
        raise Stop(Exit.UNREACHABLE, "not_started", str(trouble)) from None
    except ServerFailed as trouble:
        what, *log = str(trouble).splitlines()
        cause = log[-1].strip() if log else ""
        sentence = _("{what}: {cause}").format(what=what.partition(". Its log")[0], cause=cause)
        raise Stop(Exit.UNREACHABLE, "not_started", sentence) from None


def _occupied(trouble: Occupied, port: int, data: Path | None) -> Stop:
    if "is in use by another" in str(trouble):
        sentence = _("{folder} is in use by another `duban up`; end that one, or name another folder")
        return Stop(Exit.UNREACHABLE, "folder_taken", sentence.format(folder=data))
    sentence = _("port {port} is taken, perhaps by another `duban up`; end that one, or choose --port 0")
    return Stop(Exit.UNREACHABLE, "port_taken", sentence.format(port=port))


def guide(system: System, logs: Path | None) -> str:
    """Where everything is, and what to type next."""
    ours = system.nats_url == f"nats://127.0.0.1:{DEFAULT_PORT}"
    address = "" if ours else f" --nats {system.nats_url}"
    lines = [_("logs of the services: {folder}").format(folder=logs)] if logs else []
    if not system.nats.borrowed:
        lines.append(
            _(
                "for trying out: no credentials here, whoever reaches {address} may send as anybody; "
                "see deploy/README.md"
            ).format(address=system.nats_url)
        )
    lines += [
        _("running; Ctrl-C here stops everything. In another terminal:"),
        f"  duban watch{address}",
        f"  duban do --list{address}",
    ]
    return "\n".join(lines)


def _say(quiet: bool, sentence: str) -> None:
    if not quiet:
        say(sentence)


def ready_lines(system: System) -> list[str]:
    """The last is the one to wait for: it begins with `ready` and holds every address that has room.

    On a terminal too narrow for all of them, each server and service has a line of its own before it.
    """
    addresses = {"nats": system.nats_url, "mongo": system.mongo.url}
    addresses |= {service.name: service.http_url for service in system.services}
    whole = " ".join(["ready", *(f"{name}={url}" for name, url in addresses.items())])
    if text_width(whole) <= columns():
        return [whole]
    longest = max(map(len, addresses))
    return [
        *(f"  {name:{longest}}  {url}" for name, url in addresses.items()),
        f"ready nats={system.nats_url}",
    ]


def revive(system: System) -> None:
    """A service or server that died is started again: what it had not acknowledged comes again."""
    for server in (system.nats, system.mongo):
        if not server.borrowed and not server.running:
            complain(_("{name} ended, starting it again").format(name=type(server).__name__))
            server.start()
    for service in system.services:
        if not service.child.running:
            complain(_("{name} ended, starting it again").format(name=service.name))
            service.child.start()

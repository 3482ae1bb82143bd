"""How a command speaks and ends: sentences for people, JSON for programs, an exit code for scripts.

Imported by every command and by the root, so NATS, rich and the client are imported where they are used.
"""

import asyncio
import json
import os
import re
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar
from urllib.parse import urlsplit

import typer

from services.console.exit_codes import Exit as Exit
from services.console.i18n import N_, _

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from rich.console import Console

    from services.console.client import Duban

Result = TypeVar("Result")
WIDTH = 200
"""Columns of a table that goes to a file or a pipe: nothing there is cut."""
SPINNER_AFTER = 0.5
"""Seconds of waiting until a person is shown that something goes on."""
SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u0600-\u0605\u061c\u06dd\u070f\u0890-\u0891\u08e2\u180e\u200b\u200e-\u200f"
    "\u2028-\u202e\u2060-\u206f\ufeff\ufff0-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff\ud800-\udfff]"
)
"""What could steer the terminal, or show a text otherwise than it stands there: control characters (C0 but
tab and newline, C1), format characters (Cf) but the two joiners that scripts and emoji need, separators of
lines and paragraphs, halves of characters, and what is not assigned among these."""


class Format(StrEnum):
    TEXT = "text"
    JSON = "json"


FormatOption = Annotated[
    Format,
    typer.Option("--format", "--output", "-o", help=N_("For people, or one JSON document for programs")),
]

YesOption = Annotated[bool, typer.Option("--yes", "-y", help=N_("Do not ask whether it is meant"))]


@dataclass(frozen=True)
class Session:
    """What every command is told before its name."""

    nats_url: str
    nats_from_option: bool = False
    """Whether `--nats` said so, rather than the environment, a context or the default."""
    pager: bool = True
    actor: str | None = None
    """Who asks, by the context; None: as the environment or the address says."""


class Stop(Exception):
    """Ends the command with a status and a sentence; `code` and `details` are for programs."""

    def __init__(self, status: Exit, code: str, sentence: str, **details: Any) -> None:
        super().__init__(sentence)
        self.status, self.code, self.details = status, code, details


def misuse(sentence: str, **details: Any) -> Stop:
    return Stop(Exit.MISUSE, "misuse", sentence, **details)


def duban(url: str, actor: str | None = None) -> "AbstractAsyncContextManager[Duban]":
    from services.console.client import duban as connected

    return connected(url, actor=actor)


def on_system(
    ctx: typer.Context, work: "Callable[[Duban], Awaitable[Result]]", *, spinner: bool = True
) -> Result:
    """Connect, do it, disconnect; raises Unreachable. Work that prints while it runs wants no `spinner`."""

    session = ctx.find_object(Session)
    assert session is not None  # noqa: S101 - for the type checker: the root makes one
    asker = {"actor": session.actor} if session.actor else {}

    async def connected() -> Result:
        async with spinning(spinner), duban(session.nats_url, **asker) as system:
            await _in_its_token(system, session.nats_url)
            return await work(system)

    return asyncio.run(connected())


async def _in_its_token(system: "Duban", url: str) -> None:
    """Who asks may be said by name: whoever the address says, or the operator, asks whose it is."""
    from duban_contracts.readers import Program
    from services.console.names import Named, is_token, token_of

    if not is_token(named := system.actor):
        system.actor = urlsplit(url).username or Program.OPERATOR
        system.actor = token_of(await system.charter(), Named.ACTOR, named, known=True)


@contextmanager
def ending(output: Format = Format.TEXT) -> Iterator[None]:
    """What went wrong inside becomes a sentence on the error output and an exit status."""
    try:
        yield
    except (typer.Exit, typer.Abort, typer.TyperException, BrokenPipeError):
        raise
    except Exception as trouble:
        _end(output, stop_for(trouble))


def stop_for(trouble: Exception) -> Stop:
    """The sentence and the exit code for anything that can go wrong."""
    if isinstance(trouble, Stop):
        return trouble
    told = _trouble_with_system(trouble)
    if told is not None:
        return told
    match trouble:
        case TimeoutError():
            return Stop(Exit.UNREACHABLE, "unreachable", _("no answer in time"))
        case OSError(filename=str(file)):
            sentence = _("{file}: {why}").format(file=file, why=trouble.strerror or type(trouble).__name__)
            return misuse(sentence)
        case ConnectionError():
            sentence = _("the system cannot be reached: {why}").format(why=str(trouble) or repr(trouble))
            return Stop(Exit.UNREACHABLE, "unreachable", sentence)
        case OSError():
            sentence = _("this machine refused it: {why}").format(why=trouble.strerror or repr(trouble))
            return Stop(Exit.UNREACHABLE, "machine", sentence)
        case _:
            return _fault(trouble)


def _trouble_with_system(trouble: Exception) -> Stop | None:
    """None where the client was never loaded, or has nothing to do with it."""
    if "services.console.client" not in sys.modules:
        return None
    from nats.errors import Error as NatsError
    from nats.js.errors import NotFoundError

    from services.console.client import (
        BadAddress,
        Full,
        Misasked,
        NotAdmitted,
        NotAnswered,
        NotPermitted,
        Unreachable,
    )

    match trouble:
        case BadAddress():
            return misuse(str(trouble))
        case NotAnswered():
            return Stop(Exit.UNREACHABLE, "not_answered", str(trouble))
        case NotPermitted():
            sentence = _("this credential may not publish to {subject}; use one that deploy/README.md names")
            return Stop(Exit.REFUSED, "not_permitted", sentence.format(subject=trouble))
        case NotAdmitted():
            sentence = _("the server at {server} does not admit this credential; check user and password")
            return Stop(Exit.REFUSED, "not_admitted", sentence.format(server=trouble))
        case Misasked():
            sentence = _("the service could not answer the question: {why}").format(why=trouble)
            return Stop(Exit.REFUSED, "misasked", sentence)
        case NotFoundError():
            sentence = _("streams or buckets are missing; run `duban provision` first ({why})")
            return Stop(Exit.UNREACHABLE, "not_provisioned", sentence.format(why=trouble))
        case Full():
            return Stop(Exit.UNREACHABLE, trouble.code, str(trouble))
        case Unreachable() | NatsError():
            sentence = _("the system cannot be reached: {why}").format(why=str(trouble) or repr(trouble))
            hint = _("`duban doctor` finds out what is in the way")
            return Stop(Exit.UNREACHABLE, "unreachable", f"{sentence}\n{hint}")
    return None


def _fault(trouble: Exception) -> Stop:
    """A bug of ours. Its text may hold what somebody entered, so only its kind is told."""
    if os.environ.get("DUBAN_DEBUG"):
        from traceback import print_exception

        print_exception(trouble)
    sentence = _("a fault in this program ({kind}); DUBAN_DEBUG=1 shows where, please report it")
    return Stop(Exit.FAULT, "fault", sentence.format(kind=type(trouble).__name__))


def _end(output: Format, stop: Stop) -> NoReturn:
    if output is Format.JSON:
        say_json({"error": {"code": stop.code, "message": str(stop), **stop.details}})
    else:
        complain(str(stop))
    raise typer.Exit(stop.status)


def say(*what: Any) -> None:
    """Sentences and tables; what stands in brackets is text and no markup."""
    if all(isinstance(each, str) for each in what):
        typer.echo(" ".join(map(harmless, what)))
    else:
        _console().print(*what)


def complain(sentence: str) -> None:
    typer.echo(harmless(sentence), err=True)


def say_json(document: Mapping[str, Any], *, one_line: bool = False) -> None:
    """The same document whatever it holds: what could steer a terminal is escaped."""
    text = json.dumps(document, ensure_ascii=False, indent=None if one_line else 2)
    typer.echo(escaped(text))


def say_long(text: str, ctx: typer.Context | None = None) -> None:
    """Page by page where a person sees it on a terminal that is too short for it; never into a pipe.

    The pager is DUBAN_PAGER, else PAGER, else `less`; an empty DUBAN_PAGER or `--no-pager` means none.
    """
    session = ctx.find_object(Session) if ctx else None
    if (session and not session.pager) or not _page(harmless(text)):
        say(text)


def _page(text: str) -> bool:
    """Whether a pager has shown it."""
    import shlex
    import shutil
    import subprocess

    words = shlex.split(os.environ.get("DUBAN_PAGER", os.environ.get("PAGER", "less")))
    if not words or not (sys.stdout.isatty() and sys.stdin.isatty()) or not shutil.which(words[0]):
        return False
    if text.count("\n") < shutil.get_terminal_size().lines:
        return False
    environment = {"LESS": "FRX", "LESSCHARSET": "utf-8", **os.environ}
    subprocess.run(words, input=text + "\n", encoding="utf-8", env=environment, check=False)
    return True


def confirm(question: str, *, yes: bool, grave: bool = False) -> None:
    """Ask a person whether it is meant; "no" ends the command with status 1.

    Where nobody can be asked it is done as told, but what is `grave` is refused without `--yes`.
    """
    if yes:
        return
    if somebody_there():
        typer.confirm(harmless(question), abort=True, err=True)
    elif grave:
        raise misuse(_("this cannot be undone: say that it is meant with --yes"))


def somebody_there() -> bool:
    """Whether a person can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


@asynccontextmanager
async def spinning(wanted: bool = True) -> "AsyncIterator[None]":
    """Something turns on the error output while a person waits; nothing does in a file or a pipe."""
    if not wanted or not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield
        return
    turning = asyncio.create_task(_turn())
    try:
        yield
    finally:
        turning.cancel()
        await asyncio.wait([turning])
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()


async def _turn() -> None:
    await asyncio.sleep(SPINNER_AFTER)
    place, waiting = 0, _("waiting")
    while True:
        sys.stderr.write(f"\r{SPINNER[place % len(SPINNER)]} {waiting} ")
        sys.stderr.flush()
        place += 1
        await asyncio.sleep(0.1)


def harmless(text: str) -> str:
    """Without what could steer the terminal; everything that is printed goes through here."""
    return CONTROL.sub("", text)


def escaped(document: str) -> str:
    """The same JSON, with escapes for what could steer the terminal; there it stands in strings only."""
    return CONTROL.sub(_escaped, document)


def _escaped(found: re.Match[str]) -> str:
    """As JSON writes it: one beyond 16 bits in two halves."""
    return json.dumps(found[0])[1:-1]


def _console(stderr: bool = False) -> "Console":
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else WIDTH
    system: Any = None if os.environ.get("NO_COLOR") else "auto"
    return Console(
        stderr=stderr, markup=False, emoji=False, highlight=False, width=width, color_system=system
    )

"""How a command speaks and ends: sentences for people, one JSON document for programs, four exit statuses."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Annotated, Any, NoReturn, TypeVar

import typer
from nats.errors import Error as NatsError
from nats.js.errors import NotFoundError
from rich.console import Console

from services.console.client import Duban, Misasked, NotAnswered, NotPermitted, Unreachable, duban
from services.console.i18n import N_, _

Result = TypeVar("Result")
WIDTH = 200
"""Columns of a table that goes to a file or a pipe: nothing there is cut."""


class Exit(IntEnum):
    DONE = 0
    REFUSED = 1
    MISUSE = 2
    UNREACHABLE = 3
    PARTLY = 4
    """Some of what was asked for, as an import of which some rows are refused."""


class Format(StrEnum):
    TEXT = "text"
    JSON = "json"


FormatOption = Annotated[
    Format, typer.Option("--format", help=N_("For people, or one JSON document for programs"))
]


@dataclass(frozen=True)
class Session:
    """What every command is told before its name."""

    nats_url: str


class Stop(Exception):
    """Ends the command with a status and a sentence; `code` and `details` are for programs."""

    def __init__(self, status: Exit, code: str, sentence: str, **details: Any) -> None:
        super().__init__(sentence)
        self.status, self.code, self.details = status, code, details


def misuse(sentence: str, **details: Any) -> Stop:
    return Stop(Exit.MISUSE, "misuse", sentence, **details)


def on_system(ctx: typer.Context, work: Callable[[Duban], Awaitable[Result]]) -> Result:
    """Connect, do it, disconnect; raises Unreachable."""

    async def connected() -> Result:
        async with duban(ctx.find_object(Session).nats_url) as system:  # type: ignore[union-attr]
            return await work(system)

    return asyncio.run(connected())


@contextmanager
def ending(output: Format = Format.TEXT) -> Iterator[None]:
    """What went wrong inside becomes a sentence on the error output and an exit status."""
    try:
        yield
    except (Stop, Unreachable, NotAnswered, NotPermitted, Misasked, NatsError, TimeoutError) as trouble:
        _end(output, _stop(trouble))


def _stop(trouble: Exception) -> Stop:
    match trouble:
        case Stop():
            return trouble
        case NotAnswered():
            return Stop(Exit.UNREACHABLE, "not_answered", str(trouble))
        case NotPermitted():
            sentence = _("this credential may not publish to {subject}; use one that deploy/README.md names")
            return Stop(Exit.REFUSED, "not_permitted", sentence.format(subject=trouble))
        case Misasked():
            sentence = _("the service could not answer the question: {why}").format(why=trouble)
            return Stop(Exit.REFUSED, "misasked", sentence)
        case NotFoundError():
            sentence = _("streams or buckets are missing; run `duban provision` first ({why})")
            return Stop(Exit.UNREACHABLE, "not_provisioned", sentence.format(why=trouble))
        case _:
            sentence = _("the system cannot be reached: {why}").format(why=str(trouble) or repr(trouble))
            return Stop(Exit.UNREACHABLE, "unreachable", sentence)


def _end(output: Format, stop: Stop) -> NoReturn:
    if output is Format.JSON:
        say_json({"error": {"code": stop.code, "message": str(stop), **stop.details}})
    else:
        complain(str(stop))
    raise typer.Exit(stop.status)


def say(*what: Any) -> None:
    """Sentences and tables; what stands in brackets is text and no markup."""
    _console().print(*what, soft_wrap=all(isinstance(each, str) for each in what))


def complain(sentence: str) -> None:
    _console(stderr=True).print(sentence, soft_wrap=True)


def say_json(document: Mapping[str, Any], *, one_line: bool = False) -> None:
    typer.echo(json.dumps(document, ensure_ascii=False, indent=None if one_line else 2))


def _console(stderr: bool = False) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else WIDTH
    return Console(stderr=stderr, markup=False, emoji=False, highlight=False, width=width)

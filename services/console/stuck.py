"""`duban stuck`: what does not get on in each service, and what its `/ready` would say."""

import asyncio
from typing import Any

import typer

from duban_contracts.message import SERVICES
from duban_contracts.operations import AskStuck, Stuck
from duban_contracts.query_catalogue import UPKEEP
from services.console.client import Duban, Misasked, Unreachable
from services.console.i18n import _
from services.console.tables import table
from services.console.terminal import (
    Exit,
    Format,
    FormatOption,
    Stop,
    ending,
    on_system,
    say,
    say_json,
)

PATIENCE = 5.0
FORBIDDEN = 403
"""Code of a question that the actor may not ask."""


def stuck(ctx: typer.Context, output: FormatOption = Format.TEXT) -> None:
    """Exit 0: nothing is stuck. 1: something is. 3: a service does not answer."""
    with ending(output):
        found = on_system(ctx, _ask_all)
        if output is Format.JSON:
            say_json({name: _document(each) for name, each in found.items()})
        else:
            _tell(found)
        if any(isinstance(each, str) for each in found.values()):
            raise typer.Exit(Exit.UNREACHABLE)
        if any(is_stuck(each) for each in found.values() if isinstance(each, Stuck)):
            raise typer.Exit(Exit.REFUSED)


def is_stuck(found: Stuck) -> bool:
    return bool(found.messages or found.wakes or found.warnings)


async def _ask_all(system: Duban) -> dict[str, Stuck | str]:
    """By service; a text is why one does not answer."""
    answers = await asyncio.gather(*(_ask(system, service) for service in SERVICES))
    return dict(zip(SERVICES, answers, strict=True))


async def _ask(system: Duban, service: str) -> Stuck | str:
    try:
        return await system.ask(service, "stuck", AskStuck(), Stuck, patience=PATIENCE)
    except Misasked as why:
        if why.code == FORBIDDEN:
            raise Stop(Exit.REFUSED, "not_permitted", _not_for(system.actor)) from None
        return str(why)
    except Unreachable as why:
        return str(why)


def _not_for(actor: str) -> str:
    roles = _(", ").join(sorted(UPKEEP))
    sentence = _("{actor} may not ask what is stuck; ask as one of: {roles} (with --nats or --context)")
    return sentence.format(actor=actor, roles=roles)


def _document(found: Stuck | str) -> Any:
    return {"error": found} if isinstance(found, str) else found.model_dump(mode="json")


def _tell(found: dict[str, Stuck | str]) -> None:
    rows: list[tuple[str, str, str]] = []
    for service, each in found.items():
        if isinstance(each, str):
            rows.append((service, _("no answer"), each))
            continue
        rows += [(service, part, state) for part, state in each.warnings.items()]
        rows += [
            (service, _message(m.stream, m.sequence), _tries(m.deliveries, m.error)) for m in each.messages
        ]
        rows += [
            (service, wake.key, _("due, and cannot be woken: {error}").format(error=wake.error))
            for wake in each.wakes
        ]
        if each.dead_letters:
            waiting = _("{count} wait; see `duban dead-letters list`").format(count=each.dead_letters)
            rows.append((service, _("dead letters"), waiting))
    if not rows:
        return say(_("nothing is stuck"))
    return say(table([_("Service"), _("What"), _("State")], rows))


def _message(stream: str, sequence: int) -> str:
    return _("message {sequence} of {stream}").format(stream=stream, sequence=sequence)


def _tries(deliveries: int, error: str) -> str:
    return _("delivered {count} times: {error}").format(count=deliveries, error=error)

"""`duban doctor`: one line per check, ok or what to do, from the address to the services."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import typer

from services.console.i18n import _
from services.console.tables import table
from services.console.terminal import (
    Exit,
    Format,
    FormatOption,
    Session,
    duban,
    ending,
    say,
    say_json,
    spinning,
    stop_for,
)

if TYPE_CHECKING:
    from duban_contracts.charter import Charter
    from services.console.client import Duban

OLDEST_SERVER = (2, 12)
"""The first with atomic batches, which the services need."""
MANY_WAITING = 1000
CLOCK_SECONDS = 2.0
"""Clocks further apart than this make due times look wrong."""
PATIENCE_SECONDS = 1.0
FORBIDDEN = 403
"""The code of a fault by which the services say that they do not know who asks."""
STREAM_INFO = "$JS.API.STREAM.INFO.LEDGER_EVT"
"""Answered with the server's time."""


@dataclass(frozen=True)
class Check:
    name: str
    ok: bool
    said: str
    advice: str = ""
    """What to do; only where it is not ok."""


def doctor(ctx: typer.Context, output: FormatOption = Format.TEXT) -> None:
    with ending(output):
        session = ctx.find_object(Session) or Session("")
        checks = asyncio.run(_all(session))
        if output is Format.JSON:
            say_json({"ok": all(check.ok for check in checks), "checks": [asdict(each) for each in checks]})
        else:
            say(lines(checks))
        if not all(check.ok for check in checks):
            raise typer.Exit(Exit.PARTLY if checks[0].ok else Exit.UNREACHABLE)


def lines(checks: list[Check]) -> str:
    rows = []
    for check in checks:
        said = check.said if check.ok else "\n".join(filter(None, (check.said, check.advice)))
        rows.append([_("ok") if check.ok else _("WRONG"), check.name, said])
    return table(["", _("Check"), _("Result")], rows, keep=(0, 1))


async def _all(session: Session) -> list[Check]:
    asker = {"actor": session.actor} if session.actor else {}
    async with spinning():
        try:
            async with duban(session.nats_url, **asker) as system:
                return [check async for check in checks_of(system)]
        except Exception as trouble:
            stop = stop_for(trouble)
            advice = _(
                "look at --nats, DUBAN_NATS_URL and `duban context show`; `duban up` starts a system here"
            )
            return [Check(_("server"), False, str(stop).partition("\n")[0], advice)]


async def checks_of(system: "Duban") -> AsyncIterator[Check]:
    yield await server(system)
    charter = await _charter(system)
    if getattr(charter, "code", None) == FORBIDDEN:
        yield unknown_actor(system.actor)
        return  # nobody answers, so there is nothing else to find out
    yield charter_check(charter)
    yield actor_check(system.actor, charter if not isinstance(charter, Exception) else None)
    from duban_contracts.message import SERVICES

    for service in SERVICES:
        yield await service_check(
            system, service, charter.revision if charter and not isinstance(charter, Exception) else None
        )
    clock = await clock_check(system)
    if clock:
        yield clock


async def server(system: "Duban") -> Check:
    from importlib.metadata import version

    from services.console.client_url import without_password

    client = system.client
    found = client.connected_server_version
    started = time.monotonic()
    await client.flush()
    milliseconds = (time.monotonic() - started) * 1000
    address = without_password(client.connected_url.geturl() if client.connected_url else "")
    text = _("{server} answers in {milliseconds} ms: NATS {version}; this is duban {ours}")
    said = text.format(
        server=address, milliseconds=f"{milliseconds:.0f}", version=found, ours=version("duban")
    )
    new_enough = (found.major, found.minor) >= OLDEST_SERVER
    return Check(_("server"), new_enough, said, _("NATS 2.12 or newer is needed; upgrade the server"))


async def _charter(system: "Duban") -> "Charter | Exception | None":
    from services.console.client import Misasked, NotPermitted, Unreachable

    try:
        return await system.charter()
    except (Misasked, NotPermitted, Unreachable) as trouble:
        return trouble


def charter_check(charter: "Charter | Exception | None") -> Check:
    name = _("charter")
    if charter is None:
        return Check(name, False, _("none is published"), _("`duban charter apply FILE` publishes one"))
    if isinstance(charter, Exception):
        advice = _("start the services, or use a credential that may ask")
        return Check(name, False, str(stop_for(charter)).partition("\n")[0], advice)
    text = _("{name}, revision {revision}")
    return Check(name, True, text.format(name=charter.name, revision=charter.revision))


def unknown_actor(actor: str) -> Check:
    advice = _("use DUBAN_ACTOR, a credential or a context with a name that stands in the charter")
    return Check(_("actor"), False, _("{actor} stands in no charter").format(actor=actor), advice)


def actor_check(actor: str, charter: "Charter | None") -> Check:
    """Who asks, and how many commands the role may send."""
    from duban_contracts.message import CATALOGUE, Command
    from duban_contracts.readers import Program, reader_of
    from services.console.words import word

    name = _("actor")
    if charter is None:
        return Check(name, True, actor)
    reader = reader_of(actor, charter.everyone())
    if reader is None:
        return unknown_actor(actor)
    if isinstance(reader.role, Program):
        return Check(name, True, _("{actor}: reads, and sends no command").format(actor=actor))
    may = [each for each in CATALOGUE.values() if issubclass(each, Command) and reader.role in each.by]
    text = _("{actor}: {role}, may send {count} kinds of commands")
    return Check(name, True, text.format(actor=actor, role=word(reader.role), count=len(may)))


async def service_check(system: "Duban", service: str, revision: int | None) -> Check:
    """Whether it answers, follows the charter in force, and keeps up with what waits for it."""
    from duban_contracts.queries import AskCharter, Backlog, Following, Nothing
    from services.console.client import Misasked, NotPermitted, Unreachable

    try:
        following = await system.ask(service, "charter", AskCharter(), Following, patience=0)
        backlog = await system.ask(service, "backlog", Nothing(), Backlog, patience=0)
    except NotPermitted as refused:
        advice = _("use a credential that may ask; deploy/README.md names them")
        return Check(service, False, _("may not be asked: {subject}").format(subject=refused), advice)
    except Misasked as fault:
        advice = _("run `duban provision`, then look at the log of the service")
        return Check(service, False, _("answers: {why}").format(why=fault), advice)
    except Unreachable:
        advice = _("start it, and look at its log and at its /ready")
        return Check(service, False, _("does not answer"), advice)
    if backlog.wrong:
        parts = _("; ").join(f"{part}: {state}" for part, state in backlog.wrong.items())
        advice = _("look at its log, and at what it needs")
        return Check(service, False, _("is not ready: {parts}").format(parts=parts), advice)
    waiting = sum(each.left for each in backlog.consumers)
    text = _("follows revision {revision}; {count} messages wait or are in work")
    said = text.format(revision=following.revision, count=waiting)
    if revision is not None and following.revision != revision:
        return Check(service, False, said, _("revision {revision} is in force").format(revision=revision))
    return Check(service, waiting < MANY_WAITING, said, _("it falls behind: look at its log and at /ready"))


async def clock_check(system: "Duban") -> Check | None:
    """Our clock beside the server's; None where this credential may not ask for the server's.

    No credential of a deployment may, and the server would log each try as a violation.
    """
    if system.client.connected_url and system.client.connected_url.username:
        return None
    try:
        reply = await system.client.request(STREAM_INFO, b"", timeout=PATIENCE_SECONDS)
        server_time = datetime.fromisoformat(_whole_microseconds(json.loads(reply.data)["ts"]))
    except Exception:
        return None
    apart = (datetime.now(UTC) - server_time).total_seconds()
    said = _("{seconds} s apart from the server's").format(seconds=f"{apart:+.1f}")
    return Check(_("clock"), abs(apart) < CLOCK_SECONDS, said, _("set the clock of this machine by NTP"))


def _whole_microseconds(text: Any) -> str:
    """The server tells nanoseconds, which Python does not read."""
    seconds, _point, rest = str(text).removesuffix("Z").partition(".")
    return f"{seconds}.{(rest + '000000')[:6]}+00:00"

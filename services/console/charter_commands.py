"""`duban charter`: check a charter file at its lines, and publish it."""

import asyncio
import re
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from duban_contracts.charter import Charter
from duban_contracts.charter_findings import sentence
from duban_contracts.message import SERVICES
from duban_contracts.queries import AskCharter, Following
from services.chassis.charter_bucket import publish_charter, published_charter
from services.chassis.charter_file import CharterErrors, Finding, charter_gaps, read_charter
from services.console import charter_view
from services.console.charter_new import new_charter
from services.console.client import Duban, Unreachable
from services.console.i18n import N_, _
from services.console.orphans import NotAsked, Orphan, orphans
from services.console.plan_telling import PlanOutcome, outcome_untold, plan_sentence, plan_told, speaker
from services.console.terminal import (
    Exit,
    Format,
    FormatOption,
    Session,
    Stop,
    YesOption,
    complain,
    confirm,
    ending,
    misuse,
    on_system,
    say,
    say_json,
    somebody_there,
)

FOLLOW_SECONDS = 10.0
TOKEN = re.compile(r"^[A-Za-z0-9_-]{1,40}$")

app = typer.Typer(help=N_("The town's charter"), no_args_is_help=True)

app.command("show", help=N_("The charter in force: an overview, or a part of it"))(charter_view.show)
app.command("diff", help=N_("What differs between the charter in force and a file, or two files"))(
    charter_view.diff
)
app.command("history", help=N_("The revisions that were published, and how much each changed"))(
    charter_view.history
)

CharterFile = Annotated[Path, typer.Argument(help=N_("The charter, a YAML file"), show_default=False)]


@app.command("check", help=N_("Tell every error of a charter at its line, and every gap as a warning"))
def check(file: CharterFile, output: FormatOption = Format.TEXT) -> None:
    with ending(output):
        gaps = _read(file, output)[1]
        if output is Format.JSON:
            say_json(_document(file, [], gaps))
        else:
            _warn(file, gaps)
            say(_("{file} is a valid charter; gaps: {count}").format(file=file, count=len(gaps)))


@app.command("apply", help=N_("Check a charter and publish it as a new revision"))
def apply(
    ctx: typer.Context,
    file: CharterFile,
    yes: YesOption = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help=N_("Only tell what the change leaves without anybody"))
    ] = False,
    output: FormatOption = Format.TEXT,
) -> None:
    with ending(output):
        charter, gaps = _read(file, output)
        if dry_run:
            left = on_system(ctx, lambda system: _left_over(system, charter, system.charter))
            _settle_left_over(left, yes=False, only_looking=True)
            say(_("the change leaves nothing without anybody"))
            return
        if not yes and somebody_there() and (current := on_system(ctx, in_force)):
            question = _("{name}, revision {revision}, is in force. Replace it by {file}?")
            told = question.format(name=current.name, revision=current.revision, file=file)
            confirm(told, yes=False)
        # Who publishes reads the bucket, also where no service runs yet.
        left = on_system(
            ctx, lambda system: _left_over(system, charter, lambda: published_charter(system.client))
        )
        _settle_left_over(left, yes)
        actor = speaker(ctx.find_object(Session).nats_url, charter)  # type: ignore[union-attr]
        revision, followers, plan = on_system(ctx, lambda system: applied(system, charter, actor))
        if output is Format.JSON:
            orphaned = [each.document() for each in left] if isinstance(left, list) else None
            done = {"revision": revision, "services": followers, "plan": plan, "orphans": orphaned}
            say_json(_document(file, [], gaps) | done)
        else:
            _warn(file, gaps)
            say(_("{file} is published as revision {revision}").format(file=file, revision=revision))
            for service, followed in followers.items():
                say(following(service, followed, revision))
            if said := plan_sentence(plan, charter, revision):
                say(said)


async def _left_over(
    system: Duban, charter: Charter, former: Callable[[], Awaitable[Charter | None]]
) -> list[Orphan] | NotAsked:
    """What the change from `former` leaves without anybody, or why nobody can say."""
    try:
        return await orphans(system, await former(), charter)
    except NotAsked as why:
        return why


def _settle_left_over(left: list[Orphan] | NotAsked, yes: bool, only_looking: bool = False) -> None:
    """Tells what is left, and goes on only where somebody says that it is meant; raises Stop."""
    if isinstance(left, NotAsked):
        said = _("the charter leaves something out, and what is still open with it cannot be asked: {why}")
        sentences, document = [said.format(why=left)], None
    else:
        sentences, document = [each.sentence() for each in left], [each.document() for each in left]
    if not sentences:
        return
    for each in sentences:
        complain(each)
    if yes:
        return
    if only_looking or not somebody_there():
        said = _("nothing is published; settle what is left over first, or say with --yes that it is meant")
        raise Stop(Exit.REFUSED, "orphans", said, orphans=document)
    confirm(_("Publish it all the same?"), yes=False)


async def in_force(system: Duban) -> Charter | None:
    """None where there is none, or no service is there to ask."""
    try:
        return await system.charter()
    except Unreachable:
        return None


@app.command("new", help=N_("Write a commented charter with working defaults, to be filled in"))
def new(
    file: Annotated[
        Path | None, typer.Argument(help=N_("The file to write"), metavar="FILE", show_default=False)
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help=N_("The same as FILE"))] = None,
    township: Annotated[
        str | None, typer.Option("--township", help=N_("The town's name; asked for where it is missing"))
    ] = None,
    name: Annotated[str | None, typer.Option("--name", help=N_("The charter's name"))] = None,
    station: Annotated[
        list[str] | None, typer.Option("--station", help=N_("A station as TOKEN=NAME; repeatable"))
    ] = None,
    force: Annotated[bool, typer.Option("--force", help=N_("Replace the file if it is there"))] = False,
    output: FormatOption = Format.TEXT,
) -> None:
    with ending(output):
        file = _one_of(file, out)
        if file.exists() and not force:
            raise misuse(_("{file} is there already; --force replaces it").format(file=file))
        stations = [_station(each) for each in station or ()]
        town = (township or _asked_township()).strip()
        if not town:
            raise misuse(_("the town needs a name; give --township"))
        _write(file, new_charter(town, name, stations))
        gaps = _read(file, output)[1]
        if output is Format.JSON:
            say_json(_document(file, [], gaps))
        else:
            said = _(
                "{file} is a valid charter; fill in stations and categories, then run `duban charter check`"
            )
            say(said.format(file=file))


def _one_of(file: Path | None, out: Path | None) -> Path:
    if file is not None and out is not None:
        raise misuse(_("FILE and --out say the same: give one of them"))
    found = file or out
    if found is None:
        raise misuse(_("{name} is missing").format(name="FILE"))
    return found


def _asked_township() -> str:
    if not sys.stdin.isatty():
        raise misuse(_("the town needs a name; give --township"))
    return str(typer.prompt(_("Name of the township")))


def _station(text: str) -> tuple[str, str]:
    token, equals, called = (part.strip() for part in text.partition("="))
    if not (equals and called and TOKEN.match(token)):
        said = _("{text!r} is no station; write TOKEN=NAME, like bianmin=便民服务中心")
        raise misuse(said.format(text=text))
    return token, called


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise misuse(_("{file} cannot be written: {why}").format(file=file, why=error.strerror)) from None


def _read(file: Path, output: Format) -> tuple[Charter, list[Finding]]:
    """The charter and its gaps; a charter with errors ends the command."""
    try:
        return read_charter(file), charter_gaps(file)
    except OSError as error:
        raise misuse(_("{file} cannot be read: {why}").format(file=file, why=error.strerror)) from None
    except CharterErrors as errors:
        _tell_errors(file, errors.findings, output)
        raise typer.Exit(Exit.MISUSE) from None


def _tell_errors(file: Path, errors: list[Finding], output: Format) -> None:
    if output is Format.JSON:
        return say_json(_document(file, errors, []))
    for finding in errors:
        say(_at(file, finding, _("error")))
    return complain(_("errors in {file}: {count}").format(file=file, count=len(errors)))


def _warn(file: Path, gaps: list[Finding]) -> None:
    for finding in gaps:
        say(_at(file, finding, _("warning")))


def _at(file: Path, finding: Finding, weight: str) -> str:
    place = f"{finding.path}: " if finding.path else ""
    return f"{file}:{finding.line}: {weight}: {place}{in_words(finding)}"


def in_words(finding: Finding) -> str:
    """In the language in use."""
    return sentence(finding.code, dict(finding.params), _)


def errors_text(errors: CharterErrors) -> str:
    """Each error at its line, in the language in use."""
    return "\n".join(_at(errors.path, finding, _("error")) for finding in errors.findings)


def _document(file: Path, errors: list[Finding], gaps: list[Finding]) -> dict[str, Any]:
    return {
        "file": str(file),
        "valid": not errors,
        "errors": [_for_programs(finding) for finding in errors],
        "warnings": [_for_programs(finding) for finding in gaps],
    }


def _for_programs(finding: Finding) -> dict[str, Any]:
    return {
        "line": finding.line,
        "path": finding.path,
        "code": finding.code,
        "params": dict(finding.params),
        "message": in_words(finding),
    }


async def applied(
    system: Duban, charter: Charter, actor: str | None
) -> tuple[int, dict[str, int | None], PlanOutcome]:
    """Published and followed; then `actor`, if anybody may, asks the ledger for the measures of the plan."""
    former = await published_charter(system.client)
    revision, followers = await published(system, charter)
    if followers["ledger"] is None or actor is None:
        return revision, followers, outcome_untold(former, charter)
    plan = await plan_told(system, charter, revision, actor, FOLLOW_SECONDS)
    return revision, followers, plan


async def published(system: Duban, charter: Charter) -> tuple[int, dict[str, int | None]]:
    """The revision, and which revision each service follows now; None: it is not running."""
    revision = await publish_charter(system.client, charter)
    followed = await asyncio.gather(*(followed_by(system, service, revision) for service in SERVICES))
    return revision, dict(zip(SERVICES, followed, strict=True))


async def followed_by(
    system: Duban, service: str, revision: int, patience: float = FOLLOW_SECONDS
) -> int | None:
    """Wait until a service follows `revision`; returns what it follows after `patience` seconds."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + patience
    while True:
        try:
            asked = AskCharter(text=False)
            seen = (await system.ask(service, "charter", asked, Following, patience=0)).revision
        except Unreachable:
            return None
        if seen >= revision or loop.time() > deadline:
            return seen
        await asyncio.sleep(0.1)


def following(service: str, followed: int | None, revision: int) -> str:
    if followed is None:
        return _("{service}: not running; will follow when it starts").format(service=service)
    if followed < revision:
        text = _("{service}: still follows revision {followed}")
        return text.format(service=service, followed=followed)
    return _("{service}: follows it").format(service=service)

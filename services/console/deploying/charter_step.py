"""Which charter a deployment goes by: what DUBAN_CHARTER names, else what is in force, else the shipped one.

A shipped charter is a beginning: published where none is in force, and never over a town's own. What is in
force is noted beside the streams, with which it is backed up, so that the accounts can be written from it
before NATS runs.
"""

from pathlib import Path

from nats.js.errors import NotFoundError
from pydantic import ValidationError

from duban_contracts.charter import Charter
from services.chassis.charter_bucket import GIVEN, STREAM, SUBJECT, published_charter
from services.chassis.charter_file import read_charter
from services.console.charter_commands import applied, following
from services.console.client import Duban, duban
from services.console.deploying.permissions import permissions
from services.console.deploying.replacing import replace
from services.console.orphans import NotAsked, left_out, orphans
from services.console.plan_telling import plan_sentence

SHIPPED = "township-2024.yaml"
NAME_IT = "name the town's charter in the file .env beside docker-compose.yml (DUBAN_CHARTER=...)"


class NoCharter(Exception):
    """There is none to go by, or it would take something away; the message says what to do."""


def file_named(given: Path) -> tuple[Path, bool]:
    """The file, and whether DUBAN_CHARTER named it: where it did not, `given` is the folder of all.

    Raises NoCharter.
    """
    file, named = (given / SHIPPED, False) if given.is_dir() else (given, True)
    if not file.is_file():
        there = ", ".join(sorted(each.name for each in file.parent.glob("*.yaml")))
        raise NoCharter(
            f"DUBAN_CHARTER names {file.name}, and deploy/charters holds no such file; it holds: {there}"
        )
    return file, named


def charter_to_admit(given: Path, note: Path | None) -> tuple[Charter, str]:
    """Whose stations and actors get credentials, and where it stands. Raises NoCharter and CharterErrors."""
    file, named = file_named(given)
    if not named and note and (noted := _noted(note)):
        return noted, "the charter in force"
    return read_charter(file), file.name


def _as_noted(charter: Charter) -> str:
    return charter.model_dump_json(exclude_none=True)


def _noted(note: Path) -> Charter | None:
    try:
        return Charter.model_validate_json(note.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError:
        raise NoCharter(f"the charter in force, as noted in {note}, cannot be read; {NAME_IT}") from None


async def publish(given: Path, admin: str, operator: str, note: Path) -> list[str]:
    """What was done and what to look at, line by line. `admin` and `operator` are addresses.

    Raises NoCharter and CharterErrors.
    """
    file, named = file_named(given)
    charter = read_charter(file)
    async with duban(admin) as system:
        former = await published_charter(system.client)
        if not named and await _other_in_force(system, former, charter):
            admitted = charter_to_admit(given, note)[0]
            if former:
                replace(note, _as_noted(former))
            return [_kept(former, charter, admitted)]
        said = await _left_over(operator, former, charter)
        revision, followers, plan = await applied(system, charter, None)
        replace(note, _as_noted(charter))
    said.append(f"{file.name} is published as revision {revision}")
    said += [following(service, followed, revision) for service, followed in followers.items()]
    return said + [sentence for sentence in [plan_sentence(plan, charter, revision)] if sentence]


async def _other_in_force(system: Duban, former: Charter | None, charter: Charter) -> bool:
    """Another one than `charter`, also one that this release cannot read."""
    try:
        newest = await system.client.jetstream(timeout=10).get_last_msg(STREAM, SUBJECT)
    except NotFoundError:
        return False
    return former is None or former.revision != newest.seq or _content(former) != _content(charter)


def _content(charter: Charter) -> str:
    """What a town wrote; the calendar of another year does not make it another charter."""
    return charter.model_dump_json(exclude=GIVEN | {"national_calendar"}, exclude_none=True)


def _kept(former: Charter | None, charter: Charter, admitted: Charter) -> str:
    """Raises NoCharter where credentials of the charter in force were left out of the accounts."""
    if former is None:
        raise NoCharter(f"the charter in force cannot be read by this release; {NAME_IT}")
    said = f"{former.name}, revision {former.revision}, stays in force: DUBAN_CHARTER names none"
    if without := permissions(former).keys() - permissions(admitted).keys():
        raise NoCharter(
            f"{said}, and NATS was given the credentials of {charter.name}, without those of "
            f"{', '.join(sorted(without))}; {NAME_IT}, and `docker compose up -d --wait` again"
        )
    return f"{said}; to publish the shipped one, name it: DUBAN_CHARTER={SHIPPED}"


async def _left_over(operator: str, former: Charter | None, charter: Charter) -> list[str]:
    """What is still open with what `charter` leaves out, as far as the operator sees it."""
    if former is None or not (left := left_out(former, charter)):
        return []
    try:
        async with duban(operator) as system:
            found = await orphans(system, former, charter)
        return [f"warning: {each.sentence()}" for each in found]
    except NotAsked as why:
        names = ", ".join(sorted(frozenset().union(*vars(left).values())))
        return [f"warning: the charter leaves out {names}; what is open with it cannot be asked: {why}"]

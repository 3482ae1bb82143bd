"""The charter of a deployment: a shipped one never takes the place of a town's own, nor its credentials."""

from collections.abc import AsyncIterator
from pathlib import Path
from shutil import copy

import pytest
from typer.testing import CliRunner, Result

from duban_contracts.charter import Charter
from duban_contracts.intake import SubmitMatter
from services.chassis.charter_bucket import published_charter
from services.console.client import Order, duban
from services.console.deploying.__main__ import app
from services.console.deploying.charter_step import SHIPPED, NoCharter, publish
from services.console.deploying.permissions import ADMIN, OPERATOR, PROVISION
from services.console.embedded import MongoServer
from services.console.embedded.servers import at_home
from services.console.system import System, set_up
from tests.conftest import CHARTERS
from tests.deploy.conftest import GuardedNats

TOWN = "myla311.yaml"


@pytest.fixture
def charters(tmp_path: Path) -> Path:
    """The folder with the shipped charter, and a town's of its own."""
    folder = tmp_path / "charters"
    folder.mkdir()
    for name in (SHIPPED, TOWN):
        copy(CHARTERS / name, folder)
    return folder


@pytest.fixture
async def nats(secrets: Path) -> AsyncIterator[GuardedNats]:
    with at_home(lambda home: GuardedNats(home, secrets, sync="1s"), None) as server:
        await set_up(server.url_for(PROVISION), None)
        yield server


class Step:
    """`accounts` and `publish`, as the compose file runs them."""

    def __init__(self, folder: Path, secrets: Path, nats: GuardedNats | None = None) -> None:
        self.out, self.note = folder / "accounts.conf", folder / "in-force.json"
        self._secrets, self._nats = secrets, nats

    def accounts(self, charter: Path) -> Result:
        return CliRunner().invoke(
            app,
            [
                "accounts",
                f"--seed={self._secrets / 'seed.json'}",
                f"--charter={charter}",
                f"--in-force={self.note}",
                f"--out={self.out}",
            ],
        )

    async def publish(self, charter: Path) -> str:
        assert self._nats
        addresses = (self._nats.url_for(ADMIN), self._nats.url_for(OPERATOR))
        return "\n".join(await publish(charter, *addresses, self.note))

    async def in_force(self) -> Charter:
        assert self._nats
        async with duban(self._nats.url_for(ADMIN)) as system:
            found = await published_charter(system.client)
        assert found
        return found


@pytest.mark.case("B13")
async def test_the_shipped_charter_is_published_only_where_none_is_in_force(
    charters: Path, tmp_path: Path, secrets: Path, nats: GuardedNats
) -> None:
    step = Step(tmp_path, secrets, nats)
    assert "revision 1" in await step.publish(charters)
    await step.publish(charters / TOWN)
    town = await step.in_force()
    assert "stays in force" in await step.publish(charters)
    assert await step.in_force() == town
    assert "revision 3" in await step.publish(charters / SHIPPED), "named, it applies"


@pytest.mark.case("B13")
async def test_the_credentials_of_the_charter_in_force_stay_where_none_is_named(
    charters: Path, tmp_path: Path, secrets: Path, nats: GuardedNats
) -> None:
    step = Step(tmp_path, secrets, nats)
    assert step.accounts(charters / TOWN).exit_code == 0
    before = step.out.read_text()
    refused = step.accounts(charters)
    assert refused.exit_code == 1, "not noted yet"
    assert "DUBAN_CHARTER" in refused.stderr
    await step.publish(charters / TOWN)
    kept = step.accounts(charters)
    assert (kept.exit_code, kept.stderr) == (0, "")
    assert step.out.read_text() == before


@pytest.mark.case("B13")
async def test_volumes_that_were_restored_without_the_note_say_that_a_charter_must_be_named(
    charters: Path, tmp_path: Path, secrets: Path, nats: GuardedNats
) -> None:
    step = Step(tmp_path, secrets, nats)
    await step.publish(charters / TOWN)
    step.note.unlink()
    assert step.accounts(charters).exit_code == 0
    with pytest.raises(NoCharter, match="name the town's charter"):
        await step.publish(charters)


@pytest.mark.case("A6", "B13")
async def test_what_a_new_charter_leaves_open_is_named(
    charters: Path, tmp_path: Path, secrets: Path, nats: GuardedNats, mongo: MongoServer
) -> None:
    step = Step(tmp_path, secrets, nats)
    await step.publish(charters / SHIPPED)
    system = System(nats, mongo, logs=tmp_path, database_prefix="charter_step")
    try:
        system.start(["intake", "ledger", "escalation"])
        matter = SubmitMatter(title="路灯不亮", category="reading_room")
        async with duban(nats.url_for("gateway"), actor="gateway") as gateway:
            await gateway.outcome(Order(matter, key="hotline:1", actor="gateway"))
        async with duban(nats.url_for(OPERATOR)) as operator:
            await operator.caught_up(consumers=("intake", "ledger"))
        without = charters / "without.yaml"
        text = (CHARTERS / SHIPPED).read_text("utf-8")
        without.write_text(text.replace("reading_room", "reading_place"), "utf-8")
        said = await step.publish(without)
    finally:
        system.stop()
    assert "warning: category 'reading_room' leaves the charter with 1 open matters" in said


@pytest.mark.case("B18")
def test_a_file_that_is_not_there_is_said_to_be_missing_with_those_that_are(
    charters: Path, tmp_path: Path, secrets: Path
) -> None:
    refused = Step(tmp_path, secrets).accounts(charters / "twon.yaml")
    assert refused.exit_code == 1
    assert f"holds no such file; it holds: {TOWN}, {SHIPPED}" in refused.stderr

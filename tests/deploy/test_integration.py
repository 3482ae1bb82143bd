"""Other programs, as the contracts' README shows them, with the credential that a deployment gives them."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from nats.aio.msg import Msg

from duban_contracts.notices import DeadLetterNotice
from duban_contracts.queries import AskFacts, FactsPage
from services.console.client import duban
from services.console.system import System
from tests.conftest import ROOT
from tests.deploy.conftest import GuardedNats, guarded_system
from tests.deploy.test_permissions import connected

__all__ = ["guarded_system"]  # a fixture
EXAMPLES = ROOT / "contracts" / "examples"
TRANSPORT = "@nats-io/transport-node@3.4.0"
PATIENCE = 60


def ran(*command: str, url: str, folder: Path | None = None) -> str:
    env = {**os.environ, "NATS_URL": url, "PYTHONUTF8": "1"}
    done = subprocess.run(command, env=env, cwd=folder, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.case("A16")
def test_the_python_examples_work_with_the_gateways_credential(
    guarded: GuardedNats, guarded_system: System
) -> None:
    url = guarded.url_for("gateway")
    assert ran(sys.executable, str(EXAMPLES / "publish_matter.py"), url=url) == ""
    lines = ran(sys.executable, str(EXAMPLES / "follow_matter.py"), url=url).splitlines()
    assert lines[0].startswith("answer duban.intake.matter_accepted.v1 {")
    assert any(line.startswith("number 20") for line in lines)


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package that the example needs."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("there is no Node.js here")
    folder = tmp_path_factory.mktemp("node")
    command = [npm, "install", "--no-audit", "--no-fund", "--silent", TRANSPORT]
    try:
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=PATIENCE)
    except (subprocess.SubprocessError, OSError) as error:
        pytest.skip(f"{TRANSPORT} cannot be installed here: {type(error).__name__}")
    shutil.copy(EXAMPLES / "publish_matter.mjs", folder)
    return folder


@pytest.mark.case("A16")
def test_the_example_for_node_works_with_the_gateways_credential(
    guarded: GuardedNats, guarded_system: System, node: Path
) -> None:
    told = ran("node", "publish_matter.mjs", "hotline:node-1", url=guarded.url_for("gateway"), folder=node)
    assert '"stream":"INTAKE_CMD"' in told
    assert "answer duban.intake.matter_accepted.v1" in told
    assert "number 20" in told


@pytest.mark.case("A16")
async def test_a_channel_hears_of_its_matters_its_refusals_and_its_dead_letters(
    guarded: GuardedNats, guarded_system: System
) -> None:
    heard: dict[str, bytes] = {}
    came = asyncio.Event()

    async def hear(msg: Msg) -> None:
        heard[msg.subject] = msg.data
        came.set()

    async def until_heard(subject: str) -> bytes:
        async with asyncio.timeout(PATIENCE):
            while subject not in heard:
                came.clear()
                await came.wait()
        return heard[subject]

    async with duban(guarded.url_for("gateway")) as gateway, connected(guarded, "bianmin") as (other, _):
        for pattern in ("notice.*.*.*.gateway", "evt.*.*.*.gateway"):
            await gateway.client.subscribe(pattern, cb=hear)
        strangers: list[str] = []

        async def stray(msg: Msg) -> None:
            strangers.append(msg.subject)

        await other.subscribe("notice.*.*.*.bianmin", cb=stray)
        before = {name: await ends(gateway, name) for name in ("intake", "ledger")}
        publish = gateway.client.jetstream().publish
        body = json.dumps({"title": "村口公厕堵塞", "category": "public_toilet"}).encode()
        await publish("cmd.intake.submit_matter.v1.gateway", body, headers=about("hotline:9", "hotline:9/1"))
        opened = json.loads(await until_heard("notice.ledger.entry_opened.v1.gateway"))
        assert (opened["submission"], opened["brought_by"]) == ("hotline:9", "gateway")
        assert "notice.intake.matter_accepted.v1.gateway" in heard

        unknown = json.dumps({"title": "村口公厕堵塞", "category": "nonsense"}).encode()
        headers = about("hotline:10", "hotline:10/1")
        await publish("cmd.intake.submit_matter.v1.gateway", unknown, headers=headers)
        refused = json.loads(await until_heard("evt.intake.command_refused.v1.gateway"))
        assert refused["reason"] == "unknown_category"

        headers = about("hotline:11", "hotline:11/1")
        await publish("cmd.intake.submit_matter.v1.gateway", b"{}", headers=headers)
        letter = await until_heard("notice.intake.dead_letter.v1.gateway")
        notice = DeadLetterNotice.model_validate_json(letter)
        assert (notice.reason, notice.id) == ("breaks_contract", "hotline:11/1")

        page = await gateway.ask("ledger", "facts", AskFacts(after=before["ledger"]), FactsPage)
        assert "evt.ledger.entry_opened" in " ".join(fact.subject for fact in page.facts)
        page = await gateway.ask("intake", "facts", AskFacts(after=before["intake"]), FactsPage)
        named = {fact.subject.split(".")[2] for fact in page.facts}
        assert {"matter_accepted", "command_refused"} <= named
        assert strangers == []


async def ends(system: object, service: str) -> int:
    page = await system.ask(service, "facts", AskFacts(), FactsPage)  # type: ignore[attr-defined]
    return int(page.next)


def about(key: str, id_: str) -> dict[str, str]:
    return {
        "ce-specversion": "1.0",
        "ce-id": id_,
        "ce-source": "/hotline",
        "ce-type": "duban.intake.submit_matter.v1",
        "ce-subject": key,
        "content-type": "application/json",
    }

"""The shipped nats.conf with the generated accounts, on a real nats-server on loopback."""

import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from duban_contracts.charter import Charter
from services.chassis.charter_bucket import publish_charter
from services.console.client import duban
from services.console.deploying.__main__ import accounts
from services.console.deploying.permissions import ADMIN, OPERATOR, PROVISION, permissions
from services.console.deploying.seed import Seed, read_seed
from services.console.embedded import MongoServer, NatsServer
from services.console.embedded.servers import LOOPBACK, at_home
from services.console.system import System, set_up
from tests.conftest import CHARTERS, ROOT

INIT = ROOT / "deploy" / "init.py"


def init(folder: Path, *arguments: str) -> str:
    """Run `deploy/init.py` as an administrator does, without our environment."""
    command = [sys.executable, "-I", "-S", str(INIT), "--dir", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


class GuardedNats(NatsServer):
    """As in the compose file, but for port and folder; each name in the accounts is a user."""

    def __init__(self, home: Path, secrets: Path, sync: str = "always") -> None:
        super().__init__(home)
        self._secrets, self._sync = secrets, sync

    @property
    def seed(self) -> Seed:
        return read_seed(self._secrets / "seed.json")

    def password(self, user: str) -> str:
        return self.seed.password("nats", user)

    def url_for(self, user: str) -> str:
        return f"nats://{user}:{self.password(user)}@{LOOPBACK}:{self.port}"

    def _url(self) -> str:
        return self.url_for(ADMIN)

    def _write_config(self) -> Path:
        folder = self.home / "accounts"
        folder.mkdir(exist_ok=True)
        charter = CHARTERS / "township-2024.yaml"
        accounts(self._secrets / "seed.json", charter, folder / "accounts.conf")
        text = (ROOT / "deploy" / "nats" / "nats.conf").read_text("utf-8")
        for shipped, here in {
            '"nats-1"': json.dumps(self._name),
            '"0.0.0.0:4222"': json.dumps(f"{LOOPBACK}:{self.port}"),
            'http: "127.0.0.1:8222"': "",
            '"../accounts/accounts.conf"': '"accounts/accounts.conf"',
            '"/data"': json.dumps(str(self.home / "data")),
            "sync_interval: always": f"sync_interval: {self._sync}",
        }.items():
            assert text.count(shipped) == 1, shipped
            text = text.replace(shipped, here)
        config = self.home / "nats.conf"
        config.write_text(text, "utf-8")
        return config


@pytest.fixture(scope="session")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("secrets")
    init(folder)
    return folder


@pytest.fixture(scope="session")
async def guarded(secrets: Path, township: Charter) -> AsyncIterator[GuardedNats]:
    """Provisioned, and the charter published, each by the credential that is for it."""
    with at_home(lambda home: GuardedNats(home, secrets), None) as server:
        await set_up(server.url_for(PROVISION), None)
        async with duban(server.url_for(ADMIN)) as system:
            assert await publish_charter(system.client, township) == 1
        yield server


@pytest.fixture(scope="session")
def users(township: Charter) -> list[str]:
    found = list(permissions(township))
    assert {ADMIN, OPERATOR, PROVISION, "ledger", "qingjieban", "office", "gateway"} <= set(found)
    return found


@pytest.fixture(scope="session")
def guarded_system(
    guarded: GuardedNats, mongo: MongoServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[System]:
    system = System(guarded, mongo, logs=tmp_path_factory.mktemp("logs"), database_prefix="guarded")
    try:
        system.start()
        yield system
    finally:
        system.stop()

"""A running nats-server reads its configuration again where it changed, and only there."""

import json
import os
import socket
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nats
import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from services.console.deploying import nats_reload
from services.console.deploying.nats_reload import NotReloaded, reload
from services.console.embedded import Child
from services.console.embedded.nats import find_nats_server
from services.console.embedded.servers import LOOPBACK, free_port
from tests.waiting import until

HOUR = 3600


@dataclass
class Running:
    config: Path
    accounts: Path
    port: int
    http: int
    child: Child

    @property
    def monitor(self) -> str:
        return f"http://{LOOPBACK}:{self.http}"

    @property
    def files(self) -> list[Path]:
        return [self.config, self.accounts]

    def written_long_ago(self) -> None:
        for file in self.files:
            before = file.stat().st_mtime - HOUR
            os.utime(file, (before, before))


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    port, http = free_port(), free_port()
    folder = tmp_path / "nats"
    folder.mkdir()
    accounts, config = tmp_path / "accounts.conf", folder / "nats.conf"
    accounts.write_text(users("old"))
    config.write_text(f'listen: "{LOOPBACK}:{port}"\nhttp: "{LOOPBACK}:{http}"\ninclude "../accounts.conf"\n')
    child = Child([str(find_nats_server()), "--config", str(config)], log=tmp_path / "log", alone=True)
    child.start()
    monkeypatch.setattr(nats_reload, "_server", lambda: child.pid)
    server = Running(config, accounts, port, http, child)
    try:
        until(lambda: "Server is ready" in (tmp_path / "log").read_text())
        yield server
    finally:
        child.kill()


def users(password: str) -> str:
    return "accounts: " + json.dumps({"A": {"users": [{"user": "office", "password": password}]}})


def accepted(running: Running, password: str) -> bool:
    greeting = json.dumps({"user": "office", "pass": password, "verbose": False, "pedantic": False})
    with socket.create_connection((LOOPBACK, running.port), timeout=10) as connection:
        connection.sendall(f"CONNECT {greeting}\r\nPING\r\n".encode())
        told = b""
        while b"PONG" not in told and b"-ERR" not in told and (more := connection.recv(4096)):
            told += more
    return b"PONG" in told


@pytest.mark.case("B10")
def test_a_rotated_password_stops_working_and_the_new_one_works(running: Running) -> None:
    assert accepted(running, "old")
    running.accounts.write_text(users("new"))
    assert reload(running.files, running.monitor)
    assert not accepted(running, "old")
    assert accepted(running, "new")


@asynccontextmanager
async def connected(running: Running, user: str) -> AsyncIterator[Client]:
    client = await nats.connect(f"nats://{user}:p@{LOOPBACK}:{running.port}")
    try:
        yield client
    finally:
        await client.close()


def services_and(*actors: str) -> str:
    accounts: dict[str, Any] = {
        "SERVICES": {
            "exports": [{"service": "query.>"}],
            "users": [{"user": "ledger", "password": "p"}],
        }
    }
    for actor in actors:
        question = {"account": "SERVICES", "subject": f"query.*.{actor}"}
        accounts[actor] = {"imports": [{"service": question}], "users": [{"user": actor, "password": "p"}]}
    return "accounts: " + json.dumps(accounts)


@pytest.mark.case("B10")
async def test_an_account_that_is_new_is_answered_by_services_that_were_there_before(
    running: Running,
) -> None:
    async def answer(question: Msg) -> None:
        await question.respond(b"here")

    running.accounts.write_text(services_and("office"))
    assert reload(running.files, running.monitor)
    async with connected(running, "ledger") as ledger:
        await ledger.subscribe("query.list.*", queue="ledger", cb=answer)
        await ledger.flush()
        running.accounts.write_text(services_and("office", "newcomer"))
        assert reload(running.files, running.monitor)
        async with connected(running, "newcomer") as newcomer:
            assert (await newcomer.request("query.list.newcomer", timeout=5)).data == b"here"


@pytest.mark.case("B10")
def test_a_server_that_read_the_files_after_they_were_written_is_left_alone(running: Running) -> None:
    def read_at() -> str:
        with urllib.request.urlopen(f"{running.monitor}/varz") as answer:
            return str(json.load(answer)["config_load_time"])

    running.written_long_ago()
    before = read_at()
    assert not reload(running.files, running.monitor)
    assert read_at() == before


@pytest.mark.case("B10")
def test_a_configuration_that_the_server_refuses_is_said_and_the_former_goes_on(
    running: Running,
) -> None:
    running.accounts.write_text("accounts: {")
    with pytest.raises(NotReloaded, match="refuses"):
        reload(running.files, running.monitor, patience=0.5)
    assert accepted(running, "old")


@pytest.mark.case("B10")
def test_a_server_that_is_not_there_is_said(running: Running) -> None:
    running.child.kill()
    with pytest.raises(NotReloaded, match="does not answer"):
        reload(running.files, running.monitor, patience=0.1)

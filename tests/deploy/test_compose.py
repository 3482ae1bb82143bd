"""The compose file keeps what administrators expect of it; asked to, it is brought up for real."""

import json
import os
import shlex
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from ruamel.yaml import YAML

from duban_contracts.message import SERVICES
from services.console.embedded.servers import free_port
from tests.conftest import ROOT
from tests.deploy.conftest import init

COMPOSE = YAML(typ="safe").load(ROOT / "docker-compose.yml")
PARTS: dict[str, dict[str, Any]] = COMPOSE["services"]
ONE_SHOTS = {"accounts", "mongo-users", "provision"}
TOOLS = {"duban"}
SERVERS = {"nats", "mongo"}
STANDINS = ROOT.parent / "shared" / "tools" / "docker-standins"
NO_ENGINE = 77

each_part = pytest.mark.parametrize("name", PARTS)


def test_every_service_is_there_with_the_servers_and_what_prepares_them() -> None:
    assert set(PARTS) == {*SERVICES, *SERVERS, *ONE_SHOTS, *TOOLS}


@each_part
def test_logs_cannot_fill_the_disk(name: str) -> None:
    assert {"max-size", "max-file"} <= PARTS[name]["logging"]["options"].keys()


@each_part
def test_nothing_runs_as_root_or_may_become_it_or_writes_where_it_should_not(name: str) -> None:
    part = PARTS[name]
    assert part["read_only"] is True
    assert part["cap_drop"] == ["ALL"]
    assert part["security_opt"] == ["no-new-privileges:true"]
    assert part["user"].partition(":")[0] not in ("", "0", "root")


@each_part
def test_memory_and_processes_are_limited(name: str) -> None:
    assert {"memory", "pids"} <= PARTS[name]["deploy"]["resources"]["limits"].keys()


@each_part
def test_what_stays_up_says_whether_it_is_well_and_comes_up_again(name: str) -> None:
    part = PARTS[name]
    stays = name in {*SERVICES, *SERVERS}
    assert ("healthcheck" in part) == stays
    assert part.get("restart", "no") == ("unless-stopped" if stays else "no")


@pytest.mark.parametrize("name", ONE_SHOTS)
def test_somebody_waits_for_every_one_shot(name: str) -> None:
    """Else `up --wait` calls its happy end a failure."""
    waiting = [part.get("depends_on", {}).get(name, {}).get("condition") for part in PARTS.values()]
    assert "service_completed_successfully" in waiting


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_holds_its_own_two_secrets_and_is_reached_from_inside_only(name: str) -> None:
    held = {(secret["source"], secret["target"]) for secret in PARTS[name]["secrets"]}
    assert held == {(f"{name}_nats_url", "duban_nats_url"), (f"{name}_mongo_url", "duban_mongo_url")}
    assert PARTS[name]["networks"] == ["inside"]
    assert COMPOSE["networks"]["inside"]["internal"] is True
    assert PARTS[name]["command"] == [name]


def test_only_nats_is_published_and_on_loopback_unless_told_otherwise() -> None:
    ports = {name: part["ports"] for name, part in PARTS.items() if "ports" in part}
    assert ports == {"nats": ["${DUBAN_NATS_LISTEN:-127.0.0.1:4222}:4222"]}


def test_every_image_can_be_replaced_and_has_a_version(tmp_path: Path) -> None:
    images = {part["image"] for part in PARTS.values()}
    for image in images:
        variable, default = image.removeprefix("${").removesuffix("}").split(":-")
        assert variable.endswith("_IMAGE")
        assert ":" in default
        assert not default.endswith(":latest")


def test_init_makes_every_secret_that_the_compose_file_wants(tmp_path: Path) -> None:
    init(tmp_path)
    wanted = {secret["file"].rpartition("/")[2] for secret in COMPOSE["secrets"].values()}
    assert wanted == {file.name for file in tmp_path.iterdir()}


def test_secrets_are_neither_committed_nor_sent_to_the_builder() -> None:
    assert "/run/" in (ROOT / ".gitignore").read_text().splitlines()
    ignored = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] != "#"]
    assert ignored[0] == "*"
    assert not any(line.startswith("!run") for line in ignored)


@dataclass(frozen=True)
class Stack:
    """A compose project of our own: its own name, secrets, volumes and port."""

    command: Sequence[str]
    environment: Mapping[str, str]

    def run(self, *arguments: str, **more: str) -> str:
        done = subprocess.run(
            [*self.command, *arguments],
            env={**self.environment, **more},
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"{arguments}\n{done.stdout}\n{done.stderr}\n{self._logs()}"
        return done.stdout

    def _logs(self) -> str:
        asked = [*self.command, "logs", "--tail", "20", "--no-color"]
        return subprocess.run(asked, env=self.environment, cwd=ROOT, capture_output=True, text=True).stdout


@contextmanager
def engine(folder: Path) -> Iterator[dict[str, str]]:
    """The environment in which docker and compose work; skips where none can be had.

    `folder` keeps the stand-in images for the next time.
    """
    images = ["python:3.11-slim-bookworm", "nats:2.15-alpine", "mongo:7.0"]
    with (folder / "environment").open("w") as environment, (folder / "up.log").open("w") as log:
        command = [str(STANDINS), "up", str(folder), *images]
        up = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=environment, stderr=log)
    told = (folder / "up.log").read_text()
    if up.returncode == NO_ENGINE:
        pytest.skip(f"no container engine here: {told.strip().splitlines()[-1]}")
    assert up.returncode == 0, told
    try:
        words = shlex.split((folder / "environment").read_text())[1:]
        yield dict(word.split("=", 1) for word in words)
    finally:
        subprocess.run([str(STANDINS), "down", str(folder)], check=True)


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    if os.environ.get("DUBAN_TEST_DOCKER") != "1":
        pytest.skip("minutes; run by `make compose-test`, which sets DUBAN_TEST_DOCKER=1")
    if not STANDINS.exists():
        pytest.skip(f"{STANDINS.name} is not beside this project")
    folder = Path(os.environ.get("DUBAN_TEST_DOCKER_DIR", tmp_path / "engine"))
    folder.mkdir(exist_ok=True)
    init(tmp_path / "secrets")
    with engine(folder) as known:
        project = f"duban-test-{uuid4().hex[:6]}"
        environment = {
            **os.environ,
            **known,
            "DUBAN_SECRETS": str(tmp_path / "secrets"),
            "DUBAN_NATS_LISTEN": f"127.0.0.1:{free_port()}",
            "DUBAN_IMAGE": f"{project}:test",
        }
        stack = Stack([*shlex.split(known["COMPOSE"]), "-p", project], environment)
        try:
            yield stack
        finally:
            stack.run("--profile", "tools", "down", "--volumes", "--rmi", "local", "--timeout", "5")


@pytest.mark.timeout(1500)
def test_a_matter_sent_by_the_gateway_is_accepted_and_numbered(stack: Stack) -> None:
    stack.run("build", "--quiet")
    stack.run("up", "-d", "--wait", "--wait-timeout", "240")
    secrets = Path(stack.environment["DUBAN_SECRETS"])
    gateway = init(secrets, "credential", "gateway", "--host", "nats:4222").strip()
    told = stack.run(
        *("run", "--rm", "-T", "-e", "DUBAN_NATS_URL", "duban", "submit", "--title", "村口垃圾三天没有清运"),
        *("--category", "garbage", "--village", "dongcun", "--id", "hotline:4711", "--format", "json"),
        DUBAN_NATS_URL=gateway,
    )
    answer = json.loads(told)
    assert [fact["type"] for fact in answer["facts"]] == ["duban.intake.matter_accepted.v1"]
    assert answer["entry"]["entry"].endswith("-000001")
    stack.run("up", "-d", "--wait", "--wait-timeout", "240")  # again, over what is there

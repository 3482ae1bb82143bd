"""`duban up`: what it publishes, which NATS it runs on, and what keeps it from starting."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext, suppress
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest

from services.chassis.charter_bucket import publish_charter, published_charter
from services.chassis.charter_file import read_charter
from services.console import system as system_module
from services.console import up as up_module
from services.console.client import duban
from services.console.embedded import MongoServer, Occupied, ServerFailed
from services.console.exit_codes import Exit
from services.console.system import System, running_system
from services.console.terminal import Stop
from services.console.up import starting
from tests.conftest import CHARTERS
from tests.console.conftest import Run

OTHER = CHARTERS / "myla311.yaml"


@pytest.fixture
def while_up(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Callable[[System], Any]]]:
    """What is done when `up` is up, without services and their database; then Ctrl-C ends it."""
    mongo = MongoServer(Path(), borrowed="mongodb://127.0.0.1:1")
    work: list[Callable[[System], Any]] = []

    def interrupted(system: System) -> None:
        for each in work:
            each(system)
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(up_module, "running_system", partial(running_system, services=[]))
    monkeypatch.setattr(system_module, "embedded_mongo", lambda _data: nullcontext(mongo))
    monkeypatch.setattr(up_module, "revive", interrupted)
    monkeypatch.setattr(up_module, "LOOK_AGAIN_SECONDS", 0.01)
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield work
    for number, handler in before.items():
        signal.signal(number, handler)


def publish(charter: Path) -> Callable[[System], None]:
    async def published(url: str) -> None:
        async with duban(url) as system:
            await publish_charter(system.client, read_charter(charter))

    return lambda system: asyncio.run(published(system.nats_url))


def name_in_force(names: list[str]) -> Callable[[System], None]:
    async def asked(url: str) -> None:
        async with duban(url) as system:
            charter = await published_charter(system.client)
            names.append(charter.name if charter else "")

    return lambda system: asyncio.run(asked(system.nats_url))


@pytest.mark.case("C1", "C14")
@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_charter_that_is_in_force_stays_until_another_is_named(
    while_up: list[Callable[[System], Any]], run: Run, tmp_path: Path
) -> None:
    names: list[str] = []
    words = ("up", "--port", "0", "--data", str(tmp_path / "data"))
    while_up[:] = [publish(OTHER)]
    first = run(*words)
    assert first.status == 0
    assert "revision 1, published now" in first.out
    assert first.out.splitlines()[-2].startswith("ready nats=nats://127.0.0.1:")
    while_up[:] = [name_in_force(names)]
    assert "revision 2, as published before" in run(*words).out
    quiet = run(*words, "--quiet", "--charter", str(up_module.DEFAULT_CHARTER))
    assert len(quiet.out.splitlines()) == 1
    assert names == [read_charter(OTHER).name, read_charter(up_module.DEFAULT_CHARTER).name]


@pytest.mark.case("C6", "A12")
@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_the_address_of_the_environment_does_not_redirect_up(
    while_up: list[Callable[[System], Any]], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DUBAN_NATS_URL", "nats://127.0.0.1:1")
    ran = run("up", "--port", "0")
    assert ran.status == 0
    assert "nats=nats://127.0.0.1:1 " not in ran.out
    assert "DUBAN_NATS_URL is not used" in ran.err


@pytest.mark.case("C6", "A12")
def test_an_address_that_an_option_names_must_answer(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(up_module, "duban", partial(duban, patience=0.2))
    ran = run("up", "--nats", "nats://127.0.0.1:1")
    assert ran.status == 3
    assert "no NATS server answers at nats://127.0.0.1:1" in ran.err


@pytest.mark.case("C14")
def test_a_port_that_is_taken_is_one_sentence(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.console.embedded.servers._OCCUPIED_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as squatter:
        port = squatter.getsockname()[1]
        ran = run("up", "--port", str(port))
    assert (ran.status, ran.out) == (3, "")
    assert ran.err == (
        f"port {port} is taken, perhaps by another `duban up`; end that one, or choose --port 0\n"
    )


@pytest.mark.case("C14")
@pytest.mark.parametrize("folder", ["/etc/passwd", "/etc/passwd/data", "/proc/duban"])
def test_a_folder_that_cannot_be_used_is_misuse(folder: str, run: Run) -> None:
    ran = run("up", "--data", folder)
    assert ran.status == 2
    assert ran.err.startswith(f"--data {folder}")
    assert len(ran.err.splitlines()) == 1


@pytest.mark.case("C14")
@pytest.mark.parametrize(
    ("trouble", "sentence"),
    [
        (Occupied("/data/nats is in use by another nats-server"), "/data is in use by another `duban up`"),
        (ServerFailed("mongod on port 1 ended with 1. Its log, /x, ends:\n...\ndisk full"), "disk full"),
    ],
)
def test_what_keeps_a_server_from_starting_is_one_line(trouble: Exception, sentence: str) -> None:
    with pytest.raises(Stop) as stopped, starting(4222, Path("/data")):
        raise trouble
    assert stopped.value.status == Exit.UNREACHABLE
    assert sentence in str(stopped.value)
    assert "\n" not in str(stopped.value)


def test_a_charter_with_errors_starts_nothing(run: Run, tmp_path: Path) -> None:
    charter = tmp_path / "charter.yaml"
    charter.write_text("name: [", "utf-8")
    assert run("up", "--charter", str(charter)).status == 2


@pytest.mark.case("C14")
@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_ctrl_c_while_it_starts_is_130_whatever_ended_with_it(
    while_up: list[Callable[[System], Any]], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_words: object, **_more: object) -> NoReturn:
        with suppress(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
            signal.sigtimedwait([], 1)  # the handler runs here at the latest
        raise ServerFailed("nats-server on port 1 ended with 1")

    monkeypatch.setattr(up_module, "running_system", interrupted)
    ran = run("up", "--port", "0")
    assert ran.status == Exit.INTERRUPTED
    assert "ended with" not in ran.err


def test_on_a_narrow_terminal_each_address_has_a_line_and_ready_is_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = ("intake", "rating", "supervision", "escalation", "ledger")
    services = [SimpleNamespace(name=name, http_url="http://127.0.0.1:20000") for name in names]
    mongo = SimpleNamespace(url="mongodb://127.0.0.1:27017/?directConnection=true")
    system: Any = SimpleNamespace(nats_url="nats://127.0.0.1:4222", mongo=mongo, services=services)
    monkeypatch.setenv("COLUMNS", "80")
    *addresses, last = up_module.ready_lines(system)
    assert last == "ready nats=nats://127.0.0.1:4222"
    assert [line.split()[0] for line in addresses] == ["nats", "mongo", *names]
    assert max(map(len, addresses)) <= 80
    monkeypatch.delenv("COLUMNS")
    [whole] = up_module.ready_lines(system)
    assert whole.count("=http://") == 5


@pytest.mark.parametrize(("borrowed", "said"), [(False, True), (True, False)])
def test_a_nats_of_its_own_is_said_to_check_no_permissions(borrowed: bool, said: bool) -> None:
    """Of another's nothing is known."""
    url = "nats://127.0.0.1:4222"
    system: Any = SimpleNamespace(nats_url=url, nats=SimpleNamespace(borrowed=borrowed))
    told = up_module.guide(system, None)
    assert (f"whoever reaches {url} may send as anybody" in told) is said

"""Where nothing answers, every command says so and ends with status 3."""

import pytest

from services.console import terminal
from services.console.client import duban
from services.console.client_url import check_address
from services.console.embedded.servers import free_port
from tests.conftest import CHARTERS
from tests.console.conftest import Run

COMMANDS = [
    ("provision",),
    ("charter", "apply", str(CHARTERS / "township-2024.yaml")),
    ("submit", "--title", "t", "--category", "garbage"),
    ("do", "accept", "--key", "2024-000001", "--actor", "bianmin"),
    ("report", "laggards"),
    ("watch", "--once"),
]


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> str:
    """An address where nothing listens; the patience with it is shortened."""
    monkeypatch.setattr(terminal, "duban", lambda url: duban(url, patience=0.2))
    return f"nats://127.0.0.1:{free_port()}"


@pytest.mark.parametrize("command", COMMANDS, ids=lambda words: words[0])
def test_an_unreachable_system_is_status_3_and_a_sentence(
    command: tuple[str, ...], nobody: str, run: Run
) -> None:
    ran = run(*command, "--nats", nobody)
    assert (ran.status, ran.out) == (3, "")
    assert f"no NATS server answers at {nobody}" in ran.err


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:4222", "nats://127.0.0.1:99999", "nats://x:abc", "nats://", ""]
)
def test_an_address_that_can_be_none_is_misuse_at_once(address: str, run: Run) -> None:
    ran = run("watch", "--once", "--nats", address)
    assert (ran.status, ran.out) == (2, "")
    assert "is no address of NATS" in ran.err


@pytest.mark.parametrize(
    "address", ["127.0.0.1:4222", "nats://a:4222,nats://b:4223", "tls://u:p@duban.example"]
)
def test_an_address_without_scheme_and_several_are_addresses(address: str) -> None:
    check_address(address)


def test_programs_get_it_as_a_document(nobody: str, run: Run) -> None:
    ran = run("watch", "--once", "--format", "json", "--nats", nobody)
    assert (ran.status, ran.document["error"]["code"]) == (3, "unreachable")


def test_the_address_may_come_from_the_environment(
    nobody: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DUBAN_NATS_URL", nobody)
    assert nobody in run("watch", "--once").err

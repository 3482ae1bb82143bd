"""What a command must not import before it needs it: that is what makes it start fast."""

import subprocess
import sys

import pytest

HEAVY = (
    "nats",
    "rich",
    "pydantic",
    "duban_contracts",
    "faststream",
    "motor",
    "pymongo",
    "openpyxl",
    "ruamel",
)
SERVICES_ONLY = ("faststream", "motor", "pymongo", "chinese_calendar", "structlog", "openpyxl", "babel")


def loaded(*words: str) -> set[str]:
    """The packages that a fresh interpreter has loaded when `duban` ends."""
    program = (
        "import sys, atexit\n"
        "from services.console.cli import main\n"
        "atexit.register(lambda: print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr))\n"
        "main(sys.argv[1:])\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, *words], capture_output=True, text=True, timeout=60, check=False
    )
    return set(ran.stderr.splitlines()[-1].split())


@pytest.mark.case("C15")
@pytest.mark.parametrize("words", [("--help",), ("--version",)], ids=" ".join)
def test_help_imports_nothing_heavy(words: tuple[str, ...]) -> None:
    assert loaded(*words).isdisjoint(HEAVY)


@pytest.mark.case("C15")
@pytest.mark.parametrize("words", [("sumbit",), ("help", "exit-codes"), ("do", "--list")], ids=" ".join)
def test_what_talks_to_nobody_does_not_import_nats(words: tuple[str, ...]) -> None:
    assert loaded(*words).isdisjoint({"nats", "rich", *SERVICES_ONLY})


@pytest.mark.case("C15")
@pytest.mark.parametrize("words", [("ledger", "list", "--limit", "x"), ("submit", "--help")], ids=" ".join)
def test_a_command_imports_no_library_of_the_services(words: tuple[str, ...]) -> None:
    assert loaded(*words).isdisjoint(SERVICES_ONLY)

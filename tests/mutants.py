"""Mutation testing, each room against its own tests: `python -m tests.mutants --room calendar`."""

import argparse
import json
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
BUILD = ROOT / "build" / "mutation"
MUTMUT = ("--frozen", "--no-sync", "--with", "mutmut==3.8.1", "mutmut")


class Room(NamedTuple):
    sources: tuple[str, ...]
    tests: tuple[str, ...]


ROOMS = {
    "settling": Room(
        ("services/chassis/settle.py", "services/chassis/decider.py"),
        (
            "tests/chassis/test_settle.py",
            "tests/chassis/test_settle_exactly.py",
            "tests/chassis/test_batches.py",
        ),
    ),
    "envelope": Room(
        ("src/duban_contracts/envelope.py",),
        ("tests/contracts/test_envelope.py", "tests/contracts/test_envelope_exactly.py"),
    ),
    "calendar": Room(
        ("services/chassis/calendar.py", "services/chassis/counting.py"),
        ("tests/chassis/test_calendar.py", "tests/chassis/test_counting.py"),
    ),
    **{
        name: Room((f"services/{name}/decider/*",), (f"tests/{name}",))
        for name in ("intake", "rating", "supervision", "escalation")
    },
    **{
        name: Room((f"services/ledger/{folder}/*",), ("tests/ledger",))
        for name, folder in (
            ("matters", "decider"),
            ("measures", "measures"),
            ("applications", "applications"),
        )
    },
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--room", action="append", choices=ROOMS, help="all of them, if none is named")
    for name in parser.parse_args().room or ROOMS:
        place = furnished(name)
        for step in ("run", "results"):
            subprocess.run(
                ["uv", "run", "--project", str(ROOT), *MUTMUT, step], cwd=place, check=step == "run"
            )


def furnished(name: str) -> Path:
    """A copy of the tree in which only this room is changed; mutmut wants the contracts in `src/`."""
    place = BUILD / name
    shutil.rmtree(place, ignore_errors=True)
    for folder in ("services", "tests", "deploy", "contracts"):
        shutil.copytree(ROOT / folder, place / folder)
    shutil.copytree(ROOT / "contracts" / "duban_contracts", place / "src" / "duban_contracts")
    settings = {
        "source_paths": ["services", "src"],
        "only_mutate": ROOMS[name].sources,
        "also_copy": ["contracts", "deploy"],
        "pytest_add_cli_args_test_selection": ROOMS[name].tests,
    }
    lines = ["", "[tool.mutmut]", *(f"{key} = {json.dumps(value)}" for key, value in settings.items()), ""]
    (place / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text() + "\n".join(lines))
    return place


if __name__ == "__main__":
    main()

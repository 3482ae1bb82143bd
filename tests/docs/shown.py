"""What our documents show: the commands to type, the words of the Makefile, the links."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
DOCUMENTS = sorted(
    path
    for room in (ROOT, ROOT / "contracts", ROOT / "services", ROOT / "docs", ROOT / "deploy")
    for path in (room.glob("*.md") if room == ROOT else room.rglob("*.md"))
)
CONSOLE = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
TARGET = re.compile(r"^([a-z-]+):.*?## ", re.MULTILINE)


def commands(document: Path) -> list[str]:
    """Everything after `$ ` in its console blocks, in order."""
    blocks = CONSOLE.findall(document.read_text("utf-8"))
    return [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ ")]


def targets() -> set[str]:
    return set(TARGET.findall((ROOT / "Makefile").read_text("utf-8")))


def recipe(target: str) -> list[str]:
    """What `make TARGET` would run at last, as make itself says; a surrounding make does not matter."""
    outer = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")
    environment = {name: value for name, value in os.environ.items() if name not in outer}
    dry = subprocess.run(
        ["make", "--dry-run", "--no-print-directory", target],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return shlex.split(dry.stdout.splitlines()[-1])


def as_user(**more: str) -> dict[str, str]:
    """The environment after `. .venv/bin/activate`, speaking English, with no servers named but in `more`,
    nor by a context."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("DUBAN_")}
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return {**inherited, "PATH": programs, "DUBAN_LANG": "en", "XDG_CONFIG_HOME": os.devnull, **more}


def typed(command: str, folder: Path = ROOT, **more: str) -> "subprocess.CompletedProcess[str]":
    """Run a line as it stands in the document; standard output and error come as one."""
    return subprocess.run(
        shlex.split(command),
        cwd=folder,
        env=as_user(**more),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
    )

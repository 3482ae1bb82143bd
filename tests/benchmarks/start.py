"""What a command of `duban` costs before it talks to the system: CPU of the whole process."""

import os
import subprocess
import sys
from collections.abc import Sequence
from statistics import median

from tests.benchmarks.figures import Figure

RUNS = 7
HELP_SECONDS, COMMAND_SECONDS = 0.4, 0.8
CLOSED = "nats://127.0.0.1:1"
"""Nobody listens there, so all is measured up to the connection."""
COMMANDS: dict[str, tuple[float, Sequence[str]]] = {
    "`duban --help`": (HELP_SECONDS, ("--help",)),
    "`duban do --list`": (COMMAND_SECONDS, ("do", "--list")),
    "a misspelt command": (COMMAND_SECONDS, ("sumbit",)),
    "`duban ledger list` up to the connection": (
        COMMAND_SECONDS,
        ("ledger", "list", "--nats", CLOSED),
    ),
}


def figures(scale: int) -> list[Figure]:
    found = []
    for name, (goal, words) in COMMANDS.items():
        cpu_seconds(words)  # writes the bytecode, where it is not written yet
        runs = [cpu_seconds(words) for _ in range(max(1, RUNS // scale))]
        figure = Figure(f"start: {name}", median(runs), "s CPU", goal, at_least=False, runs={"ours": runs})
        found.append(figure)
    return found


def cpu_seconds(words: Sequence[str]) -> float:
    """User and system time of one process."""
    process = subprocess.Popen(
        [sys.executable, "-m", "services.console.cli", *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
    )
    _pid, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_utime + usage.ru_stime

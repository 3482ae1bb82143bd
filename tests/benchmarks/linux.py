"""What Linux tells of a process, from `/proc`; None where there is no such thing."""

import os
from collections.abc import Iterable
from pathlib import Path

PROC = Path("/proc")


def cpu_seconds(pids: Iterable[int]) -> float | None:
    """User and system time that these processes have used so far, together."""
    if not PROC.is_dir():
        return None
    return sum(_ticks(pid) for pid in pids) / os.sysconf("SC_CLK_TCK")


def _ticks(pid: int) -> int:
    fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def peak_megabytes(pid: int) -> float | None:
    """The most memory it ever held (VmHWM)."""
    if not PROC.is_dir():
        return None
    status = (PROC / str(pid) / "status").read_text()
    kilobytes = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
    return int(kilobytes) / 1024

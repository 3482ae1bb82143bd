"""`deploy/storage.py` on the host: what it has compose do, and what it keeps beside volumes.

Compose itself is a stand-in that writes down what it is told; `test_compose_live.py` brings up the real one.
"""

import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

COMPOSE = """
import json, os, sys
from pathlib import Path

home, words = Path(__file__).parent, sys.argv[1:]
with (home / "told").open("a") as told:
    told.write(" ".join(words) + "\\n")
charter = os.environ.get("DUBAN_CHARTER", "")
for line in (home / ".env").read_text().splitlines() if (home / ".env").exists() else ():
    charter = line.removeprefix("DUBAN_CHARTER=")
if words[0] == "config":
    seed = str(home / "run" / "secrets" / "seed.json")
    parts = {"provision": {"command": [f"/charters/{charter}"]}}
    print(json.dumps({"secrets": {"seed": {"file": seed}}, "services": parts}))
elif words[0] == "ps":
    print("ledger\\nmongo\\nnats")
elif "save" in words:
    print("the volume")
elif "check-empty" in words:
    sys.exit((home / "full").exists())
"""


class Machine:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "deploy" / "charters").mkdir(parents=True)
        for name in ("storage.py", "init.py"):
            (folder / "deploy" / name).write_text((ROOT / "deploy" / name).read_text("utf-8"), "utf-8")
        (folder / "compose.py").write_text(COMPOSE)

    def storage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        (self.folder / "told").unlink(missing_ok=True)
        program = [sys.executable, "-I", "-S", str(self.folder / "deploy" / "storage.py"), *arguments]
        compose = f"{sys.executable} {self.folder / 'compose.py'}"
        return subprocess.run(program, env={"COMPOSE": compose}, capture_output=True, text=True)

    @property
    def told(self) -> list[str]:
        return (self.folder / "told").read_text().splitlines()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A town's, which runs."""
    machine = Machine(tmp_path / "here")
    secrets = machine.folder / "run" / "secrets"
    secrets.mkdir(parents=True)
    (secrets / "seed.json").write_text(json.dumps({"seed": "5" * 64, "rotated": {}}))
    (machine.folder / ".env").write_text("DUBAN_CHARTER=town.yaml\n")
    (machine.folder / "deploy" / "charters" / "town.yaml").write_text("name: 镇\n")
    return machine


@pytest.fixture
def backup(machine: Machine, tmp_path: Path) -> Path:
    folder = tmp_path / "backup"
    done = machine.storage("backup", str(folder))
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.case("B13")
def test_a_backup_starts_exactly_what_ran_and_reads_no_charter(machine: Machine, backup: Path) -> None:
    begins = [told for told in machine.told if told.startswith(("up", "start"))]
    assert begins == [
        f"up -d --wait --no-deps --no-recreate --no-build {names}" for names in ("mongo nats", "ledger")
    ]
    assert {stat.S_IMODE(file.stat().st_mode) for file in backup.iterdir()} == {0o600}


@pytest.mark.case("B13")
def test_charter_and_settings_come_back_on_a_new_machine(backup: Path, tmp_path: Path) -> None:
    new = Machine(tmp_path / "new")
    done = new.storage("restore", str(backup))
    assert done.returncode == 0, done.stderr
    assert (new.folder / ".env").read_text() == "DUBAN_CHARTER=town.yaml\n"
    assert (new.folder / "deploy" / "charters" / "town.yaml").read_text() == "name: 镇\n"
    assert json.loads((new.folder / "run" / "secrets" / "seed.json").read_text())["seed"] == "5" * 64
    assert "town.yaml is put back" in done.stderr


@pytest.mark.case("B13")
def test_a_charter_that_was_changed_since_stays_and_the_other_is_laid_beside_it(
    machine: Machine, backup: Path
) -> None:
    charter = machine.folder / "deploy" / "charters" / "town.yaml"
    charter.write_text("name: 新镇\n")
    done = machine.storage("restore", str(backup), "--replace")
    assert done.returncode == 0, done.stderr
    assert charter.read_text() == "name: 新镇\n"
    assert charter.with_name("town.yaml.of-backup").read_text() == "name: 镇\n"
    assert "town.yaml.of-backup" in done.stderr


@pytest.mark.case("B13")
def test_what_is_not_empty_is_refused_before_anything_is_stopped(machine: Machine, backup: Path) -> None:
    (machine.folder / "full").touch()
    refused = machine.storage("restore", str(backup))
    assert refused.returncode == 1
    assert "--replace" in refused.stderr
    assert "docker compose up -d --wait" in refused.stderr
    assert not [told for told in machine.told if told.startswith(("stop", "down"))]


@pytest.mark.case("B13")
@pytest.mark.parametrize("name", ["settings.tar.gz", "mongo-data.tar.gz"])
def test_a_backup_with_an_archive_that_is_damaged_or_missing_is_refused(
    machine: Machine, backup: Path, name: str
) -> None:
    (backup / name).write_bytes(b"damaged")
    assert "damaged" in machine.storage("restore", str(backup)).stderr
    (backup / name).unlink()
    assert "missing" in machine.storage("restore", str(backup)).stderr
    assert not (machine.folder / "told").exists()

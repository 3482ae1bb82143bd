"""Brought up for real, as deploy/README.md says: from the release before to this one, and what comes after.

Minutes, and only where asked for: `make compose-test`. The tests follow one installation, in their order.
"""

import io
import json
import os
import shlex
import shutil
import stat
import subprocess
import sys
import tarfile
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

from services.console.embedded.servers import free_port
from tests.conftest import ROOT
from tests.waiting import until

STANDINS = ROOT.parent / "shared" / "tools" / "docker-standins"
NO_ENGINE = 77
RELEASE_BEFORE = "536b881"
XINZHAN = ("deploy/init.py", "credential", "xinzhan", "--host", "nats:4222", "--unchecked")
ONE_SHOTS = ("accounts", "reload", "mongo-users", "provision")

pytestmark = pytest.mark.timeout(1500)


@dataclass(frozen=True)
class Stack:
    """A checkout of our own and a compose project of our own: its name, secrets, volumes and port."""

    folder: Path
    command: Sequence[str]
    environment: Mapping[str, str]

    def compose(self, *arguments: str, **more: str) -> str:
        return self.call(*self.command, *arguments, **more)

    def python(self, *arguments: str) -> str:
        return self.call(sys.executable, "-I", "-S", *arguments)

    def guide(self, *lines: str) -> str:
        """Lines of deploy/README.md, as they stand there."""
        script = "\n".join(lines).replace("docker compose", shlex.join(self.command))
        return self.call("bash", "-ec", script.replace("python3", shlex.quote(sys.executable)))

    def call(self, *command: str, **more: str) -> str:
        done = self.tried(*command, **more)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}\n{self._logs()}"
        return done.stdout

    def tried(self, *command: str, **more: str) -> subprocess.CompletedProcess[str]:
        environment = {**self.environment, **more}
        return subprocess.run(command, env=environment, cwd=self.folder, capture_output=True, text=True)

    def up(self) -> None:
        self.guide("docker compose up -d --wait")

    def credential(self, user: str) -> str:
        return self.python("deploy/init.py", "credential", user, "--host", "nats:4222").strip()

    def duban(self, credential: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        ran = ("run", "--rm", "-T", "-e", "DUBAN_NATS_URL", "-e", "DUBAN_LANG=en", "duban", *arguments)
        return self.tried(*self.command, *ran, DUBAN_NATS_URL=credential)

    def submitted(self, key: str) -> str:
        """The number of the entry that a matter got."""
        matter = ("--title", "村口垃圾三天没有清运", "--category", "garbage", "--village", "dongcun")
        done = self.duban(self.credential("gateway"), "submit", *matter, "--id", key, "--format", "json")
        assert done.returncode == 0, done.stdout + done.stderr + self._logs()
        # On a busy machine the answer comes before the ledger has opened the entry.
        entry = json.loads(done.stdout)["entry"]
        if entry:
            return str(entry["entry"])
        until(lambda: len(self.listed()) >= int(key.rpartition(":")[2]), 120)
        return max(self.listed())

    def listed(self) -> set[str]:
        """The numbers that the office sees."""
        done = self.duban(self.credential("office"), "ledger", "list", "--format", "json")
        assert done.returncode == 0, done.stdout + done.stderr + self._logs()
        return {entry["number"] for entry in json.loads(done.stdout)["entries"]}

    def containers(self) -> dict[str, dict[str, str]]:
        lines = self.compose("ps", "--all", "--format", "json").splitlines()
        return {each["Service"]: each for each in map(json.loads, lines)}

    def started(self) -> dict[str, str]:
        """When each container that stays up was started last."""
        form = "{{.State.StartedAt}}"
        return {
            name: self.call("docker", "inspect", "--format", form, each["ID"]).strip()
            for name, each in self.containers().items()
            if name not in ONE_SHOTS
        }

    def one_shots_were_quiet(self) -> None:
        for name in ONE_SHOTS:
            assert self.call("docker", "wait", self.containers()[name]["ID"]).strip() == "0", name
            assert "Traceback" not in self.compose("logs", "--no-color", name)

    def _logs(self) -> str:
        return self.tried(*self.command, "logs", "--tail", "20", "--no-color").stdout


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


@pytest.fixture(scope="module")
def docker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    if os.environ.get("DUBAN_TEST_DOCKER") != "1":
        pytest.skip("minutes; run by `make compose-test`, which sets DUBAN_TEST_DOCKER=1")
    if not STANDINS.exists():
        pytest.skip(f"{STANDINS.name} is not beside this project")
    folder = Path(os.environ.get("DUBAN_TEST_DOCKER_DIR", tmp_path_factory.mktemp("engine")))
    folder.mkdir(exist_ok=True)
    with engine(folder) as known:
        yield known


@contextmanager
def project(docker: Mapping[str, str], folder: Path, *files: Path) -> Iterator[Stack]:
    folder.mkdir(exist_ok=True)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("DUBAN_")},
        **docker,
        "COMPOSE_PROJECT_NAME": f"duban-test-{uuid4().hex[:6]}",
        "DUBAN_SECRETS": str(folder / "run" / "secrets"),
        "DUBAN_NATS_LISTEN": f"127.0.0.1:{free_port()}",
    }
    options = [word for file in files for word in ("-f", str(file))]
    stack = Stack(folder, [*shlex.split(docker["COMPOSE"]), *options], environment)
    try:
        yield stack
    finally:
        stack.compose("--profile", "tools", "down", "--volumes", "--timeout", "5")


@pytest.fixture(scope="module")
def stack(docker: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with project(docker, tmp_path_factory.mktemp("checkout")) as stack:
        yield stack


def check_out(folder: Path) -> None:
    """What `git pull` leaves: every file of this release, in the same folder; what is not Git's stays."""
    for there in folder.iterdir():
        if there.name != "run":
            shutil.rmtree(there) if there.is_dir() else there.unlink()
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True)
    for name in filter(None, listed.stdout.split("\0")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)


def check_out_release_before(folder: Path) -> None:
    archive = subprocess.run(["git", "archive", RELEASE_BEFORE], cwd=ROOT, capture_output=True)
    if archive.returncode:
        pytest.skip(f"the release before, {RELEASE_BEFORE}, is not in this clone's history")
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        files.extractall(folder)  # noqa: S202 - our own


@pytest.mark.case("B10")
def test_the_release_before_is_upgraded_by_up_and_keeps_its_entries(stack: Stack) -> None:
    check_out_release_before(stack.folder)
    stack.guide("python3 deploy/init.py && docker compose up -d --wait")
    first = stack.submitted("hotline:1")
    assert first.endswith("-000001")
    before = stack.containers()["ledger"]["Image"]
    check_out(stack.folder)
    stack.guide("python3 deploy/init.py && docker compose up -d --wait")
    assert stack.containers()["ledger"]["Image"] != before
    assert first in stack.listed()
    assert stack.submitted("hotline:2").endswith("-000002")
    stack.one_shots_were_quiet()


@pytest.mark.case("B10")
def test_up_again_changes_nothing(stack: Stack) -> None:
    before = {name: each["ID"] for name, each in stack.containers().items()}
    stack.up()
    assert {name: each["ID"] for name, each in stack.containers().items()} == before
    stack.one_shots_were_quiet()


@pytest.mark.case("B10")
def test_a_rotated_password_is_the_only_one_after_up(stack: Stack) -> None:
    before, ledger = stack.credential("office"), stack.containers()["ledger"]["ID"]
    nats = stack.started()["nats"]
    stack.guide("python3 deploy/init.py rotate ledger office", "docker compose up -d --wait")
    refused = stack.duban(before, "ledger", "list")
    assert refused.returncode != 0
    assert "Traceback" not in refused.stderr
    assert stack.containers()["ledger"]["ID"] != ledger
    assert stack.started()["nats"] == nats
    assert stack.listed(), "the new password works, for the office and for the ledger"
    stack.one_shots_were_quiet()


@pytest.mark.case("B18")
def test_a_restart_of_everything_is_quiet(stack: Stack) -> None:
    stack.compose("restart")
    stack.one_shots_were_quiet()
    stack.up()
    assert stack.submitted("hotline:3").endswith("-000003")


@pytest.mark.case("B13")
def test_a_backup_is_closed_to_others_and_is_restored_into_an_empty_installation(stack: Stack) -> None:
    entries = stack.listed()
    made = Path(stack.guide("python3 deploy/storage.py backup").splitlines()[-1])
    backup = made.rename(stack.folder / "run" / "backups" / "20240415-143100")
    assert stat.S_IMODE(backup.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in backup.iterdir()} == {0o600}
    refused = stack.tried(sys.executable, "deploy/storage.py", "restore", str(backup))
    assert refused.returncode != 0
    assert "add --replace" in refused.stderr
    assert stack.listed() == entries, "nothing was stopped"
    stack.python("deploy/init.py", "rotate", "ledger", "office")
    stack.python("deploy/storage.py", "restore", str(backup), "--replace")
    assert stack.listed() == entries  # with the passwords of now, not those of the backup
    stack.compose("down", "--volumes")
    shutil.rmtree(stack.environment["DUBAN_SECRETS"])
    stack.guide("python3 deploy/storage.py restore run/backups/20240415-143100")
    assert stack.listed() == entries
    assert stack.submitted("hotline:4").endswith("-000004")


@pytest.mark.case("B11")
def test_a_stream_that_was_removed_is_made_anew_by_up(stack: Stack) -> None:
    stack.guide("python3 deploy/storage.py remove-stream INTAKE_CMD")
    assert stack.submitted("hotline:5").endswith("-000005")


@pytest.mark.case("B18")
def test_the_first_steps_of_a_town_are_those_of_the_guide(stack: Stack) -> None:
    charters = stack.folder / "deploy" / "charters"
    shutil.copy(charters / "township-2024.yaml", charters / "town.yaml")
    stack.guide("docker compose run --rm duban charter check /charters/town.yaml")
    stack.guide("python3 deploy/init.py credential qingjieban --host duban.example:4222")
    stack.guide(
        "export DUBAN_NATS_URL=$(python3 deploy/init.py credential office --host nats:4222)",
        "docker compose run --rm -e DUBAN_NATS_URL duban do supervision.start_campaign"
        " --key campaign/2024 --actor office",
        "docker compose run --rm -e DUBAN_NATS_URL duban charter apply --dry-run /charters/town.yaml",
    )
    told = stack.guide(
        "export DUBAN_NATS_URL=$(python3 deploy/init.py credential operator --host nats:4222)",
        "docker compose run --rm -e DUBAN_NATS_URL duban doctor",
    )
    assert tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"] in told


@pytest.mark.case("B10", "B18")
def test_a_new_station_has_its_credential_and_nothing_that_stays_up_is_stopped(stack: Stack) -> None:
    (stack.folder / ".env").write_text("DUBAN_CHARTER=town.yaml\n")
    stack.up()
    before = stack.started()
    town = stack.folder / "deploy" / "charters" / "town.yaml"
    added = town.read_text("utf-8").replace("\nactors:\n", "\n  xinzhan:\n    name: 新站\n\nactors:\n")
    town.write_text(added, "utf-8")
    stack.up()
    assert stack.started() == before
    listed = stack.duban(stack.credential("xinzhan"), "ledger", "list")
    assert listed.returncode == 0, listed.stdout + listed.stderr
    stack.one_shots_were_quiet()


@pytest.mark.case("B13")
def test_a_town_without_its_settings_keeps_its_charter(stack: Stack) -> None:
    (stack.folder / ".env").unlink()
    stack.up()
    listed = stack.duban(stack.credential("office"), "charter", "show", "--format", "json")
    assert "新站" in listed.stdout, listed.stderr
    assert stack.duban(stack.python(*XINZHAN).strip(), "ledger", "list").returncode == 0
    stack.one_shots_were_quiet()


@pytest.mark.case("B13")
def test_a_backup_with_a_broken_charter_on_disk_goes_on_with_what_ran(stack: Stack) -> None:
    (stack.folder / ".env").write_text("DUBAN_CHARTER=town.yaml\n")
    town = stack.folder / "deploy" / "charters" / "town.yaml"
    before, office = town.read_text("utf-8"), stack.credential("office")
    town.write_text("stations: [\n", "utf-8")
    stack.guide("python3 deploy/storage.py backup")
    listed = stack.duban(office, "ledger", "list")
    assert listed.returncode == 0, listed.stdout + listed.stderr
    town.write_text(before, "utf-8")


@pytest.mark.case("B18")
def test_who_has_left_does_not_come_back_with_the_former_password(stack: Stack) -> None:
    former = stack.credential("xinzhan")
    stack.guide("python3 deploy/init.py rotate xinzhan")
    town = stack.folder / "deploy" / "charters" / "town.yaml"
    present = town.read_text("utf-8")
    town.write_text(present.replace("\n  xinzhan:\n    name: 新站\n", ""), "utf-8")
    stack.guide("docker compose up -d --wait")
    assert stack.duban(former, "ledger", "list").returncode != 0
    town.write_text(present, "utf-8")
    stack.up()
    assert stack.duban(former, "ledger", "list").returncode != 0
    assert stack.duban(stack.credential("xinzhan"), "ledger", "list").returncode == 0


@pytest.mark.case("B18")
def test_a_faulty_charter_stops_nothing_and_is_told_where_the_guide_says(stack: Stack) -> None:
    (stack.folder / ".env").write_text("DUBAN_CHARTER=twon.yaml\n")
    before = stack.started()
    assert stack.tried(*stack.command, "up", "-d", "--wait").returncode != 0
    assert "twon.yaml" in stack.guide("docker compose logs accounts reload mongo-users provision")
    assert stack.started() == before
    (stack.folder / ".env").write_text("DUBAN_CHARTER=town.yaml\n")
    stack.up()


FULL = """
volumes:
  nats-data: {driver_opts: {type: tmpfs, device: tmpfs, o: "size=24m,uid=10001,gid=10001,mode=0700"}}
"""


@pytest.mark.case("B12")
def test_a_full_volume_is_unhealthy_until_it_is_freed_and_nats_restarted(
    docker: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "full.yml").write_text(FULL)
    folder = tmp_path / "checkout"
    with project(docker, folder, folder / "docker-compose.yml", tmp_path / "full.yml") as stack:
        check_out(folder)
        stack.python("deploy/init.py")
        # Holds the volume while NATS is restarted: what is in memory would be gone.
        holder = stack.compose("run", "-d", "--entrypoint", "sleep", "storage", "900").strip()
        stack.compose("run", "--rm", "-T", "provision")
        healthy = ("exec", "-T", "nats", "wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8222/healthz")
        charter = ("charter", "apply", "--yes", "/charters/myla311.yaml")
        stack.compose(*healthy)
        stack.tried("docker", "exec", holder, "dd", "if=/dev/zero", "of=/volumes/nats-data/fill", "bs=4k")
        assert stack.duban(stack.credential("admin"), *charter).returncode != 0
        assert stack.tried(*stack.command, *healthy).returncode != 0
        stack.call("docker", "exec", holder, "rm", "/volumes/nats-data/fill")
        assert stack.tried(*stack.command, *healthy).returncode != 0, "freed, and still not well"
        stack.guide("docker compose restart nats")
        stack.compose("up", "-d", "--wait", "nats")
        applied = stack.duban(stack.credential("admin"), *charter)
        assert applied.returncode == 0, applied.stdout + applied.stderr
        stack.call("docker", "rm", "-f", holder)

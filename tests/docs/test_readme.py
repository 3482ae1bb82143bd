"""Every command that the README shows is run, in order, and does what the README says."""

import inspect
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest
from typer.main import get_command

from services.console.cli import app
from services.console.demo.command import REPORT, demo
from services.console.embedded.servers import free_port
from tests.docs.shown import DOCUMENTS, README, ROOT, as_user, commands, recipe, targets, typed
from tests.interrupts import interruptible
from tests.system.cases import made_up_cases
from tests.waiting import until

SHOWN = commands(README)
CONSOLE_README = ROOT / "services" / "console" / "README.md"
FIRST_STEPS = [command for command in SHOWN if command.startswith("duban ") and " import " not in command]
TEXT = re.sub(r"\s+", " ", README.read_text("utf-8"))
CIRCULAR = {  # domain.md §5.3: the columns of a town-wide circular
    *("name", "dispatched", "closed_on_time", "closed_late", "open", "close_rate", "on_time_rate"),
    *("dissatisfied", "dissatisfied_rate"),
}


def test_the_readme_shows_these_kinds_of_commands_and_each_has_a_test_below():
    assert [command for command in SHOWN if command not in FIRST_STEPS] == [
        "make demo",
        "make test",
        "make up",
        "duban import cases.csv --mapping deploy/charters/myla311.map.yaml"
        " --charter deploy/charters/myla311.yaml --dry-run",
    ]
    assert len(FIRST_STEPS) == 6


def test_other_documents_show_no_commands_that_nobody_runs():
    ours = [path for path in DOCUMENTS if ROOT / "deploy" not in path.parents]
    assert [path for path in ours if commands(path)] == [README]


def test_every_make_target_that_a_document_names_exists():
    named = {
        (path.relative_to(ROOT), word)
        for path in DOCUMENTS
        for word in re.findall(r"(?:`|\$ )make ([a-z-]+)", path.read_text("utf-8"))
    }
    assert {"demo", "test", "up", "contracts"} <= {word for _, word in named}
    assert {(path, word) for path, word in named if word not in targets()} == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_in_a_document_leads_somewhere(document):
    links = re.findall(r"\]\(([^)#\s]+)", document.read_text("utf-8"))
    local = [link for link in links if "://" not in link]
    assert [link for link in local if not (document.parent / link).exists()] == []


def test_make_alone_lists_every_verb():
    told = subprocess.run(["make"], cwd=ROOT, env=as_user(), capture_output=True, text=True, check=True)
    assert targets() >= {"demo", "test", "up", "lint"}
    assert {verb for verb in targets() if f"make {verb} " not in told.stdout} == set()


def test_make_test_runs_all_tests_and_the_checks_of_every_push_end_with_it():
    program, *options = recipe("test")[-4:]
    assert program == "pytest"
    assert all(each.startswith(("--numprocesses", "--maxprocesses", "--dist")) for each in options)
    checks = (ROOT / ".ci" / "run").read_text("utf-8").splitlines()
    assert [line for line in checks if line.startswith("make ")] == ["make lint", "make test"]
    assert "so does `.ci/run`, after style and types" in TEXT


# --- make up, and the first message


@dataclass
class Up:
    """`make up` as somebody started it in a terminal of its own."""

    process: "subprocess.Popen[str]"
    nats_url: str
    lines: list[str] = field(default_factory=list)

    @property
    def ready(self) -> str | None:
        return next((line for line in self.lines if line.startswith("ready ")), None)

    def read(self) -> None:
        for line in self.process.stdout or ():
            self.lines.append(line)

    def control_c(self) -> int:
        """What the terminal does: the interrupt goes to everything in its foreground."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(timeout=60)

    def ports(self) -> list[int]:
        """Of both servers and of the five services, as the ready line tells them."""
        addresses = re.findall(r"\w+://[\d.]+:\d+", self.ready or "")
        return [port for address in addresses if (port := urlsplit(address).port)]


@contextmanager
def made_up() -> Iterator[Up]:
    port = free_port()
    with interruptible():
        process = subprocess.Popen(
            recipe("up"),
            cwd=ROOT,
            env=as_user(DUBAN_NATS_PORT=str(port)),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
    up = Up(process, f"nats://127.0.0.1:{port}")
    reader = threading.Thread(target=up.read)
    reader.start()
    try:
        yield up
    finally:
        with process:  # closes its output
            up.control_c()
            reader.join()


@pytest.fixture(scope="module")
def up():
    with made_up() as up:
        until(lambda: up.ready or up.process.poll() is not None)
        assert up.ready, "".join(up.lines)
        yield up


@pytest.fixture(scope="module")
def year(township):
    return datetime.now(ZoneInfo(township.timezone)).year


def listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def below(pid: int) -> set[int]:
    """The process and everything that descends from it; of Linux only, elsewhere the ports must do."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue  # it ended while we looked
    family = {pid}
    while more := {child for child, parent in parents.items() if parent in family} - family:
        family |= more
    return family


def test_make_up_is_duban_up():
    assert recipe("up")[-2:] == ["duban", "up"]


def test_the_first_steps_do_what_the_readme_says(up, year):
    """One story: submitted, numbered, accepted, resolved, not verified by its handler, struck off."""

    def step(number: int, instead: tuple[str, str] = ("", "")) -> tuple[int, str]:
        command = FIRST_STEPS[number - 1].replace("2026-000001", f"{year}-000001")
        ran = typed(command.replace(*instead), DUBAN_NATS_URL=up.nats_url)
        return ran.returncode, ran.stdout

    status, told = step(1)
    assert status == 0
    assert "duban.intake.matter_accepted.v1" in told
    assert "Cleaning office handles it, limit 1 working day(s)" in told
    assert told.splitlines()[-1].startswith(f"entry {year}-000001, due ")

    status, told = step(2)
    assert (status, "accepted by Cleaning office" in told) == (0, True), told
    status, told = step(3)
    assert (status, "waits for verification: 已清运" in told) == (0, True), told

    assert "try `--actor qingjieban` in the fourth line" in TEXT
    status, told = step(4, ("--actor office", "--actor qingjieban"))
    assert (status, "own_work" in told) == (1, True), told
    status, told = step(4)
    assert (status, f"{year}-000001 of Cleaning office is struck off" in told) == (0, True), told

    assert "says that no station lags" in TEXT
    status, told = step(5)
    assert (status, "no station lags" in told, "Cleaning office" in told) == (0, True, False), told

    status, told = step(6)
    names = [line.split()[0] for line in told.splitlines() if line.startswith("镇")]
    assert status == 0
    assert len(names) == 9
    assert {"镇清洁办", "镇纪委", "镇新村办"} <= set(names)
    assert all("\u4e00" <= letter <= "\u9fff" for name in names for letter in name)


def test_the_same_submission_sent_again_is_the_same_entry(up, year):
    told = typed(FIRST_STEPS[0], DUBAN_NATS_URL=up.nats_url).stdout
    assert f"entry {year}-000001" in told.splitlines()[-1]


def test_control_c_stops_everything_and_leaves_nobody_behind(up):
    ports, family = up.ports(), below(up.process.pid)
    assert len(ports) == 7
    assert all(map(listening, ports))
    assert up.control_c() == 0
    assert not any(map(listening, ports))
    if Path("/proc/self").exists():
        assert len(family) > 7
        until(lambda: not [pid for pid in family if Path(f"/proc/{pid}").exists()], 10)


def test_duban_do_list_names_every_command_and_help_explains_one():
    told = typed("duban do --list")
    assert told.returncode == 0
    assert {"intake.submit_matter", "ledger.verify", "escalation.approve_step"} <= set(told.stdout.split())
    assert "Unreachable" not in told.stdout
    assert "--category" in typed("duban submit --help").stdout


def leaves(command, *names):
    """The full names of a command and of all below it."""
    below = getattr(command, "commands", {})
    return {" ".join(names)} if not below else set().union(*(leaves(below[n], *names, n) for n in below))


def test_the_consoles_readme_names_every_command_and_no_other():
    table = CONSOLE_README.read_text("utf-8").partition("## ")[0]
    first_cells = "".join(re.findall(r"^\|([^|]*)\|", table, re.MULTILINE))
    assert set(re.findall(r"`([a-z -]+)`", first_cells)) == leaves(get_command(app))


# --- make demo


def demonstrated(out: Path, *more: str) -> tuple[str, bytes]:
    """What it prints, and the report that it leaves."""
    ran = subprocess.run(
        [*recipe("demo"), "--out", str(out), *more],
        cwd=ROOT,
        env=as_user(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=240,
    )
    assert ran.returncode == 0, ran.stdout
    return ran.stdout, (out / REPORT).read_bytes()


def test_make_demo_writes_where_the_readme_says():
    assert recipe("demo")[-2:] == ["duban", "demo"]
    out = inspect.signature(demo).parameters["out"].default
    assert f"`{(out / REPORT).as_posix()}`" in TEXT


def test_make_demo_plays_three_months_and_ends_with_the_laggard_report(tmp_path, township):
    told, written = demonstrated(tmp_path)
    report = json.loads(written)
    rows = {row["station"]: row for row in report["rows"]}
    assert datetime.fromisoformat(report["at"]).astimezone(
        ZoneInfo(township.timezone)
    ).date().isoformat() == ("2024-07-15")
    assert rows.keys() == township.stations.keys()
    assert len(rows) == 9
    for row in rows.values():
        assert {*CIRCULAR, "rung", "open_items", "days_late"} <= row.keys()
        assert row["dispatched"] == (
            row["closed_on_time"]
            + row["closed_late"]
            + row["closed_undated"]
            + row["open"]
            + row["withdrawn"]
        )
        assert row["name"] in told or row["name_en"] in told
    assert all(row["dispatched"] for row in rows.values())
    assert max(row["rung"] for row in rows.values()) >= 3
    assert any(row["days_late"] for row in rows.values())
    assert any(row["dissatisfied"] for row in rows.values())


def test_the_same_seed_leaves_the_same_bytes(tmp_path):
    first, second = (demonstrated(tmp_path / name, "--days", "20")[1] for name in "ab")
    assert first == second
    assert json.loads(first)["rows"]


# --- past cases


def test_the_dry_run_of_an_import_reads_everything_and_needs_no_system(tmp_path):
    shutil.copytree(ROOT / "deploy" / "charters", tmp_path / "deploy" / "charters")
    made_up_cases(tmp_path / "cases.csv", 40)
    ran = typed(SHOWN[-1], tmp_path, DUBAN_NATS_URL=f"nats://127.0.0.1:{free_port()}")
    assert ran.returncode == 0, ran.stdout
    assert re.search(r"\b40\b", ran.stdout)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cases.csv", "deploy"]

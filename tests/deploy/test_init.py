"""`deploy/init.py` makes secrets once, keeps them from others, and agrees with the program in the image."""

import importlib.util
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from duban_contracts.message import SERVICES
from services.chassis.charter_file import read_charter
from services.console.deploying.permissions import permissions
from services.console.deploying.seed import read_seed
from tests.conftest import CHARTERS, ROOT
from tests.deploy.conftest import INIT, init


def test_running_it_again_changes_nothing(tmp_path: Path) -> None:
    init(tmp_path)
    before = {file.name: file.read_text() for file in tmp_path.iterdir()}
    init(tmp_path)
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == before


def test_two_installations_share_no_secret(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    init(first)
    init(second)
    assert all((second / file.name).read_text() != file.read_text() for file in first.iterdir())


def test_nobody_else_may_enter_the_folder_and_containers_may_read_the_files(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    init(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o444}


def test_every_service_finds_the_passwords_that_the_servers_are_told(tmp_path: Path) -> None:
    init(tmp_path)
    seed = read_seed(tmp_path / "seed.json")
    for service in SERVICES:
        nats, mongo = (seed.password(system, service) for system in ("nats", "mongo"))
        assert (tmp_path / f"{service}_nats_url").read_text() == f"nats://{service}:{nats}@nats:4222"
        told = (tmp_path / f"{service}_mongo_url").read_text()
        assert told == f"mongodb://{service}:{mongo}@mongo:27017/duban_{service}?replicaSet=rs0"


def test_a_station_is_told_its_address_without_a_secret_of_its_own_on_disk(tmp_path: Path) -> None:
    told = init(tmp_path, "credential", "qingjieban", "--host", "duban.example:4222").strip()
    word = read_seed(tmp_path / "seed.json").password("nats", "qingjieban")
    assert told == f"nats://qingjieban:{word}@duban.example:4222"
    assert not any("qingjieban" in file.name for file in tmp_path.iterdir())


def test_a_rotated_password_is_a_new_one_and_leaves_the_others(tmp_path: Path) -> None:
    init(tmp_path)
    before = {file.name: file.read_text() for file in tmp_path.iterdir()}
    office = init(tmp_path, "credential", "office")
    init(tmp_path, "rotate", "ledger", "office")
    changed = {file.name for file in tmp_path.iterdir() if file.read_text() != before[file.name]}
    assert changed == {"seed.json", "ledger_nats_url", "ledger_mongo_url", "ledger.env"}
    assert init(tmp_path, "credential", "office") != office
    word = read_seed(tmp_path / "seed.json").password("nats", "ledger")
    assert f":{word}@" in (tmp_path / "ledger_nats_url").read_text()


def refused(folder: Path, *arguments: str) -> str:
    with pytest.raises(subprocess.CalledProcessError) as failed:
        init(folder, *arguments)
    assert failed.value.returncode == 1
    return str(failed.value.stderr)


@pytest.mark.case("B18")
@pytest.mark.parametrize(
    ("typo", "meant"), [("qingjiban", "qingjieban"), ("opperator", "operator"), ("Ledger", "ledger")]
)
@pytest.mark.parametrize("verb", ["credential", "rotate"])
def test_a_misspelled_user_is_refused_with_who_was_meant(
    tmp_path: Path, verb: str, typo: str, meant: str
) -> None:
    init(tmp_path)
    before = {file.name: file.read_text() for file in tmp_path.iterdir()}
    assert f"did you mean {meant}" in refused(tmp_path, verb, typo)
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == before


@pytest.mark.case("B18")
def test_nothing_is_rotated_when_one_of_the_users_is_unknown(tmp_path: Path) -> None:
    init(tmp_path)
    refused(tmp_path, "rotate", "ledger", "nobody-at-all")
    assert read_seed(tmp_path / "seed.json").rotated == {}


@pytest.mark.case("B18")
def test_users_of_another_charter_are_read_from_it_or_taken_unchecked(tmp_path: Path) -> None:
    sample = str(CHARTERS / "myla311.yaml")
    assert "qingjieban" in refused(tmp_path, "credential", "qingjieban", "--charter", sample)
    assert init(tmp_path, "credential", "office", "--charter", sample)
    assert init(tmp_path, "credential", "qingjieban", "--charter", sample, "--unchecked")
    assert "--unchecked" in refused(
        tmp_path, "credential", "office", "--charter", str(tmp_path / "none.yaml")
    )


@pytest.mark.case("B18")
@pytest.mark.parametrize(
    "line",
    [
        "DUBAN_CHARTER=town.yaml",
        "DUBAN_CHARTER=town.yaml   # ours",
        'DUBAN_CHARTER="town.yaml" # ours',
        "export DUBAN_CHARTER='town.yaml'",
        " DUBAN_CHARTER = town.yaml\r",
        "DUBAN_CHARTER: town.yaml",
        "DUBAN_CHARTER=old.yaml\nDUBAN_CHARTER=$TOWN.yaml\n#DUBAN_CHARTER=x",
    ],
)
def test_a_setting_is_read_as_compose_reads_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    program = init_program()
    monkeypatch.setattr(program, "ROOT", tmp_path)
    monkeypatch.setenv("TOWN", "town")
    monkeypatch.delenv("DUBAN_CHARTER", raising=False)
    (tmp_path / ".env").write_text(f"OTHER=1\n{line}\n", "utf-8", newline="")
    assert program.charter().name == "town.yaml"
    monkeypatch.setenv("DUBAN_CHARTER", "myla311.yaml")
    assert program.charter().name == "myla311.yaml", "the environment comes first"


@pytest.mark.case("B18")
@pytest.mark.parametrize("line", ["", "DUBAN_CHARTER=", "DUBAN_CHARTER=  # none", "#DUBAN_CHARTER=town.yaml"])
def test_a_setting_that_is_empty_or_missing_is_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    program = init_program()
    monkeypatch.setattr(program, "ROOT", tmp_path)
    monkeypatch.delenv("DUBAN_CHARTER", raising=False)
    (tmp_path / ".env").write_text(f"{line}\n", "utf-8")
    assert program.charter().name == program.DEFAULT_CHARTER


@pytest.mark.case("B18")
def test_secrets_are_made_where_the_settings_file_says(tmp_path: Path) -> None:
    program = tmp_path / "deploy" / "init.py"
    program.parent.mkdir()
    program.write_text(INIT.read_text("utf-8"), "utf-8")
    (tmp_path / ".env").write_text("DUBAN_SECRETS=./elsewhere\n", "utf-8")
    environment = {"COMPOSE_PROJECT_NAME": "duban-none"}  # nothing of another installation on this machine
    subprocess.run([sys.executable, "-I", "-S", str(program)], check=True, env=environment, cwd="/")
    assert (tmp_path / "elsewhere" / "seed.json").exists()
    assert not (tmp_path / "run").exists()


@pytest.mark.case("B18")
@pytest.mark.parametrize("charter", ["township-2024.yaml", "myla311.yaml"])
def test_users_read_without_a_yaml_library_are_those_with_permissions(charter: str) -> None:
    program = init_program()
    known = [*program.PROGRAMS, *program.names((CHARTERS / charter).read_text("utf-8"))]
    assert sorted(known) == sorted(permissions(read_charter(CHARTERS / charter)))


@pytest.mark.case("B18")
@pytest.mark.parametrize(
    "text", ["stations: {a: {}}\nactors: {b: {}}\n", "stations:\n  a: {}\n", "", "actors:\n  b:\n    x: 1\n"]
)
def test_a_charter_written_otherwise_is_said_to_be_unreadable(text: str) -> None:
    with pytest.raises(ValueError, match="no block"):
        init_program().names(text)


@pytest.mark.case("B18")
def test_names_may_be_quoted_indented_otherwise_and_stand_between_comments() -> None:
    text = (
        "name: x\nstations: # all\n    # first\n    'a-1':\n        name: A\n\n# second\n    b_2: {name: B}\n"
        "actors:\n  c:\n    role: office"
    )
    assert init_program().names(text) == ["a-1", "b_2", "c"]


def init_program() -> Any:
    spec = importlib.util.spec_from_file_location("init", INIT)
    assert spec
    assert spec.loader
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    return program


@pytest.mark.case("B10")
def test_a_fingerprint_tells_compose_whose_password_changed(tmp_path: Path) -> None:
    init(tmp_path)
    before = {service: (tmp_path / f"{service}.env").read_text() for service in SERVICES}
    assert len(set(before.values())) == len(SERVICES)
    (tmp_path / "seed.json").unlink()
    init(tmp_path)
    assert all((tmp_path / f"{service}.env").read_text() != before[service] for service in SERVICES)


DOCKER = """#!/bin/sh
case "$*" in
  *com.docker.compose.project=duban\\ *volume=mongo-data) echo duban_mongo-data ;;
esac
"""


@pytest.mark.case("B13")
def test_no_other_seed_is_made_beside_volumes_that_are_there(tmp_path: Path) -> None:
    """Docker is a stand-in that lists one volume."""
    program, docker = tmp_path / "deploy" / "init.py", tmp_path / "bin" / "docker"
    for file, text in ((program, INIT.read_text("utf-8")), (docker, DOCKER)):
        file.parent.mkdir()
        file.write_text(text, "utf-8")
    docker.chmod(0o755)
    command, path = [sys.executable, "-I", "-S", str(program)], f"{docker.parent}:/usr/bin:/bin"

    def ran(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": path, **more}
        return subprocess.run([*command, *arguments], env=environment, capture_output=True, text=True)

    refused = ran()
    assert refused.returncode == 1
    assert "duban_mongo-data" in refused.stderr
    assert "tar -xzf BACKUP/secrets.tar.gz" in refused.stderr
    assert not (tmp_path / "run").exists()
    assert ran(COMPOSE_PROJECT_NAME="another").returncode == 0
    (tmp_path / "run" / "secrets" / "seed.json").unlink()
    assert ran("credential", "office", "--unchecked").returncode == 1
    assert ran("--new-seed").returncode == 0
    assert ran().returncode == 0, "it is there"


def test_the_project_is_the_one_of_the_compose_file() -> None:
    assert f"\nname: {init_program().PROJECT}\n" in (ROOT / "docker-compose.yml").read_text("utf-8")


@pytest.mark.case("B18")
def test_what_was_done_is_said_beside_the_output(tmp_path: Path) -> None:
    def said(*arguments: str) -> str:
        command = [sys.executable, "-I", "-S", str(INIT), "--dir", str(tmp_path), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stderr

    assert "a new seed" in said()
    assert "there already" in said()
    assert "replaced: ledger" in said("rotate", "ledger")
    assert said("credential", "office") == ""


@pytest.mark.case("B18")
def test_what_a_run_left_that_was_cut_off_is_in_nobody_s_way(tmp_path: Path) -> None:
    init(tmp_path)
    left = tmp_path / "seed.new"
    left.write_text("half")
    left.chmod(0o444)
    (tmp_path / "linked").hardlink_to(left)  # root may write to it all the same, and this shows that it did
    assert init_program().write(tmp_path / "seed.json", "other")
    assert (tmp_path / "seed.json").read_text() == "other"
    assert not left.exists()
    assert (tmp_path / "linked").read_text() == "half"

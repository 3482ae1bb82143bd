"""`deploy/init.py` makes secrets once, keeps them from others, and agrees with the program in the image."""

import stat
from pathlib import Path

from duban_contracts.message import SERVICES
from services.console.deploying.seed import read_seed
from tests.deploy.conftest import init


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
    assert changed == {"seed.json", "ledger_nats_url", "ledger_mongo_url"}
    assert init(tmp_path, "credential", "office") != office
    word = read_seed(tmp_path / "seed.json").password("nats", "ledger")
    assert f":{word}@" in (tmp_path / "ledger_nats_url").read_text()

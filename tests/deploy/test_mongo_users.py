"""Each service's user of MongoDB sees its own database, and making users again changes nothing."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from duban_contracts.message import SERVICES
from services.console.deploying.mongo_users import prepare
from services.console.deploying.seed import Seed, read_seed
from services.console.embedded import Child
from services.console.embedded.engines import Mongod, find_engine
from services.console.embedded.servers import LOOPBACK, free_port
from tests.waiting import until


@pytest.fixture(scope="module")
def address(secrets: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A mongod with the keyfile of an installation, and nobody in it yet."""
    engine = find_engine()
    if not isinstance(engine, Mongod):
        pytest.skip("SecantusDB has no keyfile")
    home, port = tmp_path_factory.mktemp("mongod"), free_port()
    keyfile = home / "keyfile"
    keyfile.write_text((secrets / "mongo_keyfile").read_text())
    keyfile.chmod(0o400)
    named = Mongod(engine.program, replica_set="rs0")
    child = Child([*named.command(home, port), "--keyFile", str(keyfile)], log=home / "log", alone=True)
    child.start()
    try:
        until(lambda: "Waiting for connections" in (home / "log").read_text())
        yield f"{LOOPBACK}:{port}"
    finally:
        child.kill()


@pytest.fixture(scope="module")
def seed(address: str, secrets: Path) -> Seed:
    seed = read_seed(secrets / "seed.json")
    prepare(address, address, seed)
    return seed


def as_service(address: str, service: str, seed: Seed) -> "MongoClient[dict[str, Any]]":
    word = seed.password("mongo", service)
    return MongoClient(f"mongodb://{service}:{word}@{address}/duban_{service}?replicaSet=rs0")


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_reads_and_writes_its_own_database_and_no_other(
    address: str, seed: Seed, service: str
) -> None:
    with as_service(address, service, seed) as client:
        own = client[f"duban_{service}"]["probe"]
        own.create_index("at")
        own.insert_one({"at": 1})
        assert own.count_documents({}) == 1
        for other in ({f"duban_{each}" for each in SERVICES} - {own.database.name}) | {"admin", "local"}:
            with pytest.raises(OperationFailure, match="not authorized"):
                client[other]["probe"].find_one()
            with pytest.raises(OperationFailure, match="not authorized"):
                client[other]["probe"].insert_one({})


def test_a_stranger_sees_nothing(address: str, seed: Seed) -> None:
    with MongoClient[dict[str, Any]](f"mongodb://{address}/?directConnection=true") as client:
        with pytest.raises(OperationFailure, match="requires authentication"):
            client["duban_ledger"]["probe"].find_one()
        with pytest.raises(OperationFailure, match="requires authentication"):
            client["admin"].command({"createUser": "me", "pwd": "x", "roles": ["root"]})


def test_making_users_again_changes_nothing_but_a_password_that_was_rotated(address: str, seed: Seed) -> None:
    prepare(address, address, seed)
    rotated = Seed(seed=seed.seed, rotated={"mongo/rating": 1})
    prepare(address, address, rotated)
    with as_service(address, "rating", rotated) as client:
        client["duban_rating"]["probe"].find_one()
    with as_service(address, "rating", seed) as client, pytest.raises(OperationFailure, match="failed"):
        client["duban_rating"]["probe"].find_one()


def test_the_log_of_mongod_tells_no_document_of_a_slow_operation(address: str, seed: Seed) -> None:
    """It would name petitioners and their telephone numbers, where whoever may read logs finds them."""
    word = seed.password("mongo", "root")
    with MongoClient[dict[str, Any]](f"mongodb://root:{word}@{address}/admin?replicaSet=rs0") as client:

        def logged(phone: str, **settings: Any) -> bool:
            client.admin.command("profile", 0, slowms=-1, **settings)  # every operation is slow
            client["duban_intake"]["probe"].insert_one({"phone": phone})
            client["duban_intake"]["probe"].update_one({"phone": phone}, {"$set": {"name": "x"}})
            return phone in str(client.admin.command("getLog", "global")["log"])

        assert not logged("13800000001")
        assert logged("13800000002", sampleRate=1.0), "the test would see it"
        client.admin.command("profile", 0, slowms=100, sampleRate=0.0)

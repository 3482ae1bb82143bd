"""`duban provision` over what an older version left."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from typing import Any, TypeVar

import nats
import pytest
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import DiscardPolicy, RePublish, RetentionPolicy, StorageType, StreamConfig

from services.chassis.provision import provision
from services.console.embedded import NatsServer, embedded_nats
from tests.console.conftest import Run

Result = TypeVar("Result")

OLD_COMMANDS = StreamConfig(
    "INTAKE_CMD", subjects=["cmd.intake.>"], retention=RetentionPolicy.WORK_QUEUE, storage=StorageType.FILE
)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[NatsServer]:
    with embedded_nats() as server:
        monkeypatch.setenv("DUBAN_NATS_URL", server.url)
        yield server


def on(server: NatsServer, work: Callable[[JetStreamContext], Awaitable[Result]]) -> Result:
    async def connected() -> Result:
        client = await nats.connect(server.url)
        try:
            return await work(client.jetstream())
        finally:
            await client.close()

    return asyncio.run(connected())


def made(server: NatsServer, *configs: StreamConfig) -> None:
    async def work(jetstream: JetStreamContext) -> None:
        for config in configs:
            await jetstream.add_stream(config)

    on(server, work)


def config(server: NatsServer, stream: str) -> StreamConfig:
    return on(server, lambda jetstream: jetstream.stream_info(stream)).config


@pytest.mark.case("B11")
def test_a_work_queue_of_the_older_kind_goes_on_and_is_named_with_what_to_do(
    run: Run, server: NatsServer
) -> None:
    made(server, OLD_COMMANDS)
    on(server, lambda jetstream: jetstream.publish("cmd.intake.submit_matter.v1.gateway", b"{}"))
    for _ in range(2):
        ran = run("provision")
        assert ran.status == 0, ran.err
        assert "INTAKE_CMD keeps retention=workqueue" in ran.err
        assert "deploy/README.md" in ran.err
    asked = on(server, lambda jetstream: jetstream.stream_info("INTAKE_CMD"))
    assert asked.state.messages == 1, "nothing is lost"
    assert asked.config.discard == DiscardPolicy.NEW, "all else is updated"
    assert asked.config.max_msg_size == 64 * 1024


@pytest.mark.case("B11")
@pytest.mark.parametrize(
    "older",
    [
        {},
        {"max_age": 0, "discard": DiscardPolicy.OLD},
        {"max_bytes": 10_000_000, "max_msgs": 7, "duplicate_window": 60.0},
        {"allow_direct": True, "deny_purge": False, "subjects": ["dead.*.>"]},
    ],
    ids=str,
)
def test_dead_letters_of_an_older_version_are_kept_under_the_settings_of_today(
    run: Run, server: NatsServer, older: dict[str, Any]
) -> None:
    made(server, replace(StreamConfig("DEAD", subjects=["dead.>"], storage=StorageType.FILE), **older))
    on(server, lambda jetstream: jetstream.publish("dead.intake.x", b"{}"))
    ran = run("provision")
    assert (ran.status, ran.err) == (0, "")
    now = config(server, "DEAD")
    assert (now.subjects, now.discard, now.max_msgs, now.max_age) == (
        ["dead.>"],
        DiscardPolicy.NEW,
        -1,
        90 * 24 * 3600,
    )
    assert on(server, lambda jetstream: jetstream.stream_info("DEAD")).state.messages == 1


@pytest.mark.case("B11", "B16")
def test_what_somebody_changed_by_hand_is_put_right(run: Run, server: NatsServer) -> None:
    """Also what we never ask for: facts must not be dropped, nor copied to where more people listen."""
    assert run("provision").status == 0
    before = {stream: config(server, stream) for stream in ("LEDGER_EVT", "KV_charter")}
    tampered: dict[str, Any] = {
        "max_msgs": 1,
        "republish": RePublish(src="evt.>", dest="open.>"),
        "max_age": 60.0,
    }

    async def tamper(jetstream: JetStreamContext) -> None:
        for each in before.values():
            # A window for duplicates may not be longer than the age.
            await jetstream.update_stream(replace(each, **tampered, duplicate_window=60.0))

    on(server, tamper)
    ran = run("provision")
    assert (ran.status, ran.err) == (0, "")
    for stream, as_before in before.items():
        assert config(server, stream) == as_before


@pytest.mark.case("B11")
def test_provision_again_changes_nothing_and_is_quiet(run: Run, server: NatsServer) -> None:
    assert run("provision").status == 0
    changed: list[str] = []

    async def heard(advisory: Msg) -> None:
        changed.append(advisory.data.decode())

    async def again(_: JetStreamContext) -> None:
        client, listener = await nats.connect(server.url), await nats.connect(server.url)
        try:
            await listener.subscribe("$JS.EVENT.ADVISORY.STREAM.*.>", cb=heard)
            await listener.flush()
            assert await provision(client, store_bytes=8_000_000_000) == []
            await client.flush()
            await listener.flush()
        finally:
            await client.close()
            await listener.close()

    on(server, again)
    assert changed == []
    ran = run("provision")
    assert (ran.status, ran.err) == (0, "")
    assert len(ran.out.splitlines()) == 1


@pytest.mark.case("B11")
def test_copies_that_only_a_cluster_has_are_refused_in_words(run: Run, server: NatsServer) -> None:
    assert run("provision").status == 0
    ran = run("provision", "--replicas", "3", "--format", "json")
    assert ran.status == 1
    assert ran.document["error"]["code"] == "not_updatable"
    assert "non-clustered" in ran.document["error"]["message"]


@pytest.mark.case("B11")
def test_a_stream_that_takes_nothing_more_is_named(run: Run, server: NatsServer) -> None:
    assert run("provision").status == 0
    sealed = replace(config(server, "DEAD"), sealed=True)
    on(server, lambda jetstream: jetstream.update_stream(sealed))
    ran = run("provision")
    assert ran.status == 1
    assert "DEAD" in ran.err
    assert "seal" in ran.err


@pytest.mark.case("B11")
def test_a_stream_whose_folder_was_removed_is_made_anew(run: Run, server: NatsServer) -> None:
    """The documented way out: no credential may delete a stream, but who runs the machine may."""
    made(server, OLD_COMMANDS)
    assert run("provision").status == 0
    server.kill()
    (folder,) = server.home.rglob("streams/INTAKE_CMD")
    shutil.rmtree(folder)
    server.start()
    ran = run("provision")
    assert (ran.status, ran.err) == (0, "")
    assert config(server, "INTAKE_CMD").retention == RetentionPolicy.LIMITS


@pytest.mark.case("B1")
def test_fact_streams_of_an_older_version_allow_direct_gets_no_more(run: Run, server: NatsServer) -> None:
    older = StreamConfig("LEDGER_EVT", subjects=["evt.ledger.>"], allow_direct=True)
    made(server, replace(older, storage=StorageType.FILE))
    ran = run("provision")
    assert (ran.status, ran.err) == (0, "")
    assert not config(server, "LEDGER_EVT").allow_direct


@pytest.mark.case("B6", "B11")
def test_commands_that_wait_at_the_upgrade_are_answered_before_their_number_is_limited(
    run: Run, server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server removes what is beyond a new limit, the oldest first, acknowledged or not."""
    monkeypatch.setattr("services.chassis.provision.MOST_WAITING", 4)
    made(server, StreamConfig("INTAKE_CMD", subjects=["cmd.intake.>"], storage=StorageType.FILE))

    async def sent(jetstream: JetStreamContext) -> None:
        for _ in range(9):
            await jetstream.publish("cmd.intake.submit_matter.v1.gateway", b"{}")

    on(server, sent)
    ran = run("provision")
    assert (ran.status, ran.err.count("many commands wait in INTAKE_CMD")) == (0, 1), ran.err
    asked = on(server, lambda jetstream: jetstream.stream_info("INTAKE_CMD"))
    assert (asked.state.messages, asked.config.max_msgs_per_subject) == (9, -1), "nothing is lost"
    assert asked.config.discard == DiscardPolicy.NEW, "all else is updated"
    on(server, lambda jetstream: jetstream.purge_stream("INTAKE_CMD"))
    ran = run("provision")
    assert (ran.status, ran.err) == (0, "")
    now = config(server, "INTAKE_CMD")
    assert (now.max_msgs_per_subject, now.discard_new_per_subject) == (4, True)


@pytest.mark.case("B11")
@pytest.mark.parametrize("before", [False, True], ids=["new", "grown"])
def test_more_than_the_server_may_store_names_the_setting(run: Run, server: NatsServer, before: bool) -> None:
    if before:
        assert run("provision", "--store", "1").status == 0
    ran = run("provision", "--store", "10000000")
    assert ran.status == 1
    assert "DUBAN_STORE_GB" in ran.err
    assert "max_file" in ran.err

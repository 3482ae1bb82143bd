"""No credential outside the services changes anything by where it lets answers go, or by what headers say.

Within one account the server itself publishes acknowledgements and errors to whatever `reply` names, and
checks nothing. So everybody tries every subject that they may publish to, with every reply and every header
that means something to the server; afterwards nothing has changed but that their own commands stand in their
stream, and nobody else has heard anything.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from nats.aio.msg import Msg

from duban_contracts.charter import Charter
from duban_contracts.message import SERVICES
from duban_contracts.subjects import fact_stream
from duban_contracts.topology import HEARS
from services.chassis.charter_bucket import publish_charter, published_revisions
from services.chassis.provision import provision
from services.console.client import duban
from services.console.deploying.permissions import ACCOUNT, ADMIN, PROVISION, permissions
from services.console.embedded.servers import at_home
from services.console.system import set_up
from tests.deploy.conftest import GuardedNats
from tests.deploy.test_permissions import BUCKETS, STREAMS, connected, settled

EVERY_STREAM = [*STREAMS, *BUCKETS, "DEAD"]
HOSTILE = [
    *(f"$JS.API.STREAM.{verb}.LEDGER_CMD" for verb in ("DELETE", "PURGE", "UPDATE", "MSG.DELETE")),
    "$JS.API.STREAM.DELETE.LEDGER_EVT",
    "$JS.API.STREAM.PURGE.KV_charter",
    "$JS.API.CONSUMER.DELETE.LEDGER_CMD.ledger",
    "$JS.API.CONSUMER.DURABLE.CREATE.LEDGER_CMD.mine",
    "$JS.ACK.LEDGER_EVT.escalation.1.1.1.1.0",
    "$KV.charter.current",
    "$KV.standings.qingjieban",
    "cmd.ledger.verify.v1.office",
    "evt.ledger.entry_struck_off.v1.qingjieban",
    "restricted.supervision.inspection_drawn.v1.qingjieban",
    "notice.intake.matter_accepted.v1.gateway",
    "dead.ledger.breaks_contract",
    "query.ledger.list.v1.office",
    "_INBOX.office.x",
    "_INBOX.ledger.x",
    "_INBOX.admin.x",
    "_INBOX.own.x",
]
HEADERS: list[dict[str, str]] = [
    {},
    {"Nats-Expected-Last-Msg-Id": "?"},
    {"Nats-Expected-Last-Sequence": "0"},
    {"Nats-Expected-Last-Subject-Sequence": "0"},
    {"Nats-Expected-Last-Subject-Sequence": "0", "Nats-Expected-Last-Subject-Sequence-Subject": "evt.>"},
    {"Nats-Expected-Stream": "LEDGER_EVT"},
    {"Nats-Required-Api-Level": "99"},
    {"Nats-Trace-Dest": "cmd.ledger.verify.v1.office"},
    {"Nats-Trace-Dest": "$JS.API.STREAM.DELETE.LEDGER_CMD", "Nats-Trace-Only": "true"},
    {"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"},
    {"Nats-Request-Info": '{"acc":"DUBAN","user":"office"}'},
    {"Nats-Batch-Id": "b", "Nats-Batch-Sequence": "1"},
    {"Nats-Batch-Id": "c", "Nats-Batch-Sequence": "1", "Nats-Batch-Commit": "1"},
    {"Nats-Rollup": "all"},
    {"Nats-Rollup": "sub"},
    {"Nats-Msg-Id": "fact-1"},
    {"Nats-TTL": "1s"},
    {"Nats-Incr": "+5"},
    {"Nats-Schedule": "@every 1s", "Nats-Schedule-Target": "cmd.ledger.verify.v1.office"},
    {
        "Nats-Schedule": "@every 1s",
        "Nats-Schedule-Target": "cmd.ledger.verify.v1.office",
        "Nats-Schedule-Source": "evt.ledger.told.v1.qingjieban",
        "Nats-Schedule-TTL": "1s",
    },
    {"Nats-Marker-Reason": "Purge"},
    {"Nats-Stream-Source": "LEDGER_EVT 1 > > x"},
    {"Nats-Counter-Sources": "{}"},
    {"Nats-Pin-Id": "x"},
    {"KV-Operation": "PURGE"},
    {"Status": "503"},
]


AT_ONCE = 1000


@pytest.fixture(scope="module")
async def broker(secrets: Path, township: Charter) -> AsyncIterator[GuardedNats]:
    """Provisioned and filled; does not sync each message, of which there are many."""
    with at_home(lambda home: GuardedNats(home, secrets, sync="2m"), None) as server:
        await set_up(server.url_for(PROVISION), None)
        async with duban(server.url_for(ADMIN)) as admin:
            await publish_charter(admin.client, township)
        for service in SERVICES:
            async with connected(server, service) as (client, _):
                for n in range(3):
                    headers = {"Nats-Msg-Id": f"fact-{n}"}
                    subject = f"evt.{service}.told.v1.qingjieban"
                    await client.jetstream().publish(subject, b"{}", headers=headers)
                    await client.publish(f"restricted.{service}.told.v1.qingjieban", b"{}")
                await client.publish(f"dead.{service}.breaks_contract", b"{}")
                if service == "escalation":
                    await client.publish("$KV.standings.qingjieban", b"{}")
                await settled(client)
        yield server


async def state_of_everything(admin: Any, own: str) -> dict[str, Any]:
    """Of every stream its configuration, and all that it holds but what `own` may have sent to it."""
    found: dict[str, Any] = {}
    for stream in EVERY_STREAM:
        request = json.dumps({"subjects_filter": ">"}).encode()
        reply = json.loads((await admin.request(f"$JS.API.STREAM.INFO.{stream}", request)).data)
        state = reply["state"]
        subjects = {
            subject: count
            for subject, count in state.get("subjects", {}).items()
            if not (stream.endswith("_CMD") and subject.rpartition(".")[2] == own)
        }
        last = None if stream.endswith("_CMD") else (state["messages"], state["last_seq"])
        found[stream] = reply["config"], reply["created"], state["consumer_count"], subjects, last
    return found


async def api_settled(admin: Any) -> None:
    """The server has done what it was asked of JetStream: that waits in a queue of its own, as this does."""
    await settled(admin)
    jetstream = admin.jetstream()
    for _ in range(2):
        await jetstream.update_stream((await jetstream.stream_info("DEAD")).config)


async def answering(stack: AsyncExitStack, server: GuardedNats) -> None:
    """Every service answers every question, so that there are answers to send astray."""

    async def answer(msg: Msg) -> None:
        await msg.respond(b"answer")

    for service in SERVICES:
        client, _ = await stack.enter_async_context(connected(server, service))
        await client.subscribe(f"query.{service}.>", cb=answer)
        await client.flush()


@pytest.mark.case("B1", "B2", "B3", "B4")
async def test_no_reply_and_no_header_of_anybody_changes_what_is_not_theirs(
    broker: GuardedNats, township: Charter
) -> None:
    outside = {user: each for user, each in permissions(township).items() if each.account != ACCOUNT}
    assert len(outside) > 10
    async with AsyncExitStack() as stack:
        await answering(stack, broker)
        admin, _ = await stack.enter_async_context(connected(broker, PROVISION))
        astray: list[str] = []
        spy, _ = await stack.enter_async_context(connected(broker, "office"))

        async def heard(msg: Msg) -> None:
            astray.append(msg.subject)

        for subject in ("_INBOX.office.>", "evt.*.*.*.*", "restricted.*.*.*.*"):
            await spy.subscribe(subject, cb=heard)
        await spy.flush()
        for user, allowed in outside.items():
            before = await state_of_everything(admin, user)
            async with connected(broker, user) as (client, _):
                crossed = product(allowed.publish, HOSTILE, HEADERS)
                for n, (subject, reply, headers) in enumerate(crossed):
                    await client.publish(subject, b"{}", reply=reply, headers=headers)
                    if n % AT_ONCE == 0:
                        await client.flush(30)
                await settled(client)
            await api_settled(admin)
            assert await state_of_everything(admin, user) == before, user
            await settled(spy)
            if user != "office":  # what it sends to itself stays in its own account
                assert astray == [], user
            astray.clear()
        assert (await admin.jetstream().stream_info("LEDGER_CMD")).state.last_seq > AT_ONCE, "it was tried"
    for service in SERVICES:
        async with connected(broker, service) as (sweeping, _):
            await sweeping.jetstream().purge_stream(f"{service.upper()}_CMD")


@pytest.mark.case("B4")
async def test_the_id_of_the_last_message_gives_nothing(broker: GuardedNats) -> None:
    """`Nats-Expected-Last-Msg-Id` makes the server name it; what came of it is told to its sender only."""
    async with connected(broker, "qingjieban") as (client, _):
        subject, headers = "cmd.ledger.accept.v1.qingjieban", {"Nats-Expected-Last-Msg-Id": "?"}
        reply = await asyncio.wait_for(client.request(subject, b"{}", headers=headers), 10)
        assert "wrong last msg ID" in reply.data.decode()


@pytest.mark.case("B1")
async def test_command_streams_take_no_atomic_batch_and_fact_streams_do(broker: GuardedNats) -> None:
    async with connected(broker, PROVISION) as (admin, _):
        for service in SERVICES:
            facts = await admin.jetstream().stream_info(fact_stream(service))
            commands = await admin.jetstream().stream_info(f"{service.upper()}_CMD")
            assert (facts.config.allow_atomic, bool(commands.config.allow_atomic)) == (True, False)


@pytest.mark.case("B5", "B8")
async def test_a_large_command_is_refused_by_its_stream(broker: GuardedNats) -> None:
    async with connected(broker, "qingjieban") as (client, _):
        subject = "cmd.ledger.accept.v1.qingjieban"
        reply = json.loads((await client.request(subject, b"x" * 65_000)).data)
        assert reply["stream"] == "LEDGER_CMD"
        refused = json.loads((await client.request(subject, b"x" * 66_000)).data)
        assert refused["error"]["err_code"] == 10054


FORGED = {
    "content-type": "application/json",
    "ce-specversion": "1.0",
    "ce-id": "forged",
    "ce-source": "cli",
    "ce-type": "duban.ledger.verify.v1",
    "ce-subject": "2024-000001",
}
OF_OTHERS = [
    "cmd.ledger.verify.v1.office",
    "evt.rating.told.v1.office",
    "restricted.supervision.inspection_drawn.v1.office",
    "notice.intake.matter_accepted.v1.office",
    "$KV.charter.current",
    "$JS.API.STREAM.PURGE.RATING_EVT",
]


@pytest.mark.case("B1", "B2")
async def test_a_taken_over_service_sends_no_stored_headers_in_anybodys_name(
    broker: GuardedNats, township: Charter
) -> None:
    """It stores a command's headers among its facts, and asks for them with a `reply` of others, in every way
    that it has. What it pulls arrives under the subject that it was stored with; what is said under subjects
    of others are the server's own words, without headers, which nobody can read as command or fact."""
    own = "evt.ledger.plan_applied.v1.office"  # the ledger hears this fact of its own
    body = township.model_dump_json().encode()
    streams = ["LEDGER_CMD", "RATING_EVT", "SUPERVISION_EVT", "KV_charter"]
    heard: list[Msg] = []

    async def hears(msg: Msg) -> None:
        heard.append(msg)

    async with connected(broker, PROVISION) as (admin, _), connected(broker, "office") as (office, _):
        jetstream = admin.jetstream()
        before = {stream: (await jetstream.stream_info(stream)).state.last_seq for stream in streams}
        for subject in ("evt.*.*.*.*", "restricted.*.*.*.*", "notice.*.*.*.office"):
            await office.subscribe(subject, cb=hears)
        await settled(office)
        async with connected(broker, "ledger") as (service, refusals):
            for reply in OF_OTHERS:
                ack = await service.jetstream().publish(own, body, headers=FORGED)
                asked = {
                    "$JS.API.CONSUMER.MSG.NEXT.LEDGER_EVT.ledger": {"batch": 1, "expires": 10**9},
                    "$JS.API.STREAM.MSG.GET.LEDGER_EVT": {"seq": ack.seq},
                    "$JS.API.DIRECT.GET.LEDGER_EVT": {"seq": ack.seq},
                }
                for subject, request in asked.items():
                    await service.publish(subject, json.dumps(request).encode(), reply=reply)
                await settled(service)
            assert len(refusals) == len(OF_OTHERS)
            assert all("direct.get.ledger_evt" in said for said in refusals)
            inbox = service.new_inbox()
            commands = await service.subscribe(inbox)
            came, pull = 0, json.dumps({"batch": 5000, "no_wait": True}).encode()
            await service.publish("$JS.API.CONSUMER.MSG.NEXT.LEDGER_CMD.ledger", pull, reply=inbox)
            while (msg := await commands.next_msg(timeout=10)).reply:
                assert "ce-id" not in (msg.headers or {}), "a command in the name of the office"
                came = msg.metadata.sequence.stream
            assert came > before["LEDGER_CMD"]
            charters = await published_revisions(service)
        await settled(office)
        assert {msg.subject for msg in heard if msg.headers} == {own}
        after = {stream: (await jetstream.stream_info(stream)).state.last_seq for stream in streams}
    assert after["KV_charter"] > before["KV_charter"]
    assert [charter.revision for charter in charters] == [1]
    for service_name in ("rating", "supervision"):
        async with connected(broker, service_name) as (reading, _):
            stream = fact_stream(service_name)
            put = [
                await reading.jetstream().get_msg(stream, sequence)
                for sequence in range(before[stream] + 1, after[stream] + 1)
            ]
            assert {msg.subject for msg in put if msg.headers} == {own}, stream


EMPTY, WORDS = "an empty message", "the server's words"
TAKEN_OVER: dict[str, set[tuple[str, str, str]]] = {
    "$JS.API.STREAM.DELETE.LEDGER_CMD": {(EMPTY, "LEDGER_CMD", "gone")},
    "$JS.API.STREAM.PURGE.LEDGER_CMD": {(EMPTY, "LEDGER_CMD", "emptied")},
    "$JS.API.STREAM.DELETE.LEDGER_EVT": {(EMPTY, "LEDGER_EVT", "gone")},
    "$JS.API.STREAM.PURGE.KV_charter": {(EMPTY, "KV_charter", "emptied")},
    "$JS.API.CONSUMER.DELETE.LEDGER_CMD.ledger": {(EMPTY, "LEDGER_CMD", "consumer gone")},
    "$KV.charter.current": {(EMPTY, "KV_charter", "put"), (WORDS, "KV_charter", "put")},
    "$KV.standings.qingjieban": {(EMPTY, "KV_standings", "put"), (WORDS, "KV_standings", "put")},
}
"""What ADR 0011 says that a taken-over service can do by `reply`, as (what the server sends there, stream,
what becomes of it). Besides, the server's words take room under `cmd`, `evt` and so on."""


def effects(before: dict[str, Any], after: dict[str, Any]) -> set[tuple[str, str]]:
    found = set()
    for stream, was in before.items():
        now = after[stream]
        if now is None:
            found.add((stream, "gone"))
        elif now["config"] != was["config"]:
            found.add((stream, "changed"))
        elif now["state"]["consumer_count"] != was["state"]["consumer_count"]:
            gone = now["state"]["consumer_count"] < was["state"]["consumer_count"]
            found.add((stream, "consumer gone" if gone else "consumer made"))
        elif now["state"]["last_seq"] > was["state"]["last_seq"]:
            found.add((stream, "put"))
        elif now["state"]["messages"] != was["state"]["messages"]:
            found.add((stream, "emptied"))
    return found


async def every_stream(admin: Any) -> dict[str, Any]:
    """None for one that is gone."""
    found = {}
    for stream in EVERY_STREAM:
        reply = json.loads((await admin.request(f"$JS.API.STREAM.INFO.{stream}", b"")).data)
        found[stream] = None if "error" in reply else reply
    return found


async def effects_of_all(
    admin: Any, before: dict[str, Any], expected: set[tuple[str, str]]
) -> set[tuple[str, str]]:
    """What is expected is waited for; what is not, until the server has done what it was asked before."""
    for _ in range(100):
        await api_settled(admin)
        found = effects(before, await every_stream(admin))
        if found >= expected:
            break
        await asyncio.sleep(0.02)
    return found


@pytest.mark.case("B1", "B2")
@pytest.mark.parametrize("service", SERVICES)
async def test_a_taken_over_service_can_do_what_the_decision_says_and_no_more(
    secrets: Path, township: Charter, service: str
) -> None:
    consumer = next(name for name in HEARS if name == service)
    stream = f"{service.upper()}_CMD"
    sources = {
        EMPTY: (f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}", b'{"batch": 1, "no_wait": true}'),
        WORDS: ("$JS.API.STREAM.INFO.DEAD", b""),
    }
    done: dict[str, set[tuple[str, str, str]]] = {}
    stored = ("cmd.", "evt.", "restricted.", "notice.", "dead.")
    with at_home(lambda home: GuardedNats(home, secrets, sync="2m"), None) as server:
        async with AsyncExitStack() as stack:
            admin, _ = await stack.enter_async_context(connected(server, PROVISION))
            for reply, (source, (subject, body)) in product(HOSTILE, sources.items()):
                await provision(admin)
                async with connected(server, "qingjieban") as (sender, _):
                    await sender.request("cmd.ledger.accept.v1.qingjieban", b"{}")
                async with connected(server, ADMIN) as (publisher, _):
                    await publish_charter(publisher, township)
                async with connected(server, service) as (taken, _):
                    inbox = await taken.subscribe(taken.new_inbox())
                    await taken.publish(sources[EMPTY][0], sources[EMPTY][1], reply=inbox.subject)
                    await inbox.next_msg(
                        timeout=10
                    )  # the ledger is given its command, and then there is none
                    before = await every_stream(admin)
                    await taken.publish(subject, body, reply=reply)
                    await settled(taken)
                expected = {(place, what) for by, place, what in TAKEN_OVER.get(reply, ()) if by == source}
                for place, what in await effects_of_all(admin, before, expected):
                    if not (reply.startswith(stored) and what == "put"):
                        done.setdefault(reply, set()).add((source, place, what))
    assert done == TAKEN_OVER

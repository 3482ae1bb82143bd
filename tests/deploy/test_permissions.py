"""Each NATS credential can do its own job and is refused everything else: asked of a real nats-server."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import nats
import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from duban_contracts.charter import Charter, Role
from duban_contracts.message import SERVICES
from duban_contracts.reading import EntryPage, ListEntries
from duban_contracts.topology import HEARS, streams_heard
from services.chassis.inboxes import inbox_of
from services.console import client as client_module
from services.console.client import NotPermitted, Unreachable, duban
from services.console.deploying.permissions import ADMIN, OPERATOR, NameTaken, permissions
from services.ledger.views import QUERIES as LEDGER_QUERIES
from tests.deploy.conftest import GuardedNats

STREAMS = [f"{service.upper()}_{kind}" for service in SERVICES for kind in ("CMD", "EVT")]
BUCKETS = ["KV_charter", "KV_standings"]
PLACES = [(stream, consumer) for consumer in HEARS for stream in streams_heard(consumer)]
EVERYTHING = [">", "*.>", "_INBOX.>", "cmd.>", "evt.>", "dead.>", "query.>", "$JS.>", "$KV.>", "$SYS.>"]


@asynccontextmanager
async def connected(server: GuardedNats, user: str) -> AsyncIterator[tuple[Client, list[str]]]:
    """A connection, and what the server refuses on it."""
    refusals: list[str] = []

    async def refused(error: Exception) -> None:
        refusals.append(str(error))

    url = server.url_for(user)
    client = await nats.connect(url, error_cb=refused, inbox_prefix=inbox_of(url))
    try:
        yield client, refusals
    finally:
        await client.close()


async def may_publish(server: GuardedNats, user: str, subjects: Iterable[str]) -> set[str]:
    """Those that the server takes. The body means nothing to anybody."""
    tried = set(subjects)
    async with connected(server, user) as (client, refusals):
        for subject in tried:
            await client.publish(subject, b"?")
        await settled(client)
        return tried - {subject for subject in tried if names(refusals, subject)}


async def may_hear(server: GuardedNats, user: str, subjects: Iterable[str]) -> set[str]:
    tried = set(subjects)
    async with connected(server, user) as (client, refusals):
        for subject in tried:
            await client.subscribe(subject)
        await settled(client)
        return tried - {subject for subject in tried if names(refusals, subject)}


async def settled(client: Client) -> None:
    """All refusals have come. Twice: the client's first question overtakes what it has not sent yet."""
    await client.flush()
    await client.flush()


def names(refusals: Iterable[str], subject: str) -> bool:
    """The client makes small letters of what the server says."""
    return any(f'"{subject.lower()}"' in refusal for refusal in refusals)


def only(mine: Iterable[str], of: Iterable[str]) -> set[str]:
    """What remains to a credential of all that it tries; guards against a typing error in the test."""
    assert set(mine) <= set(of)
    return set(mine)


@pytest.mark.parametrize("credential", [{}, {"user": "ledger", "pass": "wrong"}])
async def test_a_stranger_does_not_get_in(guarded: GuardedNats, credential: dict[str, str]) -> None:
    """In the protocol's own words: the client library leaves sockets open when it is refused."""
    reader, writer = await asyncio.open_connection("127.0.0.1", guarded.port)
    try:
        assert (await reader.readline()).startswith(b"INFO ")
        writer.write(b"CONNECT " + json.dumps({"verbose": False, **credential}).encode() + b"\r\nPING\r\n")
        assert await reader.readline() == b"-ERR 'Authorization Violation'\r\n"
    finally:
        writer.close()
        await writer.wait_closed()


async def test_nobody_can_speak_for_another(
    guarded: GuardedNats, township: Charter, users: list[str]
) -> None:
    actors = {*township.stations, *township.actors}
    spoken = {actor: f"cmd.nowhere.accept.v1.{actor}" for actor in users}
    for user in users:
        own = [spoken[user]] if user in actors else []
        assert await may_publish(guarded, user, spoken.values()) == only(own, spoken.values()), user


async def test_a_service_tells_its_own_facts_and_buries_its_own_dead_letters_only(
    guarded: GuardedNats, users: list[str]
) -> None:
    tried = [f"{kind}.{service}.x" for kind in ("evt", "dead") for service in (*SERVICES, "nowhere")]
    for user in users:
        own = [f"evt.{user}.x", f"dead.{user}.x"] if user in SERVICES else []
        assert await may_publish(guarded, user, tried) == only(own, tried), user


async def test_a_service_takes_and_acknowledges_only_what_its_own_consumers_hear(
    guarded: GuardedNats, users: list[str]
) -> None:
    def tried(place: tuple[str, str]) -> list[str]:
        stream, consumer = place
        return [
            f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}",
            f"$JS.ACK.{stream}.{consumer}.1.1.1.1.0",
            f"$JS.ACK._.hash.{stream}.{consumer}.1.1.1.1.0",
        ]

    everything = [subject for place in PLACES for subject in tried(place)]
    for user in users:
        own = [place for place in PLACES if user in SERVICES and place[1].split("-")[0] == user]
        mine = [subject for place in own for subject in tried(place)]
        assert await may_publish(guarded, user, everything) == only(mine, everything), user


async def test_nobody_deletes_a_stream_or_takes_anything_out_but_a_service_its_own_commands(
    guarded: GuardedNats, users: list[str]
) -> None:
    verbs = ("STREAM.DELETE", "STREAM.PURGE", "STREAM.MSG.DELETE", "STREAM.RESTORE", "STREAM.SNAPSHOT")
    tried = [f"$JS.API.{verb}.{stream}" for verb in verbs for stream in [*STREAMS, *BUCKETS, "DEAD"]]
    tried += [f"$JS.API.CONSUMER.{verb}.{s}.{c}" for verb in ("DELETE", "PAUSE") for s, c in PLACES]
    for user in users:
        sweeping = ("STREAM.PURGE", "STREAM.MSG.DELETE")
        own = [f"$JS.API.{verb}.{user.upper()}_CMD" for verb in sweeping] if user in SERVICES else []
        assert await may_publish(guarded, user, tried) == only(own, tried), user


async def test_only_the_admin_makes_or_changes_streams_and_consumers(
    guarded: GuardedNats, users: list[str]
) -> None:
    tried = [
        f"$JS.API.STREAM.{verb}.{stream}" for verb in ("CREATE", "UPDATE") for stream in [*STREAMS, *BUCKETS]
    ]
    tried += [f"$JS.API.CONSUMER.DURABLE.CREATE.{stream}.{consumer}" for stream, consumer in PLACES]
    named = [f"$JS.API.CONSUMER.CREATE.{stream}.{consumer}" for stream, consumer in PLACES]
    filtered = [f"{subject}.evt.>" for subject in named]
    everything = [*tried, *named, *filtered]
    for user in users:
        own = tried if user == ADMIN else []
        assert await may_publish(guarded, user, everything) == only(own, everything), user


async def test_only_the_admin_publishes_the_charter_and_only_escalation_the_standings(
    guarded: GuardedNats, users: list[str]
) -> None:
    tried = ["$KV.standings.nobody", "$KV.charter.other", "$KV.charter.current"]
    for user in [user for user in users if user != ADMIN]:  # who shows in the fixture that it may
        own = ["$KV.standings.nobody"] if user == "escalation" else []
        assert await may_publish(guarded, user, tried) == only(own, tried), user
    tried.remove("$KV.charter.current")
    assert await may_publish(guarded, ADMIN, tried) == set()


async def test_everybody_hears_their_own_inbox_and_a_service_the_questions_put_to_it(
    guarded: GuardedNats, users: list[str]
) -> None:
    inboxes = {user: f"_INBOX.{user}.x" for user in users}
    questions = {service: f"query.{service}.answers" for service in SERVICES}
    tried = [*inboxes.values(), *questions.values(), *EVERYTHING, *(f"evt.{s}.>" for s in SERVICES)]
    for user in users:
        own = [inboxes[user], *([questions[user]] if user in SERVICES else [])]
        assert await may_hear(guarded, user, tried) == only(own, tried), user


async def test_who_may_ask_what(guarded: GuardedNats, township: Charter, users: list[str]) -> None:
    names = {"answers", "history", "charter", "laggards", *LEDGER_QUERIES}
    tried = [f"query.{service}.{name}" for service in SERVICES for name in names]

    def ledger(*names: str) -> list[str]:
        return [f"query.ledger.{name}" for name in names]

    register = ledger("list", "show", "export", "why", "history")
    answers = [f"query.{service}.answers" for service in SERVICES]
    charter = [f"query.{service}.charter" for service in SERVICES]
    by_role = {
        Role.STATION: [*answers, *register],
        Role.GATEWAY: [*answers, *ledger("find", "show", "why", "disclosure")],
        Role.FEED: [*answers, "query.intake.charter"],
        Role.OFFICE: tried,
        Role.LEADER: [
            *answers,
            *register,
            *ledger("find", "hot_list", "disclosure"),
            *(f"query.{service}.{name}" for service in ("supervision", "escalation") for name in names),
        ],
        Role.DISCIPLINE: tried,
    }
    expected = dict.fromkeys(township.stations, by_role[Role.STATION]) | {
        token: by_role[actor.role] for token, actor in township.actors.items()
    }
    expected |= {ADMIN: charter, OPERATOR: [f"query.escalation.{name}" for name in names]}
    for user in users:
        assert await may_publish(guarded, user, tried) == only(expected.get(user, []), tried), user


async def test_only_office_and_commission_ask_for_conduct_matters(
    guarded: GuardedNats, township: Charter, users: list[str]
) -> None:
    tried = [f"query.ledger.{name}" for name in LEDGER_QUERIES if name.endswith("_restricted")]
    assert len(tried) == 5
    entitled = {Role.OFFICE, Role.DISCIPLINE}
    askers = {token for token, actor in township.actors.items() if actor.role in entitled}
    assert askers == {"office", "discipline"}
    for user in users:
        own = tried if user in askers else []
        assert await may_publish(guarded, user, tried) == only(own, tried), user


async def test_who_asks_what_is_not_permitted_is_told_so_and_does_not_wait_for_an_answer(
    guarded: GuardedNats, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "ASK_SECONDS", 0.5)
    async with duban(guarded.url_for("qingjieban"), "duban/tests") as town:
        with pytest.raises(NotPermitted, match=r"query\.ledger\.list_restricted"):
            await town.ask("ledger", "list_restricted", ListEntries(), EntryPage)
        with pytest.raises(Unreachable):
            await town.ask("ledger", "list", ListEntries(), EntryPage, patience=0)


async def test_who_watches_escalation_sees_no_other_stream(
    guarded: GuardedNats, township: Charter, users: list[str]
) -> None:
    tried = [f"$JS.API.CONSUMER.CREATE.{stream}" for stream in [*STREAMS, *BUCKETS, "DEAD"]]
    tried += [f"$JS.API.STREAM.MSG.GET.{stream}" for stream in STREAMS]
    tried += [f"$JS.API.DIRECT.GET.{stream}" for stream in STREAMS]
    watching = {Role.OFFICE, Role.LEADER, Role.DISCIPLINE}
    watchers = {OPERATOR} | {token for token, actor in township.actors.items() if actor.role in watching}
    watched = [f"$JS.API.CONSUMER.CREATE.{stream}" for stream in ("ESCALATION_EVT", "KV_standings")]
    following = ["$JS.API.CONSUMER.CREATE.KV_charter"]
    for user in users:
        own = watched if user in watchers else following if user in SERVICES else []
        assert await may_publish(guarded, user, tried) == only(own, tried), user


@pytest.mark.parametrize("name", [{"durable_name": "escalation"}, {"name": "escalation"}])
async def test_a_watcher_cannot_change_a_consumer_of_ours_through_its_own(
    guarded: GuardedNats, name: dict[str, str]
) -> None:
    """The only subject a watcher has for consumers is the nameless one; a name in the body must not count."""
    body = {"stream_name": "ESCALATION_EVT", "config": {**name, "ack_policy": "none", "filter_subject": "x"}}
    async with connected(guarded, OPERATOR) as (client, _):
        reply = await client.request("$JS.API.CONSUMER.CREATE.ESCALATION_EVT", json.dumps(body).encode())
        told = json.loads(reply.data)
    made = told.get("config", {})
    assert "error" in told or made.get("durable_name") is None
    async with connected(guarded, ADMIN) as (client, _):
        for stream, consumer in PLACES:
            info = await client.jetstream().consumer_info(stream, consumer)
            assert sorted(info.config.filter_subjects or [info.config.filter_subject]) == sorted(
                streams_heard(consumer)[stream]
            )


async def test_answers_cannot_be_sent_anywhere_but_to_an_inbox(guarded: GuardedNats) -> None:
    """Who asks names the place for the answer: not `cmd.ledger.verify.v1.office`."""
    async with connected(guarded, "ledger") as (service, refusals):
        asked: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        async def answer(msg: Msg) -> None:
            await msg.respond(b"?")
            asked.set_result(msg.reply)

        await service.subscribe("query.ledger.find", cb=answer)
        await service.flush()
        async with connected(guarded, "gateway") as (client, _):
            await client.publish("query.ledger.find", b"", reply="cmd.ledger.verify.v1.office")
            await client.flush()
        assert await asyncio.wait_for(asked, 10) == "cmd.ledger.verify.v1.office"
        await settled(service)
        assert names(refusals, "cmd.ledger.verify.v1.office")


def test_a_station_may_not_have_the_name_of_a_program_of_ours(township: Charter) -> None:
    stations = {**township.stations, "ledger": next(iter(township.stations.values()))}
    with pytest.raises(NameTaken, match="ledger"):
        permissions(township.model_copy(update={"stations": stations}))

"""Each NATS credential can do its own job and is refused everything else: asked of a real nats-server."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from time import monotonic

import nats
import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from duban_contracts.charter import Charter, Role
from duban_contracts.charter_check import RESERVED
from duban_contracts.intake import SubmitMatter
from duban_contracts.message import CATALOGUE as MESSAGES
from duban_contracts.message import SERVICES, Command
from duban_contracts.query_catalogue import CATALOGUE
from duban_contracts.reading import AskHotList, EntryPage, HotListShown, ListEntries
from duban_contracts.subjects import subject_of
from duban_contracts.topology import HEARS, streams_heard
from services.chassis.inboxes import inbox_of
from services.console import client as client_module
from services.console.cli import main
from services.console.client import NotPermitted, Order, Unreachable, duban
from services.console.deploying.permissions import (
    ADMIN,
    LIMITS,
    OPERATOR,
    PROVISION,
    NameTaken,
    permissions,
)
from services.console.doctor import clock_check
from tests.deploy.conftest import GuardedNats

COMMANDS = [message for message in MESSAGES.values() if issubclass(message, Command)]
STREAMS = [f"{service.upper()}_{kind}" for service in SERVICES for kind in ("CMD", "EVT")]
BUCKETS = ["KV_charter", "KV_standings"]
PLACES = [(stream, consumer) for consumer in HEARS for stream in streams_heard(consumer)]
EVERYTHING = [
    ">",
    "*.>",
    "_INBOX.>",
    "cmd.>",
    "evt.>",
    "dead.>",
    "query.>",
    "restricted.>",
    "notice.>",
    "$JS.>",
    "$KV.>",
    "$SYS.>",
]


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
    assert await first_words(guarded, credential) == b"-ERR 'Authorization Violation'\r\n"


async def first_words(guarded: GuardedNats, credential: dict[str, str]) -> bytes:
    """What the server answers, in the protocol's own words: the client library leaves sockets open when it is
    refused."""
    reader, writer = await asyncio.open_connection("127.0.0.1", guarded.port)
    try:
        assert (await reader.readline()).startswith(b"INFO ")
        writer.write(b"CONNECT " + json.dumps({"verbose": False, **credential}).encode() + b"\r\nPING\r\n")
        return await reader.readline()
    finally:
        writer.close()
        await writer.wait_closed()


@pytest.mark.case("B1")
async def test_everybody_commands_in_their_own_name_and_what_their_role_may(
    guarded: GuardedNats, township: Charter, users: list[str]
) -> None:
    actors = township.everyone()
    for user in users:
        actor = actors.get(user)
        own = [subject_of(command, user) for command in COMMANDS]
        others = [subject_of(SubmitMatter, other) for other in actors if other != user]
        mine = [
            subject_of(command, user)
            for command in COMMANDS
            if actor is not None and (actor.role in command.by or actor.may_act_for)
        ]
        tried = [*own, *others, f"cmd.nowhere.accept.v1.{user}"]
        assert await may_publish(guarded, user, tried) == only(mine, tried), user


async def test_a_service_tells_its_own_facts_and_buries_its_own_dead_letters_only(
    guarded: GuardedNats, users: list[str]
) -> None:
    kinds = ("evt", "restricted", "notice", "dead")
    tried = [f"{kind}.{service}.x" for kind in kinds for service in (*SERVICES, "nowhere")]
    for user in users:
        own = [f"{kind}.{user}.x" for kind in kinds] if user in SERVICES else []
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


@pytest.mark.case("B16")
async def test_only_the_provision_credential_makes_or_changes_streams_and_consumers(
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
        own = tried if user == PROVISION else []
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


@pytest.mark.case("B4", "A16")
async def test_everybody_hears_their_own_inbox_and_the_facts_of_their_role(
    guarded: GuardedNats, township: Charter, users: list[str]
) -> None:
    inboxes = {user: f"_INBOX.{user}.x" for user in users}
    asked = {service: f"query.{service}.answers.v1.*" for service in SERVICES}
    every = ["evt.*.*.*.*", "restricted.*.*.*.*", "restricted.escalation.*.*.*", "evt.escalation.*.*.*"]
    personal = [f"{kind}.*.*.*.{user}" for kind in ("evt", "restricted", "notice") for user in users]
    tried = [*inboxes.values(), *asked.values(), *EVERYTHING, *every, *personal]
    all_facts = [subject for subject in (*every, *personal) if subject.startswith("evt.")]
    all_restricted = [subject for subject in (*every, *personal) if subject.startswith("restricted.")]
    actors = township.everyone()

    def heard(user: str) -> list[str]:
        if user in SERVICES:
            return [asked[user]]
        if user == OPERATOR:
            return ["evt.escalation.*.*.*"]
        if user not in actors:
            return []
        match actors[user].role:
            case Role.OFFICE | Role.DISCIPLINE:
                return [*all_facts, *all_restricted]
            case Role.LEADER:
                return [*all_facts, "restricted.escalation.*.*.*"]
            case _:
                return [f"evt.*.*.*.{user}", f"notice.*.*.*.{user}"]

    for user in users:
        own = [inboxes[user], *heard(user)]
        assert await may_hear(guarded, user, tried) == only(own, tried), user


@pytest.mark.case("B4")
async def test_who_may_ask_what(guarded: GuardedNats, township: Charter, users: list[str]) -> None:
    """In their own name. Said once more without the catalogue."""

    def of_all(*names: str) -> set[str]:
        return {f"query.{service}.{name}.v1" for service in SERVICES for name in names}

    def ledger(*names: str) -> set[str]:
        return {f"query.ledger.{name}.v1" for name in names}

    everybody, find = of_all("charter", "backlog"), ledger("find")
    upkeep = of_all("stuck", "dead_letters", "dead_letter", "decide_dead_letter")
    actor = everybody | of_all("answers", "facts") | find
    laggards = {"query.escalation.laggards.v1"}
    register = ledger("list", "show", "export", "why", "history") | {"query.escalation.history.v1"}
    standings = {"query.escalation.standings.v1"}
    overview = register | ledger("hot_list", "disclosure") | laggards | standings
    histories = {"query.rating.history.v1", "query.supervision.history.v1"}
    inspector = actor | overview | histories | {"query.intake.history.v1", "query.intake.petitioner.v1"}
    duty = {"query.intake.petitioner.v1"}
    by_role: dict[Role, set[str]] = {
        Role.STATION: actor | register | standings | duty,
        Role.GATEWAY: actor | ledger("show", "why", "disclosure"),
        Role.FEED: actor,
        Role.OFFICE: inspector,
        Role.DISCIPLINE: inspector,
        Role.LEADER: actor | overview | histories,
    }
    by_program = {ADMIN: everybody | upkeep, OPERATOR: everybody | upkeep | find | overview | of_all("facts")}
    names = {contract.id for contract in CATALOGUE.values()} | ledger("nonsense")
    for user in users:
        known = township.everyone().get(user)
        mine = by_role[known.role] if known else by_program.get(user, set())
        tried = [f"{name}.{asker}" for name in names for asker in (user, "office")]
        own = [f"{name}.{user}" for name in mine]
        assert await may_publish(guarded, user, tried) == only(own, tried), user


@pytest.mark.case("B19")
async def test_who_asks_or_commands_what_is_not_permitted_is_told_so_at_once(guarded: GuardedNats) -> None:
    async with duban(guarded.url_for("qingjieban"), "duban/tests") as town:
        async with asyncio.timeout(4):  # less than a question is waited for
            with pytest.raises(NotPermitted, match=r"query\.ledger\.hot_list\.v1\.qingjieban"):
                await town.ask("ledger", "hot_list", AskHotList(), HotListShown)
            with pytest.raises(NotPermitted, match=r"query\.ledger\.list\.v1\.office"):
                await town.ask("ledger", "list", ListEntries(), EntryPage, actor="office")
            matter = SubmitMatter(title="村口公厕堵塞", category="public_toilet")
            with pytest.raises(NotPermitted, match=r"cmd\.intake\.submit_matter\.v1\.gateway"):
                await town.send(Order(matter, "hotline:1", "gateway"))
        with suppress(Unreachable):  # there may be nobody who answers, but it is not refused
            await town.ask("ledger", "list", ListEntries(), EntryPage, patience=0)


async def test_nobody_outside_the_services_has_a_consumer_or_reads_a_stream(
    guarded: GuardedNats, users: list[str]
) -> None:
    every = [*STREAMS, *BUCKETS, "DEAD"]
    tried = [f"$JS.API.CONSUMER.CREATE.{stream}" for stream in every]
    tried += [f"$JS.API.{verb}.{stream}" for verb in ("STREAM.MSG.GET", "DIRECT.GET") for stream in every]
    reading = [f"$JS.API.STREAM.MSG.GET.{stream}" for stream in ("KV_charter",)]
    for user in users:
        own: list[str] = []
        if user in SERVICES:
            facts = f"$JS.API.STREAM.MSG.GET.{user.upper()}_EVT"
            own = ["$JS.API.CONSUMER.CREATE.KV_charter", *reading, facts]
        if user == "escalation":
            own.append("$JS.API.STREAM.MSG.GET.KV_standings")
        if user == ADMIN:
            own = reading
        assert await may_publish(guarded, user, tried) == only(own, tried), user


async def test_answers_cannot_be_sent_anywhere_but_to_who_asked(guarded: GuardedNats) -> None:
    """Who asks names the place for the answer: not `cmd.ledger.verify.v1.office`."""
    async with connected(guarded, "ledger") as (service, refusals):
        asked: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        async def answer(msg: Msg) -> None:
            await msg.respond(b"?")
            asked.set_result(msg.reply)

        await service.subscribe("query.ledger.find.v1.*", cb=answer)
        await service.flush()
        async with connected(guarded, "gateway") as (client, _):
            reply = "cmd.ledger.verify.v1.office"
            await client.publish("query.ledger.find.v1.gateway", b"", reply=reply)
            await client.flush()
        assert (await asyncio.wait_for(asked, 10)).startswith("_R_.")
        await settled(service)
        assert not refusals


@pytest.mark.case("B8")
async def test_connections_of_one_credential_are_bounded_and_take_nothing_from_others(
    guarded: GuardedNats,
) -> None:
    most = LIMITS["max_connections"]
    async with AsyncExitStack() as stack:
        for _ in range(most):
            await stack.enter_async_context(connected(guarded, "wenhuazhan"))
        said = await first_words(guarded, {"user": "wenhuazhan", "pass": guarded.password("wenhuazhan")})
        assert said == b"-ERR 'maximum account active connections exceeded'\r\n"
        async with connected(guarded, "qingjieban") as (other, refusals):
            await settled(other)
            assert not refusals


def test_a_station_may_not_have_the_name_of_a_program_of_ours(township: Charter) -> None:
    stations = {**township.stations, "ledger": next(iter(township.stations.values()))}
    with pytest.raises(NameTaken, match="ledger"):
        permissions(township.model_copy(update={"stations": stations}))


@pytest.mark.case("B19")
def test_the_command_line_tells_a_refusal_at_once(
    guarded: GuardedNats, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [
        "--lang",
        "en",
        "--nats",
        guarded.url_for(OPERATOR),
        "do",
        "ledger.accept",
        "--key",
        "2026-000001",
    ]
    started = monotonic()
    with pytest.raises(SystemExit) as end:
        main([*words, "--actor", OPERATOR])
    assert end.value.code == 1
    assert "may not publish to cmd.ledger.accept.v1.operator" in capsys.readouterr().err
    assert monotonic() - started < client_module.ASK_SECONDS


@pytest.mark.case("A12", "B19")
def test_the_command_line_tells_a_wrong_password_at_once(
    guarded: GuardedNats, capsys: pytest.CaptureFixture[str]
) -> None:
    started = monotonic()
    with pytest.raises(SystemExit) as end:
        main(
            ["--lang", "en", "--nats", f"nats://office:wrong@127.0.0.1:{guarded.port}", "report", "laggards"]
        )
    told = capsys.readouterr().err
    assert end.value.code == 1
    assert f"nats://127.0.0.1:{guarded.port} does not admit this credential" in told
    assert "wrong" not in told
    assert monotonic() - started < client_module.ASK_SECONDS


def test_a_charter_s_check_refuses_the_names_of_every_program(users: list[str], township: Charter) -> None:
    assert set(users) - township.everyone().keys() == RESERVED


async def test_the_doctor_asks_the_server_nothing_that_it_would_refuse(guarded: GuardedNats) -> None:
    """The server logs each as a violation."""
    async with duban(guarded.url_for(OPERATOR)) as system:
        assert await clock_check(system) is None
        await system.client.flush()
        assert system._refusals.last is None

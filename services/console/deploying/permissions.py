"""What each NATS credential may do, derived from the contracts: its own job, and nothing else.

The services share one account with JetStream. Every person, station, channel and feed has an account of their
own, which imports three things of the services' account, each narrowed to their own token: their commands and
questions (as services), and the facts that they may hear (as streams). `$JS`, `$KV` and other accounts'
inboxes do not exist there, so an acknowledgement or an answer that is asked for on such a subject goes
nowhere. Accounts of their own also carry the limits of connections and subscriptions: nats-server 2.15 knows
none for a user of the configuration file.

Within an account a subject permission binds what a client publishes: its inbox is its own (`_INBOX.<user>`,
which programs set as their inbox prefix), it commands and asks in its own name only, and hears no more than
its role may. What a taken-over service can still do is in `docs/decisions/0011-accounts-apart.md`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from duban_contracts.charter import Actor, Charter, Role
from duban_contracts.message import CATALOGUE, SERVICES, Command
from duban_contracts.query_catalogue import may_ask
from duban_contracts.readers import Program, Reader, ReaderRole, reader_of
from duban_contracts.subjects import (
    CHARTER_BUCKET,
    CHARTER_KEY,
    DEAD_STREAM,
    STANDINGS_BUCKET,
    command_stream,
    dead_subject,
    fact_stream,
)
from duban_contracts.topology import HEARS, streams_heard
from duban_contracts.visibility import subjects_heard

ADMIN, OPERATOR = Program.ADMIN.value, Program.OPERATOR.value
PROVISION = "provision"
"""Creates and updates streams, consumers and buckets: for installing and upgrading only."""
TELLS_STANDINGS = "escalation"
API = "$JS.API"
CHARTER, STANDINGS = f"KV_{CHARTER_BUCKET}", f"KV_{STANDINGS_BUCKET}"
CHARTER_SUBJECT = f"$KV.{CHARTER_BUCKET}.{CHARTER_KEY}"
ACCOUNT = "DUBAN"
"""Of the services. Its name is that of a folder in the broker's store, so it stays."""
EXPORTS = (
    {"service": "cmd.*.*.*.*"},
    {"service": "query.*.*.*.*"},
    {"stream": "evt.*.*.*.*"},
    {"stream": "restricted.*.*.*.*"},
    {"stream": "notice.*.*.*.*"},
)
LIMITS = {"max_connections": 16, "max_subscriptions": 500, "max_payload": 512 * 1024}
"""Of one credential outside the services: some people of one station, or some replicas of one program. A
command is smaller still, by its stream; a question may hold the ids of 1000 commands."""
OUR_LIMITS = {"max_connections": 200}
"""Of the services together: two each, and as many replicas as anybody runs; the rest of the broker's are
everybody else's, also when a service was taken over."""
JETSTREAM = {"max_streams": 40, "max_consumers": 500}
"""All that the services' account may have of it, besides the storage that the configuration gives."""


class NameTaken(Exception):
    """A station or an actor of the charter has the name of a program of ours."""


@dataclass(frozen=True)
class Permissions:
    """NATS subjects; what is not named is refused."""

    publish: tuple[str, ...]
    subscribe: tuple[str, ...]
    account: str = ACCOUNT
    imports: tuple[tuple[str, str], ...] = field(default=())
    """(`service` or `stream`, subject) of what an account of one's own takes from the services'."""

    def as_config(self) -> dict[str, dict[str, list[str]]]:
        return {"publish": {"allow": list(self.publish)}, "subscribe": {"allow": list(self.subscribe)}}


def permissions(charter: Charter) -> dict[str, Permissions]:
    """By user name: every service, our programs, every station and actor of the charter.

    Raises NameTaken.
    """
    ours = {service: of_service(service) for service in SERVICES} | {
        ADMIN: of_admin(),
        PROVISION: of_provision(),
        OPERATOR: of_reader(Reader(OPERATOR, Program.OPERATOR)),
    }
    actors = charter.everyone()
    if taken := ours.keys() & actors.keys():
        raise NameTaken(f"programs of ours have these names already: {', '.join(sorted(taken))}")
    return ours | {token: of_actor(token, actors) for token in actors}


def of_service(service: str) -> Permissions:
    """Take and acknowledge what its consumers hear, sweep what it answered, tell its facts, bury what it
    cannot read, answer questions."""
    consumers = [name for name in HEARS if name.partition("-")[0] == service]
    publish = [
        *(f"{kind}.{service}.>" for kind in ("evt", "restricted", "notice")),
        dead_subject(service, "*"),
        f"{API}.STREAM.INFO.{DEAD_STREAM}",  # how full it is
        # Answers go to who asked through his account, or to the administrator's inbox. `allow_responses`
        # would let whoever asks name any subject as the place for the answer.
        "_R_.>",
        f"_INBOX.{ADMIN}.>",
        *_reading_charter(),
        *_following(CHARTER),
        *_sweeping(command_stream(service)),
        *_looking_up(fact_stream(service)),
    ]
    for consumer in consumers:
        for stream in streams_heard(consumer):
            publish += _consuming(stream, consumer)
    if service == TELLS_STANDINGS:
        publish += [
            f"{API}.STREAM.INFO.{STANDINGS}",
            f"{API}.STREAM.MSG.GET.{STANDINGS}",
            f"$KV.{STANDINGS_BUCKET}.*",
        ]
    return Permissions(tuple(dict.fromkeys(publish)), (_inbox(service), f"query.{service}.>"))


def of_actor(token: str, actors: Mapping[str, Actor]) -> Permissions:
    """Everybody commands in their own name, and reads what their role may."""
    reader = reader_of(token, actors)
    assert reader is not None  # noqa: S101 - for the type checker: it is one of them
    return of_reader(reader, commands(token, actors[token]))


def of_reader(reader: Reader, commanding: Iterable[str] = ()) -> Permissions:
    asking, hearing = questions(reader.actor, reader.role), subjects_heard(reader)
    imports = [("service", f"query.*.*.*.{reader.actor}"), *(("stream", subject) for subject in hearing)]
    if commanding := tuple(commanding):
        imports.append(("service", f"cmd.*.*.*.{reader.actor}"))
    return Permissions(
        (*commanding, *asking),
        (_inbox(reader.actor), *hearing),
        account_of(reader.actor),
        tuple(imports),
    )


def account_of(token: str) -> str:
    return f"ACTOR_{token}"


def commands(token: str, actor: Actor) -> list[str]:
    """Those of its role, and of the roles whose doings it may report."""
    roles = {actor.role}
    if actor.may_act_for:
        roles |= set(Role if actor.acts_for is None else actor.acts_for)
    return [
        f"cmd.{command.service}.{command.message_name}.v{command.version}.{token}"
        for command in CATALOGUE.values()
        if issubclass(command, Command) and roles & command.by
    ]


def questions(token: str, role: ReaderRole) -> list[str]:
    """What the catalogue of questions lets this role ask, in its own name."""
    return [contract.subject(token) for contract in may_ask(role)]


def of_provision() -> Permissions:
    """Streams, consumers and buckets. It sends no command, hears no fact, and publishes no charter.

    Who may update a stream can have everything in it removed or sent elsewhere: this credential is used when
    installing and upgrading, and kept with the backups otherwise.
    """
    streams = [DEAD_STREAM, CHARTER, STANDINGS]
    streams += [stream(service) for service in SERVICES for stream in (command_stream, fact_stream)]
    making = [f"{API}.STREAM.{verb}.{stream}" for stream in streams for verb in ("INFO", "CREATE", "UPDATE")]
    consumers = [
        f"{API}.CONSUMER.DURABLE.CREATE.{stream}.{consumer}"
        for consumer in HEARS
        for stream in streams_heard(consumer)
    ]
    return Permissions((f"{API}.INFO", *making, *consumers), (_inbox(PROVISION),))


def of_admin() -> Permissions:
    """Publish the charter, and see who follows it."""
    asking = questions(ADMIN, Program.ADMIN)
    return Permissions((CHARTER_SUBJECT, *_reading_charter(), *asking), (_inbox(ADMIN),))


def _inbox(user: str) -> str:
    return f"_INBOX.{user}.>"


def _consuming(stream: str, consumer: str) -> list[str]:
    """One durable pull consumer; acknowledgements in both forms that servers use."""
    return [
        f"{API}.CONSUMER.MSG.NEXT.{stream}.{consumer}",
        f"{API}.CONSUMER.INFO.{stream}.{consumer}",
        f"$JS.ACK.{stream}.{consumer}.>",
        f"$JS.ACK.*.*.{stream}.{consumer}.>",
    ]


def _sweeping(stream: str) -> list[str]:
    """Who may acknowledge everything in a stream of commands can as well remove it."""
    return [f"{API}.STREAM.{verb}.{stream}" for verb in ("INFO", "PURGE", "MSG.DELETE")]


def _looking_up(stream: str) -> list[str]:
    """For the question after the facts of the past. No direct get: it is answered with the stored headers,
    which the service wrote itself, wherever `reply` says."""
    return [f"{API}.STREAM.INFO.{stream}", f"{API}.STREAM.MSG.GET.{stream}"]


def _reading_charter() -> list[str]:
    return [f"{API}.STREAM.INFO.{CHARTER}", f"{API}.STREAM.MSG.GET.{CHARTER}"]


def _following(stream: str) -> list[str]:
    """A consumer of one's own. On this subject the server takes no name, so nobody else's can be changed."""
    return [
        f"{API}.CONSUMER.CREATE.{stream}",
        f"{API}.CONSUMER.INFO.{stream}.*",
        f"$JS.FC.{stream}.>",
    ]


def as_config(users: Mapping[str, Permissions], passwords: Mapping[str, str]) -> dict[str, object]:
    """The `accounts` block of a nats-server."""
    accounts: dict[str, object] = {
        ACCOUNT: {
            "jetstream": JETSTREAM,
            "limits": OUR_LIMITS,
            "exports": list(EXPORTS),
            "users": [
                _user(user, allowed, passwords) for user, allowed in users.items() if not allowed.imports
            ],
        }
    }
    return accounts | {
        allowed.account: {
            "limits": LIMITS,
            "users": [_user(user, allowed, passwords)],
            "imports": [
                {kind: {"account": ACCOUNT, "subject": subject}} for kind, subject in allowed.imports
            ],
        }
        for user, allowed in users.items()
        if allowed.imports
    }


def _user(user: str, allowed: Permissions, passwords: Mapping[str, str]) -> dict[str, object]:
    return {"user": user, "password": passwords[user], "permissions": allowed.as_config()}

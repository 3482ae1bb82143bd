"""What each NATS credential may do, derived from the topology: its own job, and nothing else.

A name that may not be published is refused by the server, whatever the program behind it believes. Four
things hold for every credential: its inbox is its own (`_INBOX.<user>`, which programs set as their inbox
prefix), it speaks for nobody else, it changes no stream, but that a service sweeps its own commands, and no
consumer but a nameless one of its own.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from duban_contracts.charter import Charter, Role
from duban_contracts.message import CATALOGUE, SERVICES, Command
from duban_contracts.query_catalogue import may_ask
from duban_contracts.readers import Program, ReaderRole
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

ADMIN, OPERATOR = Program.ADMIN.value, Program.OPERATOR.value
TELLS_STANDINGS = "escalation"
API = "$JS.API"
CHARTER, STANDINGS = f"KV_{CHARTER_BUCKET}", f"KV_{STANDINGS_BUCKET}"
CHARTER_SUBJECT = f"$KV.{CHARTER_BUCKET}.{CHARTER_KEY}"


class NameTaken(Exception):
    """A station or an actor of the charter has the name of a program of ours."""


@dataclass(frozen=True)
class Permissions:
    """NATS subjects; what is not named is refused."""

    publish: tuple[str, ...]
    subscribe: tuple[str, ...]

    def as_config(self) -> dict[str, dict[str, list[str]]]:
        return {"publish": {"allow": list(self.publish)}, "subscribe": {"allow": list(self.subscribe)}}


def permissions(charter: Charter) -> dict[str, Permissions]:
    """By user name: every service, the admin, the operators, every station and actor of the charter.

    Raises NameTaken.
    """
    ours = {service: of_service(service) for service in SERVICES} | {
        ADMIN: of_admin(),
        OPERATOR: _asking(OPERATOR, _watching(), questions(OPERATOR, Program.OPERATOR)),
    }
    actors = dict.fromkeys(charter.stations, Role.STATION)
    actors |= {token: actor.role for token, actor in charter.actors.items()}
    if taken := ours.keys() & actors.keys():
        raise NameTaken(f"programs of ours have these names already: {', '.join(sorted(taken))}")
    return ours | {token: of_actor(token, role) for token, role in actors.items()}


def of_service(service: str) -> Permissions:
    """Take and acknowledge what its consumers hear, sweep what it answered, tell its facts, bury what it
    cannot read, answer questions."""
    consumers = [name for name in HEARS if name.partition("-")[0] == service]
    publish = [
        f"evt.{service}.>",
        dead_subject(service, "*"),
        # Answers go to inboxes only. `allow_responses` would let whoever asks name any subject as the place
        # for the answer, another service's commands among them.
        "_INBOX.>",
        *_reading_charter(),
        *_following(CHARTER),
        *_sweeping(command_stream(service)),
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
    return Permissions(tuple(publish), (_inbox(service), f"query.{service}.>"))


def of_actor(token: str, role: Role) -> Permissions:
    """Everybody commands in their own name and asks what came of it; some see more."""
    speaking = [f"cmd.*.*.v{version}.{token}" for version in _versions()]
    watches = role in (Role.LEADER, Role.OFFICE, Role.DISCIPLINE)
    return _asking(token, speaking, questions(token, role), _watching() if watches else [])


def questions(token: str, role: ReaderRole) -> list[str]:
    """What the catalogue of questions lets this role ask, in its own name."""
    return [contract.subject(token) for contract in may_ask(role)]


def of_admin() -> Permissions:
    """Provision, and publish the charter. It sends no command and hears no fact."""
    streams = [DEAD_STREAM, CHARTER, STANDINGS]
    streams += [stream(service) for service in SERVICES for stream in (command_stream, fact_stream)]
    making = [f"{API}.STREAM.{verb}.{stream}" for stream in streams for verb in ("INFO", "CREATE", "UPDATE")]
    consumers = [
        f"{API}.CONSUMER.DURABLE.CREATE.{stream}.{consumer}"
        for consumer in HEARS
        for stream in streams_heard(consumer)
    ]
    charter = [CHARTER_SUBJECT, *_reading_charter()]
    asking = questions(ADMIN, Program.ADMIN)
    return _asking(ADMIN, [f"{API}.INFO"], making, consumers, _looking(), charter, asking)


def _asking(user: str, *publish: Iterable[str]) -> Permissions:
    """One that only asks: nobody publishes to it but into its inbox."""
    allowed = dict.fromkeys(subject for subjects in publish for subject in subjects)
    return Permissions(tuple(allowed), (_inbox(user),))


def _inbox(user: str) -> str:
    return f"_INBOX.{user}.>"


def _versions() -> list[int]:
    return sorted({each.version for each in CATALOGUE.values() if issubclass(each, Command)})


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


def _reading_charter() -> list[str]:
    return [f"{API}.STREAM.INFO.{CHARTER}", f"{API}.STREAM.MSG.GET.{CHARTER}"]


def _following(stream: str) -> list[str]:
    """A consumer of one's own. On this subject the server takes no name, so nobody else's can be changed."""
    return [
        f"{API}.STREAM.INFO.{stream}",
        f"{API}.CONSUMER.CREATE.{stream}",
        f"{API}.CONSUMER.INFO.{stream}.*",
        f"$JS.FC.{stream}.>",
    ]


def _watching() -> list[str]:
    """`duban watch`: the standings, and every consequence as it comes."""
    return [*_following(STANDINGS), *_following(fact_stream("escalation"))]


def _looking() -> list[str]:
    """How far each consumer has come."""
    return [
        f"{API}.CONSUMER.INFO.{stream}.{consumer}" for consumer in HEARS for stream in streams_heard(consumer)
    ]


def as_config(users: Mapping[str, Permissions], passwords: Mapping[str, str]) -> dict[str, object]:
    """The `accounts` block of a nats-server: one account, in which JetStream runs."""
    entries = [
        {"user": user, "password": passwords[user], "permissions": allowed.as_config()}
        for user, allowed in users.items()
    ]
    return {"DUBAN": {"jetstream": "enabled", "users": entries}}
